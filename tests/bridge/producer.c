/* Puts numbered messages.
 *
 *     producer QUEUE COUNT PER_SECOND POISON
 *
 * Every POISON-th message is poison, none if POISON is 0. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "polyproc.h"

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void must(int32_t status, const char *what) {
  if (status < 0) {
    fprintf(stderr, "producer: %s: %s\n", what, polyproc_strerror(status));
    exit(1);
  }
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: producer QUEUE COUNT PER_SECOND POISON\n");
    return 2;
  }
  long count = atol(argv[2]), per_second = atol(argv[3]), poison = atol(argv[4]);
  polyproc_queue *queue;
  int64_t start = now();

  must(polyproc_queue_open(argv[1], &queue), "open");
  for (long number = 1; number <= count; number++) {
    char text[64];
    int length =
        snprintf(text, sizeof text, "%s %ld", poison > 0 && number % poison == 0 ? "poison" : "work", number);
    int64_t due = start + 1000000000 / per_second * (number - 1), left = due - now();
    if (left > 0) {
      struct timespec nap = {left / 1000000000, (long)(left % 1000000000)};
      nanosleep(&nap, NULL);
    }
    must(polyproc_queue_put(queue, text, (size_t)length, POLYPROC_FOREVER, NULL), "put");
  }
  polyproc_queue_close(queue);
  return 0;
}
