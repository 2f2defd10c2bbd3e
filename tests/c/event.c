/* The event: set, clear, wait; from a signal handler; followed by clear at once. */
#include "check.h"

static void set_and_clear(void) {
  polyproc_event *event = NULL;
  int32_t is_set = 7;
  int64_t began;

  ANSWERS(OK, polyproc_event_create(NULL, NULL, &event));
  ANSWERS(OK, polyproc_event_is_set(event, &is_set));
  CHECK(is_set == 0);
  ANSWERS(E_TIMEOUT, polyproc_event_wait(event, 0, NULL));
  began = now();
  ANSWERS(E_TIMEOUT, polyproc_event_wait(event, 30 * MILLISECOND, NULL));
  CHECK(now() - began >= 30 * MILLISECOND);
  ANSWERS(OK, polyproc_event_set(event));
  ANSWERS(OK, polyproc_event_set(event));
  ANSWERS(OK, polyproc_event_is_set(event, &is_set));
  CHECK(is_set == 1);
  ANSWERS(OK, polyproc_event_wait(event, 0, NULL));
  ANSWERS(OK, polyproc_event_wait(event, POLYPROC_FOREVER, NULL));
  ANSWERS(OK, polyproc_event_clear(event));
  ANSWERS(OK, polyproc_event_clear(event));
  ANSWERS(E_TIMEOUT, polyproc_event_wait(event, 0, NULL));
  polyproc_event_close(event);
}

/* A thread that waits for a task begins after the set and the clear, but the task's wait had begun
 * before. */
static void a_wait_counts_from_its_mark(void) {
  polyproc_event *event = NULL;
  uint32_t before = 0;
  uint32_t after = 0;

  ANSWERS(OK, polyproc_event_create(NULL, NULL, &event));
  ANSWERS(OK, polyproc_event_sets(event, &before));
  ANSWERS(E_TIMEOUT, polyproc_event_wait_since(event, before, 0, NULL));
  ANSWERS(OK, polyproc_event_set(event));
  ANSWERS(OK, polyproc_event_clear(event));
  ANSWERS(OK, polyproc_event_wait_since(event, before, 0, NULL));
  ANSWERS(OK, polyproc_event_wait_since(event, before, POLYPROC_FOREVER, NULL));
  ANSWERS(OK, polyproc_event_sets(event, &after));
  CHECK(after != before);
  ANSWERS(E_TIMEOUT, polyproc_event_wait_since(event, after, MILLISECOND, NULL));
  ANSWERS(OK, polyproc_event_set(event));
  ANSWERS(OK, polyproc_event_sets(event, &after));
  ANSWERS(OK, polyproc_event_wait_since(event, after, 0, NULL));
  ANSWERS(E_INVALID, polyproc_event_sets(event, NULL));
  ANSWERS(E_INVALID, polyproc_event_sets(NULL, &after));
  ANSWERS(E_INVALID, polyproc_event_wait_since(NULL, after, 0, NULL));
  polyproc_event_close(event);
}

enum { ROUNDS = 40, WAITERS = 3 };

/* In each round a waiter is let go, says that it is about to wait, waits, and says that it has
 * returned. */
static void waiter(polyproc_event *event, polyproc_semaphore *go, polyproc_semaphore *there,
                   polyproc_semaphore *through) {
  int round;
  for (round = 0; round < ROUNDS; round++) {
    ANSWERS(OK, polyproc_semaphore_acquire(go, PATIENCE, NULL));
    ANSWERS(OK, polyproc_semaphore_release(there, 1));
    ANSWERS(OK, polyproc_event_wait(event, PATIENCE, NULL));
    ANSWERS(OK, polyproc_semaphore_release(through, 1));
  }
}

/* The process can sleep only in the event. */
static void until_asleep(pid_t pid) {
  char path[64];
  char state = '?';
  snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
  while (state != 'S') {
    FILE *stat = fopen(path, "r");
    CHECK(stat != NULL && fscanf(stat, "%*d (%*[^)]) %c", &state) == 1);
    fclose(stat);
    nap(MILLISECOND / 10);
  }
}

/* Python's Event loses each of these waits. */
static void everyone_goes_though_a_clear_follows_at_once(void) {
  polyproc_event *event = NULL;
  polyproc_semaphore *go = NULL;
  polyproc_semaphore *there = NULL;
  polyproc_semaphore *through = NULL;
  pid_t children[WAITERS];
  int round;
  int i;

  ANSWERS(OK, polyproc_event_create(NULL, NULL, &event));
  ANSWERS(OK, polyproc_semaphore_create(NULL, NULL, &go));
  ANSWERS(OK, polyproc_semaphore_create(NULL, NULL, &there));
  ANSWERS(OK, polyproc_semaphore_create(NULL, NULL, &through));
  for (i = 0; i < WAITERS; i++) {
    children[i] = forked();
    if (children[i] == 0) {
      waiter(event, go, there, through);
      _exit(0);
    }
  }
  for (round = 0; round < ROUNDS; round++) {
    ANSWERS(OK, polyproc_semaphore_release(go, WAITERS));
    for (i = 0; i < WAITERS; i++) {
      ANSWERS(OK, polyproc_semaphore_acquire(there, PATIENCE, NULL));
    }
    for (i = 0; i < WAITERS; i++) {
      until_asleep(children[i]);
    }
    ANSWERS(OK, polyproc_event_set(event));
    ANSWERS(OK, polyproc_event_clear(event));
    for (i = 0; i < WAITERS; i++) {
      ANSWERS(OK, polyproc_semaphore_acquire(through, PATIENCE, NULL));
    }
  }
  for (i = 0; i < WAITERS; i++) {
    went_well(children[i]);
  }
  polyproc_event_close(event);
  polyproc_semaphore_close(go);
  polyproc_semaphore_close(there);
  polyproc_semaphore_close(through);
}

static polyproc_event *from_handler;

static void set_it(int signal_number) {
  (void)signal_number;
  if (polyproc_event_set(from_handler) != POLYPROC_OK) {
    _exit(3);
  }
}

static void *set_by_signal(void *thread) {
  nap(20 * MILLISECOND);
  pthread_kill(*(pthread_t *)thread, SIGUSR1);
  return NULL;
}

/* The handler interrupts a wait on the same event. Python's Event deadlocks there. */
static void set_from_a_signal_handler(void) {
  struct sigaction action;
  pthread_t self = pthread_self();
  int round;

  memset(&action, 0, sizeof action);
  action.sa_handler = set_it;
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
  ANSWERS(OK, polyproc_event_create(NULL, NULL, &from_handler));
  for (round = 0; round < 10; round++) {
    pthread_t setter = start(set_by_signal, &self);
    ANSWERS(OK, polyproc_event_wait(from_handler, PATIENCE, NULL));
    finish(setter);
    ANSWERS(OK, polyproc_event_clear(from_handler));
  }
  polyproc_event_close(from_handler);
}

/* A killed waiter hangs nobody. */
static void a_waiter_is_killed(void) {
  polyproc_event *event = NULL;
  pid_t child;

  ANSWERS(OK, polyproc_event_create(NULL, NULL, &event));
  child = forked();
  if (child == 0) {
    (void)polyproc_event_wait(event, POLYPROC_FOREVER, NULL);
    _exit(1);
  }
  nap(30 * MILLISECOND);
  kill_and_reap(child);
  ANSWERS(OK, polyproc_event_set(event));
  ANSWERS(OK, polyproc_event_wait(event, 0, NULL));
  polyproc_event_close(event);
}

int main(void) {
  set_and_clear();
  a_wait_counts_from_its_mark();
  everyone_goes_though_a_clear_follows_at_once();
  set_from_a_signal_handler();
  a_waiter_is_killed();
  return 0;
}
