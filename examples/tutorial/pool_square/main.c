/*
 * A pool of four workers: two squares one after the other, then both at once.
 */
#include "example.h"

enum { WORKERS = 4 };

/* Runs in a worker. The bytes that it writes to the reply are the result. */
static int32_t square(const void *data, size_t len, polyproc_reply *reply, void *user) {
  int number;

  (void)user;
  if (len != sizeof number) return 1;
  memcpy(&number, data, sizeof number);
  printf("worker squares %d\n", number);
  nap(1);
  number *= number;
  return polyproc_reply_write(reply, &number, sizeof number);
}

static void apply(polyproc_pool *pool, int number) {
  int result;
  size_t len;

  CHECK(polyproc_pool_apply(pool, "square", &number, sizeof number, &result, sizeof result, &len,
                            POLYPROC_FOREVER, NULL));
  printf("main got %d\n", result);
}

static polyproc_task *submit(polyproc_pool *pool, int number) {
  polyproc_task *task;

  CHECK(polyproc_pool_submit(pool, "square", &number, sizeof number, &task));
  return task;
}

static void get(polyproc_task *task) {
  polyproc_message message;
  int result;

  CHECK(polyproc_task_wait(task, POLYPROC_FOREVER, NULL));
  CHECK(polyproc_task_result(task, &message));
  memcpy(&result, message.data, sizeof result);
  printf("main got %d\n", result);
  polyproc_task_close(task);
}

int main(int argc, char **argv) {
  polyproc_pool_options options = POLYPROC_POOL_OPTIONS_INIT;
  polyproc_task *two, *three;
  polyproc_pool *pool;

  begin(argc, argv);
  CHECK(polyproc_worker_register("square", square, NULL));
  options.workers = WORKERS;
  CHECK(polyproc_pool_create(&options, &pool));

  puts("one after the other");
  apply(pool, 2);
  apply(pool, 3);

  puts("both at once");
  two = submit(pool, 2);
  three = submit(pool, 3);
  get(two);
  get(three);

  CHECK(polyproc_pool_shutdown(pool));
  CHECK(polyproc_pool_join(pool, POLYPROC_FOREVER, NULL));
  polyproc_pool_close(pool);
  return 0;
}
