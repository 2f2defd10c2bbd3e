/* Every function that waits, in one table: how to make it wait, how to end that, what it returns
 * meanwhile. */
#ifndef WAITS_H
#define WAITS_H

#include "check.h"

typedef struct {
  const char *function;
  int32_t refusal; /* what it answers when the time is over */
  void (*make)(void);
  int32_t (*call)(int64_t timeout_ns, polyproc_cancel *cancel);
  void (*let_go)(void);
  void (*close)(void); /* the handle that it waits on, and all that was made; twice does no harm */
} way_t;

/* A row of the table of ways. tests/fault_table.rs reads these rows and each FAULT_OF_EACH. */
#define WAY(function, refusal, object, call) \
  { #function, POLYPROC_##refusal, make_##object, call, let_go_##object, close_##object }

#define FAULT_OF_EACH(fault, way, expected, got) check_way(fault, way, expected, got, __FILE__, __LINE__)

static inline void check_way(const char *fault, const way_t *way, int32_t expected, int32_t got,
                             const char *file, int line) {
  if (expected != got) {
    fprintf(stderr, "%s:%d: %s, %s: answers %d (%s), not %d (%s)\n", file, line, way->function, fault,
            (int)got, polyproc_strerror(got), (int)expected, polyproc_strerror(expected));
    exit(1);
  }
}

/* A call on a thread of its own. */
typedef struct {
  const way_t *way;
  int64_t timeout_ns;
  polyproc_cancel *cancel;
  int32_t status; /* 77 as long as it waits */
} waiter_t;

static inline void *wait_in_way(void *argument) {
  waiter_t *waiter = (waiter_t *)argument;
  const int32_t status = waiter->way->call(waiter->timeout_ns, waiter->cancel);
  __atomic_store_n(&waiter->status, status, __ATOMIC_SEQ_CST);
  return NULL;
}

static inline pthread_t waits(waiter_t *waiter, const way_t *way, int64_t timeout_ns,
                              polyproc_cancel *cancel) {
  pthread_t thread;
  waiter->way = way;
  waiter->timeout_ns = timeout_ns;
  waiter->cancel = cancel;
  waiter->status = 77;
  thread = start(wait_in_way, waiter);
  /* Usually it sleeps by then. The answer is the same if it does not. */
  nap(5 * MILLISECOND);
  return thread;
}

static inline void nothing(int number) {
  (void)number;
}

static inline void timeouts(const way_t *way) {
  waiter_t waiter;
  pthread_t thread;
  int64_t began;

  way->make();
  FAULT_OF_EACH("timeout 0", way, way->refusal, way->call(0, NULL));
  way->close();

  way->make();
  began = now();
  FAULT_OF_EACH("timeout passes", way, way->refusal, way->call(20 * MILLISECOND, NULL));
  CHECK(now() - began >= 20 * MILLISECOND);
  way->close();

  way->make();
  thread = waits(&waiter, way, INT64_MIN, NULL);
  way->let_go();
  finish(thread);
  FAULT_OF_EACH("timeout negative", way, POLYPROC_OK, waiter.status);
  way->close();

  way->make();
  thread = waits(&waiter, way, INT64_MAX, NULL);
  way->let_go();
  finish(thread);
  FAULT_OF_EACH("timeout huge", way, POLYPROC_OK, waiter.status);
  way->close();
}

static inline void tokens(const way_t *way) {
  polyproc_cancel *cancel = NULL;
  polyproc_lock *no_token = NULL;
  waiter_t waiter;
  pthread_t thread;

  ANSWERS(OK, polyproc_cancel_create(&cancel));
  way->make();
  thread = waits(&waiter, way, POLYPROC_FOREVER, cancel);
  ANSWERS(OK, polyproc_cancel_fire(cancel));
  finish(thread);
  FAULT_OF_EACH("canceled", way, POLYPROC_E_CANCELED, waiter.status);
  way->close();

  way->make();
  FAULT_OF_EACH("canceled before", way, POLYPROC_E_CANCELED, way->call(POLYPROC_FOREVER, cancel));
  way->close();
  polyproc_cancel_close(cancel);

  ANSWERS(OK, polyproc_lock_create(NULL, NULL, &no_token));
  way->make();
  FAULT_OF_EACH("no token", way, POLYPROC_E_INVALID, way->call(0, (polyproc_cancel *)(void *)no_token));
  way->close();
  polyproc_lock_close(no_token);
}

static inline void signals(const way_t *way) {
  struct sigaction action;
  waiter_t waiter;
  pthread_t thread;

  memset(&action, 0, sizeof action);
  action.sa_handler = nothing;
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
  ANSWERS(OK, polyproc_interruptible(1));
  way->make();
  thread = waits(&waiter, way, POLYPROC_FOREVER, NULL);
  while (__atomic_load_n(&waiter.status, __ATOMIC_SEQ_CST) == 77) {
    /* Older C libraries say ESRCH of a thread that has just ended. */
    int error = pthread_kill(thread, SIGUSR1);
    CHECK(error == 0 || error == ESRCH);
    nap(MILLISECOND);
  }
  finish(thread);
  FAULT_OF_EACH("interrupted", way, POLYPROC_E_INTERRUPTED, waiter.status);
  ANSWERS(OK, polyproc_interruptible(0));
  way->close();
}

static inline void closing(const way_t *way) {
  waiter_t waiter;
  pthread_t thread;

  way->make();
  thread = waits(&waiter, way, POLYPROC_FOREVER, NULL);
  way->close();
  finish(thread);
  FAULT_OF_EACH("closed while it waits", way, POLYPROC_E_CLOSED, waiter.status);
  FAULT_OF_EACH("closed", way, POLYPROC_E_CLOSED, way->call(0, NULL));
}

static inline void faults_of(const way_t *way) {
  timeouts(way);
  tokens(way);
  signals(way);
  closing(way);
}

#endif
