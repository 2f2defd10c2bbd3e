/* Many messages in one call, and the figures of a queue. */
#include "check.h"

enum { COUNT = 100 };

static uint32_t values[COUNT];
static polyproc_slice slices[COUNT];

static void fill_slices(void) {
  uint32_t i;
  for (i = 0; i < COUNT; i++) {
    values[i] = i;
    slices[i].data = &values[i];
    slices[i].len = sizeof values[i];
  }
}

static void in_order(void) {
  polyproc_queue *queue = NULL;
  polyproc_message messages[COUNT];
  size_t put = 0;
  size_t taken = 0;
  uint32_t next = 0;
  uint32_t value = 0;
  size_t i;

  ANSWERS(OK, polyproc_queue_create(NULL, NULL, &queue));
  ANSWERS(OK, polyproc_queue_put_many(queue, NULL, 0, &put, 0, NULL));
  CHECK(put == 0);
  ANSWERS(E_EMPTY, polyproc_queue_take_many(queue, messages, COUNT, &taken, 0, NULL));
  ANSWERS(OK, polyproc_queue_put_many(queue, slices, COUNT, &put, 0, NULL));
  CHECK(put == COUNT);
  while (next < COUNT) {
    ANSWERS(OK, polyproc_queue_take_many(queue, messages, 32, &taken, 0, NULL));
    CHECK(taken >= 1 && taken <= 32);
    for (i = 0; i < taken; i++) {
      CHECK(messages[i].len == sizeof value && messages[i].deliveries == 1);
      memcpy(&value, messages[i].data, sizeof value);
      CHECK(value == next);
      next++;
    }
    for (i = taken; i > 0; i--) {
      ANSWERS(OK, polyproc_message_done(&messages[i - 1]));
      ANSWERS(E_INVALID, polyproc_message_done(&messages[i - 1]));
    }
  }
  polyproc_queue_close(queue);
}

static void as_many_as_there_is_room_for(void) {
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_queue *queue = NULL;
  size_t put = 77;
  int64_t began;

  options.max_items = 10;
  ANSWERS(OK, polyproc_queue_create(NULL, &options, &queue));
  ANSWERS(OK, polyproc_queue_put_many(queue, slices, COUNT, &put, 0, NULL));
  CHECK(put == 10);
  put = 77;
  ANSWERS(E_FULL, polyproc_queue_put_many(queue, slices, COUNT, &put, 0, NULL));
  began = now();
  ANSWERS(E_FULL, polyproc_queue_put_many(queue, slices, 1, &put, 30 * MILLISECOND, NULL));
  CHECK(now() - began >= 30 * MILLISECOND && put == 77);
  polyproc_queue_close(queue);
}

static void *drain(void *argument) {
  polyproc_queue *queue = (polyproc_queue *)argument;
  polyproc_message messages[7];
  size_t left = COUNT;
  size_t taken = 0;
  size_t i;
  while (left > 0) {
    ANSWERS(OK, polyproc_queue_take_many(queue, messages, 7, &taken, PATIENCE, NULL));
    for (i = 0; i < taken; i++) {
      ANSWERS(OK, polyproc_message_done(&messages[i]));
    }
    left -= taken;
  }
  return NULL;
}

/* put_many goes on while consumers make room. */
static void it_waits_for_room(void) {
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_queue *queue = NULL;
  pthread_t drainer;
  size_t done = 0;
  size_t put = 0;

  options.max_items = 3;
  ANSWERS(OK, polyproc_queue_create(NULL, &options, &queue));
  drainer = start(drain, queue);
  while (done < COUNT) {
    ANSWERS(OK, polyproc_queue_put_many(queue, slices + done, COUNT - done, &put, PATIENCE, NULL));
    CHECK(put >= 1);
    done += put;
  }
  finish(drainer);
  polyproc_queue_close(queue);
}

static void a_message_that_can_never_fit(void) {
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_queue *queue = NULL;
  static char large[70000];
  polyproc_slice two[2];
  uint64_t length = 77;
  size_t put = 77;

  options.max_bytes = 65536;
  ANSWERS(OK, polyproc_queue_create(NULL, &options, &queue));
  two[0].data = two[1].data = large;
  two[0].len = sizeof large;
  two[1].len = 1;
  ANSWERS(E_TOO_LARGE, polyproc_queue_put_many(queue, two, 2, &put, POLYPROC_FOREVER, NULL));
  two[0].len = 1;
  two[1].len = sizeof large;
  ANSWERS(E_TOO_LARGE, polyproc_queue_put_many(queue, two, 2, &put, POLYPROC_FOREVER, NULL));
  CHECK(put == 77);
  ANSWERS(OK, polyproc_queue_length(queue, &length));
  CHECK(length == 0);
  polyproc_queue_close(queue);
}

/* done_many settles loans of several queues, in order, up to the first that is refused. */
static void many_are_settled_at_once(void) {
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_queue_info info = POLYPROC_QUEUE_INFO_INIT;
  polyproc_queue *queue = NULL;
  polyproc_queue *other = NULL;
  polyproc_message messages[9];
  size_t count = 77;

  options.flags = POLYPROC_QUEUE_JOINABLE;
  ANSWERS(OK, polyproc_queue_create(NULL, &options, &queue));
  ANSWERS(OK, polyproc_queue_create(NULL, &options, &other));
  ANSWERS(OK, polyproc_queue_put_many(queue, slices, 6, &count, 0, NULL));
  ANSWERS(OK, polyproc_queue_put_many(other, slices, 3, &count, 0, NULL));
  ANSWERS(OK, polyproc_queue_take_many(queue, messages, 4, &count, 0, NULL));
  ANSWERS(OK, polyproc_queue_take_many(other, messages + 4, 3, &count, 0, NULL));
  ANSWERS(OK, polyproc_queue_take_many(queue, messages + 7, 2, &count, 0, NULL));
  /* Out of order within a queue: the first ones stay. */
  ANSWERS(OK, polyproc_message_done(&messages[2]));
  FAULT("settled already", E_INVALID, polyproc_message_done_many(messages + 1, 8, &count));
  CHECK(count == 1);
  ANSWERS(OK, polyproc_queue_get_info(queue, &info));
  CHECK(info.in_flight == 4);
  ANSWERS(OK, polyproc_message_done_many(messages + 3, 6, &count));
  CHECK(count == 6);
  ANSWERS(OK, polyproc_queue_join(other, 0, NULL));
  ANSWERS(E_TIMEOUT, polyproc_queue_join(queue, 0, NULL));
  ANSWERS(OK, polyproc_message_done_many(messages, 1, NULL));
  ANSWERS(OK, polyproc_queue_join(queue, 0, NULL));
  ANSWERS(OK, polyproc_message_done_many(NULL, 0, NULL));
  FAULT("NULL", E_INVALID, polyproc_message_done_many(NULL, 1, NULL));
  polyproc_queue_close(queue);
  polyproc_queue_close(other);
}

static void the_figures(void) {
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_queue_info info = POLYPROC_QUEUE_INFO_INIT;
  polyproc_queue *queue = NULL;
  polyproc_message message;
  size_t put = 0;

  options.flags = POLYPROC_QUEUE_JOINABLE;
  options.max_items = 50;
  options.max_bytes = 1 << 20;
  options.max_deliveries = 5;
  options.spin_ns = 1000;
  strcpy(options.format, "msgpack");
  ANSWERS(OK, polyproc_queue_create(NULL, &options, &queue));
  ANSWERS(OK, polyproc_queue_put_many(queue, slices, 4, &put, 0, NULL));
  ANSWERS(OK, polyproc_queue_take(queue, &message, 0, NULL));
  ANSWERS(OK, polyproc_queue_get_info(queue, &info));
  CHECK(info.size == sizeof info);
  CHECK(info.items == 3 && info.in_flight == 1 && info.unfinished == 4);
  CHECK(info.puts == 4 && info.gets == 1 && info.bytes >= 4 * sizeof(uint32_t));
  CHECK(info.redelivered == 0 && info.discarded == 0 && info.dead_letters == 0);
  CHECK(info.max_items == 50 && info.max_bytes == 1 << 20 && info.max_deliveries == 5);
  CHECK(info.flags == POLYPROC_QUEUE_JOINABLE && info.spin_ns == 1000);
  CHECK(info.waiting == 0 && info.participants == 1 && info.shutdown == 0);
  CHECK(strcmp(info.format, "msgpack") == 0);
  ANSWERS(OK, polyproc_message_done(&message));
  ANSWERS(OK, polyproc_queue_shutdown(queue, 1));
  ANSWERS(OK, polyproc_queue_get_info(queue, &info));
  CHECK(info.shutdown == 1 && info.items == 0 && info.unfinished == 0);
  polyproc_queue_close(queue);
}

int main(void) {
  fill_slices();
  in_order();
  as_many_as_there_is_room_for();
  it_waits_for_room();
  a_message_that_can_never_fit();
  many_are_settled_at_once();
  the_figures();
  return 0;
}
