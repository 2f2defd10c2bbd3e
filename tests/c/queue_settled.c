/* The ids of messages, how a message stands, the identity of a queue, and the descriptor of settled
 * messages. */
#include <poll.h>

#include "check.h"

#define INVALID(call) ANSWERS(E_INVALID, call)

static int32_t state_of(polyproc_queue *queue, uint64_t id) {
  int32_t state = 77;
  ANSWERS(OK, polyproc_queue_settled(queue, id, &state));
  return state;
}

static void every_state(void) {
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_queue *queue = NULL;
  polyproc_message message;
  uint64_t ids[3] = {77, 77, 77};
  int32_t state = 77;
  int i;

  options.flags = POLYPROC_QUEUE_JOINABLE;
  options.max_items = 3;
  options.max_deliveries = 2;
  ANSWERS(OK, polyproc_queue_create(NULL, &options, &queue));
  FAULT("no such message", E_INVALID, polyproc_queue_settled(queue, 0, &state));
  TELLS("no message of this queue has the id 0");
  FAULT("no such message", E_INVALID, polyproc_queue_settled(queue, UINT64_MAX, &state));
  for (i = 0; i < 3; i++) {
    ANSWERS(OK, polyproc_queue_put_id(queue, "task", 4, &ids[i], 0, NULL));
    CHECK(state_of(queue, ids[i]) == POLYPROC_MESSAGE_WAITING);
  }
  CHECK(ids[0] < ids[1] && ids[1] < ids[2]);
  ANSWERS(E_FULL, polyproc_queue_put_id(queue, "task", 4, &ids[0], 0, NULL));
  ANSWERS(E_TOO_LARGE,
          polyproc_queue_put_id(queue, "task", (size_t)UINT32_MAX + 1, &ids[0], POLYPROC_FOREVER, NULL));
  ANSWERS(OK, polyproc_queue_take(queue, &message, 0, NULL));
  CHECK(message.id == ids[0] && state_of(queue, ids[0]) == POLYPROC_MESSAGE_LEASED);
  ANSWERS(OK, polyproc_message_done(&message));
  CHECK(state_of(queue, ids[0]) == POLYPROC_MESSAGE_DONE);
  for (i = 1; i <= 2; i++) {
    ANSWERS(OK, polyproc_queue_take(queue, &message, 0, NULL));
    CHECK(message.id == ids[1] && message.deliveries == (uint32_t)i);
    ANSWERS(OK, polyproc_message_return(&message));
  }
  CHECK(state_of(queue, ids[1]) == POLYPROC_MESSAGE_DEAD);
  ANSWERS(OK, polyproc_queue_take_dead(queue, &message));
  CHECK(message.id == ids[1]);
  ANSWERS(OK, polyproc_message_done(&message));
  CHECK(state_of(queue, ids[1]) == POLYPROC_MESSAGE_DEAD);
  ANSWERS(OK, polyproc_queue_shutdown(queue, 1));
  CHECK(state_of(queue, ids[2]) == POLYPROC_MESSAGE_DISCARDED);
  ANSWERS(E_SHUTDOWN, polyproc_queue_put_id(queue, "task", 4, &ids[0], POLYPROC_FOREVER, NULL));
  polyproc_queue_close(queue);
}

static void arguments(void) {
  polyproc_queue *queue = NULL;
  uint64_t id = 77;
  int32_t state = 77;
  int fd = -7;

  INVALID(polyproc_queue_put_id(NULL, "x", 1, &id, 0, NULL));
  INVALID(polyproc_queue_settled(NULL, 0, &state));
  INVALID(polyproc_queue_settled_count(NULL, &id));
  INVALID(polyproc_queue_settled_fd(NULL, &fd));
  ANSWERS(OK, polyproc_queue_create(NULL, NULL, &queue));
  INVALID(polyproc_queue_put_id(queue, "x", 1, NULL, 0, NULL));
  INVALID(polyproc_queue_put_id(queue, NULL, 1, &id, 0, NULL));
  INVALID(polyproc_queue_settled(queue, 0, NULL));
  INVALID(polyproc_queue_settled_count(queue, NULL));
  INVALID(polyproc_queue_settled_fd(queue, NULL));
  polyproc_queue_close(queue);
  FAULT("closed", E_CLOSED, polyproc_queue_put_id(queue, "x", 1, &id, 0, NULL));
  FAULT("closed", E_CLOSED, polyproc_queue_settled(queue, 0, &state));
  FAULT("closed", E_CLOSED, polyproc_queue_settled_count(queue, &id));
  FAULT("closed", E_CLOSED, polyproc_queue_settled_fd(queue, &fd));
  CHECK(id == 77 && state == 77 && fd == -7);
}

static int is_readable(int fd, int milliseconds) {
  struct pollfd poll_fd;
  poll_fd.fd = fd;
  poll_fd.events = POLLIN;
  poll_fd.revents = 0;
  return poll(&poll_fd, 1, milliseconds) == 1;
}

static void the_descriptor(void) {
  polyproc_queue *queue = NULL;
  polyproc_waitable item;
  polyproc_message message;
  uint64_t id = 0;
  uint64_t count = 77;
  size_t ready = 77;
  int fd = -1;

  ANSWERS(OK, polyproc_queue_create(NULL, NULL, &queue));
  ANSWERS(OK, polyproc_queue_settled_fd(queue, &fd));
  ANSWERS(OK, polyproc_queue_put_id(queue, "x", 1, &id, 0, NULL));
  ANSWERS(OK, polyproc_queue_take(queue, &message, 0, NULL));
  CHECK(!is_readable(fd, 2));
  item.kind = POLYPROC_WAIT_QUEUE_SETTLED;
  item.object = queue;
  ANSWERS(E_TIMEOUT, polyproc_wait_any(&item, 1, &ready, 0, NULL));
  ANSWERS(OK, polyproc_message_done(&message));
  CHECK(is_readable(fd, 20000));
  ANSWERS(OK, polyproc_wait_any(&item, 1, &ready, 0, NULL));
  CHECK(ready == 1 && item.ready == 1);
  ANSWERS(OK, polyproc_queue_settled_count(queue, &count));
  CHECK(count == 1 && state_of(queue, id) == POLYPROC_MESSAGE_DONE);
  while (is_readable(fd, 0)) {
    ANSWERS(OK, polyproc_queue_settled_count(queue, &count));
  }
  ANSWERS(E_TIMEOUT, polyproc_wait_any(&item, 1, &ready, 0, NULL));
  polyproc_queue_close(queue);
}

static void the_identity(void) {
  const name_t name = unique("identity");
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_queue_info first = POLYPROC_QUEUE_INFO_INIT;
  polyproc_queue_info second = POLYPROC_QUEUE_INFO_INIT;
  polyproc_queue *queue = NULL;

  options.flags = POLYPROC_OPEN_OR_CREATE;
  ANSWERS(OK, polyproc_queue_create(name.text, &options, &queue));
  ANSWERS(OK, polyproc_queue_get_info(queue, &first));
  ANSWERS(OK, polyproc_queue_shutdown(queue, 0));
  /* A program that was compiled before the struct grew. */
  second.size = 160;
  ANSWERS(OK, polyproc_queue_get_info(queue, &second));
  CHECK(second.identity[0] == 0 && memcmp(second.identity, second.identity + 1, 15) == 0);
  second.size = sizeof second;
  ANSWERS(OK, polyproc_queue_get_info(queue, &second));
  CHECK(memcmp(first.identity, second.identity, sizeof first.identity) == 0);
  polyproc_queue_close(queue);
  ANSWERS(OK, polyproc_queue_create(name.text, &options, &queue));
  ANSWERS(OK, polyproc_queue_get_info(queue, &second));
  CHECK(memcmp(first.identity, second.identity, sizeof first.identity) != 0);
  ANSWERS(OK, polyproc_unlink(name.text));
  polyproc_queue_close(queue);
}

int main(void) {
  every_state();
  arguments();
  the_descriptor();
  the_identity();
  return 0;
}
