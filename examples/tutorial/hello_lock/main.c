/* A hundred processes share a lock and a terminal: each prints its line in pieces, and no line is
 * torn, because only the holder of the lock prints. */
#include "example.h"

enum { PROCESSES = 100 };

static polyproc_lock *lock;

static int hello(void *arg) {
  CHECK(polyproc_lock_acquire(lock, POLYPROC_FOREVER, NULL));
  printf("hello from ");
  fflush(stdout);
  printf("process %d\n", *(int *)arg);
  CHECK(polyproc_lock_release(lock));
  return 0;
}

int main(int argc, char **argv) {
  polyproc_process *children[PROCESSES];

  begin(argc, argv);
  CHECK(polyproc_lock_create(NULL, NULL, &lock));
  for (int i = 0; i < PROCESSES; i++) children[i] = start(hello, &i);
  if (finish_all(children, PROCESSES) != 0) return 1;
  polyproc_lock_close(lock);
  return 0;
}
