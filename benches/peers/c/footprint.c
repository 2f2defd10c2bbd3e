/* W7: what an object occupies, and what waiting costs: footprint footprint MODE.
 *
 *     mode=queue|lock    bytes of an empty object
 *     mode=limited       bytes of a queue of 1,024 messages after some went through it
 *     mode=drained       bytes of an unlimited queue that held 1 GiB and is empty again
 *     mode=keeper        address space that the first object adds for the library's thread
 *     mode=idle          per mille of a core for a process that waits for a message
 *     mode=crowd         the same for 1,000 processes together, and after how long one of them gets
 *                        the message of another that was killed */
#define _GNU_SOURCE
#include <polyproc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"

const struct peer peer = {.name = "footprint"};

enum { LARGE = 64 << 10, IDLE_US = 1000000, CROWD = 1000 };

static polyproc_queue *queue;

static void ok(int32_t status) {
  if (status != POLYPROC_OK) die("%s", polyproc_strerror(status));
}

static void create(uint64_t max_items) {
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  options.max_items = max_items;
  ok(polyproc_queue_create(NULL, &options, &queue));
}

static void pass(int messages, size_t len) {
  static char message[LARGE];
  memset(message, 1, len);
  for (int i = 0; i < messages; i++) ok(polyproc_queue_put(queue, message, len, POLYPROC_FOREVER, NULL));
  for (int i = 0; i < messages; i++)
    ok(polyproc_queue_get(queue, message, len, &len, POLYPROC_FOREVER, NULL));
}

/* Waits as a consumer that has emptied the queue. */
static void wait_in_vain(void) {
  char message[8];
  size_t len;
  if (polyproc_queue_get(queue, message, sizeof message, &len, 100000000, NULL) != POLYPROC_E_EMPTY)
    die("not empty");
}

/* All memory of an object is in its file. */
static double bytes_of(int32_t kind, void *object) {
  struct stat status;
  int fd;
  ok(polyproc_share_fd(kind, object, &fd));
  if (fstat(fd, &status)) die("fstat");
  close(fd);
  return (double)status.st_blocks * 512;
}

static double address_space(void) {
  unsigned long pages;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file || fscanf(file, "%lu", &pages) != 1) die("/proc/self/statm");
  fclose(file);
  return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static polyproc_lock *used_lock(void) {
  polyproc_lock *lock;
  ok(polyproc_lock_create(NULL, NULL, &lock));
  ok(polyproc_lock_acquire(lock, POLYPROC_FOREVER, NULL));
  ok(polyproc_lock_release(lock));
  return lock;
}

/* The first object adds the thread's address space; a second one does not. */
static double keeper_bytes(void) {
  double before = address_space(), between;
  used_lock();
  between = address_space();
  used_lock();
  return between - before - (address_space() - between);
}

static double cpu_ns(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return 1e9 * (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         1e3 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void wait_for_message(const struct run *run, int index) {
  char message[8];
  size_t len;
  (void)run;
  (void)index;
  ok(polyproc_queue_get(queue, message, sizeof message, &len, POLYPROC_FOREVER, NULL));
  atomic_fetch_add(&state->joined, 1);
  double before = cpu_ns();
  ok(polyproc_queue_get(queue, message, sizeof message, &len, POLYPROC_FOREVER, NULL));
  atomic_store(&state->received[0].sum, (uint64_t)(cpu_ns() - before));
  atomic_store(&state->received[0].count, 1);
}

static double idle_per_mille(void) {
  create(0);
  start_process(-1, wait_for_message, NULL, 0);
  ok(polyproc_queue_put(queue, "first", 5, POLYPROC_FOREVER, NULL));
  start_all();
  sleep_us(IDLE_US);
  ok(polyproc_queue_put(queue, "second", 6, POLYPROC_FOREVER, NULL));
  for (; !atomic_load(&state->received[0].count); sleep_us(1000)) check_alive();
  end_all();
  return (double)atomic_load(&state->received[0].sum) / IDLE_US;
}

static _Atomic pid_t *crowd; /* in shared memory */

/* The first holds a message, all others wait for one. */
static void take_in_crowd(const struct run *run, int index) {
  polyproc_message message;
  (void)run;
  if (index > 0) atomic_fetch_add(&state->joined, 1);
  crowd[index] = getpid();
  ok(polyproc_queue_take(queue, &message, POLYPROC_FOREVER, NULL));
  atomic_store(&state->received[0].sum, now_ns());
  atomic_fetch_add(&state->received[0].count, 1);
  if (index == 0) atomic_fetch_add(&state->joined, 1);
}

static double crowd_cpu_ns(void) {
  double sum = 0;
  for (int i = 0; i < CROWD; i++) {
    clockid_t clock;
    struct timespec time;
    if (clock_getcpuclockid(crowd[i], &clock) || clock_gettime(clock, &time)) die("no clock");
    sum += 1e9 * (double)time.tv_sec + (double)time.tv_nsec;
  }
  return sum;
}

static void wait_until_all_wait(void) {
  polyproc_queue_info info = POLYPROC_QUEUE_INFO_INIT;
  do {
    check_alive();
    sleep_us(1000);
    ok(polyproc_queue_get_info(queue, &info));
  } while (info.waiting < CROWD - 1);
  sleep_us(IDLE_US / 2);
}

/* Children that still wait end with this process. */
static double crowd_per_mille(double *noticed_ns) {
  create(0);
  crowd = shared_memory(CROWD * sizeof *crowd);
  ok(polyproc_queue_put(queue, "one", 3, POLYPROC_FOREVER, NULL));
  start_process(-1, take_in_crowd, NULL, 0);
  start_all();
  for (int i = 1; i < CROWD; i++) start_process(-1, take_in_crowd, NULL, i);
  start_all();
  wait_until_all_wait();

  double used = crowd_cpu_ns();
  sleep_us(IDLE_US);
  used = crowd_cpu_ns() - used;

  uint64_t killed = now_ns();
  kill(crowd[0], SIGKILL);
  while (atomic_load(&state->received[0].count) < 2) sleep_us(100);
  *noticed_ns = (double)(atomic_load(&state->received[0].sum) - killed);
  return used / IDLE_US;
}

int main(int argc, char **argv) {
  const char *mode = argc > 2 ? argv[2] + strlen("mode=") : "";
  double bytes = -1, per_mille = -1, noticed_ns = -1;
  state = shared_memory(sizeof *state);
  if (!strcmp(mode, "queue")) {
    create(0);
    bytes = bytes_of(POLYPROC_KIND_QUEUE, queue);
  } else if (!strcmp(mode, "limited")) {
    create(1024);
    pass(32, 64);
    bytes = bytes_of(POLYPROC_KIND_QUEUE, queue);
  } else if (!strcmp(mode, "drained")) {
    create(0);
    pass((1 << 30) / LARGE, LARGE);
    wait_in_vain();
    bytes = bytes_of(POLYPROC_KIND_QUEUE, queue);
  } else if (!strcmp(mode, "lock")) {
    bytes = bytes_of(POLYPROC_KIND_LOCK, used_lock());
  } else if (!strcmp(mode, "keeper")) {
    bytes = keeper_bytes();
  } else if (!strcmp(mode, "idle")) {
    per_mille = idle_per_mille();
  } else if (!strcmp(mode, "crowd")) {
    per_mille = crowd_per_mille(&noticed_ns);
  } else {
    die("no mode %s", mode);
  }
  printf("{\"peer\": \"polyproc\", \"mode\": \"%s\"", mode);
  if (bytes >= 0) printf(", \"bytes\": %.0f", bytes);
  if (per_mille >= 0) printf(", \"per_mille\": %.4f", per_mille);
  if (noticed_ns >= 0) printf(", \"noticed_ns\": %.0f", noticed_ns);
  puts("}");
  return 0;
}
