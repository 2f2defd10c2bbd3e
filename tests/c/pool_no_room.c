/* A pool has no room for its reports: its tasks end all the same, each with a status that says so,
 * and the pool can be shut down, terminated and closed. */
#include <sys/resource.h>

#include "check.h"

#define LIMIT ((rlim_t)3 << 20)
#define RESULT 8000
#define TASKS 1000

static polyproc_task *tasks[TASKS];

static int32_t long_result(const void *data, size_t len, polyproc_reply *reply, void *user) {
  static const char result[RESULT] = {0};
  (void)data;
  (void)len;
  (void)user;
  return polyproc_reply_write(reply, result, sizeof result);
}

static int32_t sleeps(const void *data, size_t len, polyproc_reply *reply, void *user) {
  (void)data;
  (void)len;
  (void)reply;
  (void)user;
  nap(600 * SECOND);
  return 0;
}

/* Limits the files of this process and its workers, and so the queue of the reports. */
static void limit_files(void) {
  struct rlimit limit;
  limit.rlim_cur = limit.rlim_max = LIMIT;
  CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

static polyproc_pool *pool_of(uint32_t workers) {
  polyproc_pool_options options = POLYPROC_POOL_OPTIONS_INIT;
  polyproc_pool *pool = NULL;
  options.workers = workers;
  ANSWERS(OK, polyproc_pool_create(&options, &pool));
  return pool;
}

static uint64_t died(polyproc_pool *pool) {
  polyproc_pool_info info = POLYPROC_POOL_INFO_INIT;
  ANSWERS(OK, polyproc_pool_get_info(pool, &info));
  return info.died_workers;
}

/* Submits tasks whose results nobody reads, until no further report has room: then workers end. */
static void fill(polyproc_pool *pool) {
  int at;
  for (at = 0; at < TASKS; at++) {
    ANSWERS(OK, polyproc_pool_submit(pool, "long", "", 0, &tasks[at]));
  }
}

static int is_told(int32_t status) {
  return status == POLYPROC_OK || status == POLYPROC_E_NO_MEMORY || status == POLYPROC_E_WORKER_DIED;
}

static void each_is_over(int32_t also) {
  int at;
  for (at = 0; at < TASKS; at++) {
    polyproc_message message;
    int32_t status;
    ANSWERS(OK, polyproc_task_wait(tasks[at], PATIENCE, NULL));
    status = polyproc_task_result(tasks[at], &message);
    CHECK(is_told(status) || status == also);
    polyproc_task_close(tasks[at]);
  }
}

static void every_task_is_over(void) {
  polyproc_pool *pool = pool_of(2);
  char result[RESULT];
  size_t len = 0;
  fill(pool);
  while (died(pool) == 0) {
    nap(MILLISECOND);
  }
  each_is_over(POLYPROC_OK);
  /* There is room again. */
  ANSWERS(OK, polyproc_pool_apply(pool, "long", "", 0, result, sizeof result, &len, PATIENCE, NULL));
  ANSWERS(OK, polyproc_pool_shutdown(pool));
  ANSWERS(OK, polyproc_pool_join(pool, PATIENCE, NULL));
  polyproc_pool_close(pool);
}

static void a_pool_without_room_is_freed(int terminate) {
  polyproc_pool *pool = pool_of(2);
  fill(pool);
  while (died(pool) == 0) {
    nap(MILLISECOND);
  }
  if (terminate) {
    ANSWERS(OK, polyproc_pool_terminate(pool));
    each_is_over(POLYPROC_E_SHUTDOWN);
    ANSWERS(OK, polyproc_pool_join(pool, PATIENCE, NULL));
    polyproc_pool_close(pool);
  } else {
    polyproc_pool_close(pool);
    each_is_over(POLYPROC_E_SHUTDOWN);
  }
}

static void *waits_for_it(void *task) {
  polyproc_message message;
  ANSWERS(OK, polyproc_task_wait((polyproc_task *)task, PATIENCE, NULL));
  ANSWERS(E_SHUTDOWN, polyproc_task_result((polyproc_task *)task, &message));
  return NULL;
}

/* A thread that waits for a task reads the reports, and is woken without one. */
static void a_reader_of_reports_is_woken(void) {
  polyproc_pool *pool = pool_of(1);
  polyproc_task *task = NULL;
  pthread_t reader;
  ANSWERS(OK, polyproc_pool_submit(pool, "sleeps", "", 0, &task));
  reader = start(waits_for_it, task);
  nap(20 * MILLISECOND);
  ANSWERS(OK, polyproc_pool_terminate(pool));
  finish(reader);
  polyproc_task_close(task);
  polyproc_pool_close(pool);
}

int main(void) {
  ANSWERS(OK, polyproc_worker_register("long", long_result, NULL));
  ANSWERS(OK, polyproc_worker_register("sleeps", sleeps, NULL));
  limit_files();
  every_task_is_over();
  a_pool_without_room_is_freed(0);
  a_pool_without_room_is_freed(1);
  a_reader_of_reports_is_woken();
  return 0;
}
