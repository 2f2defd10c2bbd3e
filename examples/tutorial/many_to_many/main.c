/* Three producers, two consumers, and two ways to end: an end mark for each consumer, which main
 * has to count, and shutdown, once, for any number of consumers. */
#include "example.h"

enum { PRODUCERS = 3, BUNS = 4, CONSUMERS = 2 };

static polyproc_queue *queue;

static int produce(void *arg) {
  int producer = *(int *)arg;
  char bun[32];

  for (int k = 0; k < BUNS; k++) {
    snprintf(bun, sizeof bun, "包子 %d.%d", producer, k);
    printf("producer %d puts %s\n", producer, bun);
    put_text(queue, bun);
    nap(0.1);
  }
  return 0;
}

static int consume(void *arg) {
  int consumer = *(int *)arg;
  char bun[32];
  int32_t status;

  while ((status = get_text(queue, bun, sizeof bun, POLYPROC_FOREVER)) != POLYPROC_E_SHUTDOWN) {
    CHECK(status);
    if (bun[0] == '\0') {
      printf("consumer %d gets an end mark\n", consumer);
      return 0;
    }
    printf("consumer %d gets %s\n", consumer, bun);
    nap(0.1);
  }
  printf("consumer %d sees the shutdown\n", consumer);
  return 0;
}

static void run(int with_shutdown) {
  polyproc_process *producers[PRODUCERS], *consumers[CONSUMERS];
  int failed;

  CHECK(polyproc_queue_create(NULL, NULL, &queue));
  for (int i = 0; i < PRODUCERS; i++) producers[i] = start(produce, &i);
  for (int i = 0; i < CONSUMERS; i++) consumers[i] = start(consume, &i);
  failed = finish_all(producers, PRODUCERS);
  if (with_shutdown) {
    printf("main shuts the queue down\n");
    CHECK(polyproc_queue_shutdown(queue, 0));
  } else {
    for (int i = 0; i < CONSUMERS; i++) {
      printf("main puts an end mark\n");
      put_text(queue, "");
    }
  }
  failed += finish_all(consumers, CONSUMERS);
  polyproc_queue_close(queue);
  if (failed > 0) exit(1);
  printf("all exited with 0\n");
}

int main(int argc, char **argv) {
  begin(argc, argv);
  printf("with an end mark for each consumer\n");
  run(0);
  printf("with shutdown\n");
  run(1);
  return 0;
}
