/* The cancel token: ends every kind of wait, from threads and signal handlers. */
#include "check.h"

static polyproc_lock *lock;
static polyproc_semaphore *semaphore;
static polyproc_event *event;
static polyproc_queue *empty;
static polyproc_queue *full;
static polyproc_process *child;

static void make_objects(void) {
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_process_options process = POLYPROC_PROCESS_OPTIONS_INIT;
  const char *argv[] = {"sleep", "1000", NULL};

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
}

static void close_objects(void) {
  polyproc_lock_close(lock);
  polyproc_semaphore_close(semaphore);
  polyproc_event_close(event);
  polyproc_queue_close(empty);
  polyproc_queue_close(full);
  ANSWERS(OK, polyproc_process_kill(child));
  ANSWERS(OK, polyproc_process_join(child, PATIENCE, NULL));
  polyproc_process_close(child);
}

enum { WAYS = 11 };

/* Calls one of the functions that block, each on an object that does not become ready. */
static int32_t wait_in_way(int way, polyproc_cancel *cancel) {
  polyproc_slice slice = {"x", 1};
  polyproc_message message;
  polyproc_slot slot;
  char buf[8];
  size_t len;
  switch (way) {
    case 0:
      return polyproc_lock_acquire(lock, POLYPROC_FOREVER, cancel);
    case 1:
      return polyproc_semaphore_acquire(semaphore, POLYPROC_FOREVER, cancel);
    case 2:
      return polyproc_event_wait(event, POLYPROC_FOREVER, cancel);
    case 3:
      return polyproc_queue_get(empty, buf, sizeof buf, &len, POLYPROC_FOREVER, cancel);
    case 4:
      return polyproc_queue_take(empty, &message, POLYPROC_FOREVER, cancel);
    case 5:
      return polyproc_queue_take_many(empty, &message, 1, &len, POLYPROC_FOREVER, cancel);
    case 6:
      return polyproc_queue_put(full, "x", 1, POLYPROC_FOREVER, cancel);
    case 7:
      return polyproc_queue_put_many(full, &slice, 1, &len, POLYPROC_FOREVER, cancel);
    case 8:
      return polyproc_queue_reserve(full, 1, &slot, POLYPROC_FOREVER, cancel);
    case 9:
      return polyproc_queue_join(full, POLYPROC_FOREVER, cancel);
    default:
      return polyproc_process_join(child, POLYPROC_FOREVER, cancel);
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

static void every_wait_ends(void) {
  polyproc_cancel *token = NULL;
  pthread_t threads[WAYS];
  wait_t waits[WAYS];
  int way;

  ANSWERS(OK, polyproc_cancel_create(&token));
  for (way = 0; way < WAYS; way++) {
    waits[way].way = way;
    waits[way].cancel = token;
    waits[way].status = 7;
    threads[way] = start(wait_in_thread, &waits[way]);
  }
  nap(50 * MILLISECOND);
  ANSWERS(OK, polyproc_cancel_fire(token));
  for (way = 0; way < WAYS; way++) {
    finish(threads[way]);
    ANSWERS(E_CANCELED, waits[way].status);
  }
  /* The same with a token that was fired before the wait began. */
  for (way = 0; way < WAYS; way++) {
    ANSWERS(E_CANCELED, wait_in_way(way, token));
  }
  polyproc_cancel_close(token);
}

static void what_is_there_is_had_all_the_same(void) {
  polyproc_cancel *token = NULL;
  ANSWERS(OK, polyproc_cancel_create(&token));
  ANSWERS(OK, polyproc_cancel_fire(token));
  ANSWERS(OK, polyproc_event_set(event));
  ANSWERS(OK, polyproc_event_wait(event, POLYPROC_FOREVER, token));
  ANSWERS(OK, polyproc_event_clear(event));
  ANSWERS(OK, polyproc_semaphore_release(semaphore, 1));
  ANSWERS(OK, polyproc_semaphore_acquire(semaphore, POLYPROC_FOREVER, token));
  polyproc_cancel_close(token);
}

static void a_token_that_was_reset_works_again(void) {
  polyproc_cancel *token = NULL;
  wait_t wait;
  pthread_t thread;

  ANSWERS(OK, polyproc_cancel_create(&token));
  ANSWERS(OK, polyproc_cancel_fire(token));
  ANSWERS(OK, polyproc_cancel_fire(token));
  ANSWERS(E_CANCELED, polyproc_semaphore_acquire(semaphore, POLYPROC_FOREVER, token));
  ANSWERS(OK, polyproc_cancel_reset(token));
  ANSWERS(E_TIMEOUT, polyproc_semaphore_acquire(semaphore, 10 * MILLISECOND, token));
  wait.way = 1;
  wait.cancel = token;
  thread = start(wait_in_thread, &wait);
  nap(20 * MILLISECOND);
  ANSWERS(OK, polyproc_cancel_fire(token));
  finish(thread);
  ANSWERS(E_CANCELED, wait.status);
  polyproc_cancel_close(token);
}

/* Waits until a thread waits at the queue. */
static void until_one_waits(polyproc_queue *queue) {
  polyproc_queue_info info = POLYPROC_QUEUE_INFO_INIT;

  do {
    nap(MILLISECOND);
    ANSWERS(OK, polyproc_queue_get_info(queue, &info));
  } while (info.waiting == 0);
}

static void a_closed_token(void) {
  polyproc_cancel *token = NULL;
  wait_t wait;
  pthread_t thread;

  /* A wait that has the token goes on. */
  ANSWERS(OK, polyproc_cancel_create(&token));
  wait.way = 3;
  wait.cancel = token;
  thread = start(wait_in_thread, &wait);
  until_one_waits(empty);
  polyproc_cancel_close(token);
  ANSWERS(E_CLOSED, polyproc_cancel_fire(token));
  ANSWERS(E_CLOSED, polyproc_cancel_reset(token));
  ANSWERS(E_INVALID, polyproc_event_wait(event, 0, token));
  polyproc_cancel_close(token);
  ANSWERS(OK, polyproc_queue_put(empty, "x", 1, 0, NULL));
  finish(thread);
  ANSWERS(OK, wait.status);
  ANSWERS(OK, polyproc_queue_task_done(empty));
}

static polyproc_cancel *from_handler;

static void fire_it(int signal_number) {
  (void)signal_number;
  if (polyproc_cancel_fire(from_handler) != POLYPROC_OK) {
    _exit(3);
  }
}

static void *fire_by_signal(void *thread) {
  nap(20 * MILLISECOND);
  pthread_kill(*(pthread_t *)thread, SIGUSR1);
  return NULL;
}

static void fired_from_a_signal_handler(void) {
  struct sigaction action;
  pthread_t self = pthread_self();
  int way;

  memset(&action, 0, sizeof action);
  action.sa_handler = fire_it;
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
  for (way = 0; way < WAYS; way++) {
    pthread_t thread;
    ANSWERS(OK, polyproc_cancel_create(&from_handler));
    thread = start(fire_by_signal, &self);
    ANSWERS(E_CANCELED, wait_in_way(way, from_handler));
    finish(thread);
    polyproc_cancel_close(from_handler);
  }
}

/* As the header shows: signal() sets SA_RESTART, and the signal may come just before the wait. */
static void ctrl_c_ends_a_loop_of_waits(void) {
  polyproc_message message;

  ANSWERS(OK, polyproc_cancel_create(&from_handler));
  CHECK(signal(SIGINT, fire_it) != SIG_ERR);
  ANSWERS(OK, raise(SIGINT));
  ANSWERS(E_CANCELED, polyproc_queue_take(empty, &message, POLYPROC_FOREVER, from_handler));
  CHECK(signal(SIGINT, SIG_DFL) != SIG_ERR);
  polyproc_cancel_close(from_handler);
}

int main(void) {
  make_objects();
  every_wait_ends();
  what_is_there_is_had_all_the_same();
  a_token_that_was_reset_works_again();
  a_closed_token();
  fired_from_a_signal_handler();
  ctrl_c_ends_a_loop_of_waits();
  close_objects();
  return 0;
}
