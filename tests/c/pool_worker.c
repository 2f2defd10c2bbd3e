/* Workers that are a program: this one, with its way of working as the argument.
 *
 *   run     polyproc_worker_run
 *   next    polyproc_worker_next and polyproc_job_reply
 *   fd      the same, asleep in poll */
#include <poll.h>
#include <strings.h>

#include "check.h"

static int32_t upper(const void *data, size_t len, polyproc_reply *reply, void *user) {
  size_t at;
  (void)user;
  for (at = 0; at < len; at++) {
    char letter = ((const char *)data)[at];
    if (letter >= 'a' && letter <= 'z') letter = (char)(letter - 'a' + 'A');
    if (polyproc_reply_write(reply, &letter, 1) != POLYPROC_OK) return 1;
  }
  return 0;
}

static int32_t greeting(const void *data, size_t len, polyproc_reply *reply, void *user) {
  const char *text = getenv("GREETING");
  polyproc_queue *queue = NULL;
  (void)data;
  (void)len;
  (void)user;
  ANSWERS(OK, polyproc_inherited("words", POLYPROC_KIND_QUEUE, (void **)&queue));
  ANSWERS(OK, polyproc_queue_put(queue, text, strlen(text), PATIENCE, NULL));
  polyproc_queue_close(queue);
  return polyproc_reply_write(reply, text, strlen(text));
}

static int run(void) {
  int32_t is_worker = 0;
  ANSWERS(OK, polyproc_worker_is_current(&is_worker));
  CHECK(is_worker == 1);
  ANSWERS(OK, polyproc_worker_register("upper", upper, NULL));
  ANSWERS(OK, polyproc_worker_register("greeting", greeting, NULL));
  ANSWERS(OK, polyproc_worker_run());
  return 0;
}

/* Handles a chunk item by item: its length, its bytes, padded to a multiple of four. */
static void reply_to_chunk(polyproc_job *job) {
  char result[256];
  size_t offset = 0, len, used = 0;
  const void *item;
  while (polyproc_job_chunk_next(job->data, job->len, &offset, &item, &len) == POLYPROC_OK) {
    uint32_t length = (uint32_t)len + 1;
    memcpy(result + used, &length, sizeof length);
    result[used + 4] = '<';
    memcpy(result + used + 5, item, len);
    used += (4 + length + 3) / 4 * 4;
  }
  ANSWERS(OK, polyproc_job_reply(job, POLYPROC_OK, result, used));
}

static int32_t initialised;

static void reply_to(polyproc_job *job) {
  polyproc_job another;
  /* One at a time. */
  ANSWERS(E_INVALID, polyproc_worker_next(&another, 0, NULL));
  if (job->attempt == 0) {
    CHECK(strcmp(job->function, "begin") == 0 && job->len == 2 && memcmp(job->data, "ok", 2) == 0);
    initialised = 1;
    ANSWERS(OK, polyproc_job_reply(job, POLYPROC_OK, NULL, 0));
  } else if (strcmp(job->function, "fail") == 0) {
    ANSWERS(OK, polyproc_job_reply(job, -7, job->data, job->len));
  } else if (strcmp(job->function, "upper") != 0) {
    ANSWERS(OK, polyproc_job_reply(job, POLYPROC_E_NOT_FOUND, "what?", 5));
  } else if (job->count > 0) {
    reply_to_chunk(job);
  } else {
    CHECK(initialised);
    ANSWERS(OK, polyproc_job_reply(job, POLYPROC_OK, "UPPER", 5));
  }
  ANSWERS(E_INVALID, polyproc_job_reply(job, POLYPROC_OK, NULL, 0));
}

static int next(void) {
  polyproc_job job;
  int32_t status;
  while ((status = polyproc_worker_next(&job, POLYPROC_FOREVER, NULL)) == POLYPROC_OK) reply_to(&job);
  CHECK(status == POLYPROC_E_SHUTDOWN);
  ANSWERS(E_SHUTDOWN, polyproc_worker_next(&job, 0, NULL));
  return 0;
}

static int with_poll(void) {
  struct pollfd item;
  polyproc_job job;
  item.events = POLLIN;
  ANSWERS(OK, polyproc_worker_fd(&item.fd));
  for (;;) {
    int32_t status = polyproc_worker_next(&job, 0, NULL);
    if (status == POLYPROC_OK) {
      reply_to(&job);
    } else if (status == POLYPROC_E_EMPTY) {
      CHECK(poll(&item, 1, -1) == 1);
    } else {
      CHECK(status == POLYPROC_E_SHUTDOWN);
      return 0;
    }
  }
}

static polyproc_pool *pool_of(const char *self, const char *way, const char *initialiser) {
  static const char *const env[] = {"GREETING=hello", NULL};
  polyproc_pool_options options = POLYPROC_POOL_OPTIONS_INIT;
  polyproc_handle handle = {"words", POLYPROC_KIND_QUEUE, NULL};
  const char *argv[3];
  polyproc_queue *queue = NULL;
  polyproc_pool *pool = NULL;
  argv[0] = self;
  argv[1] = way;
  argv[2] = NULL;
  ANSWERS(OK, polyproc_queue_create(NULL, NULL, &queue));
  handle.object = queue;
  options.workers = 2;
  options.argv = argv;
  options.env = env;
  options.handles = &handle;
  options.handle_count = 1;
  options.initialiser = initialiser;
  options.initialiser_data = initialiser == NULL ? NULL : "ok";
  options.initialiser_len = initialiser == NULL ? 0 : 2;
  ANSWERS(OK, polyproc_pool_create(&options, &pool));
  /* The pool keeps its own handles of what the workers inherit, also for later workers. */
  polyproc_queue_close(queue);
  return pool;
}

static void answers(polyproc_pool *pool, const char *function, const char *text) {
  char buf[64];
  size_t len = 0;
  ANSWERS(OK, polyproc_pool_apply(pool, function, "upper", 5, buf, sizeof buf, &len, PATIENCE, NULL));
  CHECK(len == strlen(text) && memcmp(buf, text, len) == 0);
}

static void kill_all(polyproc_pool *pool) {
  polyproc_pool_info info = POLYPROC_POOL_INFO_INIT;
  int32_t pids[2];
  size_t len = 0, at;
  int64_t end = now() + PATIENCE;
  ANSWERS(OK, polyproc_pool_worker_pids(pool, pids, 2, &len));
  for (at = 0; at < len; at++) CHECK(kill(pids[at], SIGKILL) == 0);
  do {
    CHECK(now() < end);
    ANSWERS(OK, polyproc_pool_get_info(pool, &info));
  } while (info.started_workers < 4 || info.alive < 2);
}

static void check_run(const char *self) {
  polyproc_pool *pool = pool_of(self, "run", NULL);
  answers(pool, "upper", "UPPER");
  answers(pool, "greeting", "hello");
  kill_all(pool);
  answers(pool, "greeting", "hello");
  ANSWERS(OK, polyproc_pool_shutdown(pool));
  ANSWERS(OK, polyproc_pool_join(pool, PATIENCE, NULL));
  polyproc_pool_close(pool);
}

static void check_by_hand(const char *self, const char *way) {
  polyproc_pool *pool = pool_of(self, way, "begin");
  polyproc_slice items[2] = {{"a", 1}, {"bcde", 4}};
  polyproc_task *task = NULL;
  polyproc_message message;
  const void *item;
  char buf[64];
  size_t offset = 0, len = 0;
  int at;
  for (at = 0; at < 20; at++) answers(pool, "upper", "UPPER");
  ANSWERS(E_TASK_FAILED, polyproc_pool_apply(pool, "fail", "ow", 2, buf, sizeof buf, &len, PATIENCE, NULL));
  CHECK(len == 2 && memcmp(buf, "ow", 2) == 0);
  ANSWERS(E_NOT_FOUND, polyproc_pool_apply(pool, "other", NULL, 0, buf, sizeof buf, &len, PATIENCE, NULL));
  CHECK(len == 5 && memcmp(buf, "what?", 5) == 0);
  ANSWERS(OK, polyproc_pool_submit_chunk(pool, "upper", items, 2, NULL, &task));
  ANSWERS(OK, polyproc_task_wait(task, PATIENCE, NULL));
  ANSWERS(OK, polyproc_task_result(task, &message));
  ANSWERS(OK, polyproc_job_chunk_next(message.data, message.len, &offset, &item, &len));
  CHECK(len == 2 && memcmp(item, "<a", 2) == 0);
  ANSWERS(OK, polyproc_job_chunk_next(message.data, message.len, &offset, &item, &len));
  CHECK(len == 5 && memcmp(item, "<bcde", 5) == 0);
  ANSWERS(E_EMPTY, polyproc_job_chunk_next(message.data, message.len, &offset, &item, &len));
  polyproc_task_close(task);
  ANSWERS(OK, polyproc_pool_shutdown(pool));
  ANSWERS(OK, polyproc_pool_join(pool, PATIENCE, NULL));
  polyproc_pool_close(pool);
}

/* A worker replaces a dead one after this process has changed its directory. */
static void relative_path_after_chdir(char *self) {
  char *slash = strrchr(self, '/');
  char path[256];
  polyproc_pool *pool;
  CHECK(slash != NULL && snprintf(path, sizeof path, ".%s", slash) < (int)sizeof path);
  *slash = 0;
  CHECK(chdir(self) == 0);
  pool = pool_of(path, "run", NULL);
  answers(pool, "upper", "UPPER");
  CHECK(chdir("/") == 0);
  kill_all(pool);
  answers(pool, "greeting", "hello");
  ANSWERS(OK, polyproc_pool_shutdown(pool));
  ANSWERS(OK, polyproc_pool_join(pool, PATIENCE, NULL));
  polyproc_pool_close(pool);
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "run") == 0) return run();
  if (argc == 2 && strcmp(argv[1], "next") == 0) return next();
  if (argc == 2 && strcmp(argv[1], "fd") == 0) return with_poll();
  check_run(argv[0]);
  check_by_hand(argv[0], "next");
  check_by_hand(argv[0], "fd");
  relative_path_after_chdir(argv[0]);
  return 0;
}
