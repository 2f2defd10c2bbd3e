/* Whatever a user of a shared object writes to it or cuts off, it hides no death in other objects:
 * the kernel finds a dead process's slots through private memory, and through a separate list for
 * shared files. */
#include <fcntl.h>

#include "check.h"

static name_t private_lock, private_queue, shared_lock;

/* Where the participants of a lock begin, how many there are and how long each is. */
enum { TABLE_AT = 256, SLOTS = 240, SLOT_SIZE = 64 };

static void hold_everything(int ready) {
  polyproc_options options = POLYPROC_OPTIONS_INIT;
  polyproc_lock *lock = NULL, *shared = NULL;
  polyproc_queue *queue = NULL;
  polyproc_message message;
  options.mode = 0666;
  ANSWERS(OK, polyproc_lock_create(private_lock.text, NULL, &lock));
  ANSWERS(OK, polyproc_queue_create(private_queue.text, NULL, &queue));
  ANSWERS(OK, polyproc_lock_create(shared_lock.text, &options, &shared));
  ANSWERS(OK, polyproc_queue_put(queue, "job", 3, 0, NULL));
  ANSWERS(OK, polyproc_lock_acquire(lock, 0, NULL));
  ANSWERS(OK, polyproc_queue_take(queue, &message, 0, NULL));
  /* The object that was used last is the first that the kernel looks at. */
  ANSWERS(OK, polyproc_lock_acquire(shared, 0, NULL));
  ANSWERS(OK, polyproc_lock_release(shared));
  CHECK(write(ready, "x", 1) == 1);
  pause();
  _exit(2);
}

/* All of the table but the life words. A pointer there would mislead the kernel. */
static void overwrite(int fd, uint64_t value) {
  int slot, at;
  for (slot = 0; slot < SLOTS; slot++) {
    for (at = 8; at < SLOT_SIZE; at += 8) {
      off_t place = TABLE_AT + slot * SLOT_SIZE + at;
      CHECK(pwrite(fd, &value, sizeof value, place) == (ssize_t)sizeof value);
    }
  }
}

enum { EFAULTS = 1, LOOPS, CUT };

static void a_death_beside(int hostility) {
  int ready[2], fd;
  char byte, path[128];
  pid_t victim;
  polyproc_lock *lock = NULL;
  polyproc_queue *queue = NULL;
  polyproc_message message;

  CHECK(pipe(ready) == 0);
  victim = forked();
  if (victim == 0) hold_everything(ready[1]);
  CHECK(read(ready[0], &byte, 1) == 1);
  snprintf(path, sizeof path, "/dev/shm/polyproc.%s", shared_lock.text);
  fd = open(path, O_RDWR);
  CHECK(fd >= 0);
  if (hostility == EFAULTS) overwrite(fd, 8);
  if (hostility == LOOPS) overwrite(fd, UINT64_MAX);
  if (hostility == CUT) CHECK(ftruncate(fd, 0) == 0);
  close(fd);
  kill_and_reap(victim);

  ANSWERS(OK, polyproc_lock_open(private_lock.text, &lock));
  ANSWERS(OWNER_DIED, polyproc_lock_acquire(lock, PATIENCE, NULL));
  ANSWERS(OK, polyproc_queue_open(private_queue.text, &queue));
  ANSWERS(OK, polyproc_queue_take(queue, &message, PATIENCE, NULL));
  ANSWERS(OK, polyproc_message_done(&message));
  polyproc_lock_close(lock);
  polyproc_queue_close(queue);
  ANSWERS(OK, polyproc_unlink(private_lock.text));
  ANSWERS(OK, polyproc_unlink(private_queue.text));
  ANSWERS(OK, polyproc_unlink(shared_lock.text));
  close(ready[0]);
  close(ready[1]);
}

int main(void) {
  private_lock = unique("hostile-list.lock");
  private_queue = unique("hostile-list.queue");
  shared_lock = unique("hostile-list.shared");
  a_death_beside(0);
  a_death_beside(EFAULTS);
  a_death_beside(LOOPS);
  a_death_beside(CUT);
  return 0;
}
