/* Pipes between processes: inherited, forked, passed on; what their ends see when a process ends.
 */
#include "check.h"

static polyproc_connection *a;
static polyproc_connection *b;

static void pipe_of(int32_t duplex) {
  ANSWERS(OK, polyproc_pipe_create(duplex, &a, &b));
}

static void expect(polyproc_connection *end, const char *text) {
  char buf[64];
  size_t len = 0;
  ANSWERS(OK, polyproc_connection_recv(end, buf, sizeof buf, &len, PATIENCE, NULL));
  CHECK(len == strlen(text) && memcmp(buf, text, len) == 0);
}

static void expect_end(polyproc_connection *end) {
  char buf[4];
  size_t len = 0;
  int64_t began = now();
  ANSWERS(E_EOF, polyproc_connection_recv(end, buf, sizeof buf, &len, PATIENCE, NULL));
  CHECK(now() - began < 10 * SECOND);
  ANSWERS(E_BROKEN_PIPE, polyproc_connection_send(end, "x", 1, 0, NULL));
}

static void say(polyproc_connection *end, const char *text) {
  ANSWERS(OK, polyproc_connection_send(end, text, strlen(text), PATIENCE, NULL));
}

/* The child uses its end late, long after its parent has closed its own. */
static void a_copy_that_is_not_used_yet_counts(void) {
  polyproc_event *go = NULL;
  pid_t child;
  char buf[4];
  size_t len = 0;
  ANSWERS(OK, polyproc_event_create(NULL, NULL, &go));
  pipe_of(1);
  child = forked();
  if (child == 0) {
    polyproc_connection_close(a);
    ANSWERS(OK, polyproc_event_wait(go, PATIENCE, NULL));
    say(b, "late");
    _exit(0);
  }
  polyproc_connection_close(b);
  ANSWERS(E_TIMEOUT, polyproc_connection_recv(a, buf, 4, &len, 50 * MILLISECOND, NULL));
  ANSWERS(OK, polyproc_connection_send(a, "x", 1, 0, NULL));
  ANSWERS(OK, polyproc_event_set(go));
  expect(a, "late");
  expect_end(a);
  went_well(child);
  polyproc_connection_close(a);
  polyproc_event_close(go);
}

/* The child is killed before it uses its end. */
static void a_child_that_never_uses_it(void) {
  pid_t child;
  char buf[4];
  size_t len = 0;
  pipe_of(1);
  child = forked();
  if (child == 0) {
    for (;;) {
      pause();
    }
  }
  polyproc_connection_close(b);
  ANSWERS(E_TIMEOUT, polyproc_connection_recv(a, buf, 4, &len, 20 * MILLISECOND, NULL));
  kill_and_reap(child);
  expect_end(a);
  polyproc_connection_close(a);
}

static int inherits(void *argument) {
  void *conn = NULL;
  void *again = NULL;
  (void)argument;
  ANSWERS(E_MISMATCH, polyproc_inherited("conn", POLYPROC_KIND_QUEUE, &conn));
  ANSWERS(OK, polyproc_inherited("conn", POLYPROC_KIND_CONNECTION, &conn));
  ANSWERS(OK, polyproc_inherited("conn", POLYPROC_KIND_CONNECTION, &again));
  polyproc_connection_close((polyproc_connection *)again);
  expect((polyproc_connection *)conn, "question");
  say((polyproc_connection *)conn, "answer");
  polyproc_connection_close((polyproc_connection *)conn);
  /* The child lives on without the end, although it has a copy of its parent's handle. */
  while (pause() == -1) {
  }
  return 0;
}

/* pipe_hello: the child gets its end by name, the parent closes its own at once, the child closes
 * when it is done. */
static void given_to_a_forked_child(void) {
  polyproc_process_options options = POLYPROC_PROCESS_OPTIONS_INIT;
  polyproc_process *child = NULL;
  polyproc_handle handle;
  memset(&handle, 0, sizeof handle);
  pipe_of(1);
  handle.name = "conn";
  handle.kind = POLYPROC_KIND_CONNECTION;
  handle.object = b;
  options.handles = &handle;
  options.handle_count = 1;
  options.flags = POLYPROC_PROCESS_DAEMON;
  ANSWERS(OK, polyproc_process_fork(&options, inherits, NULL, &child));
  polyproc_connection_close(b);
  say(a, "question");
  expect(a, "answer");
  expect_end(a);
  ANSWERS(OK, polyproc_process_kill(child));
  ANSWERS(OK, polyproc_process_join(child, PATIENCE, NULL));
  polyproc_process_close(child);
  polyproc_connection_close(a);
}

static int uses_its_copy(void *argument) {
  (void)argument;
  polyproc_connection_close(a);
  expect(b, "question");
  say(b, "answer");
  polyproc_connection_close(b);
  return 0;
}

/* The same without a name: the child uses the handle that it has from its parent. */
static void copied_by_a_fork(void) {
  polyproc_process *child = NULL;
  int32_t code = -1;
  pipe_of(1);
  ANSWERS(OK, polyproc_process_fork(NULL, uses_its_copy, NULL, &child));
  polyproc_connection_close(b);
  say(a, "question");
  expect(a, "answer");
  expect_end(a);
  ANSWERS(OK, polyproc_process_join(child, PATIENCE, NULL));
  ANSWERS(OK, polyproc_process_exit_code(child, &code));
  CHECK(code == 0);
  polyproc_process_close(child);
  polyproc_connection_close(a);
}

static const char *program;

/* Through a program that knows nothing of the end, and whose child has it. */
static void given_to_a_program(const char *shell) {
  polyproc_process_options options = POLYPROC_PROCESS_OPTIONS_INIT;
  polyproc_process *child = NULL;
  polyproc_handle handle;
  const char *argv[] = {program, "child", NULL, NULL, NULL};
  int32_t code = -1;
  memset(&handle, 0, sizeof handle);
  if (shell != NULL) {
    argv[0] = "sh";
    argv[1] = "-c";
    argv[2] = shell;
    argv[3] = program;
  }
  pipe_of(1);
  handle.name = "conn";
  handle.kind = POLYPROC_KIND_CONNECTION;
  handle.object = b;
  options.argv = argv;
  options.handles = &handle;
  options.handle_count = 1;
  ANSWERS(OK, polyproc_process_spawn(&options, &child));
  polyproc_connection_close(b);
  say(a, "question");
  expect(a, "answer");
  expect_end(a);
  ANSWERS(OK, polyproc_process_join(child, PATIENCE, NULL));
  ANSWERS(OK, polyproc_process_exit_code(child, &code));
  CHECK(code == 0);
  polyproc_process_close(child);
  polyproc_connection_close(a);
}

static int child_program(void) {
  void *conn = NULL;
  ANSWERS(OK, polyproc_inherited("conn", POLYPROC_KIND_CONNECTION, &conn));
  expect((polyproc_connection *)conn, "question");
  say((polyproc_connection *)conn, "answer");
  polyproc_connection_close((polyproc_connection *)conn);
  /* Its parent sees the end of file before this process ends. */
  ANSWERS(E_CLOSED, polyproc_connection_send((polyproc_connection *)conn, "x", 1, 0, NULL));
  return 0;
}

/* A descriptor keeps its end open as long as it exists. */
static void as_a_descriptor(void) {
  void *opened = NULL;
  char buf[4];
  size_t len = 0;
  int fd = -1;
  pipe_of(0);
  ANSWERS(OK, polyproc_share_fd(POLYPROC_KIND_CONNECTION, b, &fd));
  polyproc_connection_close(b);
  ANSWERS(E_TIMEOUT, polyproc_connection_recv(a, buf, 4, &len, 20 * MILLISECOND, NULL));
  ANSWERS(E_MISMATCH, polyproc_open_fd(fd, POLYPROC_KIND_QUEUE, &opened));
  ANSWERS(OK, polyproc_open_fd(fd, POLYPROC_KIND_CONNECTION, &opened));
  CHECK(close(fd) == 0);
  ANSWERS(E_UNSUPPORTED, polyproc_connection_poll((polyproc_connection *)opened, 0, NULL));
  say((polyproc_connection *)opened, "here");
  polyproc_connection_close((polyproc_connection *)opened);
  expect(a, "here");
  ANSWERS(E_EOF, polyproc_connection_recv(a, buf, 4, &len, PATIENCE, NULL));
  ANSWERS(OK, polyproc_share_fd(POLYPROC_KIND_CONNECTION, a, &fd));
  ANSWERS(OK, polyproc_open_fd(fd, POLYPROC_KIND_CONNECTION, &opened));
  ANSWERS(E_EOF, polyproc_connection_recv((polyproc_connection *)opened, buf, 4, &len, PATIENCE, NULL));
  CHECK(close(fd) == 0);
  polyproc_connection_close((polyproc_connection *)opened);
  polyproc_connection_close(a);
}

/* A process is killed in each kind of wait, and while it waits for nothing. */
static void killed(int way) {
  static unsigned char large[3 << 20];
  polyproc_event *there = NULL;
  char buf[4];
  size_t len = 0;
  pid_t child;
  pipe_of(1);
  ANSWERS(OK, polyproc_event_create(NULL, NULL, &there));
  child = forked();
  if (child == 0) {
    polyproc_connection_close(a);
    while (way == 2 && polyproc_connection_send(b, large, 1000, 0, NULL) == POLYPROC_OK) {
    }
    ANSWERS(OK, polyproc_event_set(there));
    switch (way) {
      case 0:
        (void)polyproc_connection_recv(b, buf, 4, &len, POLYPROC_FOREVER, NULL);
        break;
      case 1:
        (void)polyproc_connection_poll(b, POLYPROC_FOREVER, NULL);
        break;
      case 2:
        (void)polyproc_connection_send(b, large, 1000, POLYPROC_FOREVER, NULL);
        break;
      case 3:
        (void)polyproc_connection_send(b, large, sizeof large, POLYPROC_FOREVER, NULL);
        break;
      default:
        break;
    }
    for (;;) {
      pause();
    }
  }
  polyproc_connection_close(b);
  ANSWERS(OK, polyproc_event_wait(there, PATIENCE, NULL));
  polyproc_event_close(there);
  nap(20 * MILLISECOND);
  kill_and_reap(child);
  if (way == 2) {
    /* All that it had sent arrives whole. */
    int messages = 0;
    while (polyproc_connection_recv(a, large, sizeof large, &len, PATIENCE, NULL) == POLYPROC_OK) {
      CHECK(len == 1000);
      messages++;
    }
    CHECK(messages == (1 << 20) / 1008);
  }
  expect_end(a);
  ANSWERS(E_BROKEN_PIPE, polyproc_connection_send(a, large, sizeof large, POLYPROC_FOREVER, NULL));
  polyproc_connection_close(a);
}

/* If a receiver dies during the hand-over of a message, the next receiver gets the message. */
static void a_receiver_is_stopped_and_killed(void) {
  size_t len = 64 << 20;
  size_t got = 0;
  unsigned char *data = (unsigned char *)malloc(len);
  pid_t sender;
  pid_t receiver;
  size_t i;
  CHECK(data != NULL);
  for (i = 0; i < len; i++) {
    data[i] = (unsigned char)(i * 7 + (i >> 16));
  }
  pipe_of(0);
  sender = forked();
  if (sender == 0) {
    ANSWERS(OK, polyproc_connection_send(b, data, len, PATIENCE, NULL));
    _exit(0);
  }
  receiver = forked();
  if (receiver == 0) {
    for (;;) {
      if (polyproc_connection_recv(a, data, len, &got, POLYPROC_FOREVER, NULL) == POLYPROC_OK) {
        _exit(9);
      }
    }
  }
  polyproc_connection_close(b);
  /* At some point of the hand-over: a stopped receiver does not count as dead. */
  nap(3 * MILLISECOND);
  CHECK(kill(receiver, SIGSTOP) == 0);
  memset(data, 0, len);
  kill(receiver, SIGKILL);
  {
    int status = 0;
    CHECK(waitpid(receiver, &status, 0) == receiver);
    if (WIFSIGNALED(status)) {
      ANSWERS(OK, polyproc_connection_recv(a, data, len, &got, PATIENCE, NULL));
      CHECK(got == len);
      for (i = 0; i < len; i++) {
        CHECK(data[i] == (unsigned char)(i * 7 + (i >> 16)));
      }
    }
  }
  went_well(sender);
  ANSWERS(E_EOF, polyproc_connection_recv(a, data, len, &got, PATIENCE, NULL));
  polyproc_connection_close(a);
  free(data);
}

int main(int argc, char **argv) {
  int way;
  program = argv[0];
  if (argc > 1) {
    return child_program();
  }
  a_copy_that_is_not_used_yet_counts();
  a_child_that_never_uses_it();
  given_to_a_forked_child();
  copied_by_a_fork();
  given_to_a_program(NULL);
  given_to_a_program("sleep 0.05; \"$0\" child; exit $?");
  as_a_descriptor();
  for (way = 0; way < 5; way++) {
    killed(way);
  }
  a_receiver_is_stopped_and_killed();
  return 0;
}
