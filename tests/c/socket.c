/* Connections over sockets: waited for, passed on, inherited, forked. */
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "check.h"

static polyproc_listener *listener;
static polyproc_connection *a;
static polyproc_connection *b;

/* Two connections, each the other end of the other. */
static void meet(void) {
  char address[128];
  size_t len = 0;
  ANSWERS(OK, polyproc_listener_create("tcp://127.0.0.1:0", NULL, &listener));
  ANSWERS(OK, polyproc_listener_address(listener, address, sizeof address, &len));
  ANSWERS(OK, polyproc_connect(address, NULL, &a, PATIENCE, NULL));
  ANSWERS(OK, polyproc_listener_accept(listener, &b, PATIENCE, NULL));
  polyproc_listener_close(listener);
}

static void part(void) {
  polyproc_connection_close(a);
  polyproc_connection_close(b);
}

static void says(polyproc_connection *connection, const char *text) {
  ANSWERS(OK, polyproc_connection_send(connection, text, strlen(text), PATIENCE, NULL));
}

static void hears(polyproc_connection *connection, const char *text) {
  char buf[64];
  size_t len = 0;
  ANSWERS(OK, polyproc_connection_recv(connection, buf, sizeof buf, &len, PATIENCE, NULL));
  CHECK(len == strlen(text) && memcmp(buf, text, len) == 0);
}

static void hears_the_end(polyproc_connection *connection) {
  size_t len = 7;
  ANSWERS(E_EOF, polyproc_connection_recv(connection, NULL, 0, &len, PATIENCE, NULL));
  CHECK(len == 7);
}

static void waited_for(void) {
  polyproc_waitable items[2];
  polyproc_queue *queue;
  struct pollfd readable;
  size_t ready = 0;
  meet();
  ANSWERS(OK, polyproc_queue_create(NULL, NULL, &queue));
  memset(items, 0, sizeof items);
  items[0].kind = POLYPROC_WAIT_QUEUE_GET;
  items[0].object = queue;
  items[1].kind = POLYPROC_WAIT_CONNECTION;
  items[1].object = b;
  ANSWERS(E_TIMEOUT, polyproc_wait_any(items, 2, &ready, 0, NULL));
  ANSWERS(OK, polyproc_connection_fd(b, &readable.fd));
  readable.events = POLLIN;
  CHECK(poll(&readable, 1, 0) == 0);
  says(a, "now");
  ANSWERS(OK, polyproc_wait_any(items, 2, &ready, PATIENCE, NULL));
  CHECK(ready == 1 && items[0].ready == 0 && items[1].ready == 1);
  CHECK(poll(&readable, 1, 0) == 1);
  hears(b, "now");
  CHECK(poll(&readable, 1, 0) == 0);
  ANSWERS(E_TIMEOUT, polyproc_wait_any(items, 2, &ready, 0, NULL));
  polyproc_connection_close(a);
  ANSWERS(OK, polyproc_wait_any(items, 2, &ready, PATIENCE, NULL));
  CHECK(items[1].ready == 1);
  hears_the_end(b);
  polyproc_connection_close(b);
  polyproc_queue_close(queue);
}

static void *recv_closed(void *connection) {
  char byte;
  size_t len = 0;
  ANSWERS(E_CLOSED, polyproc_connection_recv((polyproc_connection *)connection, &byte, 1, &len,
                                             POLYPROC_FOREVER, NULL));
  return NULL;
}

static void closed_by_another_thread(void) {
  pthread_t receivers[2];
  meet();
  receivers[0] = start(recv_closed, b);
  receivers[1] = start(recv_closed, b);
  usleep(20000);
  polyproc_connection_close(b);
  finish(receivers[0]);
  finish(receivers[1]);
  hears_the_end(a);
  polyproc_connection_close(a);
}

static void handed_on_as_a_descriptor(void) {
  void *again = NULL;
  int fd = -1;
  int file;
  meet();
  ANSWERS(OK, polyproc_share_fd(POLYPROC_KIND_CONNECTION, b, &fd));
  CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  polyproc_connection_close(b);
  says(a, "to the second");
  ANSWERS(E_MISMATCH, polyproc_open_fd(fd, POLYPROC_KIND_QUEUE, &again));
  ANSWERS(OK, polyproc_open_fd(fd, POLYPROC_KIND_CONNECTION, &again));
  CHECK(close(fd) == 0);
  b = (polyproc_connection *)again;
  hears(b, "to the second");
  part();
  /* A descriptor that is no connection is refused. */
  file = socket(AF_INET, SOCK_STREAM, 0);
  ANSWERS(E_MISMATCH, polyproc_open_fd(file, POLYPROC_KIND_CONNECTION, &again));
  CHECK(close(file) == 0);
  file = socket(AF_INET, SOCK_DGRAM, 0);
  ANSWERS(E_MISMATCH, polyproc_open_fd(file, POLYPROC_KIND_CONNECTION, &again));
  CHECK(close(file) == 0);
}

/* A pair of sockets that another library has made. */
static void a_pair_of_sockets(void) {
  int fds[2];
  void *one, *other;
  CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
  ANSWERS(OK, polyproc_open_fd(fds[0], POLYPROC_KIND_CONNECTION, &one));
  ANSWERS(OK, polyproc_open_fd(fds[1], POLYPROC_KIND_CONNECTION, &other));
  CHECK(close(fds[0]) == 0 && close(fds[1]) == 0);
  a = (polyproc_connection *)one;
  b = (polyproc_connection *)other;
  says(a, "over a pair");
  hears(b, "over a pair");
  part();
}

static int inheritor(void *argument) {
  void *inherited = NULL, *again = NULL;
  (void)argument;
  ANSWERS(OK, polyproc_inherited("wire", POLYPROC_KIND_CONNECTION, &inherited));
  ANSWERS(E_NOT_FOUND, polyproc_inherited("wire", POLYPROC_KIND_CONNECTION, &again));
  /* A fork has a copy of each handle, too. */
  part();
  b = (polyproc_connection *)inherited;
  hears(b, "are you there?");
  says(b, "as always");
  polyproc_connection_close(b);
  /* This process goes on; the connection has ended. */
  usleep(100000);
  return 0;
}

static void inherited_by_a_child(void) {
  polyproc_process_options options = POLYPROC_PROCESS_OPTIONS_INIT;
  polyproc_handle handle;
  polyproc_process *child;
  int32_t code = -1;
  meet();
  handle.name = "wire";
  handle.kind = POLYPROC_KIND_CONNECTION;
  handle.object = b;
  options.handles = &handle;
  options.handle_count = 1;
  ANSWERS(OK, polyproc_process_fork(&options, inheritor, NULL, &child));
  polyproc_connection_close(b);
  says(a, "are you there?");
  hears(a, "as always");
  hears_the_end(a);
  ANSWERS(OK, polyproc_process_join(child, PATIENCE, NULL));
  ANSWERS(OK, polyproc_process_exit_code(child, &code));
  CHECK(code == 0);
  polyproc_process_close(child);
  polyproc_connection_close(a);
}

/* Parent and child accept from one listener; the close of one handle leaves the other open. */
static void a_listener_in_a_forked_child(void) {
  polyproc_listener_options options = POLYPROC_LISTENER_OPTIONS_INIT;
  polyproc_listener *own;
  char address[128], path[64];
  size_t len = 0;
  pid_t child;
  int turn;
  snprintf(path, sizeof path, "unix:/tmp/polyproc-test-c.%ld", (long)getpid());
  options.authkey = "key";
  options.authkey_len = 3;
  ANSWERS(OK, polyproc_listener_create(path, &options, &own));
  ANSWERS(OK, polyproc_listener_address(own, address, sizeof address, &len));
  /* The child's listener serves while its parent's has not begun, then while it has. */
  for (turn = 0; turn < 2; turn++) {
    child = forked();
    if (child == 0) {
      if (turn == 0) {
        ANSWERS(OK, polyproc_listener_accept(own, &b, PATIENCE, NULL));
        hears(b, "to the child");
        polyproc_connection_close(b);
      }
      polyproc_listener_close(own);
      _exit(0);
    }
    if (turn == 0) {
      ANSWERS(OK, polyproc_connect(address, &options, &a, PATIENCE, NULL));
      says(a, "to the child");
      hears_the_end(a);
      polyproc_connection_close(a);
    }
    went_well(child);
    ANSWERS(E_TIMEOUT, polyproc_listener_accept(own, &b, 0, NULL));
  }
  ANSWERS(OK, polyproc_connect(address, &options, &a, PATIENCE, NULL));
  ANSWERS(OK, polyproc_listener_accept(own, &b, PATIENCE, NULL));
  says(a, "to the parent");
  hears(b, "to the parent");
  part();
  polyproc_listener_close(own);
}

int main(void) {
  waited_for();
  closed_by_another_thread();
  handed_on_as_a_descriptor();
  a_pair_of_sockets();
  inherited_by_a_child();
  a_listener_in_a_forked_child();
  return 0;
}
