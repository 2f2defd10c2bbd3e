/* The rlock: taken again by its owner, released by no other, also after the death of its owner. */
#include "check.h"

static uint32_t depth_of(polyproc_rlock *rlock) {
  uint32_t depth = 77;
  ANSWERS(OK, polyproc_rlock_depth(rlock, &depth));
  return depth;
}

static void taken_again(void) {
  polyproc_rlock *rlock = NULL;
  int64_t began;

  ANSWERS(OK, polyproc_rlock_create(NULL, NULL, &rlock));
  CHECK(depth_of(rlock) == 0);
  FAULT("not the owner", E_NOT_OWNER, polyproc_rlock_release(rlock, 0));
  ANSWERS(OK, polyproc_rlock_acquire(rlock, 0, 0, NULL));
  ANSWERS(OK, polyproc_rlock_acquire(rlock, 0, POLYPROC_FOREVER, NULL));
  ANSWERS(OK, polyproc_rlock_acquire(rlock, 0, INT64_MAX, NULL));
  CHECK(depth_of(rlock) == 3);
  ANSWERS(OK, polyproc_rlock_release(rlock, 0));
  ANSWERS(OK, polyproc_rlock_release(rlock, 0));
  CHECK(depth_of(rlock) == 1);
  began = now();
  FAULT("timeout 0", E_TIMEOUT, polyproc_rlock_acquire(rlock, 5, 0, NULL));
  FAULT("timeout passes", E_TIMEOUT, polyproc_rlock_acquire(rlock, 5, 30 * MILLISECOND, NULL));
  CHECK(now() - began >= 30 * MILLISECOND);
  ANSWERS(OK, polyproc_rlock_release(rlock, 0));
  FAULT("over-release", E_NOT_OWNER, polyproc_rlock_release(rlock, 0));
  FAULT("timeout huge", OK, polyproc_rlock_acquire(rlock, 5, INT64_MAX, NULL));
  ANSWERS(OK, polyproc_rlock_release(rlock, 5));
  FAULT("timeout negative", OK, polyproc_rlock_acquire(rlock, 5, INT64_MIN, NULL));
  ANSWERS(OK, polyproc_rlock_release(rlock, 5));
  CHECK(depth_of(rlock) == 0);
  polyproc_rlock_close(rlock);
}

static void *neither_takes_nor_releases(void *argument) {
  polyproc_rlock *rlock = (polyproc_rlock *)argument;
  ANSWERS(E_TIMEOUT, polyproc_rlock_acquire(rlock, 0, 0, NULL));
  FAULT("not the owner: another thread", E_NOT_OWNER, polyproc_rlock_release(rlock, 0));
  /* The first threads of a process have small numbers: none of them is the task of that number. */
  ANSWERS(E_TIMEOUT, polyproc_rlock_acquire(rlock, 1, 0, NULL));
  ANSWERS(E_NOT_OWNER, polyproc_rlock_release(rlock, 1));
  ANSWERS(E_NOT_OWNER, polyproc_rlock_release(rlock, 2));
  CHECK(depth_of(rlock) == 1);
  return NULL;
}

static void *releases_task_7(void *argument) {
  polyproc_rlock *rlock = (polyproc_rlock *)argument;
  ANSWERS(OK, polyproc_rlock_acquire(rlock, 7, 0, NULL));
  ANSWERS(OK, polyproc_rlock_release(rlock, 7));
  ANSWERS(OK, polyproc_rlock_release(rlock, 7));
  return NULL;
}

static void owners(void) {
  polyproc_rlock *rlock = NULL;

  ANSWERS(OK, polyproc_rlock_create(NULL, NULL, &rlock));
  ANSWERS(OK, polyproc_rlock_acquire(rlock, 0, 0, NULL));
  finish(start(neither_takes_nor_releases, rlock));
  ANSWERS(OK, polyproc_rlock_release(rlock, 0));

  /* A task moves between threads; any number but 0 names one. */
  ANSWERS(OK, polyproc_rlock_acquire(rlock, 7, 0, NULL));
  ANSWERS(E_TIMEOUT, polyproc_rlock_acquire(rlock, 0, 0, NULL));
  ANSWERS(E_TIMEOUT, polyproc_rlock_acquire(rlock, 8, 0, NULL));
  FAULT("not the owner: another task", E_NOT_OWNER, polyproc_rlock_release(rlock, 8));
  finish(start(releases_task_7, rlock));
  ANSWERS(OK, polyproc_rlock_acquire(rlock, UINT64_MAX, 0, NULL));
  ANSWERS(E_NOT_OWNER, polyproc_rlock_release(rlock, UINT64_MAX - 1));
  ANSWERS(OK, polyproc_rlock_release(rlock, UINT64_MAX));
  polyproc_rlock_close(rlock);
}

static void a_forked_child_owns_nothing(void) {
  polyproc_rlock *rlock = NULL;
  polyproc_event *tried = NULL;
  pid_t child;

  ANSWERS(OK, polyproc_event_create(NULL, NULL, &tried));
  ANSWERS(OK, polyproc_rlock_create(NULL, NULL, &rlock));
  ANSWERS(OK, polyproc_rlock_acquire(rlock, 0, 0, NULL));
  ANSWERS(OK, polyproc_rlock_acquire(rlock, 0, 0, NULL));
  child = forked();
  if (child == 0) {
    FAULT("not the owner: another process", E_NOT_OWNER, polyproc_rlock_release(rlock, 0));
    ANSWERS(E_TIMEOUT, polyproc_rlock_acquire(rlock, 0, 0, NULL));
    CHECK(depth_of(rlock) == 2);
    polyproc_rlock_close(rlock);
    _exit(0);
  }
  went_well(child);
  CHECK(depth_of(rlock) == 2);
  ANSWERS(OK, polyproc_rlock_release(rlock, 0));
  ANSWERS(OK, polyproc_rlock_release(rlock, 0));

  /* The same number in another process is another owner. */
  ANSWERS(OK, polyproc_rlock_acquire(rlock, 7, 0, NULL));
  child = forked();
  if (child == 0) {
    ANSWERS(E_NOT_OWNER, polyproc_rlock_release(rlock, 7));
    ANSWERS(E_TIMEOUT, polyproc_rlock_acquire(rlock, 7, 0, NULL));
    ANSWERS(OK, polyproc_event_set(tried));
    ANSWERS(OK, polyproc_rlock_acquire(rlock, 7, PATIENCE, NULL));
    CHECK(depth_of(rlock) == 1);
    ANSWERS(OK, polyproc_rlock_release(rlock, 7));
    _exit(0);
  }
  ANSWERS(OK, polyproc_event_wait(tried, PATIENCE, NULL));
  ANSWERS(OK, polyproc_rlock_release(rlock, 7));
  went_well(child);
  polyproc_event_close(tried);
  polyproc_rlock_close(rlock);
}

static void the_owner_is_killed(void) {
  polyproc_rlock *rlock = NULL;
  polyproc_event *held = NULL;
  pid_t child;

  ANSWERS(OK, polyproc_rlock_create(NULL, NULL, &rlock));
  ANSWERS(OK, polyproc_event_create(NULL, NULL, &held));
  child = forked();
  if (child == 0) {
    ANSWERS(OK, polyproc_rlock_acquire(rlock, 0, PATIENCE, NULL));
    ANSWERS(OK, polyproc_rlock_acquire(rlock, 0, PATIENCE, NULL));
    ANSWERS(OK, polyproc_event_set(held));
    for (;;) {
      pause();
    }
  }
  ANSWERS(OK, polyproc_event_wait(held, PATIENCE, NULL));
  ANSWERS(E_TIMEOUT, polyproc_rlock_acquire(rlock, 0, 0, NULL));
  CHECK(depth_of(rlock) == 2);
  kill_and_reap(child);
  CHECK(depth_of(rlock) == 0);
  FAULT("peer killed", OWNER_DIED, polyproc_rlock_acquire(rlock, 0, PATIENCE, NULL));
  CHECK(depth_of(rlock) == 1);
  ANSWERS(OK, polyproc_rlock_acquire(rlock, 0, 0, NULL));
  ANSWERS(OK, polyproc_rlock_release(rlock, 0));
  ANSWERS(OK, polyproc_rlock_release(rlock, 0));
  ANSWERS(OK, polyproc_rlock_acquire(rlock, 3, 0, NULL));
  polyproc_rlock_close(rlock);
  polyproc_event_close(held);
}

enum { PROCESSES = 3, THREADS = 2, ROUNDS = 500 };

static polyproc_rlock *door;
static polyproc_queue *cell;

/* A number in a queue of one message: the read and the write back are right only under the lock. */
static void *count(void *unused) {
  uint64_t number = 0;
  size_t len = 0;
  int round;
  for (round = 0; round < ROUNDS; round++) {
    const uint64_t owner = round % 2 == 0 ? 0 : (uint64_t)(uintptr_t)&number;
    ANSWERS(OK, polyproc_rlock_acquire(door, owner, PATIENCE, NULL));
    ANSWERS(OK, polyproc_rlock_acquire(door, owner, 0, NULL));
    ANSWERS(OK, polyproc_queue_get(cell, &number, sizeof number, &len, 0, NULL));
    number++;
    ANSWERS(OK, polyproc_rlock_release(door, owner));
    ANSWERS(OK, polyproc_queue_put(cell, &number, sizeof number, 0, NULL));
    ANSWERS(OK, polyproc_rlock_release(door, owner));
  }
  return unused;
}

static void nobody_is_inside_with_another(void) {
  const name_t name = unique("recursive");
  pid_t children[PROCESSES];
  uint64_t number = 0;
  size_t len = 0;
  int i;

  ANSWERS(OK, polyproc_queue_create(NULL, NULL, &cell));
  ANSWERS(OK, polyproc_queue_put(cell, &number, sizeof number, 0, NULL));
  ANSWERS(OK, polyproc_rlock_create(name.text, NULL, &door));
  polyproc_rlock_close(door);
  for (i = 0; i < PROCESSES; i++) {
    children[i] = forked();
    if (children[i] == 0) {
      pthread_t threads[THREADS];
      int j;
      ANSWERS(OK, polyproc_rlock_open(name.text, &door));
      for (j = 0; j < THREADS; j++) {
        threads[j] = start(count, NULL);
      }
      for (j = 0; j < THREADS; j++) {
        finish(threads[j]);
      }
      _exit(0);
    }
  }
  for (i = 0; i < PROCESSES; i++) {
    went_well(children[i]);
  }
  ANSWERS(OK, polyproc_queue_get(cell, &number, sizeof number, &len, 0, NULL));
  CHECK(number == (uint64_t)PROCESSES * THREADS * ROUNDS);
  polyproc_queue_close(cell);
  ANSWERS(OK, polyproc_unlink(name.text));
}

int main(void) {
  taken_again();
  owners();
  a_forked_child_owns_nothing();
  the_owner_is_killed();
  nobody_is_inside_with_another();
  return 0;
}
