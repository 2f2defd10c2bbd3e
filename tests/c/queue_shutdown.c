/* Shutdown: draining, immediate, and for calls that sleep. */
#include "check.h"

static polyproc_queue *make(uint32_t flags, uint64_t max_items) {
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_queue *queue = NULL;
  options.flags = flags;
  options.max_items = max_items;
  ANSWERS(OK, polyproc_queue_create(NULL, &options, &queue));
  return queue;
}

/* Every way to put is closed. */
static void nothing_goes_in(polyproc_queue *queue) {
  polyproc_slice slice = {"x", 1};
  polyproc_slot slot;
  size_t put = 77;
  ANSWERS(E_SHUTDOWN, polyproc_queue_put(queue, "x", 1, POLYPROC_FOREVER, NULL));
  ANSWERS(E_SHUTDOWN, polyproc_queue_put(queue, "x", 1, 0, NULL));
  ANSWERS(E_SHUTDOWN, polyproc_queue_put_many(queue, &slice, 1, &put, POLYPROC_FOREVER, NULL));
  ANSWERS(E_SHUTDOWN, polyproc_queue_reserve(queue, 1, &slot, POLYPROC_FOREVER, NULL));
  CHECK(put == 77);
}

static void nothing_comes_out(polyproc_queue *queue) {
  polyproc_message message;
  char buf[8];
  size_t len = 77;
  ANSWERS(E_SHUTDOWN, polyproc_queue_get(queue, buf, sizeof buf, &len, POLYPROC_FOREVER, NULL));
  ANSWERS(E_SHUTDOWN, polyproc_queue_get(queue, buf, sizeof buf, &len, 0, NULL));
  ANSWERS(E_SHUTDOWN, polyproc_queue_take(queue, &message, POLYPROC_FOREVER, NULL));
  ANSWERS(E_SHUTDOWN, polyproc_queue_take_many(queue, &message, 1, &len, POLYPROC_FOREVER, NULL));
  CHECK(len == 77);
}

static void draining(void) {
  polyproc_queue *queue = make(0, 0);
  char buf[8];
  size_t len = 0;

  ANSWERS(OK, polyproc_queue_put(queue, "a", 1, 0, NULL));
  ANSWERS(OK, polyproc_queue_put(queue, "b", 1, 0, NULL));
  ANSWERS(OK, polyproc_queue_shutdown(queue, 0));
  ANSWERS(OK, polyproc_queue_shutdown(queue, 0));
  nothing_goes_in(queue);
  ANSWERS(OK, polyproc_queue_get(queue, buf, sizeof buf, &len, 0, NULL));
  CHECK(len == 1 && buf[0] == 'a');
  ANSWERS(OK, polyproc_queue_get(queue, buf, sizeof buf, &len, POLYPROC_FOREVER, NULL));
  CHECK(len == 1 && buf[0] == 'b');
  nothing_comes_out(queue);
  polyproc_queue_close(queue);
}

static void immediate(void) {
  polyproc_queue *queue = make(POLYPROC_QUEUE_JOINABLE, 0);
  polyproc_message message;

  ANSWERS(OK, polyproc_queue_put(queue, "a", 1, 0, NULL));
  ANSWERS(OK, polyproc_queue_put(queue, "b", 1, 0, NULL));
  ANSWERS(OK, polyproc_queue_take(queue, &message, 0, NULL));
  ANSWERS(OK, polyproc_queue_shutdown(queue, 0));
  ANSWERS(OK, polyproc_queue_shutdown(queue, 1)); /* draining, then not any more */
  nothing_goes_in(queue);
  nothing_comes_out(queue);
  /* Messages in flight must still be finished. */
  ANSWERS(E_TIMEOUT, polyproc_queue_join(queue, 0, NULL));
  CHECK(*(const char *)message.data == 'a');
  ANSWERS(OK, polyproc_message_done(&message));
  ANSWERS(OK, polyproc_queue_join(queue, 0, NULL));
  polyproc_queue_close(queue);
}

static void *a_getter(void *queue) {
  char buf[8];
  size_t len = 0;
  ANSWERS(E_SHUTDOWN, polyproc_queue_get((polyproc_queue *)queue, buf, sizeof buf, &len, PATIENCE, NULL));
  return NULL;
}

static void *a_putter(void *queue) {
  ANSWERS(E_SHUTDOWN, polyproc_queue_put((polyproc_queue *)queue, "x", 1, PATIENCE, NULL));
  return NULL;
}

/* Every call that sleeps is woken. */
static void sleepers(void) {
  enum { SLEEPERS = 4 };
  polyproc_queue *empty = make(0, 1);
  polyproc_queue *full = make(0, 1);
  pthread_t threads[2 * SLEEPERS];
  int i;

  ANSWERS(OK, polyproc_queue_put(full, "x", 1, 0, NULL));
  for (i = 0; i < SLEEPERS; i++) {
    threads[i] = start(a_getter, empty);
    threads[SLEEPERS + i] = start(a_putter, full);
  }
  nap(50 * MILLISECOND);
  ANSWERS(OK, polyproc_queue_shutdown(empty, 0));
  ANSWERS(OK, polyproc_queue_shutdown(full, 0));
  for (i = 0; i < 2 * SLEEPERS; i++) {
    finish(threads[i]);
  }
  polyproc_queue_close(empty);
  polyproc_queue_close(full);
}

/* A slot that was reserved before the shutdown is the stream's last message. */
static void a_slot_from_before(void) {
  polyproc_queue *queue = make(0, 0);
  polyproc_slot slot;
  char buf[8];
  size_t len = 0;

  ANSWERS(OK, polyproc_queue_reserve(queue, 4, &slot, 0, NULL));
  ANSWERS(OK, polyproc_queue_shutdown(queue, 0));
  memcpy(slot.data, "last", 4);
  ANSWERS(OK, polyproc_slot_commit(&slot, 4));
  ANSWERS(OK, polyproc_queue_get(queue, buf, sizeof buf, &len, PATIENCE, NULL));
  CHECK(len == 4 && memcmp(buf, "last", 4) == 0);
  nothing_comes_out(queue);
  polyproc_queue_close(queue);
}

/* Immediate: a slot that was reserved before is discarded when it is committed. */
static void a_slot_that_comes_too_late(void) {
  polyproc_queue *queue = make(0, 0);
  polyproc_slot slot;

  ANSWERS(OK, polyproc_queue_reserve(queue, 4, &slot, 0, NULL));
  ANSWERS(OK, polyproc_queue_shutdown(queue, 1));
  memcpy(slot.data, "late", 4);
  ANSWERS(E_SHUTDOWN, polyproc_slot_commit(&slot, 4));
  ANSWERS(E_INVALID, polyproc_slot_commit(&slot, 4));
  nothing_comes_out(queue);
  polyproc_queue_close(queue);
}

/* A message that a consumer holds may come back: the other consumers wait for it. */
static void a_message_that_comes_back(void) {
  polyproc_queue *queue = make(POLYPROC_QUEUE_JOINABLE, 0);
  polyproc_message message;
  char buf[8];
  size_t len = 0;

  ANSWERS(OK, polyproc_queue_put(queue, "a", 1, 0, NULL));
  ANSWERS(OK, polyproc_queue_take(queue, &message, 0, NULL));
  ANSWERS(OK, polyproc_queue_shutdown(queue, 0));
  ANSWERS(OK, polyproc_message_return(&message));
  ANSWERS(OK, polyproc_queue_get(queue, buf, sizeof buf, &len, PATIENCE, NULL));
  CHECK(len == 1 && buf[0] == 'a');
  ANSWERS(OK, polyproc_queue_task_done(queue));
  ANSWERS(OK, polyproc_queue_join(queue, 0, NULL));
  polyproc_queue_close(queue);
}

int main(void) {
  draining();
  immediate();
  sleepers();
  a_slot_from_before();
  a_slot_that_comes_too_late();
  a_message_that_comes_back();
  return 0;
}
