/* Messages in place: take, done, return; reserve, commit, abort. */
#include "check.h"

static polyproc_queue *plain(uint64_t max_items) {
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_queue *queue = NULL;
  options.max_items = max_items;
  ANSWERS(OK, polyproc_queue_create(NULL, &options, &queue));
  return queue;
}

static void put(polyproc_queue *queue, const char *text) {
  ANSWERS(OK, polyproc_queue_put(queue, text, strlen(text), 0, NULL));
}

static void expect(polyproc_queue *queue, const char *text) {
  char buf[64];
  size_t len = 0;
  ANSWERS(OK, polyproc_queue_get(queue, buf, sizeof buf, &len, 0, NULL));
  CHECK(len == strlen(text) && memcmp(buf, text, len) == 0);
}

static int reads(const polyproc_message *message, const char *text) {
  return message->len == strlen(text) && memcmp(message->data, text, message->len) == 0;
}

static uint64_t length_of(polyproc_queue *queue) {
  uint64_t length = 77;
  ANSWERS(OK, polyproc_queue_length(queue, &length));
  return length;
}

static void take_and_done(void) {
  polyproc_queue *queue = plain(0);
  polyproc_message a;
  polyproc_message b;
  polyproc_queue_info info = POLYPROC_QUEUE_INFO_INIT;

  ANSWERS(E_EMPTY, polyproc_queue_take(queue, &a, 0, NULL));
  ANSWERS(E_EMPTY, polyproc_queue_take(queue, &a, 10 * MILLISECOND, NULL));
  put(queue, "a");
  put(queue, "");
  ANSWERS(OK, polyproc_queue_take(queue, &a, 0, NULL));
  ANSWERS(OK, polyproc_queue_take(queue, &b, 0, NULL));
  CHECK(reads(&a, "a") && reads(&b, "") && b.data != NULL);
  CHECK(a.deliveries == 1 && b.deliveries == 1 && a.id != b.id);
  CHECK(a.reserved == 0 && length_of(queue) == 0);
  ANSWERS(OK, polyproc_queue_get_info(queue, &info));
  CHECK(info.in_flight == 2 && info.gets == 2 && info.puts == 2);
  /* In any order. */
  ANSWERS(OK, polyproc_message_done(&b));
  ANSWERS(E_INVALID, polyproc_message_done(&b));
  ANSWERS(E_INVALID, polyproc_message_return(&b));
  ANSWERS(OK, polyproc_message_done(&a));
  ANSWERS(OK, polyproc_queue_get_info(queue, &info));
  CHECK(info.in_flight == 0 && info.items == 0);
  polyproc_queue_close(queue);
}

static void a_returned_message_is_first_in_line(void) {
  polyproc_queue *queue = plain(0);
  polyproc_message message;
  uint64_t id;

  put(queue, "a");
  put(queue, "b");
  ANSWERS(OK, polyproc_queue_take(queue, &message, 0, NULL));
  id = message.id;
  CHECK(length_of(queue) == 1);
  ANSWERS(OK, polyproc_message_return(&message));
  ANSWERS(E_INVALID, polyproc_message_return(&message));
  CHECK(length_of(queue) == 2);
  ANSWERS(OK, polyproc_queue_take(queue, &message, 0, NULL));
  CHECK(reads(&message, "a") && message.deliveries == 2 && message.id == id);
  ANSWERS(OK, polyproc_message_return(&message));
  expect(queue, "a");
  expect(queue, "b");
  polyproc_queue_close(queue);
}

static void a_copy_is_the_same_loan(void) {
  polyproc_queue *queue = plain(0);
  polyproc_message message;
  polyproc_message copy;
  polyproc_message next;

  put(queue, "a");
  ANSWERS(OK, polyproc_queue_take(queue, &message, 0, NULL));
  copy = message;
  ANSWERS(OK, polyproc_message_done(&message));
  ANSWERS(E_INVALID, polyproc_message_done(&copy));
  ANSWERS(E_INVALID, polyproc_message_return(&copy));
  /* Not even if its memory is in use again. */
  put(queue, "b");
  ANSWERS(OK, polyproc_queue_take(queue, &next, 0, NULL));
  ANSWERS(E_INVALID, polyproc_message_done(&copy));
  CHECK(reads(&next, "b"));
  ANSWERS(OK, polyproc_message_done(&next));
  polyproc_queue_close(queue);
}

static void reserve_and_commit(void) {
  polyproc_queue *queue = plain(0);
  polyproc_slot slot;
  polyproc_slot copy;

  ANSWERS(OK, polyproc_queue_reserve(queue, 5, &slot, 0, NULL));
  CHECK(slot.data != NULL && slot.len == 5);
  put(queue, "after");
  CHECK(length_of(queue) == 1);
  memcpy(slot.data, "hello", 5);
  copy = slot;
  ANSWERS(E_TOO_LARGE, polyproc_slot_commit(&slot, 6));
  ANSWERS(OK, polyproc_slot_commit(&slot, 5));
  ANSWERS(E_INVALID, polyproc_slot_commit(&slot, 5));
  ANSWERS(E_INVALID, polyproc_slot_commit(&copy, 5));
  ANSWERS(E_INVALID, polyproc_slot_abort(&slot));
  expect(queue, "hello");
  expect(queue, "after");

  /* A slow writer delays no other, and its message is first in line when it is ready. */
  ANSWERS(OK, polyproc_queue_reserve(queue, 4, &slot, 0, NULL));
  put(queue, "a");
  put(queue, "b");
  expect(queue, "a");
  memcpy(slot.data, "slow", 4);
  ANSWERS(OK, polyproc_slot_commit(&slot, 4));
  expect(queue, "slow");
  expect(queue, "b");

  /* Fewer bytes than reserved, and none. */
  ANSWERS(OK, polyproc_queue_reserve(queue, 100, &slot, 0, NULL));
  memcpy(slot.data, "short", 5);
  ANSWERS(OK, polyproc_slot_commit(&slot, 5));
  ANSWERS(OK, polyproc_queue_reserve(queue, 0, &slot, 0, NULL));
  CHECK(slot.data != NULL && slot.len == 0);
  ANSWERS(OK, polyproc_slot_commit(&slot, 0));
  expect(queue, "short");
  expect(queue, "");

  /* Aborted: no message was there. */
  ANSWERS(OK, polyproc_queue_reserve(queue, 5, &slot, 0, NULL));
  put(queue, "next");
  ANSWERS(OK, polyproc_slot_abort(&slot));
  ANSWERS(E_INVALID, polyproc_slot_abort(&slot));
  ANSWERS(E_INVALID, polyproc_slot_commit(&slot, 5));
  expect(queue, "next");
  CHECK(length_of(queue) == 0);
  polyproc_queue_close(queue);
}

static void limits_hold_for_slots(void) {
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_queue *queue = plain(1);
  polyproc_slot slot;
  polyproc_slot none;

  ANSWERS(OK, polyproc_queue_reserve(queue, 5, &slot, 0, NULL));
  ANSWERS(E_FULL, polyproc_queue_reserve(queue, 5, &none, 0, NULL));
  ANSWERS(E_FULL, polyproc_queue_reserve(queue, 5, &none, 10 * MILLISECOND, NULL));
  ANSWERS(OK, polyproc_slot_abort(&slot));
  ANSWERS(OK, polyproc_queue_reserve(queue, 5, &slot, PATIENCE, NULL));
  ANSWERS(OK, polyproc_slot_commit(&slot, 0));
  polyproc_queue_close(queue);

  options.max_bytes = 65536;
  ANSWERS(OK, polyproc_queue_create(NULL, &options, &queue));
  ANSWERS(E_TOO_LARGE, polyproc_queue_reserve(queue, 65536, &none, POLYPROC_FOREVER, NULL));
  ANSWERS(E_TOO_LARGE, polyproc_queue_reserve(queue, SIZE_MAX, &none, POLYPROC_FOREVER, NULL));
  polyproc_queue_close(queue);

  /* The longest message of any queue. */
  queue = plain(0);
  ANSWERS(E_TOO_LARGE, polyproc_queue_reserve(queue, (size_t)UINT32_MAX + 1, &none, 0, NULL));
  ANSWERS(E_TOO_LARGE, polyproc_queue_put(queue, "x", (size_t)UINT32_MAX + 1, 0, NULL));
  polyproc_queue_close(queue);
}

/* A large message is written and read where it lies. */
static void a_megabyte_in_place(void) {
  enum { MEGABYTE = 1024 * 1024 };
  polyproc_queue *queue = plain(0);
  polyproc_slot slot;
  polyproc_message message;
  size_t at;
  int round;

  for (round = 0; round < 5; round++) {
    ANSWERS(OK, polyproc_queue_reserve(queue, MEGABYTE, &slot, 0, NULL));
    CHECK(slot.len == MEGABYTE);
    for (at = 0; at < MEGABYTE; at++) {
      ((unsigned char *)slot.data)[at] = (unsigned char)(at * 7 + (size_t)round);
    }
    ANSWERS(OK, polyproc_slot_commit(&slot, MEGABYTE));
    ANSWERS(OK, polyproc_queue_take(queue, &message, 0, NULL));
    CHECK(message.len == MEGABYTE);
    for (at = 0; at < MEGABYTE; at++) {
      CHECK(((const unsigned char *)message.data)[at] == (unsigned char)(at * 7 + (size_t)round));
    }
    ANSWERS(OK, polyproc_message_done(&message));
  }
  polyproc_queue_close(queue);
}

static void a_forked_child_has_no_right_to_them(void) {
  polyproc_queue *queue = plain(0);
  polyproc_message message;
  polyproc_slot slot;
  pid_t child;

  put(queue, "mine");
  ANSWERS(OK, polyproc_queue_take(queue, &message, 0, NULL));
  ANSWERS(OK, polyproc_queue_reserve(queue, 4, &slot, 0, NULL));
  child = forked();
  if (child == 0) {
    ANSWERS(E_NOT_OWNER, polyproc_message_done(&message));
    ANSWERS(E_NOT_OWNER, polyproc_message_return(&message));
    ANSWERS(E_NOT_OWNER, polyproc_slot_commit(&slot, 4));
    ANSWERS(E_NOT_OWNER, polyproc_slot_abort(&slot));
    polyproc_queue_close(queue);
    CHECK(reads(&message, "mine"));
    _exit(0);
  }
  went_well(child);
  memcpy(slot.data, "next", 4);
  ANSWERS(OK, polyproc_slot_commit(&slot, 4));
  ANSWERS(OK, polyproc_message_done(&message));
  expect(queue, "next");
  polyproc_queue_close(queue);
}

/* A child dies with a message taken and a slot reserved. */
static void loans_of_the_dead(void) {
  polyproc_queue *queue = plain(0);
  polyproc_event *ready = NULL;
  polyproc_message message;
  polyproc_message messages[2];
  int first;
  polyproc_slot slot;
  polyproc_queue_info info = POLYPROC_QUEUE_INFO_INIT;
  pid_t child;

  ANSWERS(OK, polyproc_event_create(NULL, NULL, &ready));
  put(queue, "taken");
  child = forked();
  if (child == 0) {
    ANSWERS(OK, polyproc_queue_take(queue, &message, 0, NULL));
    ANSWERS(OK, polyproc_queue_reserve(queue, 4, &slot, 0, NULL));
    ANSWERS(OK, polyproc_event_set(ready));
    for (;;) {
      pause();
    }
  }
  ANSWERS(OK, polyproc_event_wait(ready, PATIENCE, NULL));
  put(queue, "after");
  kill_and_reap(child);
  /* The time at which a death is noticed is not specified. */
  ANSWERS(OK, polyproc_queue_take(queue, &messages[0], PATIENCE, NULL));
  ANSWERS(OK, polyproc_queue_take(queue, &messages[1], PATIENCE, NULL));
  first = reads(&messages[0], "taken") ? 0 : 1;
  CHECK(reads(&messages[first], "taken") && messages[first].deliveries == 2);
  CHECK(reads(&messages[1 - first], "after") && messages[1 - first].deliveries == 1);
  ANSWERS(OK, polyproc_message_done(&messages[0]));
  ANSWERS(OK, polyproc_message_done(&messages[1]));
  ANSWERS(OK, polyproc_queue_get_info(queue, &info));
  CHECK(info.redelivered == 1 && info.items == 0 && info.in_flight == 0);
  CHECK(info.discarded == 1 && info.puts == 2 && info.gets == 2);
  polyproc_event_close(ready);
  polyproc_queue_close(queue);
}

int main(void) {
  take_and_done();
  a_returned_message_is_first_in_line();
  a_copy_is_the_same_loan();
  reserve_and_commit();
  limits_hold_for_slots();
  a_megabyte_in_place();
  a_forked_child_has_no_right_to_them();
  loans_of_the_dead();
  return 0;
}
