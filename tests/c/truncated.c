/* Truncating an object's file: an anonymous object refuses it; a named one that was cut is refused
 * before its memory is touched. */
#include <fcntl.h>
#include <sys/stat.h>

#include "check.h"

static void is_sealed(int32_t kind, void *object) {
  struct stat before, after;
  int fd = -1;
  ANSWERS(OK, polyproc_share_fd(kind, object, &fd));
  CHECK(fstat(fd, &before) == 0);
  CHECK(ftruncate(fd, 0) == -1 && errno == EPERM);
  CHECK(ftruncate(fd, before.st_size - 1) == -1 && errno == EPERM);
  CHECK(fstat(fd, &after) == 0);
  CHECK(before.st_size == after.st_size && after.st_size > 0);
  close(fd);
}

static void anonymous_objects(void) {
  polyproc_lock *lock = NULL;
  polyproc_rlock *rlock = NULL;
  polyproc_semaphore *semaphore = NULL;
  polyproc_event *event = NULL;
  polyproc_condition *condition = NULL;
  polyproc_barrier *barrier = NULL;
  polyproc_queue *queue = NULL;
  polyproc_connection *one = NULL, *other = NULL;

  ANSWERS(OK, polyproc_lock_create(NULL, NULL, &lock));
  is_sealed(POLYPROC_KIND_LOCK, lock);
  polyproc_lock_close(lock);
  ANSWERS(OK, polyproc_rlock_create(NULL, NULL, &rlock));
  is_sealed(POLYPROC_KIND_RLOCK, rlock);
  polyproc_rlock_close(rlock);
  ANSWERS(OK, polyproc_semaphore_create(NULL, NULL, &semaphore));
  is_sealed(POLYPROC_KIND_SEMAPHORE, semaphore);
  polyproc_semaphore_close(semaphore);
  ANSWERS(OK, polyproc_event_create(NULL, NULL, &event));
  is_sealed(POLYPROC_KIND_EVENT, event);
  polyproc_event_close(event);
  ANSWERS(OK, polyproc_condition_create(NULL, NULL, &condition));
  is_sealed(POLYPROC_KIND_CONDITION, condition);
  polyproc_condition_close(condition);
  ANSWERS(OK, polyproc_barrier_create(NULL, NULL, 2, &barrier));
  is_sealed(POLYPROC_KIND_BARRIER, barrier);
  polyproc_barrier_close(barrier);
  ANSWERS(OK, polyproc_queue_create(NULL, NULL, &queue));
  is_sealed(POLYPROC_KIND_QUEUE, queue);
  polyproc_queue_close(queue);
  ANSWERS(OK, polyproc_pipe_create(1, &one, &other));
  is_sealed(POLYPROC_KIND_CONNECTION, one);
  polyproc_connection_close(one);
  polyproc_connection_close(other);
}

static int file_of(name_t name) {
  char path[128];
  int fd;
  snprintf(path, sizeof path, "/dev/shm/polyproc.%s", name.text);
  fd = open(path, O_RDWR);
  CHECK(fd >= 0);
  return fd;
}

/* Every length from 0 to one byte less than the whole, a page apart. */
static void opened_when_cut(void) {
  name_t name = unique("truncated");
  polyproc_queue *queue = NULL;
  struct stat whole;
  off_t size;
  int fd;

  ANSWERS(OK, polyproc_queue_create(name.text, NULL, &queue));
  polyproc_queue_close(queue);
  fd = file_of(name);
  CHECK(fstat(fd, &whole) == 0);
  for (size = whole.st_size - 1; size >= 256; size -= size > 4096 ? 4096 : 4000) {
    CHECK(ftruncate(fd, size) == 0);
    FAULT("a file that was cut off", E_CORRUPT, polyproc_queue_open(name.text, &queue));
  }
  CHECK(ftruncate(fd, 0) == 0);
  FAULT("an empty file", E_MISMATCH, polyproc_queue_open(name.text, &queue));
  close(fd);
  ANSWERS(OK, polyproc_unlink(name.text));
}

/* The rings of a long backlog are cut off: a process that opens the queue notices before it maps
 * them. */
static void rings_cut(void) {
  static char message[1 << 20];
  name_t name = unique("truncated.rings");
  polyproc_queue *queue = NULL;
  struct stat fresh;
  size_t len = 0;
  int fd, i;
  int32_t status = POLYPROC_OK;
  pid_t child;

  ANSWERS(OK, polyproc_queue_create(name.text, NULL, &queue));
  fd = file_of(name);
  CHECK(fstat(fd, &fresh) == 0);
  for (i = 0; i < 8; i++) ANSWERS(OK, polyproc_queue_put(queue, message, sizeof message, 0, NULL));
  polyproc_queue_close(queue);
  CHECK(ftruncate(fd, fresh.st_size) == 0);
  close(fd);
  child = forked();
  if (child == 0) {
    ANSWERS(OK, polyproc_queue_open(name.text, &queue));
    for (i = 0; i < 8 && status == POLYPROC_OK; i++) {
      status = polyproc_queue_get(queue, message, sizeof message, &len, 0, NULL);
    }
    CHECK(status == POLYPROC_E_CORRUPT);
    polyproc_queue_close(queue);
    _exit(0);
  }
  went_well(child);
  ANSWERS(OK, polyproc_unlink(name.text));
}

int main(void) {
  anonymous_objects();
  opened_when_cut();
  rings_cut();
  return 0;
}
