/* The joinable queue: tasks, join, redelivery after a death, dead letters. */
#include "check.h"

static polyproc_queue *joinable(uint32_t max_deliveries) {
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_queue *queue = NULL;
  options.flags = POLYPROC_QUEUE_JOINABLE;
  options.max_deliveries = max_deliveries;
  ANSWERS(OK, polyproc_queue_create(NULL, &options, &queue));
  return queue;
}

static void get(polyproc_queue *queue) {
  char buf[64];
  size_t len = 0;
  ANSWERS(OK, polyproc_queue_get(queue, buf, sizeof buf, &len, PATIENCE, NULL));
}

static polyproc_queue_info info_of(polyproc_queue *queue) {
  polyproc_queue_info info = POLYPROC_QUEUE_INFO_INIT;
  ANSWERS(OK, polyproc_queue_get_info(queue, &info));
  return info;
}

static void join_waits_for_what_is_unfinished(void) {
  polyproc_queue *queue = joinable(0);
  int64_t began;

  ANSWERS(OK, polyproc_queue_join(queue, 0, NULL));
  ANSWERS(E_OVER_RELEASE, polyproc_queue_task_done(queue));
  ANSWERS(OK, polyproc_queue_put(queue, "a", 1, 0, NULL));
  ANSWERS(OK, polyproc_queue_put(queue, "b", 1, 0, NULL));
  ANSWERS(E_TIMEOUT, polyproc_queue_join(queue, 0, NULL));
  /* Nothing was got yet, so nothing can be finished. */
  ANSWERS(E_OVER_RELEASE, polyproc_queue_task_done(queue));
  get(queue);
  get(queue);
  began = now();
  ANSWERS(E_TIMEOUT, polyproc_queue_join(queue, 30 * MILLISECOND, NULL));
  CHECK(now() - began >= 30 * MILLISECOND);
  CHECK(info_of(queue).unfinished == 2 && info_of(queue).items == 0);
  ANSWERS(OK, polyproc_queue_task_done(queue));
  ANSWERS(E_TIMEOUT, polyproc_queue_join(queue, 0, NULL));
  ANSWERS(OK, polyproc_queue_task_done(queue));
  ANSWERS(OK, polyproc_queue_join(queue, POLYPROC_FOREVER, NULL));
  ANSWERS(E_OVER_RELEASE, polyproc_queue_task_done(queue));
  CHECK(info_of(queue).unfinished == 0);
  polyproc_queue_close(queue);
}

static void a_plain_queue_has_no_tasks(void) {
  polyproc_queue *queue = NULL;
  ANSWERS(OK, polyproc_queue_create(NULL, NULL, &queue));
  ANSWERS(OK, polyproc_queue_put(queue, "a", 1, 0, NULL));
  get(queue);
  ANSWERS(E_INVALID, polyproc_queue_task_done(queue));
  ANSWERS(E_INVALID, polyproc_queue_join(queue, 0, NULL));
  polyproc_queue_close(queue);
}

/* Workers in processes of their own; main joins and ends the stream. */
static void workers(void) {
  enum { WORKERS = 3, TASKS = 300 };
  polyproc_queue *queue = joinable(0);
  pid_t children[WORKERS];
  int i;

  for (i = 0; i < WORKERS; i++) {
    children[i] = forked();
    if (children[i] == 0) {
      char buf[64];
      size_t len = 0;
      int32_t status;
      while ((status = polyproc_queue_get(queue, buf, sizeof buf, &len, PATIENCE, NULL)) == POLYPROC_OK) {
        ANSWERS(OK, polyproc_queue_task_done(queue));
      }
      ANSWERS(E_SHUTDOWN, status);
      _exit(0);
    }
  }
  for (i = 0; i < TASKS; i++) {
    ANSWERS(OK, polyproc_queue_put(queue, &i, sizeof i, PATIENCE, NULL));
  }
  ANSWERS(OK, polyproc_queue_join(queue, PATIENCE, NULL));
  CHECK(info_of(queue).puts == TASKS && info_of(queue).unfinished == 0);
  ANSWERS(OK, polyproc_queue_shutdown(queue, 0));
  for (i = 0; i < WORKERS; i++) {
    went_well(children[i]);
  }
  polyproc_queue_close(queue);
}

/* Starts a child that gets `count` messages, says so, and lives until it is killed. */
static pid_t a_child_that_got(polyproc_queue *queue, int count) {
  polyproc_event *got = NULL;
  pid_t child;
  ANSWERS(OK, polyproc_event_create(NULL, NULL, &got));
  child = forked();
  if (child == 0) {
    while (count-- > 0) {
      get(queue);
    }
    ANSWERS(OK, polyproc_event_set(got));
    for (;;) {
      pause();
    }
  }
  ANSWERS(OK, polyproc_event_wait(got, PATIENCE, NULL));
  polyproc_event_close(got);
  return child;
}

static void tasks_of_a_killed_worker_are_delivered_again(void) {
  polyproc_queue *queue = joinable(0);
  polyproc_message messages[3];
  unsigned seen = 0;
  pid_t child;
  int i;

  ANSWERS(OK, polyproc_queue_put(queue, "a", 1, 0, NULL));
  ANSWERS(OK, polyproc_queue_put(queue, "b", 1, 0, NULL));
  ANSWERS(OK, polyproc_queue_put(queue, "c", 1, 0, NULL));
  child = a_child_that_got(queue, 2);
  /* The consumer lives: nothing is redelivered. */
  CHECK(info_of(queue).items == 1 && info_of(queue).redelivered == 0);
  kill_and_reap(child);

  /* The time at which the death is noticed is not specified: c, which was never got, may come
   * before a and b. */
  for (i = 0; i < 3; i++) {
    ANSWERS(OK, polyproc_queue_take(queue, &messages[i], PATIENCE, NULL));
    CHECK(messages[i].len == 1);
    switch (*(const char *)messages[i].data) {
      case 'a':
        CHECK(messages[i].deliveries == 2);
        break;
      case 'b':
        CHECK(messages[i].deliveries == 2 && (seen & 1) != 0);
        break;
      default:
        CHECK(messages[i].deliveries == 1);
        break;
    }
    seen |= 1u << (*(const char *)messages[i].data - 'a');
  }
  CHECK(seen == 7);
  for (i = 0; i < 3; i++) {
    ANSWERS(OK, polyproc_message_done(&messages[i]));
  }
  ANSWERS(OK, polyproc_queue_join(queue, 0, NULL));
  CHECK(info_of(queue).redelivered == 2 && info_of(queue).recoveries >= 1);
  polyproc_queue_close(queue);
}

static void *get_in_thread(void *queue) {
  get((polyproc_queue *)queue);
  ANSWERS(OK, polyproc_queue_task_done((polyproc_queue *)queue));
  return NULL;
}

/* A call that sleeps in get, and one in join, notices a death without another process's help. */
static void sleepers_hear_of_a_death(void) {
  polyproc_queue *queue = joinable(0);
  pthread_t getter;
  pid_t child;

  ANSWERS(OK, polyproc_queue_put(queue, "a", 1, 0, NULL));
  child = a_child_that_got(queue, 1);
  getter = start(get_in_thread, queue);
  nap(50 * MILLISECOND);
  kill_and_reap(child);
  ANSWERS(OK, polyproc_queue_join(queue, PATIENCE, NULL));
  finish(getter);
  polyproc_queue_close(queue);
}

static void past_max_deliveries_a_message_is_a_dead_letter(void) {
  polyproc_queue *queue = joinable(2);
  polyproc_message message;

  ANSWERS(E_EMPTY, polyproc_queue_take_dead(queue, &message));
  ANSWERS(OK, polyproc_queue_put(queue, "poison", 6, 0, NULL));
  kill_and_reap(a_child_that_got(queue, 1));
  kill_and_reap(a_child_that_got(queue, 1));
  ANSWERS(E_EMPTY, polyproc_queue_take(queue, &message, 0, NULL));
  /* It counts as finished. */
  ANSWERS(OK, polyproc_queue_join(queue, PATIENCE, NULL));
  CHECK(info_of(queue).dead_letters == 1 && info_of(queue).unfinished == 0);
  ANSWERS(OK, polyproc_queue_take_dead(queue, &message));
  CHECK(message.len == 6 && memcmp(message.data, "poison", 6) == 0 && message.deliveries == 2);
  ANSWERS(OK, polyproc_message_done(&message));
  ANSWERS(E_INVALID, polyproc_message_done(&message));
  ANSWERS(E_EMPTY, polyproc_queue_take_dead(queue, &message));
  CHECK(info_of(queue).dead_letters == 0);
  polyproc_queue_close(queue);
}

static void a_returned_message_can_become_a_dead_letter(void) {
  polyproc_queue *queue = joinable(1);
  polyproc_message message;

  ANSWERS(OK, polyproc_queue_put(queue, "x", 1, 0, NULL));
  ANSWERS(OK, polyproc_queue_take(queue, &message, 0, NULL));
  ANSWERS(OK, polyproc_message_return(&message));
  ANSWERS(E_EMPTY, polyproc_queue_take(queue, &message, 0, NULL));
  ANSWERS(OK, polyproc_queue_take_dead(queue, &message));
  ANSWERS(OK, polyproc_message_return(&message));
  CHECK(info_of(queue).dead_letters == 1);
  ANSWERS(OK, polyproc_queue_take_dead(queue, &message));
  ANSWERS(OK, polyproc_message_done(&message));
  CHECK(info_of(queue).dead_letters == 0);
  polyproc_queue_close(queue);
}

int main(void) {
  join_waits_for_what_is_unfinished();
  a_plain_queue_has_no_tasks();
  workers();
  tasks_of_a_killed_worker_are_delivered_again();
  sleepers_hear_of_a_death();
  past_max_deliveries_a_message_is_a_dead_letter();
  a_returned_message_can_become_a_dead_letter();
  return 0;
}
