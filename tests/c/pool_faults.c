/* Failures of pools: arguments, workers that die or do not start, pools that end early. */
#include "check.h"

static int32_t exit_now(const void *data, size_t len, polyproc_reply *reply, void *user) {
  (void)data;
  (void)len;
  (void)reply;
  (void)user;
  exit(5);
}

static int32_t killed(const void *data, size_t len, polyproc_reply *reply, void *user) {
  (void)data;
  (void)len;
  (void)reply;
  (void)user;
  kill(getpid(), SIGKILL);
  return 0;
}

static int32_t echo(const void *data, size_t len, polyproc_reply *reply, void *user) {
  (void)user;
  return polyproc_reply_write(reply, data, len);
}

static int32_t hang(const void *data, size_t len, polyproc_reply *reply, void *user) {
  (void)data;
  (void)len;
  (void)reply;
  (void)user;
  for (;;) pause();
  return 0;
}

static int32_t refuse(const void *data, size_t len, polyproc_reply *reply, void *user) {
  (void)data;
  (void)len;
  (void)user;
  polyproc_reply_write(reply, "no oven", 7);
  return 1;
}

static polyproc_pool *pool_of(uint32_t workers) {
  polyproc_pool_options options = POLYPROC_POOL_OPTIONS_INIT;
  polyproc_pool *pool = NULL;
  options.workers = workers;
  ANSWERS(OK, polyproc_pool_create(&options, &pool));
  return pool;
}

static void arguments(void) {
  polyproc_pool_options options = POLYPROC_POOL_OPTIONS_INIT;
  polyproc_task_options task_options = POLYPROC_TASK_OPTIONS_INIT;
  polyproc_pool_info info = POLYPROC_POOL_INFO_INIT;
  const char *none[] = {NULL};
  char name[202];
  polyproc_pool *pool = NULL;
  polyproc_task *task = NULL;
  polyproc_message message;
  polyproc_job job;
  polyproc_slice item = {"x", 1};
  const void *place;
  uint64_t tag;
  int32_t number;
  size_t len, offset;
  int fd;

  FAULT(null_out, E_INVALID, polyproc_pool_create(NULL, NULL));
  options.workers = POLYPROC_POOL_WORKERS_MAX + 1;
  FAULT(too_many, E_INVALID, polyproc_pool_create(&options, &pool));
  options.workers = 1;
  options.max_attempts = 4096;
  FAULT(too_many, E_INVALID, polyproc_pool_create(&options, &pool));
  options.max_attempts = 0;
  options.argv = none;
  FAULT(no_program, E_INVALID, polyproc_pool_create(&options, &pool));
  options.argv = NULL;
  options.initialiser = "";
  FAULT(no_name, E_INVALID, polyproc_pool_create(&options, &pool));
  options.initialiser = NULL;
  options.initialiser_data = "x";
  options.initialiser_len = 1;
  FAULT(no_name, E_INVALID, polyproc_pool_create(&options, &pool));
  options.initialiser = "echo";
  options.initialiser_len = (1 << 20) + 1;
  options.initialiser_data = calloc(1, options.initialiser_len);
  FAULT(too_long, E_TOO_LARGE, polyproc_pool_create(&options, &pool));
  free((void *)options.initialiser_data);
  options.size = 1;
  FAULT(no_size, E_INVALID, polyproc_pool_create(&options, &pool));

  FAULT(null_handle, E_INVALID, polyproc_pool_submit(NULL, "echo", "x", 1, &task));
  FAULT(null_handle, E_INVALID, polyproc_pool_apply(NULL, "echo", "x", 1, NULL, 0, &len, 0, NULL));
  FAULT(null_handle, E_INVALID, polyproc_pool_finished(NULL, &tag, 1, &len, 0, NULL));
  FAULT(null_handle, E_INVALID, polyproc_pool_fd(NULL, &fd));
  FAULT(null_handle, E_INVALID, polyproc_pool_shutdown(NULL));
  FAULT(null_handle, E_INVALID, polyproc_pool_join(NULL, 0, NULL));
  FAULT(null_handle, E_INVALID, polyproc_pool_terminate(NULL));
  FAULT(null_handle, E_INVALID, polyproc_pool_get_info(NULL, &info));
  FAULT(null_handle, E_INVALID, polyproc_pool_worker_pids(NULL, &number, 1, &len));
  FAULT(null_handle, E_INVALID, polyproc_task_wait(NULL, 0, NULL));
  FAULT(null_handle, E_INVALID, polyproc_task_result(NULL, &message));
  FAULT(null_handle, E_INVALID, polyproc_task_cancel(NULL, &number));
  FAULT(null_handle, E_INVALID, polyproc_task_fd(NULL, &fd));
  polyproc_pool_close(NULL);
  polyproc_task_close(NULL);

  pool = pool_of(1);
  memset(name, 'n', 201);
  name[201] = '\0';
  FAULT(null_name, E_INVALID, polyproc_pool_submit(pool, NULL, "x", 1, &task));
  FAULT(no_name, E_INVALID, polyproc_pool_submit(pool, "", "x", 1, &task));
  FAULT(long_name, E_INVALID, polyproc_pool_submit(pool, name, "x", 1, &task));
  FAULT(no_text, E_INVALID, polyproc_pool_submit(pool, "\xff", "x", 1, &task));
  FAULT(null_data, E_INVALID, polyproc_pool_submit(pool, "echo", NULL, 1, &task));
  FAULT(null_out, E_INVALID, polyproc_pool_submit(pool, "echo", "x", 1, NULL));
  FAULT(null_out, E_INVALID, polyproc_pool_apply(pool, "echo", "x", 1, NULL, 0, NULL, 0, NULL));
  FAULT(null_buffer, E_INVALID, polyproc_pool_apply(pool, "echo", "x", 1, NULL, 1, &len, 0, NULL));
  FAULT(no_items, E_INVALID, polyproc_pool_submit_chunk(pool, "echo", &item, 0, NULL, &task));
  FAULT(null_items, E_INVALID, polyproc_pool_submit_chunk(pool, "echo", NULL, 1, NULL, &task));
  task_options.flags = 2;
  FAULT(unknown_flag, E_INVALID, polyproc_pool_submit_with(pool, "echo", "x", 1, &task_options, &task));
  FAULT(no_room, E_INVALID, polyproc_pool_finished(pool, &tag, 0, &len, 0, NULL));
  FAULT(wrong_type, E_INVALID, polyproc_task_wait((polyproc_task *)(void *)pool, 0, NULL));
  /* The worker is being started. */
  while (polyproc_pool_worker_pids(pool, NULL, 0, &len) == POLYPROC_OK) nap(MILLISECOND);
  FAULT(no_room, E_TOO_SMALL, polyproc_pool_worker_pids(pool, NULL, 0, &len));
  CHECK(len == 1);
  polyproc_pool_close(pool);
  FAULT(freed, E_CLOSED, polyproc_pool_submit(pool, "echo", "x", 1, &task));

  FAULT(null_name, E_INVALID, polyproc_worker_register(NULL, echo, NULL));
  FAULT(null_function, E_INVALID, polyproc_worker_register("echo", NULL, NULL));
  FAULT(null_reply, E_INVALID, polyproc_reply_write(NULL, "x", 1));
  FAULT(no_worker, E_NOT_FOUND, polyproc_worker_run());
  FAULT(no_worker, E_NOT_FOUND, polyproc_worker_next(&job, 0, NULL));
  FAULT(no_worker, E_NOT_FOUND, polyproc_worker_fd(&fd));
  FAULT(no_worker, E_NOT_FOUND, polyproc_job_reply(&job, 0, NULL, 0));
  FAULT(null_job, E_INVALID, polyproc_job_reply(NULL, 0, NULL, 0));
  FAULT(null_out, E_INVALID, polyproc_worker_next(NULL, 0, NULL));
  FAULT(null_out, E_INVALID, polyproc_worker_is_current(NULL));

  offset = 4;
  FAULT(past_the_end, E_INVALID, polyproc_job_chunk_next("abc", 3, &offset, &place, &len));
  offset = 0;
  FAULT(no_chunk, E_CORRUPT, polyproc_job_chunk_next("abc", 3, &offset, &place, &len));
  FAULT(null_offset, E_INVALID, polyproc_job_chunk_next("abc", 3, NULL, &place, &len));
}

/* A worker that ends itself in any way costs that task, and no other. */
static void deaths(void) {
  static const char *const ways[] = {"exit-now", "killed"};
  polyproc_pool *pool = pool_of(2);
  polyproc_pool_info info = POLYPROC_POOL_INFO_INIT;
  polyproc_task *tasks[40];
  polyproc_message message;
  int at;
  for (at = 0; at < 40; at++) {
    const char *function = at % 10 == 5 ? ways[at / 10 % 2] : "echo";
    ANSWERS(OK, polyproc_pool_submit(pool, function, "x", 1, &tasks[at]));
  }
  for (at = 0; at < 40; at++) {
    ANSWERS(OK, polyproc_task_wait(tasks[at], PATIENCE, NULL));
    if (at % 10 == 5) {
      ANSWERS(E_WORKER_DIED, polyproc_task_result(tasks[at], &message));
    } else {
      ANSWERS(OK, polyproc_task_result(tasks[at], &message));
    }
    polyproc_task_close(tasks[at]);
  }
  ANSWERS(OK, polyproc_pool_get_info(pool, &info));
  CHECK(info.died_workers == 4 && info.succeeded == 36 && info.failed == 4 && info.retried == 0);
  polyproc_pool_close(pool);
}

static void a_task_that_kills_every_worker_is_given_up(void) {
  polyproc_pool_options options = POLYPROC_POOL_OPTIONS_INIT;
  polyproc_pool_info info = POLYPROC_POOL_INFO_INIT;
  polyproc_pool *pool = NULL;
  size_t len;
  options.workers = 2;
  options.max_attempts = 3;
  ANSWERS(OK, polyproc_pool_create(&options, &pool));
  ANSWERS(E_WORKER_DIED, polyproc_pool_apply(pool, "killed", NULL, 0, NULL, 0, &len, PATIENCE, NULL));
  ANSWERS(OK, polyproc_pool_get_info(pool, &info));
  CHECK(info.retried == 2 && info.died_workers == 3);
  polyproc_pool_close(pool);
}

static void time_limit(void) {
  polyproc_pool *pool = pool_of(1);
  polyproc_task_options options = POLYPROC_TASK_OPTIONS_INIT;
  polyproc_task *slow = NULL, *next = NULL;
  polyproc_message message;
  int64_t begin = now();
  options.timeout_ns = 50 * MILLISECOND;
  ANSWERS(OK, polyproc_pool_submit_with(pool, "hang", NULL, 0, &options, &slow));
  options.timeout_ns = PATIENCE;
  ANSWERS(OK, polyproc_pool_submit_with(pool, "echo", "x", 1, &options, &next));
  ANSWERS(OK, polyproc_task_wait(slow, PATIENCE, NULL));
  CHECK(now() - begin >= 50 * MILLISECOND);
  ANSWERS(E_TIMEOUT, polyproc_task_result(slow, &message));
  ANSWERS(OK, polyproc_task_wait(next, PATIENCE, NULL));
  ANSWERS(OK, polyproc_task_result(next, &message));
  polyproc_task_close(slow);
  polyproc_task_close(next);
  polyproc_pool_close(pool);
}

/* When its pool is gone every task is over, the one in a worker and those that wait. */
static void ended_early(int by_free) {
  polyproc_pool *pool = pool_of(1);
  polyproc_task *tasks[5];
  polyproc_message message;
  int at;
  for (at = 0; at < 5; at++) ANSWERS(OK, polyproc_pool_submit(pool, "hang", NULL, 0, &tasks[at]));
  if (by_free) {
    polyproc_pool_close(pool);
  } else {
    ANSWERS(OK, polyproc_pool_terminate(pool));
  }
  for (at = 0; at < 5; at++) {
    ANSWERS(OK, polyproc_task_wait(tasks[at], 0, NULL));
    ANSWERS(E_SHUTDOWN, polyproc_task_result(tasks[at], &message));
    polyproc_task_close(tasks[at]);
  }
  if (by_free) return;
  ANSWERS(E_SHUTDOWN, polyproc_pool_submit(pool, "echo", NULL, 0, &tasks[0]));
  ANSWERS(OK, polyproc_pool_join(pool, PATIENCE, NULL));
  polyproc_pool_close(pool);
}

static void no_program(void) {
  polyproc_pool_options options = POLYPROC_POOL_OPTIONS_INIT;
  const char *missing[] = {"/nonexistent/worker", NULL};
  const char *forbidden[] = {"/dev/null", NULL};
  polyproc_pool *pool = NULL;
  options.argv = missing;
  ANSWERS(E_NOT_FOUND, polyproc_pool_create(&options, &pool));
  options.argv = forbidden;
  ANSWERS(E_PERMISSION, polyproc_pool_create(&options, &pool));
  CHECK(pool == NULL);
}

/* A pool whose workers end before they work reports that, and starts no more of them. */
static void no_start(const char *const *argv, const char *initialiser, const char *text) {
  polyproc_pool_options options = POLYPROC_POOL_OPTIONS_INIT;
  polyproc_pool_info info = POLYPROC_POOL_INFO_INIT;
  polyproc_pool *pool = NULL;
  polyproc_task *task = NULL, *late = NULL;
  polyproc_message message;
  uint64_t started;
  options.workers = 2;
  options.argv = argv;
  options.initialiser = initialiser;
  ANSWERS(OK, polyproc_pool_create(&options, &pool));
  ANSWERS(OK, polyproc_pool_submit(pool, "echo", NULL, 0, &task));
  ANSWERS(OK, polyproc_task_wait(task, PATIENCE, NULL));
  ANSWERS(E_WORKER_DIED, polyproc_task_result(task, &message));
  CHECK(message.len == strlen(text) && memcmp(message.data, text, message.len) == 0);
  ANSWERS(E_WORKER_DIED, polyproc_pool_submit(pool, "echo", NULL, 0, &late));
  ANSWERS(OK, polyproc_pool_join(pool, PATIENCE, NULL));
  ANSWERS(OK, polyproc_pool_get_info(pool, &info));
  started = info.started_workers;
  CHECK(info.alive == 0 && started < 20);
  polyproc_task_close(task);
  polyproc_pool_close(pool);
}

/* A forked child has its parent's handles, and no influence on the pool. */
static void forked_child(void) {
  polyproc_pool *pool = pool_of(1);
  polyproc_task *task = NULL;
  size_t len;
  char x;
  pid_t pid;
  ANSWERS(OK, polyproc_pool_submit(pool, "hang", NULL, 0, &task));
  pid = forked();
  if (pid == 0) {
    ANSWERS(E_NOT_OWNER, polyproc_pool_apply(pool, "echo", NULL, 0, NULL, 0, &len, 0, NULL));
    ANSWERS(E_NOT_OWNER, polyproc_task_wait(task, 0, NULL));
    ANSWERS(E_NOT_OWNER, polyproc_pool_terminate(pool));
    polyproc_task_close(task);
    polyproc_pool_close(pool);
    _exit(0);
  }
  went_well(pid);
  polyproc_task_close(task);
  polyproc_pool_close(pool);
  pool = pool_of(1);
  ANSWERS(OK, polyproc_pool_apply(pool, "echo", "x", 1, &x, 1, &len, PATIENCE, NULL));
  polyproc_pool_close(pool);
}

/* A program that ends without closing its pool ends at once, and its workers with it. */
static void left_to_the_exit(const char *const *argv) {
  polyproc_pool_options options = POLYPROC_POOL_OPTIONS_INIT;
  polyproc_pool *pool = NULL;
  polyproc_task *task = NULL;
  int64_t begin = now();
  pid_t pid = forked();
  if (pid == 0) {
    options.workers = 2;
    options.argv = argv;
    ANSWERS(OK, polyproc_pool_create(&options, &pool));
    ANSWERS(OK, polyproc_pool_submit(pool, "hang", NULL, 0, &task));
    exit(0);
  }
  went_well(pid);
  CHECK(now() - begin < PATIENCE);
}

int main(void) {
  static const char *const sleeps[] = {"/bin/sleep", "1000", NULL};
  static const char *const exits[] = {"/bin/sh", "-c", "exit 3", NULL};
  ANSWERS(OK, polyproc_worker_register("exit-now", exit_now, NULL));
  ANSWERS(OK, polyproc_worker_register("killed", killed, NULL));
  ANSWERS(OK, polyproc_worker_register("echo", echo, NULL));
  ANSWERS(OK, polyproc_worker_register("hang", hang, NULL));
  ANSWERS(OK, polyproc_worker_register("refuse", refuse, NULL));
  arguments();
  deaths();
  a_task_that_kills_every_worker_is_given_up();
  time_limit();
  ended_early(0);
  ended_early(1);
  no_program();
  no_start(exits, NULL, "");
  no_start(NULL, "refuse", "no oven");
  forked_child();
  left_to_the_exit(NULL);
  left_to_the_exit(sleeps);
  return 0;
}
