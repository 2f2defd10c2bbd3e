/* The rlock, owned permits, the condition and the barrier: NULL, handles that are closed or of
 * another type, bad names and options; and each of their waits canceled, closed and interrupted. */
#include "check.h"

static polyproc_lock *lock;
static polyproc_rlock *rlock;
static polyproc_semaphore *semaphore;
static polyproc_condition *condition;
static polyproc_barrier *barrier;

static void make_objects(void) {
  polyproc_semaphore_options options = POLYPROC_SEMAPHORE_OPTIONS_INIT;
  options.flags = POLYPROC_SEMAPHORE_OWNED;
  ANSWERS(OK, polyproc_lock_create(NULL, NULL, &lock));
  ANSWERS(OK, polyproc_rlock_create(NULL, NULL, &rlock));
  ANSWERS(OK, polyproc_semaphore_create(NULL, &options, &semaphore));
  ANSWERS(OK, polyproc_condition_create(NULL, NULL, &condition));
  ANSWERS(OK, polyproc_barrier_create(NULL, NULL, 2, &barrier));
}

static void close_objects(void) {
  polyproc_lock_close(lock);
  polyproc_rlock_close(rlock);
  polyproc_semaphore_close(semaphore);
  polyproc_condition_close(condition);
  polyproc_barrier_close(barrier);
}

static void null_handles(void) {
  uint32_t number = 7;
  int32_t flag = 7;

  FAULT("NULL handle", E_INVALID, polyproc_rlock_acquire(NULL, 0, 0, NULL));
  FAULT("NULL handle", E_INVALID, polyproc_rlock_release(NULL, 0));
  FAULT("NULL handle", E_INVALID, polyproc_rlock_depth(NULL, &number));
  FAULT("NULL handle", E_INVALID, polyproc_condition_wait(NULL, lock, 0, NULL));
  FAULT("NULL lock", E_INVALID, polyproc_condition_wait(condition, NULL, 0, NULL));
  FAULT("NULL handle", E_INVALID, polyproc_condition_wait_rlock(NULL, rlock, 0, 0, NULL));
  FAULT("NULL rlock", E_INVALID, polyproc_condition_wait_rlock(condition, NULL, 0, 0, NULL));
  FAULT("NULL handle", E_INVALID, polyproc_condition_notify(NULL, 1));
  FAULT("NULL handle", E_INVALID, polyproc_condition_notify_all(NULL));
  FAULT("NULL handle", E_INVALID, polyproc_barrier_wait(NULL, &number, 0, NULL));
  FAULT("NULL handle", E_INVALID, polyproc_barrier_arrive(NULL, &number, &flag, 0, NULL));
  FAULT("NULL handle", E_INVALID, polyproc_barrier_complete(NULL, 1));
  FAULT("NULL handle", E_INVALID, polyproc_barrier_abort(NULL));
  FAULT("NULL handle", E_INVALID, polyproc_barrier_reset(NULL));
  FAULT("NULL handle", E_INVALID, polyproc_barrier_parties(NULL, &number));
  FAULT("NULL handle", E_INVALID, polyproc_barrier_waiting(NULL, &number));
  FAULT("NULL handle", E_INVALID, polyproc_barrier_is_broken(NULL, &flag));
  CHECK(number == 7 && flag == 7);
  polyproc_rlock_close(NULL);
  polyproc_condition_close(NULL);
  polyproc_barrier_close(NULL);
}

static void null_places(void) {
  uint32_t number = 7;
  int32_t flag = 7;

  FAULT("NULL output", E_INVALID, polyproc_rlock_create(NULL, NULL, NULL));
  FAULT("NULL output", E_INVALID, polyproc_rlock_open("x", NULL));
  FAULT("NULL output", E_INVALID, polyproc_rlock_depth(rlock, NULL));
  FAULT("NULL output", E_INVALID, polyproc_condition_create(NULL, NULL, NULL));
  FAULT("NULL output", E_INVALID, polyproc_condition_open("x", NULL));
  FAULT("NULL output", E_INVALID, polyproc_barrier_create(NULL, NULL, 2, NULL));
  FAULT("NULL output", E_INVALID, polyproc_barrier_open("x", NULL));
  FAULT("NULL output", E_INVALID, polyproc_barrier_wait(barrier, NULL, 0, NULL));
  FAULT("NULL output", E_INVALID, polyproc_barrier_arrive(barrier, NULL, &flag, 0, NULL));
  FAULT("NULL output", E_INVALID, polyproc_barrier_arrive(barrier, &number, NULL, 0, NULL));
  FAULT("NULL output", E_INVALID, polyproc_barrier_parties(barrier, NULL));
  FAULT("NULL output", E_INVALID, polyproc_barrier_waiting(barrier, NULL));
  FAULT("NULL output", E_INVALID, polyproc_barrier_is_broken(barrier, NULL));
  /* A wait that was refused has not broken the barrier. */
  ANSWERS(OK, polyproc_barrier_is_broken(barrier, &flag));
  CHECK(flag == 0 && number == 7);
}

static void handles_of_another_type(void) {
  uint32_t number = 7;
  int fd = -7;

  FAULT("another type", E_INVALID, polyproc_rlock_acquire((polyproc_rlock *)(void *)lock, 0, 0, NULL));
  FAULT("another type", E_INVALID, polyproc_lock_acquire((polyproc_lock *)(void *)rlock, 0, NULL));
  FAULT("another type", E_INVALID,
        polyproc_condition_wait(condition, (polyproc_lock *)(void *)rlock, 0, NULL));
  FAULT("another type", E_INVALID,
        polyproc_condition_wait_rlock(condition, (polyproc_rlock *)(void *)lock, 0, 0, NULL));
  FAULT("another type", E_INVALID, polyproc_condition_notify((polyproc_condition *)(void *)barrier, 1));
  FAULT("another type", E_INVALID, polyproc_barrier_waiting((polyproc_barrier *)(void *)condition, &number));
  FAULT("no token", E_INVALID, polyproc_rlock_acquire(rlock, 0, 0, (polyproc_cancel *)(void *)lock));
  FAULT("no token", E_INVALID, polyproc_condition_wait(condition, lock, 0, (polyproc_cancel *)(void *)lock));
  FAULT("no token", E_INVALID, polyproc_barrier_wait(barrier, &number, 0, (polyproc_cancel *)(void *)lock));
  FAULT("another type", E_INVALID, polyproc_share_fd(POLYPROC_KIND_RLOCK, lock, &fd));
  FAULT("another type", E_INVALID, polyproc_share_fd(POLYPROC_KIND_CONDITION, barrier, &fd));
  FAULT("another type", E_INVALID, polyproc_share_fd(POLYPROC_KIND_BARRIER, condition, &fd));
  CHECK(number == 7 && fd == -7);
}

static void names_and_options(void) {
  const char *bad[] = {"", ".hidden", "a/b", "a b", "\xc3\xa4"};
  const name_t name = unique("sync");
  const name_t absent = unique("absent");
  polyproc_options options = POLYPROC_OPTIONS_INIT;
  polyproc_rlock *no_rlock = NULL;
  polyproc_condition *no_condition = NULL;
  polyproc_barrier *no_barrier = NULL;
  polyproc_lock *named = NULL;
  size_t i;
  int bit;

  for (i = 0; i < sizeof bad / sizeof *bad; i++) {
    FAULT("bad name", E_INVALID, polyproc_rlock_create(bad[i], NULL, &no_rlock));
    FAULT("bad name", E_INVALID, polyproc_rlock_open(bad[i], &no_rlock));
    FAULT("bad name", E_INVALID, polyproc_condition_create(bad[i], NULL, &no_condition));
    FAULT("bad name", E_INVALID, polyproc_condition_open(bad[i], &no_condition));
    FAULT("bad name", E_INVALID, polyproc_barrier_create(bad[i], NULL, 2, &no_barrier));
    FAULT("bad name", E_INVALID, polyproc_barrier_open(bad[i], &no_barrier));
  }
  FAULT("no name", E_INVALID, polyproc_rlock_open(NULL, &no_rlock));
  FAULT("no name", E_INVALID, polyproc_condition_open(NULL, &no_condition));
  FAULT("no name", E_INVALID, polyproc_barrier_open(NULL, &no_barrier));
  FAULT("not there", E_NOT_FOUND, polyproc_rlock_open(absent.text, &no_rlock));
  FAULT("not there", E_NOT_FOUND, polyproc_condition_open(absent.text, &no_condition));
  FAULT("not there", E_NOT_FOUND, polyproc_barrier_open(absent.text, &no_barrier));

  ANSWERS(OK, polyproc_lock_create(name.text, NULL, &named));
  FAULT("name taken", E_EXISTS, polyproc_rlock_create(name.text, NULL, &no_rlock));
  FAULT("name taken", E_EXISTS, polyproc_condition_create(name.text, NULL, &no_condition));
  FAULT("name taken", E_EXISTS, polyproc_barrier_create(name.text, NULL, 2, &no_barrier));
  options.flags = POLYPROC_OPEN_OR_CREATE;
  FAULT("another kind", E_MISMATCH, polyproc_rlock_create(name.text, &options, &no_rlock));
  FAULT("another kind", E_MISMATCH, polyproc_rlock_open(name.text, &no_rlock));
  FAULT("another kind", E_MISMATCH, polyproc_condition_create(name.text, &options, &no_condition));
  FAULT("another kind", E_MISMATCH, polyproc_condition_open(name.text, &no_condition));
  FAULT("another kind", E_MISMATCH, polyproc_barrier_create(name.text, &options, 2, &no_barrier));
  FAULT("another kind", E_MISMATCH, polyproc_barrier_open(name.text, &no_barrier));
  polyproc_lock_close(named);
  ANSWERS(OK, polyproc_unlink(name.text));

  for (bit = 1; bit < 32; bit++) {
    options.flags = (uint32_t)1 << bit;
    FAULT("unknown flag", E_INVALID, polyproc_rlock_create(NULL, &options, &no_rlock));
    FAULT("unknown flag", E_INVALID, polyproc_condition_create(NULL, &options, &no_condition));
    FAULT("unknown flag", E_INVALID, polyproc_barrier_create(NULL, &options, 2, &no_barrier));
  }
  options.flags = 0;
  options.size = 0;
  FAULT("wrong size", E_INVALID, polyproc_rlock_create(NULL, &options, &no_rlock));
  FAULT("wrong size", E_INVALID, polyproc_condition_create(NULL, &options, &no_condition));
  FAULT("wrong size", E_INVALID, polyproc_barrier_create(NULL, &options, 2, &no_barrier));
  CHECK(no_rlock == NULL && no_condition == NULL && no_barrier == NULL);
}

enum { WAYS = 6, NOBODY = 1000 };

/* Every wait of these objects, each for something that does not come. */
static int32_t wait_in_way(int way, polyproc_cancel *cancel) {
  uint32_t index = 7;
  int32_t leader = 7;
  int32_t status;
  switch (way) {
    case 0:
      return polyproc_rlock_acquire(rlock, 0, POLYPROC_FOREVER, cancel);
    case 1:
      return polyproc_semaphore_acquire(semaphore, POLYPROC_FOREVER, cancel);
    case 2:
      return polyproc_condition_wait(condition, lock, POLYPROC_FOREVER, cancel);
    case 3:
      return polyproc_condition_wait_rlock(condition, rlock, NOBODY, POLYPROC_FOREVER, cancel);
    case 4:
      status = polyproc_barrier_wait(barrier, &index, POLYPROC_FOREVER, cancel);
      break;
    default:
      status = polyproc_barrier_arrive(barrier, &index, &leader, POLYPROC_FOREVER, cancel);
      break;
  }
  CHECK(index == 7 && leader == 7);
  return status;
}

/* Before a wait: takes what it waits for, and holds what it needs. */
static void prepare(int way) {
  if (way == 0) {
    ANSWERS(OK, polyproc_rlock_acquire(rlock, NOBODY, 0, NULL));
  } else if (way == 2) {
    ANSWERS(OK, polyproc_lock_acquire(lock, 0, NULL));
  } else if (way == 3) {
    ANSWERS(OK, polyproc_rlock_acquire(rlock, NOBODY, 0, NULL));
    ANSWERS(OK, polyproc_rlock_acquire(rlock, NOBODY, 0, NULL));
  } else if (way >= 4) {
    ANSWERS(OK, polyproc_barrier_reset(barrier));
  }
}

/* After a wait: it holds what it needs again, and every end but a signal has broken the barrier. */
static void settle(int way, int32_t is_broken) {
  if (way == 0) {
    ANSWERS(OK, polyproc_rlock_release(rlock, NOBODY));
  } else if (way == 2) {
    ANSWERS(E_TIMEOUT, polyproc_lock_acquire(lock, 0, NULL));
    ANSWERS(OK, polyproc_lock_release(lock));
  } else if (way == 3) {
    ANSWERS(OK, polyproc_rlock_release(rlock, NOBODY));
    ANSWERS(OK, polyproc_rlock_release(rlock, NOBODY));
    ANSWERS(E_NOT_OWNER, polyproc_rlock_release(rlock, NOBODY));
  } else if (way >= 4) {
    int32_t broken = 7;
    ANSWERS(OK, polyproc_barrier_is_broken(barrier, &broken));
    CHECK(broken == is_broken);
  }
}

typedef struct {
  int way;
  polyproc_cancel *cancel;
  int32_t status;
} wait_t;

static void *wait_in_thread(void *argument) {
  wait_t *wait = (wait_t *)argument;
  wait->status = wait_in_way(wait->way, wait->cancel);
  return NULL;
}

static void canceled(void) {
  int way;
  for (way = 0; way < WAYS; way++) {
    wait_t wait = {0, NULL, 7};
    pthread_t thread;
    ANSWERS(OK, polyproc_cancel_create(&wait.cancel));
    wait.way = way;
    prepare(way);
    thread = start(wait_in_thread, &wait);
    nap(20 * MILLISECOND);
    ANSWERS(OK, polyproc_cancel_fire(wait.cancel));
    finish(thread);
    FAULT("canceled", E_CANCELED, wait.status);
    settle(way, 1);
    prepare(way);
    FAULT("canceled before", E_CANCELED, wait_in_way(way, wait.cancel));
    settle(way, 1);
    polyproc_cancel_close(wait.cancel);
  }
}

static void ignore(int signal_number) {
  (void)signal_number;
}

static volatile int done;

static void *poke(void *thread) {
  while (!done) {
    nap(2 * MILLISECOND);
    pthread_kill(*(pthread_t *)thread, SIGUSR1);
  }
  return NULL;
}

static void interrupted(void) {
  struct sigaction action;
  pthread_t self = pthread_self();
  int way;

  memset(&action, 0, sizeof action);
  action.sa_handler = ignore;
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
  ANSWERS(OK, polyproc_interruptible(1));
  for (way = 0; way < WAYS; way++) {
    pthread_t poker;
    done = 0;
    prepare(way);
    poker = start(poke, &self);
    FAULT("interrupted", E_INTERRUPTED, wait_in_way(way, NULL));
    done = 1;
    finish(poker);
    settle(way, 0);
  }
  ANSWERS(OK, polyproc_interruptible(0));
}

static void closed(void) {
  uint32_t number = 7;
  int32_t flag = 7;
  int64_t value = 7;
  int fd = -7;
  int way;

  for (way = 0; way < WAYS; way++) {
    wait_t wait = {0, NULL, 7};
    pthread_t thread;
    wait.way = way;
    prepare(way);
    thread = start(wait_in_thread, &wait);
    nap(20 * MILLISECOND);
    close_objects();
    finish(thread);
    FAULT("closed while it waits", E_CLOSED, wait.status);
    FAULT("closed", E_CLOSED, wait_in_way(way, NULL));
    close_objects(); /* a second time */
    if (way < WAYS - 1) {
      make_objects();
    }
  }
  FAULT("closed", E_CLOSED, polyproc_rlock_release(rlock, NOBODY));
  FAULT("closed", E_CLOSED, polyproc_rlock_depth(rlock, &number));
  FAULT("closed", E_CLOSED, polyproc_semaphore_release(semaphore, 1));
  FAULT("closed", E_CLOSED, polyproc_semaphore_value(semaphore, &value));
  FAULT("closed", E_CLOSED, polyproc_condition_notify(condition, 1));
  FAULT("closed", E_CLOSED, polyproc_condition_notify_all(condition));
  FAULT("closed", E_CLOSED, polyproc_barrier_complete(barrier, 1));
  FAULT("closed", E_CLOSED, polyproc_barrier_abort(barrier));
  FAULT("closed", E_CLOSED, polyproc_barrier_reset(barrier));
  FAULT("closed", E_CLOSED, polyproc_barrier_parties(barrier, &number));
  FAULT("closed", E_CLOSED, polyproc_barrier_waiting(barrier, &number));
  FAULT("closed", E_CLOSED, polyproc_barrier_is_broken(barrier, &flag));
  FAULT("closed", E_CLOSED, polyproc_share_fd(POLYPROC_KIND_RLOCK, rlock, &fd));
  FAULT("closed", E_CLOSED, polyproc_share_fd(POLYPROC_KIND_CONDITION, condition, &fd));
  FAULT("closed", E_CLOSED, polyproc_share_fd(POLYPROC_KIND_BARRIER, barrier, &fd));
  CHECK(number == 7 && flag == 7 && value == 7 && fd == -7);
}

int main(void) {
  make_objects();
  null_handles();
  null_places();
  handles_of_another_type();
  names_and_options();
  canceled();
  interrupted();
  closed();
  return 0;
}
