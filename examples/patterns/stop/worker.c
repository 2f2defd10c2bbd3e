#include <polyproc.h>
#include <signal.h>
#include <stdio.h>

static polyproc_cancel *stop;
static void on_interrupt(int number) {
  (void)number;
  polyproc_cancel_fire(stop);
}

int main(void) {
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_queue *queue = NULL;
  polyproc_message message;

  options.flags = POLYPROC_OPEN_OR_CREATE | POLYPROC_QUEUE_JOINABLE;
  if (polyproc_queue_create("book.stop", &options, &queue) < 0) return 1;
  polyproc_cancel_create(&stop);
  signal(SIGINT, on_interrupt);
  signal(SIGTERM, on_interrupt);
  while (polyproc_queue_take(queue, &message, POLYPROC_FOREVER, stop) >= 0) {
    printf("works on %.*s\n", (int)message.len, (const char *)message.data);
    fflush(stdout);
    polyproc_message_done(&message);
  }
  printf("ends\n");
  polyproc_queue_close(queue);
  return 0;
}
