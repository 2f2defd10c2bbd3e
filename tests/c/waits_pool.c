/* Every waiting function of pools, workers and connect: each timeout, its token, a signal, its
 * handle closed, its worker killed. */
#include <arpa/inet.h>
#include <sys/socket.h>

#include "waits.h"

static polyproc_pool *pool;
static polyproc_task *task;
static polyproc_event *go;
static polyproc_event *begun;

/* Returns when it is let go. */
static int32_t wait_to_go(const void *data, size_t len, polyproc_reply *reply, void *user) {
  (void)data;
  (void)len;
  (void)reply;
  (void)user;
  if (polyproc_event_set(begun) != POLYPROC_OK) {
    return 1;
  }
  return polyproc_event_wait(go, PATIENCE, NULL) == POLYPROC_OK ? 0 : 1;
}

/* The previous pool is closed here: a wait for its task must not see that. */
static void make_pool(void) {
  polyproc_pool_options options = POLYPROC_POOL_OPTIONS_INIT;
  polyproc_pool_close(pool);
  pool = NULL;
  options.workers = 1;
  ANSWERS(OK, polyproc_event_clear(go));
  ANSWERS(OK, polyproc_event_clear(begun));
  ANSWERS(OK, polyproc_pool_create(&options, &pool));
}

static int32_t apply(int64_t timeout_ns, polyproc_cancel *cancel) {
  size_t len;
  return polyproc_pool_apply(pool, "wait to go", NULL, 0, NULL, 0, &len, timeout_ns, cancel);
}

static void let_go_pool(void) {
  ANSWERS(OK, polyproc_event_set(go));
}

static void close_pool(void) {
  polyproc_pool_close(pool);
}

static void make_task(void) {
  polyproc_task_options options = POLYPROC_TASK_OPTIONS_INIT;
  make_pool();
  options.flags = POLYPROC_TASK_TAGGED;
  options.tag = 7;
  ANSWERS(OK, polyproc_pool_submit_with(pool, "wait to go", NULL, 0, &options, &task));
}

static int32_t wait_for_task(int64_t timeout_ns, polyproc_cancel *cancel) {
  return polyproc_task_wait(task, timeout_ns, cancel);
}

static void let_go_task(void) {
  let_go_pool();
}

static void close_task(void) {
  polyproc_task_close(task);
}

static void make_tagged(void) {
  make_task();
}

static int32_t wait_for_tags(int64_t timeout_ns, polyproc_cancel *cancel) {
  uint64_t tag = 0;
  size_t len = 0;
  const int32_t status = polyproc_pool_finished(pool, &tag, 1, &len, timeout_ns, cancel);
  CHECK(status != POLYPROC_OK || (len == 1 && tag == 7));
  return status;
}

static void let_go_tagged(void) {
  let_go_pool();
}

static void close_tagged(void) {
  polyproc_pool_close(pool);
  polyproc_task_close(task);
}

static void make_closing(void) {
  make_task();
  ANSWERS(OK, polyproc_pool_shutdown(pool));
}

static int32_t join_pool(int64_t timeout_ns, polyproc_cancel *cancel) {
  return polyproc_pool_join(pool, timeout_ns, cancel);
}

static void let_go_closing(void) {
  let_go_pool();
}

static void close_closing(void) {
  close_tagged();
}

static int silent = -1;
static char silent_address[64];

/* A listener that does not answer clients with a key. */
static void listen_in_silence(void) {
  struct sockaddr_in place;
  socklen_t size = sizeof place;
  memset(&place, 0, sizeof place);
  place.sin_family = AF_INET;
  place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  silent = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(silent >= 0 && bind(silent, (const struct sockaddr *)&place, sizeof place) == 0);
  CHECK(listen(silent, 64) == 0 && getsockname(silent, (struct sockaddr *)&place, &size) == 0);
  snprintf(silent_address, sizeof silent_address, "tcp://127.0.0.1:%d", ntohs(place.sin_port));
}

static polyproc_listener_options keyed(void) {
  polyproc_listener_options options = POLYPROC_LISTENER_OPTIONS_INIT;
  options.authkey = "key";
  options.authkey_len = 3;
  return options;
}

static void *fires(void *argument) {
  nap(5 * MILLISECOND);
  ANSWERS(OK, polyproc_cancel_fire((polyproc_cancel *)argument));
  return NULL;
}

static volatile int is_awake;

static void *interrupts(void *argument) {
  const pthread_t waiter = *(pthread_t *)argument;
  while (!is_awake) {
    CHECK(pthread_kill(waiter, SIGUSR1) == 0);
    nap(MILLISECOND);
  }
  return NULL;
}

static void connects(void) {
  const polyproc_listener_options options = keyed();
  polyproc_connection *connection = NULL;
  polyproc_listener *listener = NULL;
  polyproc_cancel *cancel = NULL;
  struct sigaction action;
  char address[64];
  size_t len;
  pthread_t self = pthread_self();
  pthread_t thread;
  int64_t began;
  int fd;

  listen_in_silence();
  FAULT("timeout 0", E_TIMEOUT, polyproc_connect(silent_address, &options, &connection, 0, NULL));
  began = now();
  FAULT("timeout passes", E_TIMEOUT,
        polyproc_connect(silent_address, &options, &connection, 20 * MILLISECOND, NULL));
  CHECK(now() - began >= 20 * MILLISECOND && connection == NULL);

  ANSWERS(OK, polyproc_cancel_create(&cancel));
  thread = start(fires, cancel);
  FAULT("canceled", E_CANCELED,
        polyproc_connect(silent_address, &options, &connection, POLYPROC_FOREVER, cancel));
  finish(thread);
  polyproc_cancel_close(cancel);

  memset(&action, 0, sizeof action);
  action.sa_handler = nothing;
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
  ANSWERS(OK, polyproc_interruptible(1));
  is_awake = 0;
  thread = start(interrupts, &self);
  FAULT("interrupted", E_INTERRUPTED,
        polyproc_connect(silent_address, &options, &connection, POLYPROC_FOREVER, NULL));
  is_awake = 1;
  finish(thread);
  ANSWERS(OK, polyproc_interruptible(0));
  CHECK(close(silent) == 0);

  ANSWERS(OK, polyproc_listener_create("tcp://127.0.0.1:0", &options, &listener));
  ANSWERS(OK, polyproc_listener_address(listener, address, sizeof address, &len));
  /* From now on it answers clients. */
  ANSWERS(OK, polyproc_listener_fd(listener, &fd));
  FAULT("timeout negative", OK, polyproc_connect(address, &options, &connection, INT64_MIN, NULL));
  polyproc_connection_close(connection);
  FAULT("timeout huge", OK, polyproc_connect(address, &options, &connection, INT64_MAX, NULL));
  polyproc_connection_close(connection);
  polyproc_listener_close(listener);
}

static const way_t ways[] = {
    WAY(polyproc_pool_apply, E_TIMEOUT, pool, apply),
    WAY(polyproc_task_wait, E_TIMEOUT, task, wait_for_task),
    WAY(polyproc_pool_finished, E_TIMEOUT, tagged, wait_for_tags),
    WAY(polyproc_pool_join, E_TIMEOUT, closing, join_pool),
};

#define KILLED_WAY(function, answer, way) \
  { POLYPROC_##answer, way }

/* The answer of each when its only worker is killed, which costs the task its only attempt. */
static const struct {
  int32_t answer;
  size_t way;
} killed_ways[] = {
    KILLED_WAY(polyproc_pool_apply, E_WORKER_DIED, 0),
    KILLED_WAY(polyproc_task_wait, OK, 1),
    KILLED_WAY(polyproc_pool_finished, OK, 2),
    KILLED_WAY(polyproc_pool_join, OK, 3),
};

/* Kills the worker during the task. A task that the worker has taken and not begun goes to another
 * one. */
static void kill_worker(void) {
  const int64_t end = now() + PATIENCE;
  int32_t pid = 0;
  size_t count = 0;
  ANSWERS(OK, polyproc_event_wait(begun, PATIENCE, NULL));
  /* On a busy machine the worker begins before the pool has heard of it. */
  while (count == 0 && now() < end) ANSWERS(OK, polyproc_pool_worker_pids(pool, &pid, 1, &count));
  CHECK(count == 1 && kill(pid, SIGKILL) == 0);
}

static void a_worker_is_killed(void) {
  size_t i;
  for (i = 0; i < sizeof killed_ways / sizeof *killed_ways; i++) {
    const way_t *way = &ways[killed_ways[i].way];
    waiter_t waiter;
    pthread_t thread;
    way->make();
    thread = waits(&waiter, way, POLYPROC_FOREVER, NULL);
    kill_worker();
    finish(thread);
    check_way("killed", way, killed_ways[i].answer, waiter.status, __FILE__, __LINE__);
    way->close();
  }
}

/* In the worker, which is this program again: no task comes until it says so. */
static int be_worker(void) {
  polyproc_cancel *cancel = NULL;
  struct sigaction action;
  polyproc_job job;
  pthread_t self = pthread_self();
  pthread_t thread;
  int64_t began;

  ANSWERS(OK, polyproc_inherited("go", POLYPROC_KIND_EVENT, (void **)&go));
  FAULT("timeout 0", E_EMPTY, polyproc_worker_next(&job, 0, NULL));
  began = now();
  FAULT("timeout passes", E_EMPTY, polyproc_worker_next(&job, 20 * MILLISECOND, NULL));
  CHECK(now() - began >= 20 * MILLISECOND);

  ANSWERS(OK, polyproc_cancel_create(&cancel));
  thread = start(fires, cancel);
  FAULT("canceled", E_CANCELED, polyproc_worker_next(&job, POLYPROC_FOREVER, cancel));
  finish(thread);
  polyproc_cancel_close(cancel);

  memset(&action, 0, sizeof action);
  action.sa_handler = nothing;
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
  ANSWERS(OK, polyproc_interruptible(1));
  is_awake = 0;
  thread = start(interrupts, &self);
  FAULT("interrupted", E_INTERRUPTED, polyproc_worker_next(&job, POLYPROC_FOREVER, NULL));
  is_awake = 1;
  finish(thread);
  ANSWERS(OK, polyproc_interruptible(0));

  ANSWERS(OK, polyproc_event_set(go));
  FAULT("timeout negative", OK, polyproc_worker_next(&job, INT64_MIN, NULL));
  ANSWERS(OK, polyproc_job_reply(&job, POLYPROC_OK, NULL, 0));
  FAULT("timeout huge", OK, polyproc_worker_next(&job, INT64_MAX, NULL));
  ANSWERS(OK, polyproc_job_reply(&job, POLYPROC_OK, NULL, 0));
  ANSWERS(E_SHUTDOWN, polyproc_worker_next(&job, POLYPROC_FOREVER, NULL));
  polyproc_event_close(go);
  return 0;
}

static void a_worker_waits(const char *self) {
  polyproc_pool_options options = POLYPROC_POOL_OPTIONS_INIT;
  const char *argv[3];
  polyproc_handle handle;
  size_t len;
  int i;

  argv[0] = self;
  argv[1] = "worker";
  argv[2] = NULL;
  handle.name = "go";
  handle.kind = POLYPROC_KIND_EVENT;
  handle.object = go;
  options.workers = 1;
  options.argv = argv;
  options.handles = &handle;
  options.handle_count = 1;
  polyproc_pool_close(pool);
  ANSWERS(OK, polyproc_event_clear(go));
  ANSWERS(OK, polyproc_pool_create(&options, &pool));
  ANSWERS(OK, polyproc_event_wait(go, PATIENCE, NULL));
  for (i = 0; i < 2; i++) {
    ANSWERS(OK, polyproc_pool_apply(pool, "anything", NULL, 0, NULL, 0, &len, PATIENCE, NULL));
  }
  ANSWERS(OK, polyproc_pool_shutdown(pool));
  ANSWERS(OK, polyproc_pool_join(pool, PATIENCE, NULL));
  polyproc_pool_close(pool);
}

int main(int argc, char **argv) {
  size_t i;
  if (argc > 1 && strcmp(argv[1], "worker") == 0) {
    return be_worker();
  }
  ANSWERS(OK, polyproc_event_create(NULL, NULL, &go));
  ANSWERS(OK, polyproc_event_create(NULL, NULL, &begun));
  ANSWERS(OK, polyproc_worker_register("wait to go", wait_to_go, NULL));
  for (i = 0; i < sizeof ways / sizeof *ways; i++) {
    faults_of(&ways[i]);
  }
  a_worker_is_killed();
  connects();
  a_worker_waits(argv[0]);
  polyproc_event_close(begun);
  polyproc_event_close(go);
  return 0;
}
