#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "headers.h"

/* splitmix64 */
static uint64_t next_random(killer *killer) {
  uint64_t z = (killer->random += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

static int ascending(const void *left, const void *right) {
  uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
  return (a > b) - (a < b);
}

bool killer_plan(killer *killer, crew *crew, size_t kills, uint64_t files) {
  memset(killer, 0, sizeof *killer);
  killer->crew = crew;
  killer->random = (uint64_t)now_ns() ^ (uint64_t)getpid() << 40;
  if (kills == 0 || files == 0) return true;
  killer->moments = calloc(kills, sizeof *killer->moments);
  killer->casualties = calloc(kills, sizeof *killer->casualties);
  if (killer->moments == NULL || killer->casualties == NULL) {
    complain(0, "out of memory");
    return false;
  }
  killer->kills = kills;
  for (size_t i = 0; i < kills; i++) /* At least one file before it, and where there are two, one after it. */
    killer->moments[i] = 1 + next_random(killer) % (files > 1 ? files - 1 : 1);
  qsort(killer->moments, kills, sizeof *killer->moments, ascending);
  return true;
}

/* Waits until the workers are at work on the files that were put last: a moment counted in files is
 * in the middle of the run on a machine of any speed. If the workers are done with everything, they
 * are killed while they are idle. */
static verdict wait_until_at_work(crew *crew) {
  const int64_t look_again_ns = 100000;

  for (;;) {
    polyproc_queue_info info = POLYPROC_QUEUE_INFO_INIT;
    int32_t status = polyproc_queue_get_info(crew->jobs, &info);
    bool at_work = info.in_flight > 0 && info.unfinished <= 2 * crew->worker_count;

    if (status >= 0 && (at_work || info.unfinished == 0)) return GO_ON;
    /* A join with a short timeout is a sleep that ends early when nothing is left to wait for. */
    if (status >= 0) status = polyproc_queue_join(crew->jobs, look_again_ns, crew->wake);
    if (status == POLYPROC_E_CANCELED && crew_attend(crew) != GO_ON) return STOP;
    if (status < 0 && status != POLYPROC_E_CANCELED && status != POLYPROC_E_TIMEOUT) {
      complain(status, "cannot look at the jobs");
      return STOP;
    }
  }
}

static verdict kill_one(killer *killer) {
  crew *crew = killer->crew;
  size_t place = (size_t)(next_random(killer) % crew->worker_count);
  member *worker = &crew->workers[place];
  casualty *casualty = &killer->casualties[killer->killed];
  int32_t code = 0, status = polyproc_process_kill(worker->process);

  if (status >= 0) status = polyproc_process_join(worker->process, POLYPROC_FOREVER, NULL);
  if (status >= 0) status = polyproc_process_exit_code(worker->process, &code);
  if (status < 0 || code != -9) {
    complain(status, "cannot kill %s (pid %d, exit code %d)", worker->name, (int)worker->pid, (int)code);
    return STOP;
  }
  casualty->pid = worker->pid;
  memcpy(casualty->name, worker->name, sizeof casualty->name);
  killer->killed++;
  polyproc_process_close(worker->process);
  worker->process = NULL;
  return crew_start_worker(crew, place) ? GO_ON : STOP;
}

verdict killer_step(killer *killer, uint64_t put) {
  while (killer->killed < killer->kills && killer->moments[killer->killed] <= put) {
    if (wait_until_at_work(killer->crew) != GO_ON || kill_one(killer) != GO_ON) return STOP;
  }
  return GO_ON;
}

void killer_report(const killer *killer, uint64_t redelivered) {
  if (killer->kills == 0) return;
  printf("\nkilled in the middle of the work (SIGKILL), and replaced: %zu\n", killer->killed);
  for (size_t i = 0; i < killer->killed; i++)
    printf("  %s (pid %d)\n", killer->casualties[i].name, (int)killer->casualties[i].pid);
  printf("files redelivered to another worker: %llu\n", (unsigned long long)redelivered);
}

void killer_free(killer *killer) {
  free(killer->moments);
  free(killer->casualties);
}
