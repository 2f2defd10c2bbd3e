/* A pool of forks of this process: results, failures, tags, descriptors, chunks, its end. */
#include <poll.h>

#include "check.h"

static int32_t square(const void *data, size_t len, polyproc_reply *reply, void *user) {
  int64_t number;
  (void)user;
  if (len != sizeof number) return 1;
  memcpy(&number, data, sizeof number);
  number *= number;
  return polyproc_reply_write(reply, &number, sizeof number);
}

/* The function's own words, then the task's data, in two writes. */
static int32_t greet(const void *data, size_t len, polyproc_reply *reply, void *user) {
  polyproc_reply_write(reply, user, strlen((const char *)user));
  polyproc_reply_write(reply, data, len);
  return 0;
}

static int32_t fail(const void *data, size_t len, polyproc_reply *reply, void *user) {
  (void)user;
  polyproc_reply_write(reply, data, len);
  return 42;
}

/* Tasks that are held go on once this is set. */
static polyproc_event *let_go;

static int32_t held(const void *data, size_t len, polyproc_reply *reply, void *user) {
  (void)data;
  (void)len;
  (void)reply;
  (void)user;
  return polyproc_event_wait(let_go, PATIENCE, NULL);
}

static int32_t initialise(const void *data, size_t len, polyproc_reply *reply, void *user) {
  (void)reply;
  (void)user;
  return setenv("INITIALISED", len == 3 && memcmp(data, "yes", 3) == 0 ? "yes" : "no", 1);
}

static int32_t is_initialised(const void *data, size_t len, polyproc_reply *reply, void *user) {
  const char *text = getenv("INITIALISED");
  (void)data;
  (void)len;
  (void)user;
  return polyproc_reply_write(reply, text, text == NULL ? 0 : strlen(text));
}

static polyproc_pool *pool_of(uint32_t workers) {
  polyproc_pool_options options = POLYPROC_POOL_OPTIONS_INIT;
  polyproc_pool *pool = NULL;
  options.workers = workers;
  options.initialiser = "initialise";
  options.initialiser_data = "yes";
  options.initialiser_len = 3;
  ANSWERS(OK, polyproc_pool_create(&options, &pool));
  return pool;
}

static void check_text(const polyproc_message *message, const char *text) {
  CHECK(message->len == strlen(text) && memcmp(message->data, text, message->len) == 0);
}

static void apply(polyproc_pool *pool) {
  int64_t number = 9;
  char text[64];
  size_t len = 0;
  ANSWERS(OK, polyproc_pool_apply(pool, "square", &number, sizeof number, &number, sizeof number, &len,
                                  PATIENCE, NULL));
  CHECK(len == sizeof number && number == 81);
  ANSWERS(OK, polyproc_pool_apply(pool, "greet", "world", 5, text, sizeof text, &len, PATIENCE, NULL));
  CHECK(len == 11 && memcmp(text, "hello world", 11) == 0);
  ANSWERS(OK, polyproc_pool_apply(pool, "is-initialised", NULL, 0, text, sizeof text, &len, PATIENCE, NULL));
  CHECK(len == 3 && memcmp(text, "yes", 3) == 0);
  ANSWERS(E_TASK_FAILED, polyproc_pool_apply(pool, "fail", "no flour", 8, text, 3, &len, PATIENCE, NULL));
  CHECK(len == 8 && memcmp(text, "no ", 3) == 0);
  ANSWERS(E_NOT_FOUND, polyproc_pool_apply(pool, "knead", NULL, 0, text, sizeof text, &len, PATIENCE, NULL));
  CHECK(len > 0);
  ANSWERS(E_TOO_SMALL, polyproc_pool_apply(pool, "greet", "world", 5, text, 10, &len, PATIENCE, NULL));
  CHECK(len == 11);
  ANSWERS(OK, polyproc_event_clear(let_go));
  ANSWERS(E_TIMEOUT, polyproc_pool_apply(pool, "held", NULL, 0, NULL, 0, &len, 0, NULL));
  ANSWERS(OK, polyproc_event_set(let_go));
}

static void submit(polyproc_pool *pool) {
  polyproc_task *tasks[100];
  polyproc_message message;
  int64_t at, number;
  for (at = 0; at < 100; at++) ANSWERS(OK, polyproc_pool_submit(pool, "square", &at, sizeof at, &tasks[at]));
  for (at = 0; at < 100; at++) {
    ANSWERS(OK, polyproc_task_wait(tasks[at], PATIENCE, NULL));
    ANSWERS(OK, polyproc_task_result(tasks[at], &message));
    CHECK(message.len == sizeof number);
    memcpy(&number, message.data, sizeof number);
    CHECK(number == at * at);
    polyproc_task_close(tasks[at]);
  }
}

static void not_over(polyproc_pool *pool) {
  polyproc_task *task = NULL;
  polyproc_message message;
  ANSWERS(OK, polyproc_event_clear(let_go));
  ANSWERS(OK, polyproc_pool_submit(pool, "held", NULL, 0, &task));
  ANSWERS(E_EMPTY, polyproc_task_result(task, &message));
  ANSWERS(E_TIMEOUT, polyproc_task_wait(task, 0, NULL));
  ANSWERS(OK, polyproc_event_set(let_go));
  ANSWERS(OK, polyproc_task_wait(task, PATIENCE, NULL));
  ANSWERS(OK, polyproc_task_result(task, &message));
  CHECK(message.len == 0 && message.data != NULL);
  polyproc_task_close(task);
}

static void tags(polyproc_pool *pool) {
  polyproc_task_options options = POLYPROC_TASK_OPTIONS_INIT;
  polyproc_task *tasks[50];
  uint64_t told[50], sum = 0;
  size_t len = 0, count = 0;
  struct pollfd item;
  uint64_t at;
  options.flags = POLYPROC_TASK_TAGGED;
  ANSWERS(OK, polyproc_pool_fd(pool, &item.fd));
  item.events = POLLIN;
  for (at = 0; at < 50; at++) {
    options.tag = at;
    ANSWERS(OK, polyproc_pool_submit_with(pool, "fail", NULL, 0, &options, &tasks[at]));
  }
  while (count < 50) {
    CHECK(poll(&item, 1, 20000) == 1);
    ANSWERS(OK, polyproc_pool_finished(pool, told, 50, &len, 0, NULL));
    for (at = 0; at < len; at++) sum += told[at];
    count += len;
  }
  CHECK(count == 50 && sum == 49 * 25);
  CHECK(poll(&item, 1, 0) == 0);
  ANSWERS(E_TIMEOUT, polyproc_pool_finished(pool, told, 50, &len, 0, NULL));
  for (at = 0; at < 50; at++) polyproc_task_close(tasks[at]);
}

static void several(polyproc_pool *pool) {
  polyproc_waitable items[2];
  polyproc_task *task = NULL;
  polyproc_event *event = NULL;
  size_t ready = 0;
  int fd = -1;
  ANSWERS(OK, polyproc_event_create(NULL, NULL, &event));
  ANSWERS(OK, polyproc_event_clear(let_go));
  ANSWERS(OK, polyproc_pool_submit(pool, "held", NULL, 0, &task));
  items[0].kind = POLYPROC_WAIT_EVENT;
  items[0].object = event;
  items[1].kind = POLYPROC_WAIT_TASK;
  items[1].object = task;
  ANSWERS(E_TIMEOUT, polyproc_wait_any(items, 2, &ready, 0, NULL));
  ANSWERS(OK, polyproc_event_set(let_go));
  ANSWERS(OK, polyproc_wait_any(items, 2, &ready, PATIENCE, NULL));
  CHECK(ready == 1 && !items[0].ready && items[1].ready);
  ANSWERS(OK, polyproc_task_fd(task, &fd));
  polyproc_task_close(task);
  polyproc_event_close(event);
}

static void chunks(polyproc_pool *pool) {
  polyproc_slice items[3];
  polyproc_task *task = NULL;
  polyproc_message message;
  const char *texts[3] = {"a", "", "longer"};
  const void *item;
  size_t offset = 0, len = 0;
  int at;
  for (at = 0; at < 3; at++) {
    items[at].data = texts[at];
    items[at].len = strlen(texts[at]);
  }
  ANSWERS(OK, polyproc_pool_submit_chunk(pool, "greet", items, 3, NULL, &task));
  ANSWERS(OK, polyproc_task_wait(task, PATIENCE, NULL));
  ANSWERS(OK, polyproc_task_result(task, &message));
  for (at = 0; at < 3; at++) {
    ANSWERS(OK, polyproc_job_chunk_next(message.data, message.len, &offset, &item, &len));
    CHECK(len == 6 + strlen(texts[at]) && memcmp((const char *)item + 6, texts[at], len - 6) == 0);
  }
  ANSWERS(E_EMPTY, polyproc_job_chunk_next(message.data, message.len, &offset, &item, &len));
  polyproc_task_close(task);
  ANSWERS(OK, polyproc_pool_submit_chunk(pool, "fail", items, 3, NULL, &task));
  ANSWERS(OK, polyproc_task_wait(task, PATIENCE, NULL));
  ANSWERS(E_TASK_FAILED, polyproc_task_result(task, &message));
  check_text(&message, "a");
  polyproc_task_close(task);
}

/* The only worker is busy, so the tasks behind it can be cancelled. */
static void cancel(void) {
  polyproc_pool *pool = pool_of(1);
  polyproc_task *busy = NULL, *waiting = NULL;
  polyproc_message message;
  int32_t canceled = -1;
  ANSWERS(OK, polyproc_event_clear(let_go));
  ANSWERS(OK, polyproc_pool_submit(pool, "held", NULL, 0, &busy));
  ANSWERS(OK, polyproc_pool_submit(pool, "held", NULL, 0, &waiting));
  ANSWERS(OK, polyproc_task_cancel(waiting, &canceled));
  CHECK(canceled == 1);
  ANSWERS(OK, polyproc_task_wait(waiting, 0, NULL));
  ANSWERS(E_CANCELED, polyproc_task_result(waiting, &message));
  ANSWERS(OK, polyproc_event_set(let_go));
  ANSWERS(OK, polyproc_task_wait(busy, PATIENCE, NULL));
  ANSWERS(OK, polyproc_task_cancel(busy, &canceled));
  CHECK(canceled == 0);
  polyproc_task_close(busy);
  polyproc_task_close(waiting);
  polyproc_pool_close(pool);
}

/* On a busy machine a worker may still be on its way when the pool is made. */
static void pids_of_both(polyproc_pool *pool, int32_t pids[2]) {
  const int64_t end = now() + PATIENCE;
  size_t len = 0;
  for (;;) {
    ANSWERS(OK, polyproc_pool_worker_pids(pool, pids, 2, &len));
    if (len == 2) return;
    CHECK(now() < end);
    nap(MILLISECOND);
  }
}

static void close_and_join(void) {
  polyproc_pool *pool = pool_of(2);
  polyproc_pool_info info = POLYPROC_POOL_INFO_INIT;
  polyproc_task *tasks[20];
  polyproc_message message;
  int32_t pids[2];
  int at;
  ANSWERS(E_INVALID, polyproc_pool_join(pool, 0, NULL));
  pids_of_both(pool, pids);
  CHECK(kill(pids[0], 0) == 0 && kill(pids[1], 0) == 0);
  for (at = 0; at < 20; at++) ANSWERS(OK, polyproc_pool_submit(pool, "greet", NULL, 0, &tasks[at]));
  ANSWERS(OK, polyproc_pool_shutdown(pool));
  ANSWERS(OK, polyproc_pool_shutdown(pool));
  ANSWERS(E_SHUTDOWN, polyproc_pool_submit(pool, "greet", NULL, 0, &tasks[0]));
  ANSWERS(OK, polyproc_pool_join(pool, PATIENCE, NULL));
  CHECK(kill(pids[0], 0) == -1 && kill(pids[1], 0) == -1);
  for (at = 0; at < 20; at++) {
    ANSWERS(OK, polyproc_task_result(tasks[at], &message));
    check_text(&message, "hello ");
    polyproc_task_close(tasks[at]);
  }
  ANSWERS(OK, polyproc_pool_get_info(pool, &info));
  CHECK(info.workers == 2 && info.alive == 0 && info.outstanding == 0 && info.queued == 0);
  CHECK(info.submitted == 20 && info.succeeded == 20 && info.failed == 0);
  CHECK(info.started_workers == 2 && info.died_workers == 0);
  polyproc_pool_close(pool);
}

int main(void) {
  static char hello[] = "hello ";
  polyproc_pool *pool;
  int32_t is_worker = -1;
  ANSWERS(OK, polyproc_worker_register("square", square, NULL));
  ANSWERS(OK, polyproc_worker_register("greet", greet, hello));
  ANSWERS(OK, polyproc_worker_register("fail", fail, NULL));
  ANSWERS(OK, polyproc_worker_register("held", held, NULL));
  ANSWERS(OK, polyproc_event_create(NULL, NULL, &let_go));
  ANSWERS(OK, polyproc_worker_register("initialise", initialise, NULL));
  ANSWERS(OK, polyproc_worker_register("is-initialised", is_initialised, NULL));
  ANSWERS(OK, polyproc_worker_is_current(&is_worker));
  CHECK(is_worker == 0);
  pool = pool_of(2);
  apply(pool);
  submit(pool);
  not_over(pool);
  chunks(pool);
  several(pool);
  tags(pool);
  polyproc_pool_close(pool);
  cancel();
  close_and_join();
  polyproc_event_close(let_go);
  return 0;
}
