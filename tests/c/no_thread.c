/* For a while no thread can be started (RLIMIT_NPROC, pids.max of a cgroup, no memory for a stack):
 * a call that needs one returns E_LIMIT, and succeeds as soon as a thread can be started. */
#include <dlfcn.h>
#include <pthread.h>

#include "check.h"

#ifdef __cplusplus
#define LIBC_FUNCTION extern "C"
#define LIBC_THROWS noexcept
#else
#define LIBC_FUNCTION
#define LIBC_THROWS
#endif

typedef int (*create_t)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

/* How many threads may still be started; negative: any number. */
static int left = -1;
static int refusals;
/* The counted process: workers that it forks are not counted. */
static pid_t here;

LIBC_FUNCTION int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *),
                                 void *argument) LIBC_THROWS {
  create_t create;
  void *symbol;
  if (left >= 0 && getpid() == here) {
    if (left == 0) {
      refusals++;
      return EAGAIN;
    }
    left--;
  }
  symbol = dlsym(RTLD_NEXT, "pthread_create");
  memcpy(&create, &symbol, sizeof create);
  return create(thread, attributes, body, argument);
}

static polyproc_queue *queue;
static polyproc_event *event;
static polyproc_connection *one;
static polyproc_connection *other;
static polyproc_listener *listener;
static char address[200];

static int32_t put(void) {
  return polyproc_queue_put(queue, "bun", 3, 0, NULL);
}

static int32_t queue_fd(void) {
  int fd;
  return polyproc_queue_fd(queue, &fd);
}

static int32_t event_fd(void) {
  int fd;
  return polyproc_event_fd(event, &fd);
}

static int32_t connection_fd(void) {
  int fd;
  return polyproc_connection_fd(one, &fd);
}

static int32_t send_bun(void) {
  return polyproc_connection_send(one, "bun", 3, PATIENCE, NULL);
}

static int32_t daemon_spawn(void) {
  const char *argv[] = {"true", NULL};
  polyproc_process_options options = POLYPROC_PROCESS_OPTIONS_INIT;
  polyproc_process *process = NULL;
  int32_t code = -1;
  int32_t status;
  options.argv = argv;
  options.flags = POLYPROC_PROCESS_DAEMON;
  status = polyproc_process_spawn(&options, &process);
  if (status == POLYPROC_OK) {
    ANSWERS(OK, polyproc_process_join(process, PATIENCE, NULL));
    ANSWERS(OK, polyproc_process_exit_code(process, &code));
    CHECK(code == 0);
    polyproc_process_close(process);
  }
  return status;
}

static int32_t echo(const void *data, size_t len, polyproc_reply *reply, void *user) {
  (void)user;
  return polyproc_reply_write(reply, data, len);
}

static polyproc_pool *make_pool(void) {
  polyproc_pool_options options = POLYPROC_POOL_OPTIONS_INIT;
  polyproc_pool *pool = NULL;
  options.workers = 1;
  ANSWERS(OK, polyproc_pool_create(&options, &pool));
  return pool;
}

static int32_t pool(void) {
  polyproc_pool_options options = POLYPROC_POOL_OPTIONS_INIT;
  polyproc_pool *made = NULL;
  char buf[8];
  size_t len = 0;
  int32_t status;
  options.workers = 1;
  status = polyproc_pool_create(&options, &made);
  if (status == POLYPROC_OK) {
    status = polyproc_pool_apply(made, "echo", "bun", 3, buf, sizeof buf, &len, PATIENCE, NULL);
    left = -1;
    ANSWERS(OK, polyproc_pool_apply(made, "echo", "bun", 3, buf, sizeof buf, &len, PATIENCE, NULL));
    polyproc_pool_close(made);
  }
  return status;
}

/* The pool that the test has made before. */
static polyproc_pool *its_pool;

static int32_t pool_fd(void) {
  int fd;
  return polyproc_pool_fd(its_pool, &fd);
}

static int32_t timed_task(void) {
  polyproc_task_options options = POLYPROC_TASK_OPTIONS_INIT;
  polyproc_task *task = NULL;
  polyproc_message message;
  int32_t status;
  options.timeout_ns = PATIENCE;
  status = polyproc_pool_submit_with(its_pool, "echo", "bun", 3, &options, &task);
  if (status == POLYPROC_OK) {
    ANSWERS(OK, polyproc_task_wait(task, PATIENCE, NULL));
    ANSWERS(OK, polyproc_task_result(task, &message));
    polyproc_task_close(task);
  }
  return status;
}

static int32_t wait_any(void) {
  polyproc_waitable items[2];
  size_t ready = 0;
  int32_t status;
  memset(items, 0, sizeof items);
  items[0].kind = POLYPROC_WAIT_LISTENER;
  items[0].object = listener;
  items[1].kind = POLYPROC_WAIT_QUEUE_GET;
  items[1].object = queue;
  status = polyproc_wait_any(items, 2, &ready, 0, NULL);
  return status == POLYPROC_E_TIMEOUT ? POLYPROC_OK : status;
}

static void *client(void *unused) {
  polyproc_listener_options options = POLYPROC_LISTENER_OPTIONS_INIT;
  polyproc_connection *connection = NULL;
  options.authkey = "key";
  options.authkey_len = 3;
  ANSWERS(OK, polyproc_connect(address, &options, &connection, PATIENCE, NULL));
  ANSWERS(OK, polyproc_connection_send(connection, "bun", 3, PATIENCE, NULL));
  polyproc_connection_close(connection);
  return unused;
}

/* A client comes while no thread can be started for its handshake; it is accepted later. */
static int32_t accept_client(void) {
  polyproc_connection *accepted = NULL;
  pthread_t thread;
  char buf[8];
  size_t len = 0;
  int32_t status = polyproc_listener_accept(listener, &accepted, 0, NULL);
  if (status == POLYPROC_E_LIMIT) {
    return status;
  }
  left = -1;
  ANSWERS(E_TIMEOUT, status);
  thread = start(client, NULL);
  ANSWERS(OK, polyproc_listener_accept(listener, &accepted, PATIENCE, NULL));
  ANSWERS(OK, polyproc_connection_recv(accepted, buf, sizeof buf, &len, PATIENCE, NULL));
  finish(thread);
  polyproc_connection_close(accepted);
  return POLYPROC_OK;
}

/* In a forked child, which has no thread of the library yet: whether the call needed more than
 * `allowed`. */
static int is_refused(int32_t (*call)(void), int needs_pool, int allowed) {
  int status = 0;
  pid_t child = forked();
  if (child == 0) {
    its_pool = needs_pool ? make_pool() : NULL;
    here = getpid();
    left = allowed;
    if (call() == POLYPROC_OK) {
      polyproc_pool_close(its_pool);
      /* A thread of the library may do without one. */
      _exit(refusals == 0 ? 2 : 0);
    }
    left = 0;
    ANSWERS(E_LIMIT, call());
    CHECK(refusals >= 2);
    left = -1;
    ANSWERS(OK, call());
    polyproc_pool_close(its_pool);
    _exit(0);
  }
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 2));
  return WEXITSTATUS(status) == 0;
}

/* Refuses each of the threads that the call needs, one after the other. */
static void is_limited(int32_t (*call)(void), int needs_pool) {
  int allowed = 0;
  while (is_refused(call, needs_pool, allowed)) {
    allowed++;
  }
  CHECK(allowed > 0);
}

static void *sleeps(void *unused) {
  for (;;) {
    pause();
  }
  return unused;
}

/* A process of several threads registers for barriers on a thread that soon ends. That thread took the
 * room of the one that an object needs. */
static void one_thread_is_enough(void) {
  pid_t child = forked();
  if (child == 0) {
    start(sleeps, NULL);
    here = getpid();
    left = 1;
    ANSWERS(OK, put());
    CHECK(left == 0);
    _exit(0);
  }
  went_well(child);
}

int main(void) {
  polyproc_listener_options options = POLYPROC_LISTENER_OPTIONS_INIT;
  size_t len = 0;
  options.authkey = "key";
  options.authkey_len = 3;
  ANSWERS(OK, polyproc_worker_register("echo", echo, NULL));
  ANSWERS(OK, polyproc_queue_create(NULL, NULL, &queue));
  ANSWERS(OK, polyproc_event_create(NULL, NULL, &event));
  ANSWERS(OK, polyproc_pipe_create(1, &one, &other));
  ANSWERS(OK, polyproc_listener_create("tcp://127.0.0.1:0", &options, &listener));
  ANSWERS(OK, polyproc_listener_address(listener, address, sizeof address, &len));
  one_thread_is_enough();
  is_limited(put, 0);
  is_limited(queue_fd, 0);
  is_limited(event_fd, 0);
  is_limited(connection_fd, 0);
  is_limited(send_bun, 0);
  is_limited(daemon_spawn, 0);
  is_limited(wait_any, 0);
  is_limited(accept_client, 0);
  is_limited(pool, 0);
  is_limited(pool_fd, 1);
  is_limited(timed_task, 1);
  polyproc_listener_close(listener);
  polyproc_connection_close(one);
  polyproc_connection_close(other);
  polyproc_event_close(event);
  polyproc_queue_close(queue);
  return 0;
}
