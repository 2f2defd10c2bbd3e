/* guard CASE: makes one hot call ROUNDS times in measured(), for callgrind to count. The call is
 * alone with its object and has run once before, so that only the steady state is counted. */
#define _POSIX_C_SOURCE 200809L

#include <polyproc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 960, BATCH = 32, SIZE = 64 };

static polyproc_queue *queue;
static polyproc_lock *lock;
static polyproc_semaphore *semaphore;
static polyproc_event *event;
static polyproc_connection *reader, *writer;
static polyproc_message messages[ROUNDS];
static char buf[SIZE];

static void ok(int32_t status) {
  if (status >= 0) return;
  fprintf(stderr, "guard: %s\n", polyproc_strerror(status));
  exit(1);
}

static void put(void) {
  for (int i = 0; i < ROUNDS; i++) ok(polyproc_queue_put(queue, buf, SIZE, POLYPROC_FOREVER, NULL));
}

static void get(void) {
  size_t len;
  for (int i = 0; i < ROUNDS; i++) ok(polyproc_queue_get(queue, buf, SIZE, &len, POLYPROC_FOREVER, NULL));
}

static void reserve_commit(void) {
  polyproc_slot slot;
  for (int i = 0; i < ROUNDS; i++) {
    ok(polyproc_queue_reserve(queue, SIZE, &slot, POLYPROC_FOREVER, NULL));
    ok(polyproc_slot_commit(&slot, SIZE));
  }
}

static void take_done(void) {
  polyproc_message message;
  for (int i = 0; i < ROUNDS; i++) {
    ok(polyproc_queue_take(queue, &message, POLYPROC_FOREVER, NULL));
    ok(polyproc_message_done(&message));
  }
}

static void put_many(void) {
  polyproc_slice items[BATCH];
  size_t put;
  for (int i = 0; i < BATCH; i++) items[i] = (polyproc_slice){buf, SIZE};
  for (int i = 0; i < ROUNDS; i += BATCH)
    ok(polyproc_queue_put_many(queue, items, BATCH, &put, POLYPROC_FOREVER, NULL));
}

static void take_many(void) {
  size_t taken;
  for (int i = 0; i < ROUNDS; i += BATCH) {
    ok(polyproc_queue_take_many(queue, messages, BATCH, &taken, POLYPROC_FOREVER, NULL));
    for (int j = 0; j < BATCH; j++) ok(polyproc_message_done(&messages[j]));
  }
}

static void take_all(void) {
  size_t taken;
  for (int i = 0; i < ROUNDS; i += BATCH)
    ok(polyproc_queue_take_many(queue, messages + i, BATCH, &taken, POLYPROC_FOREVER, NULL));
}

static void done_many(void) {
  for (int i = 0; i < ROUNDS; i += BATCH) ok(polyproc_message_done_many(messages + i, BATCH, NULL));
}

static void put_and_take(void) {
  put();
  take_all();
}

static void acquire_release(void) {
  for (int i = 0; i < ROUNDS; i++) {
    ok(polyproc_lock_acquire(lock, POLYPROC_FOREVER, NULL));
    ok(polyproc_lock_release(lock));
  }
}

static void semaphore_acquire_release(void) {
  for (int i = 0; i < ROUNDS; i++) {
    ok(polyproc_semaphore_acquire(semaphore, POLYPROC_FOREVER, NULL));
    ok(polyproc_semaphore_release(semaphore, 1));
  }
}

static void set_wait_clear(void) {
  for (int i = 0; i < ROUNDS; i++) {
    ok(polyproc_event_set(event));
    ok(polyproc_event_wait(event, POLYPROC_FOREVER, NULL));
    ok(polyproc_event_clear(event));
  }
}

static void send(void) {
  for (int i = 0; i < ROUNDS; i++) ok(polyproc_connection_send(writer, buf, SIZE, POLYPROC_FOREVER, NULL));
}

static void recv(void) {
  size_t len;
  for (int i = 0; i < ROUNDS; i++)
    ok(polyproc_connection_recv(reader, buf, SIZE, &len, POLYPROC_FOREVER, NULL));
}

/* The counted call, and the calls before and after it that make it possible. */
static const struct {
  const char *name;
  void (*before)(void), (*call)(void), (*after)(void);
} cases[] = {
    {"put", NULL, put, get},
    {"get", put, get, NULL},
    {"reserve_commit", NULL, reserve_commit, get},
    {"take_done", put, take_done, NULL},
    {"put_many", NULL, put_many, get},
    {"take_many", put, take_many, NULL},
    {"take_many_only", put, take_all, done_many},
    {"done_many", put_and_take, done_many, NULL},
    {"lock", NULL, acquire_release, NULL},
    {"semaphore", NULL, semaphore_acquire_release, NULL},
    {"event", NULL, set_wait_clear, NULL},
    {"send", NULL, send, recv},
    {"recv", send, recv, NULL},
};

/* Callgrind collects while this function runs. */
__attribute__((noinline)) void measured(void (*call)(void));
void measured(void (*call)(void)) {
  call();
  __asm__ volatile("");
}

int main(int argc, char **argv) {
  polyproc_queue_options limited = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_semaphore_options one = POLYPROC_SEMAPHORE_OPTIONS_INIT;
  limited.max_items = 1024;
  one.initial = 1;
  ok(polyproc_queue_create(NULL, &limited, &queue));
  ok(polyproc_lock_create(NULL, NULL, &lock));
  ok(polyproc_semaphore_create(NULL, &one, &semaphore));
  ok(polyproc_event_create(NULL, NULL, &event));
  ok(polyproc_pipe_create(0, &reader, &writer));
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    if (argc != 2) {
      puts(cases[i].name);
      continue;
    }
    if (strcmp(argv[1], cases[i].name)) continue;
    for (int round = 0; round < 4; round++) {
      if (cases[i].before) cases[i].before();
      if (round < 3)
        cases[i].call();
      else {
        /* Valgrind runs one thread at a time, and charges a system call to the thread that runs
         * when the call ends. The keeper's last one ends here. */
        nanosleep(&(struct timespec){0, 20000000}, NULL);
        measured(cases[i].call);
      }
      if (cases[i].after) cases[i].after();
    }
    printf("%d\n", ROUNDS);
  }
  return 0;
}
