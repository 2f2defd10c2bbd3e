/* Owned permits: only the process that took one can release it, and they come back when it dies. */
#include "check.h"

static polyproc_semaphore *owned(int64_t initial) {
  polyproc_semaphore_options options = POLYPROC_SEMAPHORE_OPTIONS_INIT;
  polyproc_semaphore *semaphore = NULL;
  options.flags = POLYPROC_SEMAPHORE_OWNED;
  options.initial = initial;
  ANSWERS(OK, polyproc_semaphore_create(NULL, &options, &semaphore));
  return semaphore;
}

static int64_t value_of(polyproc_semaphore *semaphore) {
  int64_t value = -7;
  ANSWERS(OK, polyproc_semaphore_value(semaphore, &value));
  return value;
}

static void permits(void) {
  polyproc_semaphore *semaphore = owned(2);
  int64_t began;

  CHECK(value_of(semaphore) == 2);
  FAULT("not the owner", E_NOT_OWNER, polyproc_semaphore_release(semaphore, 1));
  ANSWERS(OK, polyproc_semaphore_acquire(semaphore, 0, NULL));
  FAULT("over-release", E_OVER_RELEASE, polyproc_semaphore_release(semaphore, 2));
  ANSWERS(E_OVER_RELEASE, polyproc_semaphore_release(semaphore, INT64_MAX));
  ANSWERS(E_INVALID, polyproc_semaphore_release(semaphore, 0));
  ANSWERS(E_INVALID, polyproc_semaphore_release(semaphore, INT64_MIN));
  CHECK(value_of(semaphore) == 1);
  FAULT("timeout negative", OK, polyproc_semaphore_acquire(semaphore, INT64_MIN, NULL));
  FAULT("timeout 0", E_TIMEOUT, polyproc_semaphore_acquire(semaphore, 0, NULL));
  began = now();
  FAULT("timeout passes", E_TIMEOUT, polyproc_semaphore_acquire(semaphore, 30 * MILLISECOND, NULL));
  CHECK(now() - began >= 30 * MILLISECOND);
  CHECK(value_of(semaphore) == 0);
  ANSWERS(OK, polyproc_semaphore_release(semaphore, 2));
  FAULT("timeout huge", OK, polyproc_semaphore_acquire(semaphore, INT64_MAX, NULL));
  ANSWERS(OK, polyproc_semaphore_release(semaphore, 1));
  ANSWERS(E_NOT_OWNER, polyproc_semaphore_release(semaphore, 1));
  CHECK(value_of(semaphore) == 2);
  polyproc_semaphore_close(semaphore);

  semaphore = owned(0);
  ANSWERS(E_TIMEOUT, polyproc_semaphore_acquire(semaphore, 0, NULL));
  ANSWERS(E_NOT_OWNER, polyproc_semaphore_release(semaphore, 1));
  polyproc_semaphore_close(semaphore);

  semaphore = owned(INT64_MAX);
  ANSWERS(OK, polyproc_semaphore_acquire(semaphore, 0, NULL));
  CHECK(value_of(semaphore) == INT64_MAX - 1);
  polyproc_semaphore_close(semaphore);
}

static void it_is_part_of_the_shape(void) {
  const name_t name = unique("owned");
  polyproc_semaphore_options options = POLYPROC_SEMAPHORE_OPTIONS_INIT;
  polyproc_semaphore *semaphore = NULL;
  polyproc_semaphore *opened = NULL;
  polyproc_semaphore *none = NULL;

  options.flags = POLYPROC_SEMAPHORE_OWNED | POLYPROC_OPEN_OR_CREATE;
  options.initial = options.maximum = 3;
  ANSWERS(OK, polyproc_semaphore_create(name.text, &options, &semaphore));
  ANSWERS(OK, polyproc_semaphore_create(name.text, &options, &opened));
  options.flags = POLYPROC_OPEN_OR_CREATE;
  ANSWERS(E_MISMATCH, polyproc_semaphore_create(name.text, &options, &none));
  ANSWERS(OK, polyproc_semaphore_acquire(opened, 0, NULL));
  /* Two handles of one process are one owner; with the last of them its permits come back. */
  ANSWERS(OK, polyproc_semaphore_release(semaphore, 1));
  ANSWERS(OK, polyproc_semaphore_acquire(opened, 0, NULL));
  polyproc_semaphore_close(opened);
  CHECK(value_of(semaphore) == 2);
  polyproc_semaphore_close(semaphore);
  ANSWERS(OK, polyproc_semaphore_open(name.text, &opened));
  CHECK(value_of(opened) == 3);
  ANSWERS(E_NOT_OWNER, polyproc_semaphore_release(opened, 1));
  polyproc_semaphore_close(opened);
  ANSWERS(OK, polyproc_unlink(name.text));
  options.initial = 4;
  ANSWERS(E_INVALID, polyproc_semaphore_create(NULL, &options, &none));
  CHECK(none == NULL);
}

static void a_forked_child_owns_nothing(void) {
  polyproc_semaphore *semaphore = owned(3);
  pid_t child;

  ANSWERS(OK, polyproc_semaphore_acquire(semaphore, 0, NULL));
  child = forked();
  if (child == 0) {
    FAULT("not the owner: another process", E_NOT_OWNER, polyproc_semaphore_release(semaphore, 1));
    ANSWERS(OK, polyproc_semaphore_acquire(semaphore, 0, NULL));
    ANSWERS(OK, polyproc_semaphore_acquire(semaphore, 0, NULL));
    ANSWERS(E_TIMEOUT, polyproc_semaphore_acquire(semaphore, 0, NULL));
    ANSWERS(OK, polyproc_semaphore_release(semaphore, 1));
    _exit(0); /* with one in hand */
  }
  went_well(child);
  CHECK(value_of(semaphore) == 2);
  ANSWERS(OK, polyproc_semaphore_acquire(semaphore, 0, NULL));
  ANSWERS(OK, polyproc_semaphore_acquire(semaphore, 0, NULL));
  ANSWERS(E_TIMEOUT, polyproc_semaphore_acquire(semaphore, 0, NULL));
  ANSWERS(OK, polyproc_semaphore_release(semaphore, 3));
  polyproc_semaphore_close(semaphore);
}

static pid_t a_child_that_holds(polyproc_semaphore *semaphore, int permits) {
  polyproc_event *held = NULL;
  pid_t child;
  ANSWERS(OK, polyproc_event_create(NULL, NULL, &held));
  child = forked();
  if (child == 0) {
    while (permits-- > 0) {
      ANSWERS(OK, polyproc_semaphore_acquire(semaphore, PATIENCE, NULL));
    }
    ANSWERS(OK, polyproc_event_set(held));
    for (;;) {
      pause();
    }
  }
  ANSWERS(OK, polyproc_event_wait(held, PATIENCE, NULL));
  polyproc_event_close(held);
  return child;
}

static void *acquire_one(void *semaphore) {
  FAULT("peer killed", OK, polyproc_semaphore_acquire((polyproc_semaphore *)semaphore, PATIENCE, NULL));
  return NULL;
}

static void holders_are_killed(void) {
  polyproc_semaphore *semaphore = owned(4);
  pthread_t waiters[4];
  pid_t first = a_child_that_holds(semaphore, 3);
  pid_t second = a_child_that_holds(semaphore, 1);
  int i;

  CHECK(value_of(semaphore) == 0);
  for (i = 0; i < 4; i++) {
    waiters[i] = start(acquire_one, semaphore);
  }
  nap(30 * MILLISECOND);
  kill_and_reap(first);
  kill_and_reap(second);
  for (i = 0; i < 4; i++) {
    finish(waiters[i]);
  }
  CHECK(value_of(semaphore) == 0);
  ANSWERS(OK, polyproc_semaphore_release(semaphore, 4));
  CHECK(value_of(semaphore) == 4);
  /* An acquire that comes later finds the holder dead. */
  kill_and_reap(a_child_that_holds(semaphore, 4));
  ANSWERS(OK, polyproc_semaphore_acquire(semaphore, 0, NULL));
  CHECK(value_of(semaphore) == 3);
  polyproc_semaphore_close(semaphore);
}

static polyproc_semaphore *door;
static polyproc_semaphore *chairs;

/* Never more than two are inside, and each guest gets in, also when guests are killed. */
static void guests(void) {
  enum { GUESTS = 6, ROUNDS = 200 };
  pid_t children[GUESTS];
  int i;

  door = owned(2);
  chairs = owned(2);
  for (i = 0; i < GUESTS; i++) {
    children[i] = forked();
    if (children[i] == 0) {
      int round;
      for (round = 0; round < ROUNDS; round++) {
        ANSWERS(OK, polyproc_semaphore_acquire(door, PATIENCE, NULL));
        ANSWERS(OK, polyproc_semaphore_acquire(chairs, 0, NULL));
        ANSWERS(OK, polyproc_semaphore_release(chairs, 1));
        if (round == 10 * i) {
          _exit(0);
        }
        ANSWERS(OK, polyproc_semaphore_release(door, 1));
      }
    }
  }
  for (i = 0; i < GUESTS; i++) {
    went_well(children[i]);
  }
  CHECK(value_of(door) == 2 && value_of(chairs) == 2);
  polyproc_semaphore_close(door);
  polyproc_semaphore_close(chairs);
}

int main(void) {
  permits();
  it_is_part_of_the_shape();
  a_forked_child_owns_nothing();
  holders_are_killed();
  guests();
  return 0;
}
