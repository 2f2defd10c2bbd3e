/*
 * One producer, one consumer: the queue is made before the fork, and both children have it.
 */
#include "example.h"

static polyproc_queue *queue;

static int produce(void *arg) {
  (void)arg;
  printf("producer puts 1\n");
  put_text(queue, "1");
  return 0;
}

static int consume(void *arg) {
  char text[8];

  (void)arg;
  CHECK(get_text(queue, text, sizeof text, POLYPROC_FOREVER));
  printf("consumer gets %s\n", text);
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
