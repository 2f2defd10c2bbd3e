/* First in, first out, with any producers and consumers: main's message goes to f2, f's message to
 * main. */
#include "example.h"

static polyproc_queue *queue;

static void say(const char *who, const char *text) {
  printf("%s puts %s\n", who, text);
  put_text(queue, text);
}

static void hear(const char *who) {
  char text[64];

  CHECK(get_text(queue, text, sizeof text, POLYPROC_FOREVER));
  printf("%s gets %s\n", who, text);
}

static int f(void *arg) {
  (void)arg;
  say("f", "姑娘,多少钱~");
  return 0;
}

static int f2(void *arg) {
  (void)arg;
  hear("f2");
  return 0;
}

int main(int argc, char **argv) {
  begin(argc, argv);
  CHECK(polyproc_queue_create(NULL, NULL, &queue));
  say("main", "小鬼");
  if (finish(start(f, NULL)) != 0) return 1;
  if (finish(start(f2, NULL)) != 0) return 1;
  hear("main");
  polyproc_queue_close(queue);
  return 0;
}
