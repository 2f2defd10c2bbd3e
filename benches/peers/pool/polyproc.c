/*
 * The pool: tasks per second, one way of handing them over in each run.
 *
 * polyproc MODE TASKS WORKERS
 *   submit    all submitted one by one, then all results read     apply    one after the other
 *   tagged    submitted one by one, results by polyproc_pool_finished as they come (imap_unordered)
 *   map       in chunks
 *
 * Each result is checked. Prints one line of JSON.
 */
#include <polyproc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHECK(condition)                                              \
  do {                                                                \
    if (!(condition)) {                                               \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                        \
    }                                                                 \
  } while (0)
#define DONE(call) CHECK((call) == POLYPROC_OK)

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int32_t add_one(const void *data, size_t len, polyproc_reply *reply, void *user) {
  int64_t number;
  (void)user;
  CHECK(len == sizeof number);
  memcpy(&number, data, sizeof number);
  number++;
  return polyproc_reply_write(reply, &number, sizeof number);
}

static void check_result(polyproc_task *task, int64_t argument) {
  polyproc_message message;
  int64_t number;
  DONE(polyproc_task_result(task, &message));
  CHECK(message.len == sizeof number);
  memcpy(&number, message.data, sizeof number);
  CHECK(number == argument + 1);
  polyproc_task_close(task);
}

static void submit(polyproc_pool *pool, int64_t count) {
  polyproc_task **tasks = malloc((size_t)count * sizeof *tasks);
  for (int64_t at = 0; at < count; at++)
    DONE(polyproc_pool_submit(pool, "add_one", &at, sizeof at, &tasks[at]));
  for (int64_t at = 0; at < count; at++) {
    DONE(polyproc_task_wait(tasks[at], POLYPROC_FOREVER, NULL));
    check_result(tasks[at], at);
  }
  free(tasks);
}

static void tagged(polyproc_pool *pool, int64_t count) {
  polyproc_task **tasks = malloc((size_t)count * sizeof *tasks);
  polyproc_task_options options = POLYPROC_TASK_OPTIONS_INIT;
  uint64_t tags[256];
  size_t len;
  options.flags = POLYPROC_TASK_TAGGED;
  for (int64_t at = 0; at < count; at++) {
    options.tag = (uint64_t)at;
    DONE(polyproc_pool_submit_with(pool, "add_one", &at, sizeof at, &options, &tasks[at]));
  }
  for (int64_t over = 0; over < count; over += (int64_t)len) {
    DONE(polyproc_pool_finished(pool, tags, 256, &len, POLYPROC_FOREVER, NULL));
    for (size_t at = 0; at < len; at++) check_result(tasks[tags[at]], (int64_t)tags[at]);
  }
  free(tasks);
}

static void apply(polyproc_pool *pool, int64_t count) {
  for (int64_t at = 0; at < count; at++) {
    int64_t number = at;
    size_t len;
    DONE(polyproc_pool_apply(pool, "add_one", &at, sizeof at, &number, sizeof number, &len, POLYPROC_FOREVER,
                             NULL));
    CHECK(len == sizeof number && number == at + 1);
  }
}

/* As many chunks as Python's map makes: four for each worker. */
static void map(polyproc_pool *pool, int64_t count, int workers) {
  int64_t *numbers = malloc((size_t)count * sizeof *numbers);
  polyproc_slice *items = malloc((size_t)count * sizeof *items);
  int64_t size = (count + 4 * workers - 1) / (4 * workers), sum = 0;
  polyproc_task *tasks[4096];
  int chunks = 0;
  for (int64_t at = 0; at < count; at++) {
    numbers[at] = at;
    items[at].data = &numbers[at];
    items[at].len = sizeof numbers[at];
  }
  for (int64_t at = 0; at < count; at += size) {
    size_t n = (size_t)(count - at < size ? count - at : size);
    DONE(polyproc_pool_submit_chunk(pool, "add_one", items + at, n, NULL, &tasks[chunks++]));
  }
  for (int at = 0, next = 0; at < chunks; at++) {
    polyproc_message message;
    const void *item;
    size_t offset = 0, len;
    DONE(polyproc_task_wait(tasks[at], POLYPROC_FOREVER, NULL));
    DONE(polyproc_task_result(tasks[at], &message));
    while (polyproc_job_chunk_next(message.data, message.len, &offset, &item, &len) == POLYPROC_OK) {
      int64_t number;
      CHECK(len == sizeof number);
      memcpy(&number, item, sizeof number);
      CHECK(number == ++next);
      sum++;
    }
    polyproc_task_close(tasks[at]);
  }
  CHECK(sum == count);
  free(numbers);
  free(items);
}

int main(int argc, char **argv) {
  polyproc_pool_options options = POLYPROC_POOL_OPTIONS_INIT;
  polyproc_pool *pool;
  CHECK(argc == 4);
  const char *mode = argv[1];
  int64_t count = atoll(argv[2]);
  options.workers = (uint32_t)atoi(argv[3]);
  DONE(polyproc_worker_register("add_one", add_one, NULL));
  DONE(polyproc_pool_create(&options, &pool));
  apply(pool, 100); /* the workers are there */
  double begin = now();
  if (strcmp(mode, "submit") == 0) {
    submit(pool, count);
  } else if (strcmp(mode, "tagged") == 0) {
    tagged(pool, count);
  } else if (strcmp(mode, "apply") == 0) {
    apply(pool, count);
  } else {
    CHECK(strcmp(mode, "map") == 0);
    map(pool, count, (int)options.workers);
  }
  double seconds = now() - begin;
  printf("{\"peer\": \"polyproc\", \"mode\": \"%s\", \"tasks\": %lld, \"rate\": %.0f}\n", mode,
         (long long)count, (double)count / seconds);
  polyproc_pool_close(pool);
  return 0;
}
