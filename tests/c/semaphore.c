/* The semaphore: permits, bounded or not. */
#include "check.h"

static void permits(void) {
  polyproc_semaphore_options options = POLYPROC_SEMAPHORE_OPTIONS_INIT;
  polyproc_semaphore *semaphore = NULL;
  int64_t value = 7;
  int64_t began;

  options.initial = 2;
  ANSWERS(OK, polyproc_semaphore_create(NULL, &options, &semaphore));
  ANSWERS(OK, polyproc_semaphore_acquire(semaphore, 0, NULL));
  ANSWERS(OK, polyproc_semaphore_acquire(semaphore, POLYPROC_FOREVER, NULL));
  ANSWERS(E_TIMEOUT, polyproc_semaphore_acquire(semaphore, 0, NULL));
  began = now();
  ANSWERS(E_TIMEOUT, polyproc_semaphore_acquire(semaphore, 30 * MILLISECOND, NULL));
  CHECK(now() - began >= 30 * MILLISECOND);
  ANSWERS(OK, polyproc_semaphore_value(semaphore, &value));
  CHECK(value == 0);
  ANSWERS(OK, polyproc_semaphore_release(semaphore, 5));
  ANSWERS(OK, polyproc_semaphore_value(semaphore, &value));
  CHECK(value == 5);
  polyproc_semaphore_close(semaphore);
}

static void bounds(void) {
  polyproc_semaphore_options options = POLYPROC_SEMAPHORE_OPTIONS_INIT;
  polyproc_semaphore *semaphore = NULL;
  int64_t value = 7;

  options.initial = 1;
  options.maximum = 3;
  ANSWERS(OK, polyproc_semaphore_create(NULL, &options, &semaphore));
  ANSWERS(E_OVER_RELEASE, polyproc_semaphore_release(semaphore, 3));
  ANSWERS(E_OVER_RELEASE, polyproc_semaphore_release(semaphore, INT64_MAX));
  ANSWERS(OK, polyproc_semaphore_value(semaphore, &value));
  CHECK(value == 1);
  ANSWERS(OK, polyproc_semaphore_release(semaphore, 2));
  ANSWERS(E_OVER_RELEASE, polyproc_semaphore_release(semaphore, 1));
  polyproc_semaphore_close(semaphore);

  /* Without a maximum a release may still overflow. */
  options.initial = INT64_MAX;
  options.maximum = 0;
  ANSWERS(OK, polyproc_semaphore_create(NULL, &options, &semaphore));
  ANSWERS(E_OVER_RELEASE, polyproc_semaphore_release(semaphore, 1));
  ANSWERS(OK, polyproc_semaphore_value(semaphore, &value));
  CHECK(value == INT64_MAX);
  polyproc_semaphore_close(semaphore);
}

/* Never more than two are inside, and each guest gets in. */
static void guests(void) {
  enum { GUESTS = 6, ROUNDS = 200 };
  const name_t name = unique("guests");
  polyproc_semaphore_options options = POLYPROC_SEMAPHORE_OPTIONS_INIT;
  polyproc_semaphore_options chairs_options = POLYPROC_SEMAPHORE_OPTIONS_INIT;
  polyproc_semaphore *door = NULL;
  polyproc_semaphore *chairs = NULL;
  pid_t children[GUESTS];
  int64_t value = 7;
  int i;

  options.initial = options.maximum = 2;
  chairs_options.initial = 2;
  ANSWERS(OK, polyproc_semaphore_create(name.text, &options, &door));
  ANSWERS(OK, polyproc_semaphore_create(NULL, &chairs_options, &chairs));
  for (i = 0; i < GUESTS; i++) {
    children[i] = forked();
    if (children[i] == 0) {
      polyproc_semaphore *mine = NULL;
      int round;
      ANSWERS(OK, polyproc_semaphore_open(name.text, &mine));
      for (round = 0; round < ROUNDS; round++) {
        ANSWERS(OK, polyproc_semaphore_acquire(mine, PATIENCE, NULL));
        ANSWERS(OK, polyproc_semaphore_acquire(chairs, 0, NULL));
        ANSWERS(OK, polyproc_semaphore_release(chairs, 1));
        ANSWERS(OK, polyproc_semaphore_release(mine, 1));
      }
      polyproc_semaphore_close(mine);
      _exit(0);
    }
  }
  for (i = 0; i < GUESTS; i++) {
    went_well(children[i]);
  }
  ANSWERS(OK, polyproc_semaphore_value(door, &value));
  CHECK(value == 2);
  polyproc_semaphore_close(door);
  polyproc_semaphore_close(chairs);
  ANSWERS(OK, polyproc_unlink(name.text));
}

/* One release of n wakes n sleepers. */
static void *acquire_one(void *semaphore) {
  ANSWERS(OK, polyproc_semaphore_acquire((polyproc_semaphore *)semaphore, PATIENCE, NULL));
  return NULL;
}

static void many_sleepers(void) {
  enum { SLEEPERS = 8 };
  polyproc_semaphore *semaphore = NULL;
  pthread_t threads[SLEEPERS];
  int64_t value = 7;
  int i;

  ANSWERS(OK, polyproc_semaphore_create(NULL, NULL, &semaphore));
  for (i = 0; i < SLEEPERS; i++) {
    threads[i] = start(acquire_one, semaphore);
  }
  nap(20 * MILLISECOND);
  ANSWERS(OK, polyproc_semaphore_release(semaphore, SLEEPERS));
  for (i = 0; i < SLEEPERS; i++) {
    finish(threads[i]);
  }
  ANSWERS(OK, polyproc_semaphore_value(semaphore, &value));
  CHECK(value == 0);
  polyproc_semaphore_close(semaphore);
}

int main(void) {
  permits();
  bounds();
  guests();
  many_sleepers();
  return 0;
}
