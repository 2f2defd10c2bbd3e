/* A pool and its workers, the same program in every language, so that each pool runs with each kind
 * of worker:
 *
 *     pool main WORKER [ARGUMENT...]   a pool of two such workers; prints "ok"
 *     pool worker
 *
 * Workers know "reverse", which returns the bytes in reverse order, and "fail", which fails with
 * the message "failed: " and its data. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "polyproc.h"

enum { TASKS = 300, LONGEST = 200000 };

static int32_t reverse(const void *data, size_t len, polyproc_reply *reply, void *user) {
  const unsigned char *from = data;
  unsigned char *to = malloc(len + 1);

  (void)user;
  if (to == NULL) return POLYPROC_E_NO_MEMORY;
  for (size_t i = 0; i < len; i++) to[len - 1 - i] = from[i];
  int32_t status = polyproc_reply_write(reply, to, len);
  free(to);
  return status;
}

static int32_t fail(const void *data, size_t len, polyproc_reply *reply, void *user) {
  (void)user;
  polyproc_reply_write(reply, "failed: ", 8);
  polyproc_reply_write(reply, data, len);
  return 1;
}

static int worker(void) {
  polyproc_worker_register("reverse", reverse, NULL);
  polyproc_worker_register("fail", fail, NULL);
  return polyproc_worker_run() == POLYPROC_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void must(int holds, const char *what, int number) {
  if (holds) return;
  fprintf(stderr, "pool: %s, %d\n", what, number);
  exit(EXIT_FAILURE);
}

/* Task n has the bytes n, n + 1, ...; its length grows from task to task, from 0 to LONGEST. */
static size_t length_of(int n) {
  return (size_t)n * n * LONGEST / (TASKS * TASKS);
}

static void check_reversed(int n, const polyproc_message *result) {
  const unsigned char *bytes = result->data;
  size_t len = length_of(n);

  must(result->len == len, "a result of another length", n);
  for (size_t i = 0; i < len; i++) {
    must(bytes[i] == (unsigned char)((size_t)n + len - 1 - i), "a result that is not reversed", n);
  }
}

static void check_failures(polyproc_pool *pool) {
  char text[64];
  size_t len;

  int32_t status =
      polyproc_pool_apply(pool, "fail", "because", 7, text, sizeof text, &len, POLYPROC_FOREVER, NULL);
  must(status == POLYPROC_E_TASK_FAILED, "a failure that was none", status);
  must(len >= 15 && memcmp(text, "failed: because", 15) == 0, "another message", (int)len);
  /* After a NUL there may be a stack. */
  must(len == 15 || text[15] == '\0', "more than the message", (int)len);
  status = polyproc_pool_apply(pool, "nothing", NULL, 0, text, sizeof text, &len, POLYPROC_FOREVER, NULL);
  must(status == POLYPROC_E_NOT_FOUND, "a function that is not there was found", status);
}

static int pool_of(char **argv) {
  static unsigned char data[LONGEST];
  static polyproc_task *tasks[TASKS];
  polyproc_pool_options options = POLYPROC_POOL_OPTIONS_INIT;
  polyproc_pool *pool;

  options.workers = 2;
  options.argv = (const char *const *)argv;
  must(polyproc_pool_create(&options, &pool) == POLYPROC_OK, "no pool", 0);
  for (int n = 0; n < TASKS; n++) {
    for (size_t i = 0; i < length_of(n); i++) data[i] = (unsigned char)((size_t)n + i);
    must(polyproc_pool_submit(pool, "reverse", data, length_of(n), &tasks[n]) == POLYPROC_OK, "not submitted",
         n);
  }
  for (int n = 0; n < TASKS; n++) {
    polyproc_message result;

    must(polyproc_task_wait(tasks[n], POLYPROC_FOREVER, NULL) == POLYPROC_OK, "not waited for", n);
    must(polyproc_task_result(tasks[n], &result) == POLYPROC_OK, "no result", n);
    check_reversed(n, &result);
    polyproc_task_close(tasks[n]);
  }
  check_failures(pool);
  must(polyproc_pool_shutdown(pool) == POLYPROC_OK, "not closed", 0);
  must(polyproc_pool_join(pool, POLYPROC_FOREVER, NULL) == POLYPROC_OK, "not joined", 0);
  polyproc_pool_close(pool);
  puts("ok");
  return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "worker") == 0) return worker();
  if (argc > 2 && strcmp(argv[1], "main") == 0) return pool_of(argv + 2);
  fprintf(stderr, "usage: pool worker | pool main WORKER [ARGUMENT...]\n");
  return 2;
}
