/* A queue with a name that main makes and the tasks of a pool open: one writes into it, the other
 * reads. In Python it takes a Manager, another process; here a name is enough. */
#include "example.h"

static polyproc_queue *open_queue(const void *name, size_t len) {
  polyproc_queue *queue;
  char text[POLYPROC_NAME_MAX + 1] = "";

  if (len < sizeof text) memcpy(text, name, len);
  CHECK(polyproc_queue_open(text, &queue));
  return queue;
}

static int32_t writer(const void *data, size_t len, polyproc_reply *reply, void *user) {
  polyproc_queue *queue = open_queue(data, len);

  (void)reply;
  (void)user;
  for (const char *letter = "dongGe"; *letter != '\0'; letter++) {
    printf("writer puts %c\n", *letter);
    CHECK(polyproc_queue_put(queue, letter, 1, POLYPROC_FOREVER, NULL));
  }
  polyproc_queue_close(queue);
  return 0;
}

static int32_t reader(const void *data, size_t len, polyproc_reply *reply, void *user) {
  polyproc_queue *queue = open_queue(data, len);
  char letter[2];

  (void)reply;
  (void)user;
  while (get_text(queue, letter, sizeof letter, 0) == POLYPROC_OK) printf("reader gets %s\n", letter);
  polyproc_queue_close(queue);
  return 0;
}

static void apply(polyproc_pool *pool, const char *function, const char *name) {
  size_t len;

  CHECK(polyproc_pool_apply(pool, function, name, strlen(name), NULL, 0, &len, POLYPROC_FOREVER, NULL));
}

int main(int argc, char **argv) {
  polyproc_process_info info = POLYPROC_PROCESS_INFO_INIT;
  polyproc_queue *queue;
  polyproc_pool *pool;
  char name[64];

  begin(argc, argv);
  CHECK(polyproc_current_process(&info));
  snprintf(name, sizeof name, "pool_queue.%d", (int)info.pid);
  CHECK(polyproc_queue_create(name, NULL, &queue));
  CHECK(polyproc_worker_register("writer", writer, NULL));
  CHECK(polyproc_worker_register("reader", reader, NULL));
  CHECK(polyproc_pool_create(NULL, &pool));

  apply(pool, "writer", name);
  apply(pool, "reader", name);

  polyproc_pool_close(pool);
  polyproc_queue_close(queue);
  CHECK(polyproc_unlink(name));
  return 0;
}
