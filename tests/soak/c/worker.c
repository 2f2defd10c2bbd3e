/* One process of the soak, until it is killed: the same program in every language.
 *
 *     worker ROLE PREFIX LIFE
 *
 * It reports its work on its standard output, 8 bytes each time: its life's number and a count, or
 * those of the message that it has got, little endian. It exits with 0 when PREFIX.stop is set or a
 * queue is shut down, and with another code if something was wrong. */
#define _POSIX_C_SOURCE 200809L
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "polyproc.h"

enum { LONG_MESSAGE = 20000, BURST = 16 };

static const int64_t SECOND = 1000000000;

static polyproc_event *stop;
static polyproc_queue *joinable, *unlimited;
static uint32_t life;
/* Shared memory is small: a put that finds none is tried again. */
static bool lacks_memory;

/* Whatever fails here fails the soak. */
static int32_t must(int32_t status, const char *what) {
  if (status < 0) {
    fprintf(stderr, "worker: %s: %s\n", what, polyproc_strerror(status));
    exit(3);
  }
  return status;
}

static void nap(int64_t ns) {
  struct timespec time = {0, (long)ns};
  nanosleep(&time, NULL);
}

static void put_little_endian(unsigned char *at, uint32_t value) {
  for (int byte = 0; byte < 4; byte++) at[byte] = (unsigned char)(value >> 8 * byte);
}

static uint32_t little_endian(const unsigned char *at) {
  uint32_t value = 0;
  for (int byte = 0; byte < 4; byte++) value |= (uint32_t)at[byte] << 8 * byte;
  return value;
}

static void report(uint32_t whose, uint32_t number) {
  unsigned char record[8];
  put_little_endian(record, whose);
  put_little_endian(record + 4, number);
  if (write(STDOUT_FILENO, record, sizeof record) != (ssize_t)sizeof record) exit(0);
}

static bool is_over(void) {
  int32_t set = 0;
  must(polyproc_event_is_set(stop, &set), "is_set");
  return set != 0;
}

/* Now and then a long one, which is copied outside of the queue's lock. */
static size_t length_of(uint32_t number) {
  return number % 50 == 7 ? LONG_MESSAGE : 8 + number % 100;
}

static void produce(void) {
  static unsigned char message[LONG_MESSAGE];

  for (uint32_t number = 0; !is_over(); number++) {
    polyproc_queue *queue = number % 2 == 0 ? joinable : unlimited;
    size_t length = length_of(number);
    memset(message, (int)(number & 0xff), length);
    put_little_endian(message, life);
    put_little_endian(message + 4, number);
    int32_t status;
    while ((status = polyproc_queue_put(queue, message, length, POLYPROC_FOREVER, NULL)) ==
               POLYPROC_E_NO_MEMORY &&
           lacks_memory)
      nap(1000000);
    must(status, "put");
    report(life, number);
    if (number % BURST == 0) nap(2000000);
  }
}

static void note(const unsigned char *data, size_t length) {
  uint32_t number = length >= 8 ? little_endian(data + 4) : 0;

  if (length != length_of(number)) {
    fprintf(stderr, "worker: a message of %zu bytes came out of nothing\n", length);
    exit(4);
  }
  for (size_t at = 8; at < length; at++) {
    if (data[at] != (number & 0xff)) {
      fprintf(stderr, "worker: message %u is damaged\n", (unsigned)number);
      exit(4);
    }
  }
  report(little_endian(data), number);
}

static void consume(polyproc_queue *queue) {
  static unsigned char copy[LONG_MESSAGE];
  bool by_copy = false;

  for (;;) {
    int32_t status;
    if (by_copy) {
      size_t length = 0;
      status = polyproc_queue_get(queue, copy, sizeof copy, &length, POLYPROC_FOREVER, NULL);
      if (status == POLYPROC_E_SHUTDOWN) return;
      must(status, "get");
      note(copy, length);
      must(polyproc_queue_task_done(queue), "task_done");
    } else {
      struct polyproc_message message;
      status = polyproc_queue_take(queue, &message, POLYPROC_FOREVER, NULL);
      if (status == POLYPROC_E_SHUTDOWN) return;
      must(status, "take");
      note(message.data, message.len);
      must(polyproc_message_done(&message), "done");
    }
    /* A plain get would lose the message if the process is killed: so only where the message stays
     * until it is settled. */
    by_copy = queue == joinable && !by_copy;
  }
}

/* A process that has the lock finds the only permit free: its last holder gave it back, or died
 * with the lock. */
static void take_lock(polyproc_lock *lock, polyproc_semaphore *inside) {
  for (uint32_t count = 0; !is_over(); count++) {
    must(polyproc_lock_acquire(lock, 5 * SECOND, NULL), "the lock");
    must(polyproc_semaphore_acquire(inside, SECOND, NULL),
         "two have the lock, or the dead one's permit is held");
    report(life, count);
    must(polyproc_semaphore_release(inside, 1), "release inside");
    must(polyproc_lock_release(lock), "release of the lock");
    nap(200000);
  }
}

static void take_permits(polyproc_semaphore *permits) {
  for (uint32_t count = 0; !is_over(); count++) {
    must(polyproc_semaphore_acquire(permits, 5 * SECOND, NULL), "a permit");
    report(life, count);
    nap(300000);
    must(polyproc_semaphore_release(permits, 1), "release of a permit");
  }
}

static const char *named(const char *prefix, const char *what) {
  static char name[200];
  snprintf(name, sizeof name, "%s.%s", prefix, what);
  return name;
}

int main(int argc, char **argv) {
  const char *role = argc == 4 ? argv[1] : "", *prefix = argc == 4 ? argv[2] : "";
  polyproc_lock *lock;
  polyproc_semaphore *inside, *permits;

  life = argc == 4 ? (uint32_t)strtoul(argv[3], NULL, 10) : 0;
  lacks_memory = getenv("POLYPROC_SOAK_LACKS_MEMORY") != NULL;
  must(polyproc_event_open(named(prefix, "stop"), &stop), "open stop");
  if (strcmp(role, "produce") == 0) {
    must(polyproc_queue_open(named(prefix, "joinable"), &joinable), "open joinable");
    must(polyproc_queue_open(named(prefix, "unlimited"), &unlimited), "open unlimited");
    produce();
  } else if (strcmp(role, "consume-joinable") == 0) {
    must(polyproc_queue_open(named(prefix, "joinable"), &joinable), "open joinable");
    consume(joinable);
  } else if (strcmp(role, "consume-unlimited") == 0) {
    must(polyproc_queue_open(named(prefix, "unlimited"), &unlimited), "open unlimited");
    consume(unlimited);
  } else if (strcmp(role, "lock") == 0) {
    must(polyproc_lock_open(named(prefix, "lock"), &lock), "open lock");
    must(polyproc_semaphore_open(named(prefix, "inside"), &inside), "open inside");
    take_lock(lock, inside);
  } else if (strcmp(role, "permits") == 0) {
    must(polyproc_semaphore_open(named(prefix, "permits"), &permits), "open permits");
    take_permits(permits);
  } else {
    fprintf(stderr, "usage: worker produce|consume-joinable|consume-unlimited|lock|permits PREFIX LIFE\n");
    return 2;
  }
  return 0;
}
