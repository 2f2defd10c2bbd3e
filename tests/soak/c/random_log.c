/* The log, clock and random numbers of a random-soak worker. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "random.h"

/* A wait that exceeds its own time by more is logged. */
static const int64_t WORTH_A_NOTE = 5000000;

static volatile sig_atomic_t continued;

void note(enum op op, int place, int32_t status, uint64_t message, uint64_t value) {
  struct record record = {(uint32_t)op, me.actor, place, status, message, value};
  if (write(STDOUT_FILENO, &record, sizeof record) != (ssize_t)sizeof record) _exit(5);
}

static void count_stop(int signal) {
  (void)signal;
  continued++;
}

int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* A number that no other process of the configuration has had, because process ids are reused. */
void begin_actor(void) {
  struct sigaction action = {0};

  action.sa_handler = count_stop;
  action.sa_flags = SA_RESTART;
  sigaction(SIGCONT, &action, NULL);
  me.actor = (uint32_t)getpid() << 16 | (uint32_t)(now() >> 18 & 0xffff);
  me.numbers = 0;
  note(OP_START, 0, 0, 0, (uint64_t)getpid() << 32 | (uint32_t)getppid());
}

uint64_t any(uint64_t limit) {
  me.random ^= me.random >> 12;
  me.random ^= me.random << 25;
  me.random ^= me.random >> 27;
  return (me.random * UINT64_C(0x2545f4914f6cdd1d) >> 20) % limit;
}

int64_t some_time(void) {
  static const int64_t times[] = {0, 0, 0, 0, 0, 200000, 200000, 1000000, 1000000, 5000000, 20000000};
  if (me.features & MAY_WAIT_FOR_EVER && any(20) == 0) return POLYPROC_FOREVER;
  return times[any(sizeof times / sizeof *times)];
}

/* The times of a process that was stopped meanwhile mean nothing. */
void note_time(int64_t began, int64_t allowed) {
  static sig_atomic_t seen;
  static int64_t worst;
  int64_t beyond = now() - began - allowed;

  if (seen != continued) {
    seen = continued;
    return;
  }
  if (allowed < 0 || beyond < WORTH_A_NOTE || beyond <= worst) return;
  worst = beyond;
  note(OP_SLOW, 0, 0, 0, (uint64_t)beyond);
}

void wrong(const char *call, int32_t status) {
  fprintf(stderr, "worker %u: %s: %d %s\n", (unsigned)getpid(), call, (int)status, polyproc_strerror(status));
  if (getenv("POLYPROC_SOAK_ABORT") != NULL) abort();
  _exit(3);
}

void expect(const char *call, int32_t status, const int32_t *allowed) {
  if (status == POLYPROC_E_NO_MEMORY && me.features & MAY_LACK_MEMORY) return;
  for (; *allowed != 1000; allowed++) {
    if (status == *allowed) return;
  }
  wrong(call, status);
}
