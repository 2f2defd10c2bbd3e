/* A joinable queue: join returns when every message was not only got but finished. The consumers
 * are daemonic: they wait for ever, and go with main. */
#include "example.h"

enum { PRODUCERS = 3, BUNS = 10, CONSUMERS = 2 };

static polyproc_queue *queue;

static int produce(void *arg) {
  int producer = *(int *)arg;
  char bun[32];

  for (int k = 0; k < BUNS; k++) {
    snprintf(bun, sizeof bun, "包子 %d.%d", producer, k);
    put_text(queue, bun);
  }
  printf("producer %d: 生产结束\n", producer);
  CHECK(polyproc_queue_join(queue, POLYPROC_FOREVER, NULL));
  printf("producer %d: 生产结束~~~~~~\n", producer);
  return 0;
}

static int consume(void *arg) {
  int consumer = *(int *)arg;
  char bun[32];

  while (CHECK(get_text(queue, bun, sizeof bun, POLYPROC_FOREVER)) >= 0) {
    nap(0.1);
    printf("consumer %d gets %s\n", consumer, bun);
    CHECK(polyproc_queue_task_done(queue));
  }
  return 0;
}

int main(int argc, char **argv) {
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_process *producers[PRODUCERS];

  begin(argc, argv);
  options.flags = POLYPROC_QUEUE_JOINABLE;
  CHECK(polyproc_queue_create(NULL, &options, &queue));
  for (int i = 0; i < PRODUCERS; i++) producers[i] = start(produce, &i);
  for (int i = 0; i < CONSUMERS; i++) polyproc_process_close(start_daemon(consume, &i));
  if (finish_all(producers, PRODUCERS) != 0) return 1;
  printf("main ends\n");
  return 0;
}
