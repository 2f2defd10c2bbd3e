/* The common part of condition.c and condition_faults.c: waits in threads and in children. */
#ifndef CONDITION_H
#define CONDITION_H

#include "check.h"

/* A wait in a thread of its own. */
typedef struct {
  polyproc_condition *condition;
  polyproc_lock *lock;
  polyproc_cancel *cancel;
  int64_t timeout_ns;
  pthread_t thread;
  int inside;     /* under the lock: it has begun */
  int32_t status; /* under the lock: 77 as long as it waits */
} wait_t;

static inline void *wait_in_thread(void *argument) {
  wait_t *wait = (wait_t *)argument;
  int32_t status;
  ANSWERS(OK, polyproc_lock_acquire(wait->lock, PATIENCE, NULL));
  wait->inside = 1;
  status = polyproc_condition_wait(wait->condition, wait->lock, wait->timeout_ns, wait->cancel);
  wait->status = status;
  ANSWERS(OK, polyproc_lock_release(wait->lock));
  return NULL;
}

static inline void wait_begins(wait_t *wait, polyproc_condition *condition, polyproc_lock *lock,
                               int64_t timeout_ns, polyproc_cancel *cancel) {
  int inside = 0;
  wait->condition = condition;
  wait->lock = lock;
  wait->timeout_ns = timeout_ns;
  wait->cancel = cancel;
  wait->inside = 0;
  wait->status = 77;
  wait->thread = start(wait_in_thread, wait);
  /* The wait is inside and this thread has the lock: so the wait has released it and has begun. */
  while (!inside) {
    ANSWERS(OK, polyproc_lock_acquire(lock, PATIENCE, NULL));
    inside = wait->inside;
    ANSWERS(OK, polyproc_lock_release(lock));
  }
}

static inline int32_t wait_ended(wait_t *wait) {
  finish(wait->thread);
  return wait->status;
}

static inline int32_t status_now(wait_t *wait) {
  int32_t status;
  ANSWERS(OK, polyproc_lock_acquire(wait->lock, PATIENCE, NULL));
  status = wait->status;
  ANSWERS(OK, polyproc_lock_release(wait->lock));
  return status;
}

static inline polyproc_condition *new_condition(void) {
  polyproc_condition *condition = NULL;
  ANSWERS(OK, polyproc_condition_create(NULL, NULL, &condition));
  return condition;
}

static inline polyproc_lock *new_lock(void) {
  polyproc_lock *lock = NULL;
  ANSWERS(OK, polyproc_lock_create(NULL, NULL, &lock));
  return lock;
}

/* A child that waits, and exits with 0 when it is notified. When this returns it has acquired
 * `began`. */
static inline pid_t a_child_that_waits(polyproc_condition *condition, polyproc_lock *lock) {
  polyproc_semaphore *began = NULL;
  pid_t child;
  ANSWERS(OK, polyproc_semaphore_create(NULL, NULL, &began));
  child = forked();
  if (child == 0) {
    ANSWERS(OK, polyproc_lock_acquire(lock, PATIENCE, NULL));
    ANSWERS(OK, polyproc_semaphore_release(began, 1));
    ANSWERS(OK, polyproc_condition_wait(condition, lock, POLYPROC_FOREVER, NULL));
    ANSWERS(OK, polyproc_lock_release(lock));
    _exit(0);
  }
  ANSWERS(OK, polyproc_semaphore_acquire(began, PATIENCE, NULL));
  ANSWERS(OK, polyproc_lock_acquire(lock, PATIENCE, NULL));
  ANSWERS(OK, polyproc_lock_release(lock));
  polyproc_semaphore_close(began);
  return child;
}

#endif
