/* Waiting for several things at once, and descriptors that report when a thing is ready. */
#include <poll.h>
#include <sys/socket.h>

#include "check.h"

static polyproc_waitable item(int32_t kind, void *object) {
  polyproc_waitable waitable;
  waitable.kind = kind;
  waitable.ready = 7;
  waitable.object = object;
  return waitable;
}

static polyproc_queue *queue_of(uint64_t max_items) {
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_queue *queue = NULL;
  options.max_items = max_items;
  ANSWERS(OK, polyproc_queue_create(NULL, &options, &queue));
  return queue;
}

static polyproc_process *sleeper(void) {
  static const char *const argv[] = {"sleep", "100", NULL};
  polyproc_process_options options = POLYPROC_PROCESS_OPTIONS_INIT;
  polyproc_process *process = NULL;
  options.argv = argv;
  ANSWERS(OK, polyproc_process_spawn(&options, &process));
  return process;
}

static void what_is_ready(void) {
  polyproc_queue *queue = queue_of(1);
  polyproc_event *event = NULL;
  polyproc_waitable items[3];
  size_t ready = 7;
  int64_t began;

  ANSWERS(OK, polyproc_event_create(NULL, NULL, &event));
  items[0] = item(POLYPROC_WAIT_QUEUE_GET, queue);
  items[1] = item(POLYPROC_WAIT_QUEUE_PUT, queue);
  items[2] = item(POLYPROC_WAIT_EVENT, event);
  ANSWERS(OK, polyproc_wait_any(items, 3, &ready, 0, NULL));
  CHECK(ready == 1 && !items[0].ready && items[1].ready == 1 && !items[2].ready);
  ANSWERS(OK, polyproc_queue_put(queue, "full", 4, 0, NULL));
  ANSWERS(OK, polyproc_event_set(event));
  ANSWERS(OK, polyproc_wait_any(items, 3, &ready, POLYPROC_FOREVER, NULL));
  CHECK(ready == 2 && items[0].ready == 1 && !items[1].ready && items[2].ready == 1);
  ANSWERS(OK, polyproc_event_clear(event));
  ready = 7;
  ANSWERS(E_TIMEOUT, polyproc_wait_any(items + 1, 2, &ready, 0, NULL));
  began = now();
  ANSWERS(E_TIMEOUT, polyproc_wait_any(items + 1, 2, &ready, 30 * MILLISECOND, NULL));
  CHECK(now() - began >= 30 * MILLISECOND && ready == 7);
  polyproc_event_close(event);
  polyproc_queue_close(queue);
}

static int readable(int fd) {
  struct pollfd item;
  item.fd = fd;
  item.events = POLLIN;
  return poll(&item, 1, 0) == 1;
}

/* The descriptor follows the object a moment later. */
static void becomes(int fd, int is_readable) {
  int64_t end = now() + PATIENCE;
  while (readable(fd) != is_readable) {
    CHECK(now() < end);
    nap(MILLISECOND);
  }
}

/* Readable while a receive would not wait: message after message, and at the end of file. */
static void a_connection(void) {
  polyproc_connection *a = NULL;
  polyproc_connection *b = NULL;
  polyproc_waitable waitable;
  char buf[8];
  size_t len = 0;
  size_t ready = 7;
  int fd = -1;
  int again = -1;

  ANSWERS(OK, polyproc_pipe_create(0, &a, &b));
  waitable = item(POLYPROC_WAIT_CONNECTION, a);
  ANSWERS(OK, polyproc_connection_fd(a, &fd));
  ANSWERS(OK, polyproc_connection_fd(a, &again));
  CHECK(fd >= 0 && fd == again && !readable(fd));
  ANSWERS(E_TIMEOUT, polyproc_wait_any(&waitable, 1, &ready, 10 * MILLISECOND, NULL));
  ANSWERS(OK, polyproc_connection_send(b, "one", 3, 0, NULL));
  ANSWERS(OK, polyproc_connection_send(b, "", 0, 0, NULL));
  ANSWERS(OK, polyproc_wait_any(&waitable, 1, &ready, 0, NULL));
  CHECK(ready == 1 && waitable.ready == 1);
  becomes(fd, 1);
  ANSWERS(OK, polyproc_connection_recv(a, buf, sizeof buf, &len, 0, NULL));
  CHECK(len == 3 && readable(fd));
  ANSWERS(OK, polyproc_connection_recv(a, buf, sizeof buf, &len, 0, NULL));
  becomes(fd, 0);
  ANSWERS(E_TIMEOUT, polyproc_wait_any(&waitable, 1, &ready, 0, NULL));
  polyproc_connection_close(b);
  becomes(fd, 1);
  ANSWERS(OK, polyproc_wait_any(&waitable, 1, &ready, PATIENCE, NULL));
  ANSWERS(E_EOF, polyproc_connection_recv(a, buf, sizeof buf, &len, 0, NULL));
  CHECK(readable(fd));
  polyproc_connection_close(a);
}

/* The other end's process dies; no call reports it. */
static void a_connection_whose_other_end_is_killed(void) {
  int by_descriptor;
  for (by_descriptor = 0; by_descriptor < 2; by_descriptor++) {
    polyproc_connection *a = NULL;
    polyproc_connection *b = NULL;
    polyproc_event *asleep = NULL;
    polyproc_waitable waitable;
    size_t ready = 0;
    int fd = -1;
    pid_t child;
    ANSWERS(OK, polyproc_pipe_create(1, &a, &b));
    ANSWERS(OK, polyproc_event_create(NULL, NULL, &asleep));
    child = forked();
    if (child == 0) {
      char buf[4];
      size_t len = 0;
      polyproc_connection_close(a);
      ANSWERS(OK, polyproc_event_set(asleep));
      polyproc_connection_recv(b, buf, sizeof buf, &len, POLYPROC_FOREVER, NULL);
      _exit(1);
    }
    polyproc_connection_close(b);
    ANSWERS(OK, polyproc_event_wait(asleep, PATIENCE, NULL));
    waitable = item(POLYPROC_WAIT_CONNECTION, a);
    if (by_descriptor) {
      ANSWERS(OK, polyproc_connection_fd(a, &fd));
    }
    ANSWERS(E_TIMEOUT, polyproc_wait_any(&waitable, 1, &ready, 30 * MILLISECOND, NULL));
    kill_and_reap(child);
    if (by_descriptor) {
      becomes(fd, 1);
    }
    ANSWERS(OK, polyproc_wait_any(&waitable, 1, &ready, PATIENCE, NULL));
    CHECK(ready == 1 && waitable.ready == 1);
    polyproc_connection_close(a);
    polyproc_event_close(asleep);
  }
}

/* A socket is waited for like a pipe, beside objects in shared memory. */
static void a_socket(void) {
  int ends[2];
  void *a = NULL;
  void *b = NULL;
  polyproc_queue *queue = queue_of(0);
  polyproc_waitable items[2];
  char buf[8];
  size_t len = 0;
  size_t ready = 7;
  int fd = -1;

  CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  ANSWERS(OK, polyproc_open_fd(ends[0], POLYPROC_KIND_CONNECTION, &a));
  ANSWERS(OK, polyproc_open_fd(ends[1], POLYPROC_KIND_CONNECTION, &b));
  CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
  ANSWERS(OK, polyproc_connection_fd((polyproc_connection *)a, &fd));
  items[0] = item(POLYPROC_WAIT_QUEUE_GET, queue);
  items[1] = item(POLYPROC_WAIT_CONNECTION, a);
  CHECK(!readable(fd));
  ANSWERS(E_TIMEOUT, polyproc_wait_any(items, 2, &ready, 10 * MILLISECOND, NULL));
  ANSWERS(OK, polyproc_connection_send((polyproc_connection *)b, "one", 3, 0, NULL));
  ANSWERS(OK, polyproc_wait_any(items, 2, &ready, PATIENCE, NULL));
  CHECK(ready == 1 && !items[0].ready && items[1].ready == 1 && readable(fd));
  ANSWERS(OK, polyproc_connection_recv((polyproc_connection *)a, buf, sizeof buf, &len, 0, NULL));
  CHECK(!readable(fd));
  ANSWERS(OK, polyproc_queue_put(queue, "x", 1, 0, NULL));
  ANSWERS(OK, polyproc_wait_any(items, 2, &ready, PATIENCE, NULL));
  CHECK(ready == 1 && items[0].ready == 1 && !items[1].ready);
  polyproc_connection_close((polyproc_connection *)b);
  ANSWERS(OK, polyproc_wait_any(items, 2, &ready, PATIENCE, NULL));
  CHECK(ready == 2 && readable(fd));
  ANSWERS(E_EOF, polyproc_connection_recv((polyproc_connection *)a, buf, sizeof buf, &len, 0, NULL));
  polyproc_connection_close((polyproc_connection *)a);
  polyproc_queue_close(queue);
}

/* One process waits for a thing that another makes ready. */
static void another_process_wakes_it(void) {
  polyproc_queue *queue = queue_of(0);
  polyproc_waitable waitable = item(POLYPROC_WAIT_QUEUE_GET, queue);
  size_t ready = 0;
  pid_t child = forked();
  if (child == 0) {
    nap(30 * MILLISECOND);
    ANSWERS(OK, polyproc_queue_put(queue, "message", 7, 0, NULL));
    polyproc_queue_close(queue);
    _exit(0);
  }
  ANSWERS(OK, polyproc_wait_any(&waitable, 1, &ready, PATIENCE, NULL));
  CHECK(ready == 1 && waitable.ready == 1);
  went_well(child);
  polyproc_queue_close(queue);
}

static void a_process_that_ends(void) {
  polyproc_queue *queue = queue_of(0);
  polyproc_process *process = sleeper();
  polyproc_waitable items[2];
  size_t ready = 0;
  items[0] = item(POLYPROC_WAIT_QUEUE_GET, queue);
  items[1] = item(POLYPROC_WAIT_PROCESS, process);
  ANSWERS(E_TIMEOUT, polyproc_wait_any(items, 2, &ready, 10 * MILLISECOND, NULL));
  ANSWERS(OK, polyproc_process_kill(process));
  ANSWERS(OK, polyproc_wait_any(items, 2, &ready, PATIENCE, NULL));
  CHECK(ready == 1 && !items[0].ready && items[1].ready == 1);
  polyproc_process_close(process);
  polyproc_queue_close(queue);
}

static void bad_input(void) {
  polyproc_queue *queue = queue_of(0);
  polyproc_event *event = NULL;
  polyproc_connection *reader = NULL;
  polyproc_connection *writer = NULL;
  polyproc_waitable waitable = item(POLYPROC_WAIT_QUEUE_GET, queue);
  size_t ready = 7;
  int fd = -7;

  ANSWERS(OK, polyproc_event_create(NULL, NULL, &event));
  ANSWERS(E_INVALID, polyproc_wait_any(NULL, 1, &ready, 0, NULL));
  ANSWERS(E_INVALID, polyproc_wait_any(&waitable, 0, &ready, 0, NULL));
  ANSWERS(E_INVALID, polyproc_wait_any(&waitable, 1, NULL, 0, NULL));
  ANSWERS(E_INVALID, polyproc_wait_any(&waitable, SIZE_MAX, &ready, 0, NULL));
  ANSWERS(E_INVALID, polyproc_wait_any(&waitable, 1, &ready, 0, (polyproc_cancel *)(void *)queue));
  waitable.kind = 99;
  ANSWERS(E_INVALID, polyproc_wait_any(&waitable, 1, &ready, 0, NULL));
  waitable = item(POLYPROC_WAIT_EVENT, queue);
  ANSWERS(E_INVALID, polyproc_wait_any(&waitable, 1, &ready, 0, NULL));
  waitable = item(POLYPROC_WAIT_EVENT, NULL);
  ANSWERS(E_INVALID, polyproc_wait_any(&waitable, 1, &ready, 0, NULL));
  ANSWERS(E_INVALID, polyproc_queue_fd(NULL, &fd));
  ANSWERS(E_INVALID, polyproc_queue_fd(queue, NULL));
  ANSWERS(E_INVALID, polyproc_event_fd(NULL, &fd));
  ANSWERS(E_INVALID, polyproc_event_fd(event, NULL));
  ANSWERS(OK, polyproc_pipe_create(0, &reader, &writer));
  ANSWERS(E_INVALID, polyproc_connection_fd(NULL, &fd));
  ANSWERS(E_INVALID, polyproc_connection_fd(reader, NULL));
  ANSWERS(E_INVALID, polyproc_connection_fd((polyproc_connection *)(void *)queue, &fd));
  ANSWERS(E_UNSUPPORTED, polyproc_connection_fd(writer, &fd));
  waitable = item(POLYPROC_WAIT_CONNECTION, writer);
  ANSWERS(E_UNSUPPORTED, polyproc_wait_any(&waitable, 1, &ready, 0, NULL));
  waitable = item(POLYPROC_WAIT_CONNECTION, queue);
  ANSWERS(E_INVALID, polyproc_wait_any(&waitable, 1, &ready, 0, NULL));
  polyproc_connection_close(reader);
  waitable = item(POLYPROC_WAIT_CONNECTION, reader);
  ANSWERS(E_CLOSED, polyproc_wait_any(&waitable, 1, &ready, 0, NULL));
  ANSWERS(E_CLOSED, polyproc_connection_fd(reader, &fd));
  polyproc_connection_close(writer);
  polyproc_event_close(event);
  waitable = item(POLYPROC_WAIT_EVENT, event);
  ANSWERS(E_CLOSED, polyproc_wait_any(&waitable, 1, &ready, 0, NULL));
  ANSWERS(E_CLOSED, polyproc_event_fd(event, &fd));
  CHECK(ready == 7 && fd == -7);
  polyproc_queue_close(queue);
}

typedef struct {
  polyproc_waitable items[2];
  size_t n;
  polyproc_cancel *cancel;
  int32_t status;
} wait_t;

static void *wait_in_thread(void *argument) {
  wait_t *wait = (wait_t *)argument;
  size_t ready;
  wait->status = polyproc_wait_any(wait->items, wait->n, &ready, PATIENCE, wait->cancel);
  return NULL;
}

/* A token, or the close of a handle, ends it: with and without a process among the things. */
static void what_ends_it_early(void) {
  int with_process, by_close;
  for (with_process = 0; with_process < 2; with_process++) {
    for (by_close = 0; by_close < 2; by_close++) {
      polyproc_queue *queue = queue_of(0);
      polyproc_process *process = sleeper();
      polyproc_cancel *cancel = NULL;
      pthread_t thread;
      wait_t wait;
      ANSWERS(OK, polyproc_cancel_create(&cancel));
      wait.items[0] = item(POLYPROC_WAIT_QUEUE_GET, queue);
      wait.items[1] = item(POLYPROC_WAIT_PROCESS, process);
      wait.n = with_process ? 2 : 1;
      wait.cancel = cancel;
      CHECK(pthread_create(&thread, NULL, wait_in_thread, &wait) == 0);
      nap(20 * MILLISECOND);
      if (by_close) {
        polyproc_queue_close(queue);
      } else {
        ANSWERS(OK, polyproc_cancel_fire(cancel));
      }
      CHECK(pthread_join(thread, NULL) == 0);
      CHECK(wait.status == (by_close ? POLYPROC_E_CLOSED : POLYPROC_E_CANCELED));
      if (!by_close) {
        polyproc_queue_close(queue);
      }
      ANSWERS(OK, polyproc_process_kill(process));
      ANSWERS(OK, polyproc_process_join(process, PATIENCE, NULL));
      polyproc_process_close(process);
      polyproc_cancel_close(cancel);
    }
  }
}

/* A change by another process shows in this process's descriptor. */
static void descriptors_follow(void) {
  polyproc_queue *queue = queue_of(0);
  polyproc_event *event = NULL;
  int queue_fd = -1, event_fd = -1, again = -1, round;
  char buffer[8];
  size_t length;

  ANSWERS(OK, polyproc_event_create(NULL, NULL, &event));
  ANSWERS(OK, polyproc_queue_fd(queue, &queue_fd));
  ANSWERS(OK, polyproc_event_fd(event, &event_fd));
  ANSWERS(OK, polyproc_queue_fd(queue, &again));
  CHECK(again == queue_fd);
  becomes(queue_fd, 0);
  becomes(event_fd, 0);
  for (round = 0; round < 5; round++) {
    pid_t child = forked();
    if (child == 0) {
      /* The child's own descriptor, not its parent's. */
      ANSWERS(OK, polyproc_queue_fd(queue, &again));
      ANSWERS(OK, polyproc_queue_put(queue, "message", 7, 0, NULL));
      ANSWERS(OK, polyproc_event_set(event));
      becomes(again, 1);
      polyproc_event_close(event);
      polyproc_queue_close(queue);
      _exit(0);
    }
    becomes(queue_fd, 1);
    becomes(event_fd, 1);
    went_well(child);
    child = forked();
    if (child == 0) {
      ANSWERS(OK, polyproc_queue_get(queue, buffer, sizeof buffer, &length, 0, NULL));
      ANSWERS(OK, polyproc_event_clear(event));
      polyproc_event_close(event);
      polyproc_queue_close(queue);
      _exit(0);
    }
    becomes(queue_fd, 0);
    becomes(event_fd, 0);
    went_well(child);
  }
  polyproc_event_close(event);
  polyproc_queue_close(queue);
}

int main(void) {
  what_is_ready();
  another_process_wakes_it();
  a_process_that_ends();
  bad_input();
  what_ends_it_early();
  descriptors_follow();
  a_connection();
  a_socket();
  a_connection_whose_other_end_is_killed();
  return 0;
}
