/* Five processes print two lines each with a pause between: mixed without the lock, in pairs with
 * it. */
#include "example.h"

enum { PROCESSES = 5 };

static polyproc_lock *lock;

static void work(int number) {
  printf("process %d is running\n", number);
  nap(0.2);
  printf("process %d is done\n", number);
}

static int without_lock(void *arg) {
  work(*(int *)arg);
  return 0;
}

static int with_lock(void *arg) {
  CHECK(polyproc_lock_acquire(lock, POLYPROC_FOREVER, NULL));
  work(*(int *)arg);
  CHECK(polyproc_lock_release(lock));
  return 0;
}

static int run(int (*target)(void *)) {
  polyproc_process *children[PROCESSES];

  for (int i = 0; i < PROCESSES; i++) children[i] = start(target, &i);
  return finish_all(children, PROCESSES);
}

int main(int argc, char **argv) {
  begin(argc, argv);
  CHECK(polyproc_lock_create(NULL, NULL, &lock));
  printf("without the lock\n");
  if (run(without_lock) != 0) return 1;
  printf("with the lock\n");
  if (run(with_lock) != 0) return 1;
  polyproc_lock_close(lock);
  return 0;
}
