/* A get copies a long message of a joinable queue, and meanwhile another thread gets and finishes
 * the next one: its task_done leaves the first message alone, which no producer overwrites then. */
#include <sys/mman.h>

#include "check.h"

enum { LENGTH = 40000, ROUNDS = 1000, PAGE = 4096, MISSING_AT = 2 * PAGE, ROOM = 16 * PAGE };

static polyproc_queue *queue;
static char *buffer;

static void *finish_the_next(void *arg) {
  static char message[LENGTH];
  size_t len;
  ANSWERS(OK, polyproc_queue_get(queue, message, sizeof message, &len, PATIENCE, NULL));
  CHECK(len == 1 && message[0] == 'b');
  ANSWERS(OK, polyproc_queue_task_done(queue));
  memset(message, 'z', sizeof message);
  /* Several rounds of the ring. */
  for (int i = 0; i < ROUNDS; i++) {
    polyproc_message taken;
    ANSWERS(OK, polyproc_queue_put(queue, message, sizeof message, PATIENCE, NULL));
    ANSWERS(OK, polyproc_queue_take(queue, &taken, PATIENCE, NULL));
    ANSWERS(OK, polyproc_message_done(&taken));
  }
  return arg;
}

/* The get has come to the page that is missing. */
static void on_fault(int signal_number) {
  pthread_t thread;
  (void)signal_number;
  CHECK(pthread_create(&thread, NULL, finish_the_next, NULL) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK(mprotect(buffer + MISSING_AT, PAGE, PROT_READ | PROT_WRITE) == 0);
}

int main(void) {
  static char message[LENGTH];
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  size_t len;
  options.flags = POLYPROC_QUEUE_JOINABLE;
  ANSWERS(OK, polyproc_queue_create(NULL, &options, &queue));
  memset(message, 'a', sizeof message);
  ANSWERS(OK, polyproc_queue_put(queue, message, sizeof message, 0, NULL));
  ANSWERS(OK, polyproc_queue_put(queue, "b", 1, 0, NULL));

  buffer = (char *)mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(buffer != MAP_FAILED);
  CHECK(mprotect(buffer + MISSING_AT, PAGE, PROT_NONE) == 0);
  CHECK(signal(SIGSEGV, on_fault) != SIG_ERR);
  ANSWERS(OK, polyproc_queue_get(queue, buffer, ROOM, &len, 0, NULL));
  CHECK(len == LENGTH && memcmp(buffer, message, LENGTH) == 0);
  ANSWERS(E_TIMEOUT, polyproc_queue_join(queue, 0, NULL));
  ANSWERS(OK, polyproc_queue_task_done(queue));
  ANSWERS(OK, polyproc_queue_join(queue, 0, NULL));
  polyproc_queue_close(queue);
  return 0;
}
