/* Handles in a forked child: valid, with a participant of their own, without the parent's
 * ownership. */
#include <fcntl.h>

#include "check.h"

static void both_ways(void) {
  polyproc_queue *there = NULL;
  polyproc_queue *back = NULL;
  char buf[16];
  size_t len = 0;
  pid_t child;

  ANSWERS(OK, polyproc_queue_create(NULL, NULL, &there));
  ANSWERS(OK, polyproc_queue_create(NULL, NULL, &back));
  child = forked();
  if (child == 0) {
    ANSWERS(OK, polyproc_queue_get(there, buf, sizeof buf, &len, PATIENCE, NULL));
    ANSWERS(OK, polyproc_queue_put(back, buf, len, PATIENCE, NULL));
    ANSWERS(OK, polyproc_queue_put(back, "bye", 3, PATIENCE, NULL));
    polyproc_queue_close(there);
    polyproc_queue_close(back);
    _exit(0);
  }
  ANSWERS(OK, polyproc_queue_put(there, "hello", 5, PATIENCE, NULL));
  ANSWERS(OK, polyproc_queue_get(back, buf, sizeof buf, &len, PATIENCE, NULL));
  CHECK(len == 5 && memcmp(buf, "hello", 5) == 0);
  ANSWERS(OK, polyproc_queue_get(back, buf, sizeof buf, &len, PATIENCE, NULL));
  CHECK(len == 3 && memcmp(buf, "bye", 3) == 0);
  went_well(child);
  /* A handle that the child closed is open here. */
  ANSWERS(OK, polyproc_queue_put(there, "more", 4, 0, NULL));
  polyproc_queue_close(there);
  polyproc_queue_close(back);
}

static uint32_t participants(polyproc_queue *queue) {
  polyproc_queue_info info = POLYPROC_QUEUE_INFO_INIT;
  ANSWERS(OK, polyproc_queue_get_info(queue, &info));
  return info.participants;
}

static void a_participant_of_its_own(void) {
  polyproc_queue *queue = NULL;
  char buf[4];
  size_t len = 0;
  pid_t child;

  ANSWERS(OK, polyproc_queue_create(NULL, NULL, &queue));
  ANSWERS(OK, polyproc_queue_put(queue, "a", 1, 0, NULL));
  CHECK(participants(queue) == 1);
  child = forked();
  if (child == 0) {
    ANSWERS(OK, polyproc_queue_get(queue, buf, sizeof buf, &len, PATIENCE, NULL));
    CHECK(participants(queue) == 2);
    _exit(0);
  }
  went_well(child);
  ANSWERS(OK, polyproc_queue_put(queue, "b", 1, 0, NULL));
  ANSWERS(OK, polyproc_queue_get(queue, buf, sizeof buf, &len, 0, NULL));
  CHECK(len == 1 && buf[0] == 'b');
  CHECK(participants(queue) == 1);
  polyproc_queue_close(queue);
}

/* The parent keeps its lock when a child that never took it ends. */
static void no_ownership_is_inherited(void) {
  polyproc_lock *lock = NULL;
  int32_t locked = 7;
  pid_t child;

  ANSWERS(OK, polyproc_lock_create(NULL, NULL, &lock));
  ANSWERS(OK, polyproc_lock_acquire(lock, 0, NULL));
  child = forked();
  if (child == 0) {
    ANSWERS(E_TIMEOUT, polyproc_lock_acquire(lock, 0, NULL));
    polyproc_lock_close(lock);
    _exit(0);
  }
  went_well(child);
  ANSWERS(OK, polyproc_lock_is_locked(lock, &locked));
  CHECK(locked == 1);
  ANSWERS(E_TIMEOUT, polyproc_lock_acquire(lock, 0, NULL));
  ANSWERS(OK, polyproc_lock_release(lock));
  polyproc_lock_close(lock);
}

/* A parent that ends leaves its anonymous objects to its children. */
static void a_grandchild_goes_on(void) {
  polyproc_queue *queue = NULL;
  polyproc_event *go = NULL;
  char buf[8];
  size_t len = 0;
  pid_t child;

  ANSWERS(OK, polyproc_queue_create(NULL, NULL, &queue));
  ANSWERS(OK, polyproc_event_create(NULL, NULL, &go));
  child = forked();
  if (child == 0) {
    if (forked() == 0) {
      ANSWERS(OK, polyproc_event_wait(go, PATIENCE, NULL));
      ANSWERS(OK, polyproc_queue_put(queue, "grand", 5, PATIENCE, NULL));
      _exit(0);
    }
    _exit(0);
  }
  went_well(child);
  ANSWERS(OK, polyproc_event_set(go));
  ANSWERS(OK, polyproc_queue_get(queue, buf, sizeof buf, &len, PATIENCE, NULL));
  CHECK(len == 5 && memcmp(buf, "grand", 5) == 0);
  polyproc_queue_close(queue);
  polyproc_event_close(go);
}

static int open_descriptors(void) {
  int count = 0;
  int fd;
  for (fd = 0; fd < 256; fd++) {
    count += fcntl(fd, F_GETFD) != -1;
  }
  return count;
}

static void *wait_for_a_message(void *queue) {
  char buf[8];
  size_t len = 0;
  ANSWERS(E_CLOSED, polyproc_queue_get((polyproc_queue *)queue, buf, sizeof buf, &len, PATIENCE, NULL));
  return NULL;
}

/* The parent's thread is inside a call. In the child no thread is, so close frees everything. */
static void closed_in_a_child_while_the_parent_waits(void) {
  polyproc_queue *queue = NULL;
  pthread_t waiter;
  pid_t child;
  int before;

  ANSWERS(OK, polyproc_queue_create(NULL, NULL, &queue));
  waiter = start(wait_for_a_message, queue);
  nap(20 * MILLISECOND);
  child = forked();
  if (child == 0) {
    before = open_descriptors();
    polyproc_queue_close(queue);
    CHECK(open_descriptors() < before);
    ANSWERS(E_CLOSED, polyproc_queue_put(queue, "x", 1, 0, NULL));
    _exit(0);
  }
  went_well(child);
  polyproc_queue_close(queue);
  finish(waiter);
}

static volatile int stop;

static void *busy(void *argument) {
  polyproc_queue *queue = (polyproc_queue *)argument;
  char buf[8];
  size_t len = 0;
  while (!stop) {
    polyproc_lock *lock = NULL;
    ANSWERS(OK, polyproc_queue_put(queue, "x", 1, PATIENCE, NULL));
    ANSWERS(OK, polyproc_queue_get(queue, buf, sizeof buf, &len, PATIENCE, NULL));
    ANSWERS(OK, polyproc_lock_create(NULL, NULL, &lock));
    polyproc_lock_close(lock);
  }
  return NULL;
}

/* Whatever another thread is doing, the child can work and close. */
static void a_fork_at_any_moment(void) {
  enum { FORKS = 100 };
  polyproc_queue *queue = NULL;
  pthread_t worker;
  int i;

  ANSWERS(OK, polyproc_queue_create(NULL, NULL, &queue));
  worker = start(busy, queue);
  for (i = 0; i < FORKS; i++) {
    pid_t child = forked();
    if (child == 0) {
      polyproc_lock *mine = NULL;
      alarm(20);
      ANSWERS(OK, polyproc_queue_put(queue, "y", 1, PATIENCE, NULL));
      ANSWERS(OK, polyproc_lock_create(NULL, NULL, &mine));
      ANSWERS(OK, polyproc_lock_acquire(mine, PATIENCE, NULL));
      polyproc_lock_close(mine);
      polyproc_queue_close(queue);
      _exit(0);
    }
    went_well(child);
  }
  stop = 1;
  finish(worker);
  polyproc_queue_close(queue);
}

int main(void) {
  both_ways();
  a_participant_of_its_own();
  no_ownership_is_inherited();
  a_grandchild_goes_on();
  closed_in_a_child_while_the_parent_waits();
  a_fork_at_any_moment();
  return 0;
}
