/* Messages that nobody reads delay no process: the producer exits and main exits, although the
 * queue is not empty. */
#include "example.h"

static polyproc_queue *queue;

static int produce(void *arg) {
  (void)arg;
  for (int i = 0; i < 10; i++) put_text(queue, "包子");
  printf("producer put 10 messages\n");
  return 0;
}

int main(int argc, char **argv) {
  uint64_t length;

  begin(argc, argv);
  CHECK(polyproc_queue_create(NULL, NULL, &queue));
  printf("producer exited with %d\n", (int)finish(start(produce, NULL)));
  CHECK(polyproc_queue_length(queue, &length));
  printf("main ends, %d messages are unread\n", (int)length);
  polyproc_queue_close(queue);
  return 0;
}
