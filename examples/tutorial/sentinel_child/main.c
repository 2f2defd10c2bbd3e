/* The producer says itself that it is finished: it puts an end mark, here the empty message, and
 * the consumer leaves when it gets that. */
#include "example.h"

static polyproc_queue *queue;

static int produce(void *arg) {
  char bun[32];

  (void)arg;
  for (int k = 0; k < 10; k++) {
    snprintf(bun, sizeof bun, "包子 %d", k);
    printf("producer puts %s\n", bun);
    put_text(queue, bun);
    nap(0.1);
  }
  printf("producer puts the end mark\n");
  put_text(queue, "");
  return 0;
}

static int consume(void *arg) {
  char bun[32];

  (void)arg;
  while (CHECK(get_text(queue, bun, sizeof bun, POLYPROC_FOREVER)), bun[0] != '\0') {
    printf("consumer gets %s\n", bun);
    nap(0.1);
  }
  printf("consumer gets the end mark\n");
  return 0;
}

int main(int argc, char **argv) {
  polyproc_process *producer, *consumer;
  int32_t producer_code, consumer_code;

  begin(argc, argv);
  CHECK(polyproc_queue_create(NULL, NULL, &queue));
  producer = start(produce, NULL);
  consumer = start(consume, NULL);
  producer_code = finish(producer);
  consumer_code = finish(consumer);
  printf("producer exited with %d\n", (int)producer_code);
  printf("consumer exited with %d\n", (int)consumer_code);
  polyproc_queue_close(queue);
  return 0;
}
