/* The steps of the random soak with queues: each logs what it is about to do, and the result. */
#define _POSIX_C_SOURCE 200809L
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "random.h"

enum { HANDS = 48, MANY = 16 };

static struct loan {
  polyproc_message message;
  uint64_t is;
  int place;
  bool is_dead;
} loans[HANDS];
static struct reservation {
  polyproc_slot slot;
  uint64_t is;
  int place;
} slots[MANY];
static uint64_t got[QUEUES][HANDS];
static int loan_count, slot_count, got_count[QUEUES];
static unsigned char buffer[LARGEST + 8];

/* The statuses of a call that tries or waits, beside its success and its own "nothing yet". */
#define EXPECT_WAIT(call, status, ...) EXPECT(call, status, POLYPROC_OK, POLYPROC_E_TIMEOUT, __VA_ARGS__)

/* Only a worker that keeps no other waiting may wait for ever: all may wait for what it holds. */
static int64_t queue_time(void) {
  int64_t time = some_time();
  int held = loan_count + slot_count;
  for (int place = 0; place < me.queues; place++) held += got_count[place];
  return time < 0 && held > 0 ? 1000000 : time;
}

/* A backlog without a limit would fill the machine. */
static bool is_enough(struct queue *queue) {
  polyproc_queue_info info = POLYPROC_QUEUE_INFO_INIT;
  if (queue->options.max_items != 0 && queue->options.max_items < 500 && queue->largest < 10000) return false;
  int32_t status = polyproc_queue_get_info(queue->handle, &info);
  EXPECT("info", status, POLYPROC_OK, POLYPROC_E_TIMEOUT);
  return status != POLYPROC_OK || info.bytes > 64 << 20;
}

static bool can_never_fit(struct queue *queue, size_t length) {
  return queue->options.max_bytes != 0 && length + 64 > queue->options.max_bytes;
}

static void after_put(struct queue *queue, const char *call, int32_t status, size_t length) {
  if (status == POLYPROC_E_TOO_LARGE && can_never_fit(queue, length)) return;
  EXPECT_WAIT(call, status, POLYPROC_E_FULL, POLYPROC_E_SHUTDOWN);
  if (status == POLYPROC_E_SHUTDOWN) queue->is_shut = true;
}

static void put(int place) {
  struct queue *queue = &me.queue[place];
  size_t length = some_length(queue->largest);
  uint64_t message = new_message(length);
  int64_t time = queue_time();

  fill(buffer, length, message);
  note(OP_PUT_BEGIN, place, 0, message, 1);
  int64_t began = now();
  int32_t status = polyproc_queue_put(queue->handle, buffer, length, time, NULL);
  note_time(began, time);
  note(OP_PUT_END, place, status, message, status == POLYPROC_OK);
  after_put(queue, "put", status, length);
}

static void put_many(int place) {
  struct queue *queue = &me.queue[place];
  polyproc_slice items[MANY];
  size_t count = 1 + any(MANY), at = 0, done = 0, longest = 0;
  uint64_t first = 0;
  int64_t time = queue_time();

  for (size_t which = 0; which < count; which++) {
    size_t length = 8 + any(which == 7 ? 20000 : 300);
    uint64_t message = new_message(length);
    if (which == 0) first = message;
    fill(buffer + at, length, message);
    items[which] = (polyproc_slice){buffer + at, length};
    at += length;
    if (length > longest) longest = length;
  }
  note(OP_PUT_BEGIN, place, 0, first, count);
  int64_t began = now();
  int32_t status = polyproc_queue_put_many(queue->handle, items, count, &done, time, NULL);
  note_time(began, time);
  note(OP_PUT_END, place, status, first, status == POLYPROC_OK ? done : 0);
  after_put(queue, "put_many", status, longest);
}

static void reserve(int place) {
  struct queue *queue = &me.queue[place];
  size_t length = 8 + some_length(queue->largest);
  int64_t time = queue_time();

  if (slot_count == MANY) return;
  struct reservation *one = &slots[slot_count];
  int64_t began = now();
  int32_t status = polyproc_queue_reserve(queue->handle, length, &one->slot, time, NULL);
  note_time(began, time);
  after_put(queue, "reserve", status, length);
  if (status != POLYPROC_OK) return;
  one->place = place;
  one->is = new_message(length);
  note(OP_PUT_BEGIN, place, 1, one->is, 1);
  slot_count++;
}

static void settle_slot(bool commits) {
  int which = (int)any((uint64_t)slot_count);
  struct reservation one = slots[which];
  int32_t status;

  if (commits) {
    size_t length = one.slot.len - any(4) * (one.slot.len - 8) / 8;
    fill(one.slot.data, length, one.is);
    status = polyproc_slot_commit(&one.slot, length);
    EXPECT_WAIT("commit", status, POLYPROC_E_SHUTDOWN);
  } else {
    status = polyproc_slot_abort(&one.slot);
    EXPECT_WAIT("abort", status, POLYPROC_E_SHUTDOWN);
  }
  if (status == POLYPROC_E_TIMEOUT) return;
  note(OP_PUT_END, one.place, status, one.is, commits && status == POLYPROC_OK);
  slots[which] = slots[--slot_count];
}

static bool after_take(struct queue *queue, int place, const char *call, int32_t status) {
  (void)queue;
  if (status == POLYPROC_OK) return true;
  note(OP_TAKE_END, place, status, 0, 0);
  EXPECT_WAIT(call, status, POLYPROC_E_EMPTY, POLYPROC_E_SHUTDOWN);
  if (status == POLYPROC_E_SHUTDOWN) (void)poll(NULL, 0, 1);
  return false;
}

/* Of several messages that were got, the one that comes first in the queue is settled first, also
 * if it came back and was got last. So all are settled together: which messages those are is known
 * before the first and after the last. */
static void finish(int place) {
  int count = got_count[place], at;

  for (at = 0; at < count; at++) note(OP_DONE_BEGIN, place, 0, got[place][at], 0);
  for (at = 0; at < count;) {
    int32_t status = polyproc_queue_task_done(me.queue[place].handle);
    EXPECT_WAIT("task_done", status, POLYPROC_OK);
    at += status == POLYPROC_OK;
  }
  for (at = 0; at < count; at++) note(OP_DONE_END, place, 0, got[place][at], 0);
  got_count[place] = 0;
}

static void get(int place) {
  struct queue *queue = &me.queue[place];
  bool is_joinable = queue->options.flags & POLYPROC_QUEUE_JOINABLE;
  size_t length = 0, room = any(4) == 0 ? any(100) : sizeof buffer;
  int64_t time = queue_time();

  if (is_joinable && got_count[place] == HANDS) {
    finish(place);
    return;
  }
  note(OP_TAKE_BEGIN, place, 0, 0, is_joinable ? 0 : 1);
  int64_t began = now();
  int32_t status = polyproc_queue_get(queue->handle, buffer, room, &length, time, NULL);
  note_time(began, time);
  if (status == POLYPROC_E_TOO_SMALL && length > room) {
    note(OP_TAKE_END, place, status, 0, 0);
    return;
  }
  if (!after_take(queue, place, "get", status)) return;
  uint64_t message = read_message(buffer, length);
  note(is_joinable ? OP_GOT : OP_GOT_FOR_GOOD, place, 0, message, 0);
  if (is_joinable) got[place][got_count[place]++] = message;
}

static void lend(int place, polyproc_message *message, bool is_dead) {
  uint64_t is = read_message(message->data, message->len);
  note(is_dead ? OP_DEAD_GOT : OP_GOT, place, 0, is, message->deliveries);
  loans[loan_count++] = (struct loan){*message, is, place, is_dead};
}

static void take(int place) {
  polyproc_message message;
  int64_t time = queue_time();

  if (loan_count == HANDS) return;
  note(OP_TAKE_BEGIN, place, 0, 0, 0);
  int64_t began = now();
  int32_t status = polyproc_queue_take(me.queue[place].handle, &message, time, NULL);
  note_time(began, time);
  if (after_take(&me.queue[place], place, "take", status)) lend(place, &message, false);
}

static void take_many(int place) {
  polyproc_message messages[MANY];
  size_t most = 1 + any(MANY), taken = 0;
  int64_t time = queue_time();

  if (loan_count + (int)most > HANDS) return;
  note(OP_TAKE_BEGIN, place, 0, 0, 0);
  int64_t began = now();
  int32_t status = polyproc_queue_take_many(me.queue[place].handle, messages, most, &taken, time, NULL);
  note_time(began, time);
  if (!after_take(&me.queue[place], place, "take_many", status)) return;
  for (size_t at = 0; at < taken; at++) lend(place, &messages[at], false);
}

static void take_dead(int place) {
  polyproc_message message;

  if (loan_count == HANDS) return;
  note(OP_TAKE_BEGIN, place, 0, 0, 0);
  int32_t status = polyproc_queue_take_dead(me.queue[place].handle, &message);
  if (after_take(&me.queue[place], place, "take_dead", status)) lend(place, &message, true);
}

static void settle_loan(bool gives_back) {
  int which = (int)any((uint64_t)loan_count);
  struct loan *loan = &loans[which];

  note(gives_back ? OP_RETURN_BEGIN : OP_DONE_BEGIN, loan->place, 0, loan->is, 0);
  int32_t status =
      gives_back ? polyproc_message_return(&loan->message) : polyproc_message_done(&loan->message);
  note(gives_back ? OP_RETURN_END : OP_DONE_END, loan->place, status, loan->is, 0);
  EXPECT_WAIT(gives_back ? "return" : "done", status, POLYPROC_OK);
  if (status == POLYPROC_OK) loans[which] = loans[--loan_count];
}

static void settle_many(void) {
  polyproc_message messages[HANDS];
  int count = 1 + (int)any((uint64_t)loan_count), at;
  size_t done = 0;

  for (at = 0; at < count; at++) {
    messages[at] = loans[at].message;
    note(OP_DONE_BEGIN, loans[at].place, 0, loans[at].is, 0);
  }
  int32_t status = polyproc_message_done_many(messages, (size_t)count, &done);
  for (at = 0; at < count; at++) {
    int32_t each = at < (int)done ? POLYPROC_OK : POLYPROC_E_TIMEOUT;
    note(OP_DONE_END, loans[at].place, each, loans[at].is, 0);
  }
  if (status != POLYPROC_OK)
    fprintf(stderr, "worker %u: done_many: %zu of %d, then %#llx at %d%s\n", (unsigned)getpid(), done, count,
            (unsigned long long)loans[done].is, loans[done].place,
            loans[done].is_dead ? ", a dead letter" : "");
  EXPECT_WAIT("done_many", status, POLYPROC_OK);
  loan_count -= (int)done;
  memmove(loans, loans + done, sizeof *loans * (size_t)loan_count);
}

/* Reads every figure; it may be stale, but never nonsense. */
static void look(int place) {
  polyproc_queue_info info = POLYPROC_QUEUE_INFO_INIT;
  polyproc_queue *queue = me.queue[place].handle;
  uint64_t length;
  int32_t flag, status;
  int64_t began = now();

  status = polyproc_queue_get_info(queue, &info);
  note_time(began, 0);
  EXPECT_WAIT("info", status, POLYPROC_OK);
  if (status == POLYPROC_OK && (info.unfinished != info.items + info.in_flight || info.gets > info.puts)) {
    fprintf(stderr, "worker %u: info: %llu unfinished, %llu items, %llu in flight, %llu puts, %llu gets\n",
            (unsigned)getpid(), (unsigned long long)info.unfinished, (unsigned long long)info.items,
            (unsigned long long)info.in_flight, (unsigned long long)info.puts, (unsigned long long)info.gets);
    _exit(4);
  }
  began = now();
  EXPECT_WAIT("length", polyproc_queue_length(queue, &length), POLYPROC_OK);
  EXPECT_WAIT("is_empty", polyproc_queue_is_empty(queue, &flag), POLYPROC_OK);
  EXPECT_WAIT("is_full", polyproc_queue_is_full(queue, &flag), POLYPROC_OK);
  note_time(began, 0);
}

static void join(int place) {
  int64_t time = (int64_t)any(2) * 3000000, began = now();
  if (!(me.queue[place].options.flags & POLYPROC_QUEUE_JOINABLE)) return;
  EXPECT("join", polyproc_queue_join(me.queue[place].handle, time, NULL), POLYPROC_OK, POLYPROC_E_TIMEOUT);
  note_time(began, time);
}

/* Waits as a program with an event loop does. */
static void watch(int place) {
  polyproc_waitable things[] = {{POLYPROC_WAIT_QUEUE_GET, 0, me.queue[place].handle},
                                {POLYPROC_WAIT_EVENT, 0, me.stop}};
  struct pollfd polled = {0, POLLIN, 0};
  size_t ready;
  int64_t began = now();

  if (any(2) == 0) {
    EXPECT("wait_any", polyproc_wait_any(things, 2, &ready, 3000000, NULL), POLYPROC_OK, POLYPROC_E_TIMEOUT);
    note_time(began, 3000000);
    return;
  }
  EXPECT("fd", polyproc_queue_fd(me.queue[place].handle, &polled.fd), POLYPROC_OK);
  (void)poll(&polled, 1, 3);
}

static void reopen(int place) {
  finish(place);
  polyproc_queue_close(me.queue[place].handle);
  open_queue(&me.queue[place]);
}

static void put_step(int place) {
  uint64_t kind = any(10);
  if (slot_count > 0 && kind < 3)
    settle_slot(any(8) != 0);
  else if (me.queue[place].is_shut || is_enough(&me.queue[place]))
    return;
  else if (kind < 5)
    reserve(place);
  else if (kind < 7)
    put_many(place);
  else
    put(place);
}

static void take_step(int place) {
  uint64_t kind = any(16);
  if (loan_count > 0 && kind < 3)
    settle_loan(false);
  else if (loan_count > 0 && kind == 3)
    settle_many();
  else if (loan_count > 0 && kind == 4)
    settle_loan(true);
  else if (got_count[place] > 0 && kind < 7)
    finish(place);
  else if (kind < 10)
    get(place);
  else if (kind < 13)
    take(place);
  else if (kind < 15)
    take_many(place);
  else
    take_dead(place);
}

void queue_step(int place) {
  uint64_t kind = any(200);
  if (kind < 2)
    look(place);
  else if (kind == 2)
    join(place);
  else if (kind < 6 && me.features & MAY_WATCH)
    watch(place);
  else if (kind == 6 && me.features & MAY_REOPEN)
    reopen(place);
  else if ((int)any(10) < me.puts_in_ten)
    put_step(place);
  else
    take_step(place);
}

void settle_all(void) {
  while (loan_count > 0) settle_loan(any(8) == 0);
  while (slot_count > 0) settle_slot(any(4) != 0);
  for (int place = 0; place < me.queues; place++) finish(place);
}

void disown_all(void) {
  if (loan_count > 0)
    EXPECT("done by a child", polyproc_message_done(&loans[0].message), POLYPROC_E_NOT_OWNER,
           POLYPROC_E_INVALID, POLYPROC_E_TIMEOUT); /* the last one for a dead letter */
  if (slot_count > 0)
    EXPECT("commit by a child", polyproc_slot_commit(&slots[0].slot, 8), POLYPROC_E_NOT_OWNER,
           POLYPROC_E_INVALID);
  loan_count = slot_count = 0;
  memset(got_count, 0, sizeof got_count);
}
