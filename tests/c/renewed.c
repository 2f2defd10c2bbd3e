/* POLYPROC_OPEN_OR_CREATE makes a queue anew that is shut down and that no process uses: a crash
 * between shutdown and unlink leaves no name that is unusable for ever. */
#include <fcntl.h>
#include <sys/stat.h>

#include "check.h"

static name_t name;

/* A process that makes the queue anew, and that a busy machine leaves without a processor meanwhile,
 * counts as stopped: the others get E_TIMEOUT, and call again. */
static polyproc_queue *open_or_create(void) {
  const int64_t end = now() + PATIENCE;
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_queue *queue = NULL;
  int32_t status;
  options.flags = POLYPROC_OPEN_OR_CREATE;
  do {
    status = polyproc_queue_create(name.text, &options, &queue);
  } while (status == POLYPROC_E_TIMEOUT && now() < end);
  ANSWERS(OK, status);
  return queue;
}

static void put(polyproc_queue *queue, const char *text) {
  ANSWERS(OK, polyproc_queue_put(queue, text, strlen(text), 0, NULL));
}

static void get(polyproc_queue *queue, const char *text) {
  char buf[16];
  size_t len = 0;
  ANSWERS(OK, polyproc_queue_get(queue, buf, sizeof buf, &len, 0, NULL));
  CHECK(len == strlen(text) && memcmp(buf, text, len) == 0);
}

static void is_empty(polyproc_queue *queue) {
  char buf[16];
  size_t len = 0;
  ANSWERS(E_EMPTY, polyproc_queue_get(queue, buf, sizeof buf, &len, 0, NULL));
}

/* The last run was killed after its shutdown; a message is left. */
static void after_a_crash(void) {
  int run;
  for (run = 0; run < 3; run++) {
    pid_t child = forked();
    if (child == 0) {
      polyproc_queue *queue = open_or_create();
      is_empty(queue);
      put(queue, "job");
      ANSWERS(OK, polyproc_queue_shutdown(queue, 0));
      ANSWERS(E_SHUTDOWN, polyproc_queue_put(queue, "x", 1, 0, NULL));
      raise(SIGKILL);
    }
    CHECK(waitpid(child, NULL, 0) == child);
  }
  /* open returns the queue that is shut down, with the message that is left. */
  {
    polyproc_queue *queue = NULL;
    char buf[16];
    size_t len = 0;
    ANSWERS(OK, polyproc_queue_open(name.text, &queue));
    get(queue, "job");
    ANSWERS(E_SHUTDOWN, polyproc_queue_get(queue, buf, sizeof buf, &len, 0, NULL));
    polyproc_queue_close(queue);
  }
  ANSWERS(OK, polyproc_unlink(name.text));
}

/* A process that has the queue open counts, also before it uses it, or as a child that has only
 * inherited it. */
static void in_use(void) {
  polyproc_queue *queue = open_or_create(), *same = NULL, *other = NULL;
  int gate[2];
  char byte;
  pid_t child;

  put(queue, "job");
  ANSWERS(OK, polyproc_queue_shutdown(queue, 0));
  other = open_or_create();
  ANSWERS(E_SHUTDOWN, polyproc_queue_put(other, "x", 1, 0, NULL));
  polyproc_queue_close(other);
  CHECK(pipe(gate) == 0);
  child = forked();
  if (child == 0) {
    close(gate[1]);
    _exit(read(gate[0], &byte, 1) == 0 ? 0 : 1);
  }
  polyproc_queue_close(queue);
  /* The child has it. */
  other = open_or_create();
  ANSWERS(E_SHUTDOWN, polyproc_queue_put(other, "x", 1, 0, NULL));
  close(gate[0]);
  close(gate[1]);
  went_well(child);
  polyproc_queue_close(other);
  /* Opened, and not used. */
  ANSWERS(OK, polyproc_queue_open(name.text, &same));
  other = open_or_create();
  ANSWERS(E_SHUTDOWN, polyproc_queue_put(other, "x", 1, 0, NULL));
  polyproc_queue_close(other);
  get(same, "job");
  polyproc_queue_close(same);
  /* No process has it open any more. */
  other = open_or_create();
  put(other, "new");
  get(other, "new");
  polyproc_queue_close(other);
  ANSWERS(OK, polyproc_unlink(name.text));
}

/* Options and mode are those of the new queue, and the long backlog is gone. */
static void another_shape(void) {
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_queue *queue = open_or_create();
  static char long_message[1 << 20];
  char path[128];
  struct stat stat_of;
  int i;

  for (i = 0; i < 8; i++) {
    ANSWERS(OK, polyproc_queue_put(queue, long_message, sizeof long_message, 0, NULL));
  }
  ANSWERS(OK, polyproc_queue_shutdown(queue, 0));
  polyproc_queue_close(queue);
  options.flags = POLYPROC_OPEN_OR_CREATE | POLYPROC_QUEUE_JOINABLE;
  options.max_items = 2;
  options.mode = 0660;
  ANSWERS(OK, polyproc_queue_create(name.text, &options, &queue));
  put(queue, "1");
  put(queue, "2");
  ANSWERS(E_FULL, polyproc_queue_put(queue, "3", 1, 0, NULL));
  snprintf(path, sizeof path, "/dev/shm/polyproc.%s", name.text);
  CHECK(stat(path, &stat_of) == 0);
  CHECK((stat_of.st_mode & 0777) == 0660);
  CHECK(stat_of.st_size < 1 << 20);
  polyproc_queue_close(queue);
  ANSWERS(OK, polyproc_unlink(name.text));
}

enum { PROCESSES = 6, ROUNDS = 40 };

/* Many processes at once: one makes the queue anew, and all get the same. */
static void at_once(void) {
  int round;
  for (round = 0; round < ROUNDS; round++) {
    int start_at[2], done[2], hold[2], i;
    char byte;
    pid_t children[PROCESSES];
    polyproc_queue *queue = open_or_create();
    put(queue, "old");
    ANSWERS(OK, polyproc_queue_shutdown(queue, 0));
    polyproc_queue_close(queue);
    CHECK(pipe(start_at) == 0 && pipe(done) == 0 && pipe(hold) == 0);
    for (i = 0; i < PROCESSES; i++) {
      children[i] = forked();
      if (children[i] == 0) {
        close(start_at[1]);
        close(hold[1]);
        CHECK(read(start_at[0], &byte, 1) == 0);
        queue = open_or_create();
        put(queue, "new");
        CHECK(write(done[1], "x", 1) == 1);
        /* Wait until all have it, or one process's queue could be shut down for the next. */
        CHECK(read(hold[0], &byte, 1) == 0);
        _exit(0);
      }
    }
    close(start_at[0]);
    close(start_at[1]);
    for (i = 0; i < PROCESSES; i++) CHECK(read(done[0], &byte, 1) == 1);
    ANSWERS(OK, polyproc_queue_open(name.text, &queue));
    for (i = 0; i < PROCESSES; i++) get(queue, "new");
    is_empty(queue);
    polyproc_queue_close(queue);
    close(hold[0]);
    close(hold[1]);
    for (i = 0; i < PROCESSES; i++) went_well(children[i]);
    close(done[0]);
    close(done[1]);
    ANSWERS(OK, polyproc_unlink(name.text));
  }
}

/* The file as it is when the process that makes the queue anew is killed halfway. */
static void half_made(void) {
  polyproc_queue *queue = open_or_create();
  char path[128];
  int fd;

  put(queue, "old");
  ANSWERS(OK, polyproc_queue_shutdown(queue, 0));
  polyproc_queue_close(queue);
  snprintf(path, sizeof path, "/dev/shm/polyproc.%s", name.text);
  fd = open(path, O_RDWR);
  CHECK(fd >= 0);
  CHECK(pwrite(fd, "polyrenw", 8, 0) == 8);
  close(fd);
  FAULT("half made anew", E_CORRUPT, polyproc_queue_open(name.text, &queue));
  queue = open_or_create();
  is_empty(queue);
  put(queue, "new");
  get(queue, "new");
  polyproc_queue_close(queue);
  ANSWERS(OK, polyproc_unlink(name.text));
}

/* The process that makes it anew is stopped: other calls time out, and succeed when it goes on. */
static void stopped_half_way(void) {
  polyproc_queue *queue = open_or_create();
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  struct flock alone;
  char path[128];
  int64_t began;
  int fd;

  ANSWERS(OK, polyproc_queue_shutdown(queue, 0));
  polyproc_queue_close(queue);
  snprintf(path, sizeof path, "/dev/shm/polyproc.%s", name.text);
  fd = open(path, O_RDWR | O_CLOEXEC);
  CHECK(fd >= 0);
  memset(&alone, 0, sizeof alone);
  alone.l_type = F_WRLCK;
  alone.l_whence = SEEK_SET;
  alone.l_start = (off_t)1 << 40;
  alone.l_len = 1;
  CHECK(fcntl(fd, F_OFD_SETLK, &alone) == 0);
  began = now();
  options.flags = POLYPROC_OPEN_OR_CREATE;
  ANSWERS(E_TIMEOUT, polyproc_queue_create(name.text, &options, &queue));
  ANSWERS(E_TIMEOUT, polyproc_queue_open(name.text, &queue));
  CHECK(now() - began < SECOND);
  close(fd);
  queue = open_or_create();
  put(queue, "new");
  polyproc_queue_close(queue);
  ANSWERS(OK, polyproc_unlink(name.text));
}

int main(void) {
  name = unique("renewed");
  after_a_crash();
  in_use();
  another_shape();
  at_once();
  half_made();
  stopped_half_way();
  return 0;
}
