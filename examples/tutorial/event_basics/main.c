/*
 * An event: clear at first; main waits until a child has set it.
 */
#include "example.h"

static polyproc_event *event;

static int set_later(void *arg) {
  (void)arg;
  nap(1);
  printf("child sets the event\n");
  CHECK(polyproc_event_set(event));
  return 0;
}

static void print_is_set(void) {
  int32_t is_set;

  CHECK(polyproc_event_is_set(event, &is_set));
  printf("is_set: %s\n", is_set ? "true" : "false");
}

int main(int argc, char **argv) {
  polyproc_process *child;

  begin(argc, argv);
  CHECK(polyproc_event_create(NULL, NULL, &event));
  print_is_set();
  printf("look here!\n");
  child = start(set_later, NULL);
  CHECK(polyproc_event_wait(event, POLYPROC_FOREVER, NULL));
  printf("give me!!\n");
  print_is_set();
  if (finish(child) != 0) return 1;
  polyproc_event_close(event);
  return 0;
}
