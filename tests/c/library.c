/* Functions that belong to no object: versions, texts, switches, unlink. */
#include "check.h"

static void versions(void) {
  char expected[32];
  snprintf(expected, sizeof expected, "%d.%d.%d", POLYPROC_VERSION_MAJOR, POLYPROC_VERSION_MINOR,
           POLYPROC_VERSION_PATCH);
  CHECK(strcmp(polyproc_version(), expected) == 0);
  CHECK(polyproc_abi_version() == POLYPROC_ABI_VERSION);
}

static void every_status_has_a_text(void) {
  const int32_t odd[] = {INT32_MIN, INT32_MAX, -1000, -1001, -1000 - EBADF, -5096, -500, 2, 77};
  int32_t status;
  size_t i;
  for (status = -100; status <= 1; status++) {
    CHECK(polyproc_strerror(status) != NULL && polyproc_strerror(status)[0] != '\0');
  }
  for (i = 0; i < sizeof odd / sizeof *odd; i++) {
    CHECK(polyproc_strerror(odd[i]) != NULL && polyproc_strerror(odd[i])[0] != '\0');
  }
  CHECK(strcmp(polyproc_strerror(POLYPROC_OK), polyproc_strerror(POLYPROC_E_INVALID)) != 0);
  CHECK(polyproc_strerror(POLYPROC_E_FULL) == polyproc_strerror(POLYPROC_E_FULL));
}

static void interruptible_is_a_switch(void) {
  ANSWERS(E_INVALID, polyproc_interruptible(2));
  ANSWERS(E_INVALID, polyproc_interruptible(-1));
  ANSWERS(OK, polyproc_interruptible(1));
  ANSWERS(OK, polyproc_interruptible(0));
}

static void ignore(int signal_number) {
  (void)signal_number;
}

static void *poke(void *thread) {
  int i;
  /* Repeated, because the first signal may come before the wait. */
  for (i = 0; i < 100; i++) {
    nap(2 * MILLISECOND);
    pthread_kill(*(pthread_t *)thread, SIGUSR1);
  }
  return NULL;
}

static void a_wait_ends_at_a_signal_only_when_asked_to(void) {
  struct sigaction action;
  polyproc_semaphore *semaphore = NULL;
  pthread_t self = pthread_self();
  pthread_t poker;
  int64_t began;

  memset(&action, 0, sizeof action);
  action.sa_handler = ignore;
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
  ANSWERS(OK, polyproc_semaphore_create(NULL, NULL, &semaphore));

  began = now();
  poker = start(poke, &self);
  ANSWERS(E_TIMEOUT, polyproc_semaphore_acquire(semaphore, 100 * MILLISECOND, NULL));
  CHECK(now() - began >= 100 * MILLISECOND);
  finish(poker);

  ANSWERS(OK, polyproc_interruptible(1));
  poker = start(poke, &self);
  ANSWERS(E_INTERRUPTED, polyproc_semaphore_acquire(semaphore, POLYPROC_FOREVER, NULL));
  finish(poker);
  ANSWERS(OK, polyproc_interruptible(0));
  polyproc_semaphore_close(semaphore);
}

int main(void) {
  versions();
  every_status_has_a_text();
  interruptible_is_a_switch();
  a_wait_ends_at_a_signal_only_when_asked_to();
  return 0;
}
