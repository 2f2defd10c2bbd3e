/* The common part of the C examples, so that each shows only its own subject: the length of a
 * second, printing whole lines, starting and joining children, and ending the program when a call
 * fails unexpectedly. */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#define _POSIX_C_SOURCE 200809L

#include <polyproc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The value of a call that succeeds; on an error it ends the process. */
#define CHECK(call) check((call), #call)

static inline int32_t check(int32_t status, const char *call) {
  if (status < 0) {
    fprintf(stderr, "%s: %s\n", call, polyproc_strerror(status));
    exit(1);
  }
  return status;
}

/* How many nanoseconds stand for a second; the first argument has milliseconds. */
static int64_t second_ns = 1000000000;

static inline void begin(int argc, char **argv) {
  long ms = argc > 1 ? strtol(argv[1], NULL, 10) : 1000;

  if (ms < 1 || ms > 1000000) {
    fprintf(stderr, "usage: %s [milliseconds that stand for a second]\n", argv[0]);
    exit(2);
  }
  second_ns = ms * 1000000;
  /* One write for each line, also into a pipe: lines of several processes do not mix. */
  setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
}

static inline int64_t seconds(double n) {
  return (int64_t)(n * (double)second_ns);
}

static inline void nap(double n) {
  struct timespec left = {seconds(n) / 1000000000, seconds(n) % 1000000000};

  while (nanosleep(&left, &left) != 0) continue;
}

/* Starts a child that runs target(arg). It has a copy of the parent's memory, so arg may be a
 * local. */
static inline polyproc_process *start(int (*target)(void *), void *arg) {
  polyproc_process *child;

  CHECK(polyproc_process_fork(NULL, target, arg, &child));
  return child;
}

/* The same for a child that ends with its parent. */
static inline polyproc_process *start_daemon(int (*target)(void *), void *arg) {
  polyproc_process_options options = POLYPROC_PROCESS_OPTIONS_INIT;
  polyproc_process *child;

  options.flags = POLYPROC_PROCESS_DAEMON;
  CHECK(polyproc_process_fork(&options, target, arg, &child));
  return child;
}

/* Waits for the end of a child and returns its exit code. */
static inline int32_t finish(polyproc_process *child) {
  int32_t code;

  CHECK(polyproc_process_join(child, POLYPROC_FOREVER, NULL));
  CHECK(polyproc_process_exit_code(child, &code));
  polyproc_process_close(child);
  return code;
}

/* Waits for the end of n children and returns how many did not exit with 0. */
static inline int finish_all(polyproc_process **children, int n) {
  int failed = 0;

  for (int i = 0; i < n; i++) failed += finish(children[i]) != 0;
  return failed;
}

/* Puts a text, waiting while the queue is full. */
static inline void put_text(polyproc_queue *queue, const char *text) {
  CHECK(polyproc_queue_put(queue, text, strlen(text), POLYPROC_FOREVER, NULL));
}

/* Gets a text of less than cap bytes. Returns the status: also E_EMPTY and E_SHUTDOWN. */
static inline int32_t get_text(polyproc_queue *queue, char *text, size_t cap, int64_t timeout_ns) {
  size_t len;
  int32_t status = polyproc_queue_get(queue, text, cap - 1, &len, timeout_ns, NULL);

  if (status >= 0) text[len] = '\0';
  return status;
}

#endif /* EXAMPLE_H */
