/* stream NAME: a producer and a consumer of messages of 64 bytes at a queue with this name. For each
 * line of its standard input it prints how many messages were got by when, in nanoseconds. */
#define _POSIX_C_SOURCE 200809L

#include <inttypes.h>
#include <polyproc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SIZE = 64 };

static void ok(int32_t status) {
  if (status >= 0) return;
  fprintf(stderr, "stream: %s\n", polyproc_strerror(status));
  exit(1);
}

static pid_t in_a_child(void (*work)(const char *), const char *name) {
  pid_t parent = getpid(), child = fork();
  if (child != 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() == parent) work(name);
  _exit(0);
}

static polyproc_queue *opened(const char *name) {
  polyproc_queue *queue;
  ok(polyproc_queue_open(name, &queue));
  return queue;
}

static void produce(const char *name) {
  polyproc_queue *queue = opened(name);
  char message[SIZE] = {0};
  while (polyproc_queue_put(queue, message, SIZE, POLYPROC_FOREVER, NULL) == POLYPROC_OK) {
  }
}

static void consume(const char *name) {
  polyproc_queue *queue = opened(name);
  char message[SIZE];
  size_t len;
  while (polyproc_queue_get(queue, message, SIZE, &len, POLYPROC_FOREVER, NULL) == POLYPROC_OK) {
  }
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  options.max_items = 1024;
  polyproc_queue *queue;
  ok(polyproc_queue_create(argv[1], &options, &queue));
  pid_t children[] = {in_a_child(produce, argv[1]), in_a_child(consume, argv[1])};
  char line[8];
  while (fgets(line, sizeof line, stdin)) {
    polyproc_queue_info info = POLYPROC_QUEUE_INFO_INIT;
    struct timespec now;
    ok(polyproc_queue_get_info(queue, &info));
    clock_gettime(CLOCK_MONOTONIC, &now);
    printf("%" PRIu64 " %lld\n", info.gets, now.tv_sec * 1000000000LL + now.tv_nsec);
    fflush(stdout);
  }
  ok(polyproc_queue_shutdown(queue, 1));
  for (int i = 0; i < 2; i++) waitpid(children[i], NULL, 0);
  ok(polyproc_unlink(argv[1]));
  return 0;
}
