/* A process starts and is joined: start does not wait for the child, join does. The event lets the
 * child print only after the parent has, so that the lines are always in the same order. */
#include "example.h"

static polyproc_event *started;

static int child_main(void *arg) {
  polyproc_process_info info = POLYPROC_PROCESS_INFO_INIT;

  (void)arg;
  CHECK(polyproc_current_process(&info));
  CHECK(polyproc_event_wait(started, POLYPROC_FOREVER, NULL));
  printf("child %d of parent %d\n", (int)info.pid, (int)info.parent_pid);
  nap(1);
  printf("child %d ends\n", (int)info.pid);
  return 0;
}

int main(int argc, char **argv) {
  polyproc_process_info info = POLYPROC_PROCESS_INFO_INIT;
  polyproc_process *child;
  int32_t pid, code;

  begin(argc, argv);
  CHECK(polyproc_current_process(&info));
  CHECK(polyproc_event_create(NULL, NULL, &started));
  printf("parent %d\n", (int)info.pid);

  CHECK(polyproc_process_fork(NULL, child_main, NULL, &child));
  CHECK(polyproc_process_pid(child, &pid));
  printf("parent %d has started child %d\n", (int)info.pid, (int)pid);
  CHECK(polyproc_event_set(started));

  CHECK(polyproc_process_join(child, POLYPROC_FOREVER, NULL));
  CHECK(polyproc_process_exit_code(child, &code));
  printf("child %d exited with %d\n", (int)pid, (int)code);
  polyproc_process_close(child);
  polyproc_event_close(started);
  return 0;
}
