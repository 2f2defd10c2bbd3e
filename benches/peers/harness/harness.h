/* The common part of the workloads: processes on their cores, time, and figures in shared memory.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "peer.h"

struct run {
  struct setup setup;
  const char *workload;
  int warm_ms, measure_ms; /* before, and while, the rate is measured */
  int gap_us;              /* ping-pong and events: how long before each round, so that the other sleeps */
};

/* A process's own line of figures: only the process writes it, the parent reads it. */
struct counter {
  _Alignas(128) _Atomic uint64_t count;
  _Atomic uint64_t sum;
};

struct state {
  _Atomic int joined, go, stop;
  _Atomic int failed; /* how many messages were not what they had to be */
  struct counter sent[MAX_PROCESSES], received[MAX_PROCESSES];
  struct histogram *latency;
};

extern struct state *state; /* in shared memory */

/* Start a process on a core (-1: any) that runs body(index) once all are there. */
void start_process(int core, void (*body)(const struct run *, int index), const struct run *, int index);
void start_all(void);   /* when every process has joined */
void end_all(void);     /* kill them, and fail if one had failed before */
void check_alive(void); /* fail if one has ended */
void sleep_us(int64_t us);
void pin(int core);
int core_of(int index); /* of the cores that the program may use, for processes that are pinned */

uint64_t now_ns(void);
static inline uint64_t ticks(void); /* a cheap clock, the same on all cores */
double ns_per_tick(void);

/* Latencies in ticks: 64 buckets per power of two. */
struct histogram {
  _Atomic uint64_t count[64 * 64];
};
void record(struct histogram *, uint64_t ticks);
void print_latency(const struct histogram *); /* as members of the JSON line */

/* How fast the counters rise: after the warm-up, for the time of the run. counts[] is what each
 * added. */
double measure_rate(const struct run *, const struct counter *, int n, uint64_t *counts);

void run_stream(const struct run *);
void run_ping_pong(const struct run *);
void run_pair(const struct run *);
void run_lock(const struct run *);
void run_event(const struct run *);
void run_calls(const struct run *, void (*call)(void));

static inline uint64_t ticks(void) {
#if defined(__x86_64__)
  unsigned low, high, cpu;
  __asm__ volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(cpu)::"memory");
  return (uint64_t)high << 32 | low;
#elif defined(__aarch64__)
  uint64_t value;
  __asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(value)::"memory");
  return value;
#endif
}
#endif
