#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"

struct state *state;
struct ways ways;

enum { MAX_CHILDREN = 1024 };
static pid_t children[MAX_CHILDREN];
static int child_count;
static pid_t program; /* the process that all others are children of */

static void kill_children(void) {
  for (int i = 0; i < child_count; i++) kill(children[i], SIGKILL);
  for (int i = 0; i < child_count; i++) waitpid(children[i], NULL, 0);
  child_count = 0;
}

void die(const char *format, ...) {
  va_list args;
  va_start(args, format);
  fprintf(stderr, "%s: ", peer.name);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  va_end(args);
  kill_children();
  if (getpid() == program && peer.destroy) peer.destroy();
  _exit(1);
}

void *shared_memory(size_t size) {
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) die("mmap: %s", strerror(errno));
  return memory;
}

int has_mode(const struct setup *setup, const char *mode) {
  size_t len = strlen(mode);
  for (const char *word = setup->mode;; word++) {
    size_t end = strcspn(word, ",");
    if (end == len && strncmp(word, mode, len) == 0) return 1;
    word += end;
    if (!*word) return 0;
  }
}

const char *unique_name(const char *suffix) {
  static char names[4][64];
  static int next;
  static pid_t pid;
  if (!pid) pid = getpid();
  char *name = names[next++ % 4];
  snprintf(name, sizeof names[0], "polyproc-bench-%d-%s", pid, suffix);
  return name;
}

/* The set is read once: a process that is pinned may use one core only, and still starts others. */
int core_of(int index) {
  static cpu_set_t allowed;
  if (!CPU_COUNT(&allowed) && sched_getaffinity(0, sizeof allowed, &allowed))
    die("sched_getaffinity: %s", strerror(errno));
  int nth = index % CPU_COUNT(&allowed);
  for (int core = 0;; core++)
    if (CPU_ISSET(core, &allowed) && nth-- == 0) return core;
}

void pin(int core) {
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(core, &only);
  if (sched_setaffinity(0, sizeof only, &only)) die("sched_setaffinity: %s", strerror(errno));
}

void start_process(int core, void (*body)(const struct run *, int), const struct run *run, int index) {
  if (child_count == MAX_CHILDREN) die("too many processes");
  pid_t parent = program = getpid(), pid = fork();
  if (pid < 0) die("fork: %s", strerror(errno));
  if (pid > 0) {
    children[child_count++] = pid;
    return;
  }
  child_count = 0;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  if (core >= 0) pin(core);
  body(run, index);
  /* The parent ends all of them together, so that none slows down the others that still run. */
  for (;;) pause();
}

void check_alive(void) {
  for (int i = 0; i < child_count; i++) {
    if (waitpid(children[i], NULL, WNOHANG) == 0) continue;
    children[i] = children[--child_count];
    die("a process of the benchmark has failed");
  }
}

void sleep_us(int64_t us) {
  struct timespec time = {us / 1000000, us % 1000000 * 1000};
  nanosleep(&time, NULL);
}

void start_all(void) {
  while (atomic_load(&state->joined) < child_count) {
    check_alive();
    sleep_us(200);
  }
  atomic_store(&state->go, 1);
}

void end_all(void) {
  check_alive();
  kill_children();
}

uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

double ns_per_tick(void) {
  static double ratio;
  if (ratio != 0) return ratio;
  uint64_t ns = now_ns(), start = ticks();
  sleep_us(20000);
  return ratio = (double)(now_ns() - ns) / (double)(ticks() - start);
}

/* If hardly anything happened in a window, it is made longer. */
double measure_rate(const struct run *run, const struct counter *counters, int n, uint64_t *counts) {
  uint64_t before[MAX_PROCESSES], total = 0, start, end;
  sleep_us(run->warm_ms * 1000);
  start = now_ns();
  for (int i = 0; i < n; i++) before[i] = atomic_load(&counters[i].count);
  for (int windows = 0; windows < 10 && total < 20; windows++) {
    sleep_us(run->measure_ms * 1000);
    end = now_ns();
    total = 0;
    for (int i = 0; i < n; i++) total += counts[i] = atomic_load(&counters[i].count) - before[i];
    check_alive();
  }
  if (total == 0) die("nothing came through");
  return (double)total * 1e9 / (double)(end - start);
}

/* Exact below 64; above, the highest seven bits of the value select the bucket. */
void record(struct histogram *histogram, uint64_t value) {
  int shift = value < 64 ? 0 : 57 - __builtin_clzll(value);
  unsigned bucket = value < 64 ? (unsigned)value : (unsigned)shift * 64 + (unsigned)(value >> shift);
  atomic_fetch_add_explicit(&histogram->count[bucket], 1, memory_order_relaxed);
}

static double value_of(unsigned bucket) {
  return bucket < 128 ? bucket : (double)((bucket % 64 + 64ull) << (bucket / 64 - 1));
}

void print_latency(const struct histogram *histogram) {
  static const struct {
    const char *name;
    double part;
  } wanted[] = {{"min_ns", 0},       {"p50_ns", 0.5},       {"p90_ns", 0.9}, {"p99_ns", 0.99},
                {"p99_9_ns", 0.999}, {"p99_99_ns", 0.9999}, {"max_ns", 1}};
  uint64_t total = 0, seen = 0;
  unsigned next = 0, bucket = 0, buckets = sizeof histogram->count / sizeof histogram->count[0];
  for (unsigned i = 0; i < buckets; i++) total += histogram->count[i];
  if (total == 0) die("nothing was measured");
  printf(", \"rounds\": %llu", (unsigned long long)total);
  for (; bucket < buckets; bucket++) {
    seen += histogram->count[bucket];
    for (; next < sizeof wanted / sizeof wanted[0]; next++) {
      uint64_t rank = (uint64_t)(wanted[next].part * (double)total);
      if (seen < (rank < 1 ? 1 : rank)) break;
      printf(", \"%s\": %.1f", wanted[next].name, value_of(bucket) * ns_per_tick());
    }
  }
}
