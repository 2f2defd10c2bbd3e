/* Closing a handle: calls that wait on it end, later ones fail, loans outlive it. */
#include "check.h"

enum { WAYS = 11 };

static polyproc_lock *lock;
static polyproc_semaphore *semaphore;
static polyproc_event *event;
static polyproc_queue *empty;
static polyproc_queue *full;
static polyproc_process *child;

static int32_t wait_in_way(int way) {
  polyproc_slice slice = {"x", 1};
  polyproc_message message;
  polyproc_slot slot;
  char buf[8];
  size_t len;
  switch (way) {
    case 0:
      return polyproc_lock_acquire(lock, POLYPROC_FOREVER, NULL);
    case 1:
      return polyproc_semaphore_acquire(semaphore, POLYPROC_FOREVER, NULL);
    case 2:
      return polyproc_event_wait(event, POLYPROC_FOREVER, NULL);
    case 3:
      return polyproc_queue_get(empty, buf, sizeof buf, &len, POLYPROC_FOREVER, NULL);
    case 4:
      return polyproc_queue_take(empty, &message, POLYPROC_FOREVER, NULL);
    case 5:
      return polyproc_queue_take_many(empty, &message, 1, &len, POLYPROC_FOREVER, NULL);
    case 6:
      return polyproc_queue_put(full, "x", 1, POLYPROC_FOREVER, NULL);
    case 7:
      return polyproc_queue_put_many(full, &slice, 1, &len, POLYPROC_FOREVER, NULL);
    case 8:
      return polyproc_queue_reserve(full, 1, &slot, POLYPROC_FOREVER, NULL);
    case 9:
      return polyproc_queue_join(full, POLYPROC_FOREVER, NULL);
    default:
      return polyproc_process_join(child, POLYPROC_FOREVER, NULL);
  }
}

typedef struct {
  int way;
  int32_t status;
} wait_t;

static void *wait_in_thread(void *argument) {
  wait_t *wait = (wait_t *)argument;
  wait->status = wait_in_way(wait->way);
  return NULL;
}

static void close_all(void) {
  polyproc_lock_close(lock);
  polyproc_semaphore_close(semaphore);
  polyproc_event_close(event);
  polyproc_queue_close(empty);
  polyproc_queue_close(full);
  polyproc_process_close(child);
}

static void calls_that_wait_end(void) {
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_process_options process = POLYPROC_PROCESS_OPTIONS_INIT;
  const char *argv[] = {"sleep", "1000", NULL};
  pthread_t threads[WAYS];
  wait_t waits[WAYS];
  int32_t pid = 0;
  int32_t flag = 0;
  uint64_t length = 0;
  int64_t value = 0;
  int way;

  ANSWERS(OK, polyproc_lock_create(NULL, NULL, &lock));
  ANSWERS(OK, polyproc_lock_acquire(lock, 0, NULL));
  ANSWERS(OK, polyproc_semaphore_create(NULL, NULL, &semaphore));
  ANSWERS(OK, polyproc_event_create(NULL, NULL, &event));
  options.flags = POLYPROC_QUEUE_JOINABLE;
  options.max_items = 1;
  ANSWERS(OK, polyproc_queue_create(NULL, &options, &empty));
  ANSWERS(OK, polyproc_queue_create(NULL, &options, &full));
  ANSWERS(OK, polyproc_queue_put(full, "x", 1, 0, NULL));
  process.argv = argv;
  process.flags = POLYPROC_PROCESS_DAEMON;
  ANSWERS(OK, polyproc_process_spawn(&process, &child));
  ANSWERS(OK, polyproc_process_pid(child, &pid));

  for (way = 0; way < WAYS; way++) {
    waits[way].way = way;
    waits[way].status = 7;
    threads[way] = start(wait_in_thread, &waits[way]);
  }
  nap(50 * MILLISECOND);
  close_all();
  for (way = 0; way < WAYS; way++) {
    finish(threads[way]);
    ANSWERS(E_CLOSED, waits[way].status);
    ANSWERS(E_CLOSED, wait_in_way(way));
  }
  ANSWERS(E_CLOSED, polyproc_lock_release(lock));
  ANSWERS(E_CLOSED, polyproc_lock_is_locked(lock, &flag));
  ANSWERS(E_CLOSED, polyproc_semaphore_release(semaphore, 1));
  ANSWERS(E_CLOSED, polyproc_semaphore_value(semaphore, &value));
  ANSWERS(E_CLOSED, polyproc_event_set(event));
  ANSWERS(E_CLOSED, polyproc_event_clear(event));
  ANSWERS(E_CLOSED, polyproc_queue_length(full, &length));
  ANSWERS(E_CLOSED, polyproc_queue_shutdown(full, 0));
  ANSWERS(E_CLOSED, polyproc_process_kill(child));
  close_all(); /* a second time */
  kill_and_reap(pid);
}

static void a_handle_is_one_of_several(void) {
  const name_t name = unique("several");
  polyproc_queue *first = NULL;
  polyproc_queue *second = NULL;
  char buf[8];
  size_t len = 0;

  ANSWERS(OK, polyproc_queue_create(name.text, NULL, &first));
  ANSWERS(OK, polyproc_queue_open(name.text, &second));
  ANSWERS(OK, polyproc_unlink(name.text));
  ANSWERS(OK, polyproc_queue_put(first, "hello", 5, 0, NULL));
  polyproc_queue_close(first);
  ANSWERS(E_CLOSED, polyproc_queue_put(first, "hello", 5, 0, NULL));
  ANSWERS(OK, polyproc_queue_get(second, buf, sizeof buf, &len, 0, NULL));
  CHECK(len == 5 && memcmp(buf, "hello", 5) == 0);
  polyproc_queue_close(second);
}

static void loans_outlive_their_handle(void) {
  polyproc_queue *queue = NULL;
  polyproc_message messages[2];
  polyproc_slot slots[2];
  polyproc_message copy;

  ANSWERS(OK, polyproc_queue_create(NULL, NULL, &queue));
  ANSWERS(OK, polyproc_queue_put(queue, "first", 5, 0, NULL));
  ANSWERS(OK, polyproc_queue_put(queue, "second", 6, 0, NULL));
  ANSWERS(OK, polyproc_queue_take(queue, &messages[0], 0, NULL));
  ANSWERS(OK, polyproc_queue_take(queue, &messages[1], 0, NULL));
  ANSWERS(OK, polyproc_queue_reserve(queue, 5, &slots[0], 0, NULL));
  ANSWERS(OK, polyproc_queue_reserve(queue, 5, &slots[1], 0, NULL));
  copy = messages[0];
  polyproc_queue_close(queue);
  ANSWERS(E_CLOSED, polyproc_queue_put(queue, "third", 5, 0, NULL));
  CHECK(memcmp(messages[0].data, "first", 5) == 0 && memcmp(messages[1].data, "second", 6) == 0);
  memcpy(slots[0].data, "third", 5);
  ANSWERS(OK, polyproc_slot_commit(&slots[0], 5));
  ANSWERS(OK, polyproc_slot_abort(&slots[1]));
  ANSWERS(OK, polyproc_message_done(&messages[0]));
  ANSWERS(E_INVALID, polyproc_message_done(&messages[0]));
  ANSWERS(E_INVALID, polyproc_message_done(&copy));
  ANSWERS(OK, polyproc_message_return(&messages[1]));
  ANSWERS(E_INVALID, polyproc_message_return(&messages[1]));
  /* Now that the last loan is settled the queue itself is gone. */
  ANSWERS(E_INVALID, polyproc_message_done(&copy));
}

static void *open_and_close(void *name) {
  int round;
  for (round = 0; round < 300; round++) {
    polyproc_lock *mine = NULL;
    ANSWERS(OK, polyproc_lock_open((const char *)name, &mine));
    ANSWERS(OK, polyproc_lock_acquire(mine, PATIENCE, NULL));
    ANSWERS(OK, polyproc_lock_release(mine));
    polyproc_lock_close(mine);
  }
  return NULL;
}

static void threads_open_and_close(void) {
  enum { THREADS = 4 };
  name_t name = unique("threads");
  pthread_t threads[THREADS];
  polyproc_lock *first = NULL;
  int i;

  ANSWERS(OK, polyproc_lock_create(name.text, NULL, &first));
  for (i = 0; i < THREADS; i++) {
    threads[i] = start(open_and_close, name.text);
  }
  for (i = 0; i < THREADS; i++) {
    finish(threads[i]);
  }
  polyproc_lock_close(first);
  ANSWERS(OK, polyproc_unlink(name.text));
}

int main(void) {
  calls_that_wait_end();
  a_handle_is_one_of_several();
  loans_outlive_their_handle();
  threads_open_and_close();
  return 0;
}
