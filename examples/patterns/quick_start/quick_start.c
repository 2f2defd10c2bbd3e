/* The quick start of polyproc.h, whole. */
#include <polyproc.h>
#include <stdio.h>

static void work(const void *data, size_t len) {
  printf("%.*s\n", (int)len, (const char *)data);
}

int main(void) {
  polyproc_queue *queue = NULL;
  polyproc_message message;
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  options.flags = POLYPROC_QUEUE_JOINABLE;
  polyproc_queue_create("work", &options, &queue);
  if (queue == NULL) return 1;
  polyproc_queue_put(queue, "hello", 5, POLYPROC_FOREVER, NULL);

  polyproc_queue_take(queue, &message, POLYPROC_FOREVER, NULL);
  work(message.data, message.len);
  polyproc_message_done(&message);
  polyproc_queue_close(queue);
  return polyproc_unlink("work") < 0;
}
