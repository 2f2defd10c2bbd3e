/* The condition when something fails: the lock is taken again, and no notification is lost. */
#include "condition.h"

static void the_lock_is_not_held(void) {
  polyproc_condition *condition = new_condition();
  polyproc_lock *lock = new_lock();
  polyproc_rlock *rlock = NULL;
  int32_t locked = 77;

  FAULT("not the owner: nobody holds the lock", E_NOT_OWNER,
        polyproc_condition_wait(condition, lock, POLYPROC_FOREVER, NULL));
  ANSWERS(OK, polyproc_lock_is_locked(lock, &locked));
  CHECK(locked == 0);
  ANSWERS(OK, polyproc_rlock_create(NULL, NULL, &rlock));
  ANSWERS(E_NOT_OWNER, polyproc_condition_wait_rlock(condition, rlock, 0, POLYPROC_FOREVER, NULL));
  ANSWERS(OK, polyproc_rlock_acquire(rlock, 5, 0, NULL));
  FAULT("not the owner: another task", E_NOT_OWNER,
        polyproc_condition_wait_rlock(condition, rlock, 0, POLYPROC_FOREVER, NULL));
  ANSWERS(E_NOT_OWNER, polyproc_condition_wait_rlock(condition, rlock, 6, POLYPROC_FOREVER, NULL));
  ANSWERS(OK, polyproc_rlock_release(rlock, 5));
  polyproc_condition_close(condition);
  polyproc_lock_close(lock);
  polyproc_rlock_close(rlock);
}

static void timeouts(void) {
  polyproc_condition *condition = new_condition();
  polyproc_lock *lock = new_lock();
  const int64_t endless[] = {POLYPROC_FOREVER, INT64_MIN, INT64_MAX};
  int64_t began;
  size_t i;

  ANSWERS(OK, polyproc_lock_acquire(lock, 0, NULL));
  FAULT("timeout 0", E_TIMEOUT, polyproc_condition_wait(condition, lock, 0, NULL));
  ANSWERS(E_TIMEOUT, polyproc_lock_acquire(lock, 0, NULL));
  began = now();
  FAULT("timeout passes", E_TIMEOUT, polyproc_condition_wait(condition, lock, 30 * MILLISECOND, NULL));
  CHECK(now() - began >= 30 * MILLISECOND);
  ANSWERS(E_TIMEOUT, polyproc_lock_acquire(lock, 0, NULL));
  ANSWERS(OK, polyproc_lock_release(lock));
  for (i = 0; i < 3; i++) {
    wait_t wait;
    wait_begins(&wait, condition, lock, endless[i], NULL);
    ANSWERS(OK, polyproc_condition_notify(condition, 1));
    FAULT("timeout negative or huge", OK, wait_ended(&wait));
  }
  polyproc_condition_close(condition);
  polyproc_lock_close(lock);
}

static void canceled_and_closed(void) {
  polyproc_condition *condition = new_condition();
  polyproc_lock *lock = new_lock();
  polyproc_cancel *token = NULL;
  wait_t wait;
  int32_t locked = 77;

  ANSWERS(OK, polyproc_cancel_create(&token));
  wait_begins(&wait, condition, lock, POLYPROC_FOREVER, token);
  ANSWERS(OK, polyproc_lock_acquire(lock, 0, NULL));
  ANSWERS(OK, polyproc_cancel_fire(token));
  nap(20 * MILLISECOND);
  CHECK(wait.status == 77); /* it has to have the lock first */
  ANSWERS(OK, polyproc_lock_release(lock));
  FAULT("canceled", E_CANCELED, wait_ended(&wait));
  /* The notification goes to no canceled wait: that one had ended when it came. */
  ANSWERS(OK, polyproc_condition_notify(condition, 1));
  ANSWERS(OK, polyproc_lock_acquire(lock, 0, NULL));
  ANSWERS(E_CANCELED, polyproc_condition_wait(condition, lock, POLYPROC_FOREVER, token));
  ANSWERS(OK, polyproc_lock_release(lock));
  polyproc_cancel_close(token);

  wait_begins(&wait, condition, lock, POLYPROC_FOREVER, NULL);
  polyproc_condition_close(condition);
  FAULT("closed while it waits", E_CLOSED, wait_ended(&wait));
  ANSWERS(OK, polyproc_lock_is_locked(lock, &locked));
  CHECK(locked == 0); /* the thread held and released it */
  polyproc_lock_close(lock);
}

static polyproc_event *taken;

static void *close_it(void *lock) {
  ANSWERS(OK, polyproc_event_wait(taken, PATIENCE, NULL));
  nap(20 * MILLISECOND);
  polyproc_lock_close((polyproc_lock *)lock);
  return NULL;
}

/* The wait ends without the lock, because the lock's handle is closed. */
static void the_lock_is_closed(void) {
  const name_t name = unique("closing");
  polyproc_condition *condition = new_condition();
  polyproc_lock *mine = NULL;
  polyproc_lock *theirs = NULL;
  pthread_t closer;
  pid_t child;

  ANSWERS(OK, polyproc_event_create(NULL, NULL, &taken));
  ANSWERS(OK, polyproc_lock_create(name.text, NULL, &mine));
  ANSWERS(OK, polyproc_lock_acquire(mine, 0, NULL));
  child = forked();
  if (child == 0) {
    ANSWERS(OK, polyproc_lock_acquire(mine, PATIENCE, NULL));
    ANSWERS(OK, polyproc_condition_notify(condition, 1));
    ANSWERS(OK, polyproc_event_set(taken));
    for (;;) {
      pause();
    }
  }
  closer = start(close_it, mine);
  FAULT("its lock closed while it waits", E_CLOSED,
        polyproc_condition_wait(condition, mine, POLYPROC_FOREVER, NULL));
  finish(closer);
  ANSWERS(OK, polyproc_lock_open(name.text, &theirs));
  ANSWERS(E_TIMEOUT, polyproc_lock_acquire(theirs, 0, NULL));
  kill_and_reap(child);
  polyproc_lock_close(theirs);
  polyproc_event_close(taken);
  polyproc_condition_close(condition);
  ANSWERS(OK, polyproc_unlink(name.text));
}

static void *close_lock(void *lock) {
  nap(20 * MILLISECOND);
  polyproc_lock_close((polyproc_lock *)lock);
  return NULL;
}

static void *close_rlock(void *rlock) {
  nap(20 * MILLISECOND);
  polyproc_rlock_close((polyproc_rlock *)rlock);
  return NULL;
}

/* The wait went on, and then returned OK without the lock. */
static void the_lock_is_free_and_closed(void) {
  const name_t name = unique("freeclosing");
  polyproc_condition *condition = new_condition();
  polyproc_lock *mine = NULL;
  polyproc_lock *theirs = NULL;
  polyproc_rlock *rlock = NULL;
  pthread_t closer;

  ANSWERS(OK, polyproc_lock_create(name.text, NULL, &mine));
  ANSWERS(OK, polyproc_lock_open(name.text, &theirs));
  ANSWERS(OK, polyproc_lock_acquire(mine, 0, NULL));
  closer = start(close_lock, mine);
  FAULT("its free lock closed while it waits", E_CLOSED,
        polyproc_condition_wait(condition, mine, PATIENCE, NULL));
  finish(closer);
  polyproc_lock_close(theirs);
  ANSWERS(OK, polyproc_unlink(name.text));

  ANSWERS(OK, polyproc_rlock_create(NULL, NULL, &rlock));
  ANSWERS(OK, polyproc_rlock_acquire(rlock, 1, 0, NULL));
  closer = start(close_rlock, rlock);
  FAULT("its free rlock closed while it waits", E_CLOSED,
        polyproc_condition_wait_rlock(condition, rlock, 1, PATIENCE, NULL));
  finish(closer);
  polyproc_condition_close(condition);
}

static void who_held_the_lock_is_killed(void) {
  polyproc_condition *condition = new_condition();
  polyproc_lock *lock = new_lock();
  polyproc_event *holds = NULL;
  pid_t child;

  ANSWERS(OK, polyproc_event_create(NULL, NULL, &holds));
  ANSWERS(OK, polyproc_lock_acquire(lock, 0, NULL));
  child = forked();
  if (child == 0) {
    ANSWERS(OK, polyproc_lock_acquire(lock, PATIENCE, NULL));
    ANSWERS(OK, polyproc_condition_notify(condition, 1));
    ANSWERS(OK, polyproc_event_set(holds));
    nap(20 * MILLISECOND);
    kill(getpid(), SIGKILL);
  }
  FAULT("peer killed with the lock", OWNER_DIED,
        polyproc_condition_wait(condition, lock, POLYPROC_FOREVER, NULL));
  ANSWERS(OK, polyproc_event_wait(holds, 0, NULL));
  ANSWERS(E_TIMEOUT, polyproc_lock_acquire(lock, 0, NULL));
  ANSWERS(OK, polyproc_lock_release(lock));
  CHECK(waitpid(child, NULL, 0) == child);
  polyproc_event_close(holds);
  polyproc_condition_close(condition);
  polyproc_lock_close(lock);
}

static void waiters_that_are_killed(void) {
  polyproc_condition *condition = new_condition();
  polyproc_lock *lock = new_lock();
  pid_t first = a_child_that_waits(condition, lock);
  pid_t second = a_child_that_waits(condition, lock);
  wait_t wait;
  int64_t began;

  wait_begins(&wait, condition, lock, POLYPROC_FOREVER, NULL);
  kill_and_reap(first);
  ANSWERS(OK, polyproc_condition_notify(condition, 1));
  went_well(second); /* the dead one was first in line, and delays no other */
  CHECK(status_now(&wait) == 77);

  /* The notified waiter is killed before it returns: another one is let go instead. */
  ANSWERS(OK, polyproc_condition_notify(condition, 1));
  ANSWERS(OK, wait_ended(&wait));
  first = a_child_that_waits(condition, lock);
  wait_begins(&wait, condition, lock, POLYPROC_FOREVER, NULL);
  ANSWERS(OK, polyproc_lock_acquire(lock, PATIENCE, NULL));
  ANSWERS(OK, polyproc_condition_notify(condition, 1));
  kill_and_reap(first);
  ANSWERS(OK, polyproc_lock_release(lock));
  FAULT("peer killed after it was notified", OK, wait_ended(&wait));

  first = a_child_that_waits(condition, lock);
  kill_and_reap(first);
  began = now();
  FAULT("peer killed", OK, polyproc_condition_notify_all(condition));
  CHECK(now() - began < SECOND);
  polyproc_condition_close(condition);
  polyproc_lock_close(lock);
}

static void waiters_that_are_stopped(void) {
  polyproc_condition *condition = new_condition();
  polyproc_lock *lock = new_lock();
  pid_t stopped = a_child_that_waits(condition, lock);
  wait_t wait;
  int64_t began;

  wait_begins(&wait, condition, lock, POLYPROC_FOREVER, NULL);
  CHECK(kill(stopped, SIGSTOP) == 0);
  began = now();
  FAULT("peer stopped", OK, polyproc_condition_notify_all(condition));
  CHECK(now() - began < SECOND);
  ANSWERS(OK, wait_ended(&wait));
  CHECK(kill(stopped, SIGCONT) == 0);
  went_well(stopped);
  polyproc_condition_close(condition);
  polyproc_lock_close(lock);
}

static void ignore(int signal_number) {
  (void)signal_number;
}

static void interrupted(void) {
  polyproc_condition *condition = new_condition();
  polyproc_lock *lock = new_lock();
  struct sigaction action;
  wait_t wait;

  memset(&action, 0, sizeof action);
  action.sa_handler = ignore;
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
  ANSWERS(OK, polyproc_interruptible(1));
  wait_begins(&wait, condition, lock, POLYPROC_FOREVER, NULL);
  while (status_now(&wait) == 77) {
    pthread_kill(wait.thread, SIGUSR1);
    nap(MILLISECOND);
  }
  ANSWERS(OK, polyproc_interruptible(0));
  FAULT("interrupted", E_INTERRUPTED, wait_ended(&wait));
  polyproc_condition_close(condition);
  polyproc_lock_close(lock);
}

int main(void) {
  the_lock_is_not_held();
  timeouts();
  canceled_and_closed();
  the_lock_is_closed();
  the_lock_is_free_and_closed();
  who_held_the_lock_is_killed();
  waiters_that_are_killed();
  waiters_that_are_stopped();
  interrupted();
  return 0;
}
