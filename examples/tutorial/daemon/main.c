/* A daemonic child ends with its parent, in whatever way that ends, and may not have children of
 * its own. */
#include "example.h"

static polyproc_event *has_spoken;

static int nothing(void *arg) {
  (void)arg;
  return 0;
}

static int daemonic(void *arg) {
  polyproc_process *child;

  (void)arg;
  if (polyproc_process_fork(NULL, nothing, NULL, &child) == POLYPROC_E_DAEMONIC)
    printf("daemon may not have children: E_DAEMONIC\n");
  printf("daemon sleeps for 3 s\n");
  CHECK(polyproc_event_set(has_spoken));
  nap(3);
  printf("daemon woke up\n");
  return 0;
}

int main(int argc, char **argv) {
  begin(argc, argv);
  CHECK(polyproc_event_create(NULL, NULL, &has_spoken));
  polyproc_process_close(start_daemon(daemonic, NULL));
  CHECK(polyproc_event_wait(has_spoken, POLYPROC_FOREVER, NULL));
  printf("main ends\n");
  return 0;
}
