/* The lock: one holder at a time, across processes, also after the death of a holder. */
#include "check.h"

static void one_holder(void) {
  polyproc_lock *lock = NULL;
  int32_t locked = 7;
  int64_t began;

  ANSWERS(OK, polyproc_lock_create(NULL, NULL, &lock));
  ANSWERS(OK, polyproc_lock_is_locked(lock, &locked));
  CHECK(locked == 0);
  ANSWERS(E_OVER_RELEASE, polyproc_lock_release(lock));
  ANSWERS(OK, polyproc_lock_acquire(lock, 0, NULL));
  ANSWERS(OK, polyproc_lock_is_locked(lock, &locked));
  CHECK(locked == 1);
  ANSWERS(E_TIMEOUT, polyproc_lock_acquire(lock, 0, NULL));
  began = now();
  ANSWERS(E_TIMEOUT, polyproc_lock_acquire(lock, 30 * MILLISECOND, NULL));
  CHECK(now() - began >= 30 * MILLISECOND);
  ANSWERS(OK, polyproc_lock_release(lock));
  ANSWERS(E_OVER_RELEASE, polyproc_lock_release(lock));
  ANSWERS(OK, polyproc_lock_acquire(lock, INT64_MAX, NULL));
  ANSWERS(OK, polyproc_lock_release(lock));
  ANSWERS(OK, polyproc_lock_acquire(lock, INT64_MIN, NULL));
  ANSWERS(OK, polyproc_lock_release(lock));
  polyproc_lock_close(lock);
}

/* A process may release a lock that another one took. */
static void released_by_another(void) {
  polyproc_lock *lock = NULL;
  pid_t child;

  ANSWERS(OK, polyproc_lock_create(NULL, NULL, &lock));
  ANSWERS(OK, polyproc_lock_acquire(lock, 0, NULL));
  child = forked();
  if (child == 0) {
    int32_t locked = 0;
    ANSWERS(OK, polyproc_lock_is_locked(lock, &locked));
    CHECK(locked == 1);
    ANSWERS(E_TIMEOUT, polyproc_lock_acquire(lock, 0, NULL));
    ANSWERS(OK, polyproc_lock_release(lock));
    _exit(0);
  }
  ANSWERS(OK, polyproc_lock_acquire(lock, PATIENCE, NULL));
  went_well(child);
  ANSWERS(OK, polyproc_lock_release(lock));
  polyproc_lock_close(lock);
}

static void nobody_is_inside_with_another(void) {
  enum { PROCESSES = 4, ROUNDS = 2000 };
  const name_t name = unique("counted");
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_lock *lock = NULL;
  polyproc_queue *cell = NULL;
  pid_t children[PROCESSES];
  uint64_t count = 0;
  size_t len = 0;
  int i;

  /* A number in a queue of one message: the read and the write back are right only under the lock.
   */
  options.max_items = 1;
  ANSWERS(OK, polyproc_queue_create(NULL, &options, &cell));
  ANSWERS(OK, polyproc_queue_put(cell, &count, sizeof count, 0, NULL));
  ANSWERS(OK, polyproc_lock_create(name.text, NULL, &lock));
  polyproc_lock_close(lock);
  for (i = 0; i < PROCESSES; i++) {
    children[i] = forked();
    if (children[i] == 0) {
      int round;
      ANSWERS(OK, polyproc_lock_open(name.text, &lock));
      for (round = 0; round < ROUNDS; round++) {
        ANSWERS(OK, polyproc_lock_acquire(lock, PATIENCE, NULL));
        ANSWERS(OK, polyproc_queue_get(cell, &count, sizeof count, &len, 0, NULL));
        CHECK(len == sizeof count);
        count++;
        ANSWERS(OK, polyproc_queue_put(cell, &count, sizeof count, 0, NULL));
        ANSWERS(OK, polyproc_lock_release(lock));
      }
      _exit(0);
    }
  }
  for (i = 0; i < PROCESSES; i++) {
    went_well(children[i]);
  }
  ANSWERS(OK, polyproc_queue_get(cell, &count, sizeof count, &len, 0, NULL));
  CHECK(count == (uint64_t)PROCESSES * ROUNDS);
  polyproc_queue_close(cell);
  ANSWERS(OK, polyproc_unlink(name.text));
}

static pid_t a_child_that_holds(polyproc_lock *lock) {
  polyproc_event *held = NULL;
  pid_t child;
  ANSWERS(OK, polyproc_event_create(NULL, NULL, &held));
  child = forked();
  if (child == 0) {
    ANSWERS(OK, polyproc_lock_acquire(lock, PATIENCE, NULL));
    ANSWERS(OK, polyproc_event_set(held));
    for (;;) {
      pause();
    }
  }
  ANSWERS(OK, polyproc_event_wait(held, PATIENCE, NULL));
  polyproc_event_close(held);
  return child;
}

static void *acquire_in_thread(void *lock) {
  static int32_t status;
  status = polyproc_lock_acquire((polyproc_lock *)lock, PATIENCE, NULL);
  return &status;
}

static void the_holder_is_killed(void) {
  polyproc_lock *lock = NULL;
  int32_t locked = 7;
  void *status = NULL;
  pthread_t waiter;
  pid_t child;

  ANSWERS(OK, polyproc_lock_create(NULL, NULL, &lock));
  /* The next acquire finds the holder dead. */
  child = a_child_that_holds(lock);
  ANSWERS(E_TIMEOUT, polyproc_lock_acquire(lock, 0, NULL));
  kill_and_reap(child);
  ANSWERS(OK, polyproc_lock_is_locked(lock, &locked));
  CHECK(locked == 0);
  ANSWERS(OWNER_DIED, polyproc_lock_acquire(lock, PATIENCE, NULL));
  ANSWERS(OK, polyproc_lock_release(lock));
  ANSWERS(OK, polyproc_lock_acquire(lock, 0, NULL));
  ANSWERS(OK, polyproc_lock_release(lock));
  /* A sleeping acquire finds the holder dead. */
  child = a_child_that_holds(lock);
  waiter = start(acquire_in_thread, lock);
  nap(50 * MILLISECOND);
  kill_and_reap(child);
  CHECK(pthread_join(waiter, &status) == 0);
  ANSWERS(OWNER_DIED, *(int32_t *)status);
  ANSWERS(OK, polyproc_lock_release(lock));
  polyproc_lock_close(lock);
}

int main(void) {
  one_holder();
  released_by_another();
  nobody_is_inside_with_another();
  the_holder_is_killed();
  return 0;
}
