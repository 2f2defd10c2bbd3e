/* polyproc through its C interface. Modes: copy (put, get), many (put_many, take_many), loan
 * (reserve, take: in place on both sides), take (put, take: in place on one), asleep (a wait does
 * not spin), unlimited (a queue without limits; alone it copies), pipe; lock, semaphore, event. */
#include <polyproc.h>
#include <stdio.h>
#include <string.h>

#include "peer.h"

static polyproc_queue *queues[2];
static polyproc_connection *receivers[2], *senders[2]; /* of pipes, in the mode pipe */
static polyproc_slot slots[2];
static polyproc_message loans[2][BATCH];
static size_t lent;
static polyproc_lock *lock;
static polyproc_semaphore *semaphore;
static polyproc_event *event;

static void ok(int32_t status) {
  if (status != POLYPROC_OK) die("%s", polyproc_strerror(status));
}

static void create(const struct setup *setup) {
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_semaphore_options permit = POLYPROC_SEMAPHORE_OPTIONS_INIT;
  options.max_items = setup->capacity;
  if (has_mode(setup, "asleep")) options.spin_ns = 1;
  if (has_mode(setup, "unlimited")) options.max_items = 0;
  ways.batch = has_mode(setup, "many");
  ways.loan_in = has_mode(setup, "loan");
  ways.loan_out = ways.loan_in || has_mode(setup, "take");
  if (has_mode(setup, "lock")) {
    ok(polyproc_lock_create(NULL, NULL, &lock));
  } else if (has_mode(setup, "semaphore")) {
    permit.initial = 1;
    ok(polyproc_semaphore_create(NULL, &permit, &semaphore));
  } else if (has_mode(setup, "event")) {
    ok(polyproc_event_create(NULL, NULL, &event));
  } else if (has_mode(setup, "pipe")) {
    for (int i = 0; i < setup->channels; i++) ok(polyproc_pipe_create(0, &receivers[i], &senders[i]));
  } else {
    for (int i = 0; i < setup->channels; i++) ok(polyproc_queue_create(NULL, &options, &queues[i]));
  }
}

static void join(int channel, enum role role, int index) {
  (void)channel;
  (void)role;
  (void)index;
}

static void put(int channel, const void *data, size_t len) {
  if (senders[channel])
    ok(polyproc_connection_send(senders[channel], data, len, POLYPROC_FOREVER, NULL));
  else
    ok(polyproc_queue_put(queues[channel], data, len, POLYPROC_FOREVER, NULL));
}

static size_t get(int channel, void *buf, size_t cap) {
  size_t len;
  if (receivers[channel])
    ok(polyproc_connection_recv(receivers[channel], buf, cap, &len, POLYPROC_FOREVER, NULL));
  else
    ok(polyproc_queue_get(queues[channel], buf, cap, &len, POLYPROC_FOREVER, NULL));
  return len;
}

static void *reserve(int channel, size_t len) {
  ok(polyproc_queue_reserve(queues[channel], len, &slots[channel], POLYPROC_FOREVER, NULL));
  return slots[channel].data;
}

static void commit(int channel, size_t len) {
  ok(polyproc_slot_commit(&slots[channel], len));
}

static const void *take(int channel, size_t *len) {
  ok(polyproc_queue_take(queues[channel], loans[channel], POLYPROC_FOREVER, NULL));
  *len = loans[channel][0].len;
  return loans[channel][0].data;
}

static void done(int channel) {
  ok(polyproc_message_done(loans[channel]));
}

static void put_many(int channel, const struct view *items, size_t n) {
  polyproc_slice slices[BATCH];
  for (size_t i = 0; i < n; i++) slices[i] = (polyproc_slice){items[i].data, items[i].len};
  for (size_t put = 0, more; put < n; put += more)
    ok(polyproc_queue_put_many(queues[channel], slices + put, n - put, &more, POLYPROC_FOREVER, NULL));
}

static size_t take_many(int channel, struct view *out, size_t max) {
  polyproc_message *messages = loans[channel];
  size_t done;
  ok(polyproc_message_done_many(messages, lent, &done));
  ok(polyproc_queue_take_many(queues[channel], messages, max, &lent, POLYPROC_FOREVER, NULL));
  for (size_t i = 0; i < lent; i++) out[i] = (struct view){messages[i].data, messages[i].len};
  return lent;
}

static void acquire(void) {
  ok(lock ? polyproc_lock_acquire(lock, POLYPROC_FOREVER, NULL)
          : polyproc_semaphore_acquire(semaphore, POLYPROC_FOREVER, NULL));
}

static void release(void) {
  ok(lock ? polyproc_lock_release(lock) : polyproc_semaphore_release(semaphore, 1));
}

static void wake(void) {
  ok(polyproc_event_set(event));
}

static void await(void) {
  ok(polyproc_event_wait(event, POLYPROC_FOREVER, NULL));
  ok(polyproc_event_clear(event));
}

static void spawn(void) {
  static const char *const argv[] = {"/bin/true", NULL};
  polyproc_process_options options = POLYPROC_PROCESS_OPTIONS_INIT;
  polyproc_process *process;
  options.argv = argv;
  ok(polyproc_process_spawn(&options, &process));
  ok(polyproc_process_join(process, POLYPROC_FOREVER, NULL));
  polyproc_process_close(process);
}

static void create_close(void) {
  polyproc_queue *queue;
  ok(polyproc_queue_create(NULL, NULL, &queue));
  polyproc_queue_close(queue);
}

static const char *named;

static void open_close(void) {
  polyproc_queue *queue;
  if (!named) {
    named = unique_name("named");
    ok(polyproc_queue_create(named, NULL, &queue));
  }
  ok(polyproc_queue_open(named, &queue));
  polyproc_queue_close(queue);
}

static void destroy(void) {
  if (named) ok(polyproc_unlink(named));
}

const struct peer peer = {
    .name = "polyproc",
    .create = create,
    .join = join,
    .destroy = destroy,
    .put = put,
    .get = get,
    .reserve = reserve,
    .commit = commit,
    .take = take,
    .done = done,
    .put_many = put_many,
    .take_many = take_many,
    .acquire = acquire,
    .release = release,
    .wake = wake,
    .await = await,
    .spawn = spawn,
    .create_close = create_close,
    .open_close = open_close,
};
