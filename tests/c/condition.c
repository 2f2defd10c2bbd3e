/* The condition: which waits are notified, and how the lock is released and taken again. */
#include "condition.h"

static void as_many_as_were_asked_for(void) {
  enum { WAITERS = 5 };
  polyproc_condition *condition = new_condition();
  polyproc_lock *lock = new_lock();
  wait_t waits[WAITERS];
  int i;

  for (i = 0; i < WAITERS; i++) {
    wait_begins(&waits[i], condition, lock, POLYPROC_FOREVER, NULL);
  }
  ANSWERS(OK, polyproc_condition_notify(condition, 0));
  ANSWERS(OK, polyproc_condition_notify(condition, 1));
  ANSWERS(OK, wait_ended(&waits[0])); /* the first that began */
  ANSWERS(OK, polyproc_condition_notify(condition, 2));
  ANSWERS(OK, wait_ended(&waits[1]));
  ANSWERS(OK, wait_ended(&waits[2]));
  nap(20 * MILLISECOND);
  CHECK(status_now(&waits[3]) == 77 && status_now(&waits[4]) == 77);
  ANSWERS(OK, polyproc_condition_notify(condition, 1000));
  ANSWERS(OK, wait_ended(&waits[3]));
  ANSWERS(OK, wait_ended(&waits[4]));

  /* A notification without a waiter is discarded. */
  ANSWERS(OK, polyproc_condition_notify(condition, 1000));
  ANSWERS(OK, polyproc_condition_notify_all(condition));
  ANSWERS(OK, polyproc_lock_acquire(lock, 0, NULL));
  ANSWERS(E_TIMEOUT, polyproc_condition_wait(condition, lock, 20 * MILLISECOND, NULL));
  ANSWERS(OK, polyproc_lock_release(lock));
  for (i = 0; i < WAITERS; i++) {
    wait_begins(&waits[i], condition, lock, POLYPROC_FOREVER, NULL);
  }
  ANSWERS(OK, polyproc_condition_notify_all(condition));
  for (i = 0; i < WAITERS; i++) {
    ANSWERS(OK, wait_ended(&waits[i]));
  }
  polyproc_condition_close(condition);
  polyproc_lock_close(lock);
}

/* A wait that has begun is notified even before it sleeps; a later one is not. */
static void who_was_there(void) {
  polyproc_condition *condition = new_condition();
  polyproc_lock *lock = new_lock();
  wait_t wait;
  int round;

  for (round = 0; round < 200; round++) {
    wait_begins(&wait, condition, lock, POLYPROC_FOREVER, NULL);
    ANSWERS(OK, polyproc_lock_acquire(lock, PATIENCE, NULL));
    ANSWERS(OK, polyproc_condition_notify(condition, 1));
    ANSWERS(E_TIMEOUT, polyproc_condition_wait(condition, lock, 0, NULL));
    ANSWERS(OK, polyproc_lock_release(lock));
    ANSWERS(OK, wait_ended(&wait));
  }
  polyproc_condition_close(condition);
  polyproc_lock_close(lock);
}

static void *notify_rlocked(void *argument) {
  void **objects = (void **)argument;
  polyproc_rlock *rlock = (polyproc_rlock *)objects[1];
  uint32_t depth = 77;
  ANSWERS(OK, polyproc_rlock_acquire(rlock, 0, PATIENCE, NULL));
  ANSWERS(OK, polyproc_rlock_depth(rlock, &depth));
  CHECK(depth == 1);
  ANSWERS(OK, polyproc_condition_notify((polyproc_condition *)objects[0], 1));
  ANSWERS(OK, polyproc_rlock_release(rlock, 0));
  return NULL;
}

static void the_depth_comes_back(void) {
  polyproc_condition *condition = new_condition();
  polyproc_rlock *rlock = NULL;
  void *objects[2];
  uint32_t depth = 77;
  pthread_t thread;
  uint64_t owner;
  int i;

  ANSWERS(OK, polyproc_rlock_create(NULL, NULL, &rlock));
  objects[0] = condition;
  objects[1] = rlock;
  for (owner = 0; owner < 2; owner++) {
    for (i = 0; i < 3; i++) {
      ANSWERS(OK, polyproc_rlock_acquire(rlock, owner, 0, NULL));
    }
    thread = start(notify_rlocked, objects);
    ANSWERS(OK, polyproc_condition_wait_rlock(condition, rlock, owner, PATIENCE, NULL));
    finish(thread);
    ANSWERS(OK, polyproc_rlock_depth(rlock, &depth));
    CHECK(depth == 3);
    FAULT("timeout passes", E_TIMEOUT,
          polyproc_condition_wait_rlock(condition, rlock, owner, 10 * MILLISECOND, NULL));
    FAULT("timeout 0", E_TIMEOUT, polyproc_condition_wait_rlock(condition, rlock, owner, 0, NULL));
    ANSWERS(OK, polyproc_rlock_depth(rlock, &depth));
    CHECK(depth == 3);
    for (i = 0; i < 3; i++) {
      ANSWERS(OK, polyproc_rlock_release(rlock, owner));
    }
    FAULT("not the owner", E_NOT_OWNER, polyproc_condition_wait_rlock(condition, rlock, owner, 0, NULL));
  }
  polyproc_condition_close(condition);
  polyproc_rlock_close(rlock);
}

enum { EACH = 300, WORKERS = 2 };

static polyproc_condition *room;
static polyproc_condition *item;
static polyproc_lock *lock;
static polyproc_queue *cell;

/* A buffer of one message: a lost notification would end this loop. */
static void produce_and_consume(void) {
  pid_t children[2 * WORKERS];
  int i;

  room = new_condition();
  item = new_condition();
  lock = new_lock();
  ANSWERS(OK, polyproc_queue_create(NULL, NULL, &cell));
  for (i = 0; i < 2 * WORKERS; i++) {
    children[i] = forked();
    if (children[i] == 0) {
      const int produces = i % 2;
      int round;
      for (round = 0; round < EACH; round++) {
        uint64_t length = 77;
        char buf[1];
        size_t len;
        ANSWERS(OK, polyproc_lock_acquire(lock, PATIENCE, NULL));
        ANSWERS(OK, polyproc_queue_length(cell, &length));
        while (length == (uint64_t)produces) {
          ANSWERS(OK, polyproc_condition_wait(produces ? room : item, lock, PATIENCE, NULL));
          ANSWERS(OK, polyproc_queue_length(cell, &length));
        }
        if (produces) {
          ANSWERS(OK, polyproc_queue_put(cell, "x", 1, 0, NULL));
        } else {
          ANSWERS(OK, polyproc_queue_get(cell, buf, sizeof buf, &len, 0, NULL));
        }
        ANSWERS(OK, polyproc_condition_notify(produces ? item : room, 1));
        ANSWERS(OK, polyproc_lock_release(lock));
      }
      _exit(0);
    }
  }
  for (i = 0; i < 2 * WORKERS; i++) {
    went_well(children[i]);
  }
  polyproc_condition_close(room);
  polyproc_condition_close(item);
  polyproc_lock_close(lock);
  polyproc_queue_close(cell);
}

static void by_name_and_by_descriptor(void) {
  const name_t name = unique("condition");
  polyproc_condition *first = NULL;
  polyproc_condition *second = NULL;
  polyproc_lock *lock = new_lock();
  void *third = NULL;
  wait_t waits[2];
  int fd = -1;

  ANSWERS(OK, polyproc_condition_create(name.text, NULL, &first));
  ANSWERS(OK, polyproc_condition_open(name.text, &second));
  ANSWERS(OK, polyproc_unlink(name.text));
  ANSWERS(OK, polyproc_share_fd(POLYPROC_KIND_CONDITION, first, &fd));
  ANSWERS(OK, polyproc_open_fd(fd, POLYPROC_KIND_CONDITION, &third));
  CHECK(close(fd) == 0);
  wait_begins(&waits[0], first, lock, PATIENCE, NULL);
  wait_begins(&waits[1], second, lock, PATIENCE, NULL);
  ANSWERS(OK, polyproc_condition_notify_all((polyproc_condition *)third));
  ANSWERS(OK, wait_ended(&waits[0]));
  ANSWERS(OK, wait_ended(&waits[1]));
  polyproc_condition_close(first);
  polyproc_condition_close(second);
  polyproc_condition_close((polyproc_condition *)third);
  polyproc_lock_close(lock);
}

int main(void) {
  as_many_as_were_asked_for();
  who_was_there();
  the_depth_comes_back();
  produce_and_consume();
  by_name_and_by_descriptor();
  return 0;
}
