/* Main says that the producer is finished: it joins the producer and then puts the end mark, here
 * the empty message. With shutdown (many_to_many.c) no end mark is needed. */
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

  begin(argc, argv);
  CHECK(polyproc_queue_create(NULL, NULL, &queue));
  producer = start(produce, NULL);
  consumer = start(consume, NULL);
  printf("producer exited with %d\n", (int)finish(producer));
  printf("main puts the end mark\n");
  put_text(queue, "");
  printf("consumer exited with %d\n", (int)finish(consumer));
  polyproc_queue_close(queue);
  return 0;
}
