/* The common part of this folder's programs: checks that report a failure, names, time, threads. */
#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "polyproc.h"

#define MILLISECOND ((int64_t)1000000)
#define SECOND ((int64_t)1000000000)

/* Long enough for anything on a busy machine, short enough for a test to fail by itself. */
#define PATIENCE (20 * SECOND)

#define CHECK(condition)                                                      \
  do {                                                                        \
    if (!(condition)) {                                                       \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                                \
    }                                                                         \
  } while (0)

/* The call must return the status of this name, without its prefix. polyproc_detail says what is
 * wrong with an argument or an object. */
#define ANSWERS(name, call) check_status(POLYPROC_##name, (call), #call, __FILE__, __LINE__)

/* The same, and names the fault of the call. tests/fault_table.rs makes its table from these lines.
 */
#define FAULT(fault, name, call) ANSWERS(name, call)

/* With POLYPROC_TEST_DETAILS=1 prints the sentences, to be read. */
static inline void check_reason(const char *call, const char *file, int line) {
  /* A signal handler may call these, so they leave the thread's detail alone. */
  static const char *const signal_safe[] = {"polyproc_event_set(", "polyproc_cancel_fire(",
                                            "polyproc_interruptible(", "polyproc_exit_children_at_exit(",
                                            "polyproc_detail("};
  char detail[256];
  for (size_t i = 0; i < sizeof signal_safe / sizeof *signal_safe; i++) {
    if (strncmp(call, signal_safe[i], strlen(signal_safe[i])) == 0) return;
  }
  if (polyproc_detail(detail, sizeof detail) != POLYPROC_OK || detail[0] == '\0') {
    fprintf(stderr, "%s:%d: %s\n  polyproc_detail has no reason\n", file, line, call);
    exit(1);
  }
  if (getenv("POLYPROC_TEST_DETAILS") != NULL) fprintf(stderr, "%s\n  %s\n", call, detail);
}

static inline void check_status(int32_t expected, int32_t got, const char *call, const char *file, int line) {
  if (expected != got) {
    fprintf(stderr, "%s:%d: %s\n  answers %d (%s), not %d (%s)\n", file, line, call, (int)got,
            polyproc_strerror(got), (int)expected, polyproc_strerror(expected));
    exit(1);
  }
  if (got == POLYPROC_E_INVALID || got == POLYPROC_E_MISMATCH) check_reason(call, file, line);
}

/* The sentence about the last call. */
#define TELLS(sentence) check_detail(sentence, __FILE__, __LINE__)

static inline void check_detail(const char *expected, const char *file, int line) {
  char detail[256] = "";
  polyproc_detail(detail, sizeof detail);
  if (strcmp(expected, detail) != 0) {
    fprintf(stderr, "%s:%d: the detail is\n  %s\nnot\n  %s\n", file, line, detail, expected);
    exit(1);
  }
}

/* A name that no other process uses. */
typedef struct {
  char text[64];
} name_t;

static inline name_t unique(const char *what) {
  name_t name;
  snprintf(name.text, sizeof name.text, "test-c.%ld.%s", (long)getpid(), what);
  return name;
}

static inline int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * SECOND + time.tv_nsec;
}

static inline void nap(int64_t ns) {
  struct timespec time;
  time.tv_sec = (time_t)(ns / SECOND);
  time.tv_nsec = (long)(ns % SECOND);
  while (nanosleep(&time, &time) == -1 && errno == EINTR) {
  }
}

static inline pthread_t start(void *(*body)(void *), void *argument) {
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, body, argument) == 0);
  return thread;
}

static inline void finish(pthread_t thread) {
  CHECK(pthread_join(thread, NULL) == 0);
}

/* fork, for a child that ends with `_exit`. */
static inline pid_t forked(void) {
  pid_t pid;
  fflush(NULL);
  pid = fork();
  CHECK(pid >= 0);
  return pid;
}

/* Waits for a child that must have exited with 0. */
static inline void went_well(pid_t pid) {
  int status = 0;
  CHECK(waitpid(pid, &status, 0) == pid);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    fprintf(stderr, "child %ld: %s %d\n", (long)pid, WIFEXITED(status) ? "exit code" : "signal",
            WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    exit(1);
  }
}

static inline void kill_and_reap(pid_t pid) {
  int status = 0;
  CHECK(kill(pid, SIGKILL) == 0);
  CHECK(waitpid(pid, &status, 0) == pid);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

#endif
