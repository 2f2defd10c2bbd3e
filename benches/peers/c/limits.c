/* The limits of the machine. `limits line` prints how long a cache line takes from one core to the
 * other, which changes from minute to minute on virtual cores; `limits stream mode=read size=N`
 * prints at what rate one core reads messages that the other has just written; `limits` prints
 * everything. */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"

const struct peer peer = {.name = "limits"};

static struct board {
  _Alignas(128) _Atomic uint64_t ping;
  _Alignas(128) _Atomic uint64_t pong;
  _Alignas(128) _Atomic uint64_t shared;
  _Atomic uint32_t futex;
} * board;
static char *block; /* 1 MiB in shared memory */

static size_t block_size, block_rounds;

enum { ROUNDS = 20000, BATCH_ROUNDS = 500, BLOCK = 1 << 20, BLOCK_ROUNDS = 200 };

static inline void pause_cpu(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  __asm__ volatile("yield");
#endif
}

static void answer(const struct run *run, int index) {
  (void)run;
  (void)index;
  atomic_fetch_add(&state->joined, 1);
  for (uint64_t round = 1; round <= ROUNDS; round++) {
    while (atomic_load_explicit(&board->ping, memory_order_acquire) < round) pause_cpu();
    atomic_store_explicit(&board->pong, round, memory_order_release);
  }
}

/* Takes the fastest of many batches: other work on these cores makes a batch slower, nothing makes
 * it faster. */
static double line_ns(void) {
  double best = 1e9;
  start_process(core_of(1), answer, NULL, 0);
  pin(core_of(0));
  start_all();
  uint64_t start = now_ns();
  for (uint64_t round = 1; round <= ROUNDS; round++) {
    atomic_store_explicit(&board->ping, round, memory_order_release);
    while (atomic_load_explicit(&board->pong, memory_order_acquire) < round) pause_cpu();
    if (round % BATCH_ROUNDS) continue;
    double ns = (double)(now_ns() - start) / (2 * BATCH_ROUNDS);
    if (ns < best) best = ns;
    start = now_ns();
  }
  end_all();
  return best;
}

typedef uint64_t words __attribute__((vector_size(16)));

static void read_block(const struct run *run, int index) {
  /* Four sums, so that the core waits for memory and not for its own additions. */
  words sums[4] = {{0}};
  (void)run;
  (void)index;
  atomic_fetch_add(&state->joined, 1);
  for (uint64_t round = 1; round <= block_rounds; round++) {
    while (atomic_load_explicit(&board->ping, memory_order_acquire) < round) pause_cpu();
    uint64_t start = ticks();
    const words *data = (const words *)(const void *)block, *end = data + block_size / sizeof(words);
    for (; data < end; data += 4) {
      sums[0] += data[0];
      sums[1] += data[1];
      sums[2] += data[2];
      sums[3] += data[3];
    }
    words sum = sums[0] + sums[1] + sums[2] + sums[3];
    *(volatile uint64_t *)&state->sent[1].sum = sum[0] + sum[1];
    state->sent[0].sum += ticks() - start;
    atomic_store_explicit(&board->pong, round, memory_order_release);
  }
}

static void begin(void) {
  memset(board, 0, sizeof *board);
  memset(state, 0, sizeof *state);
}

/* Reads `size` bytes that the other core has just written, again and again, 200 MiB in all. Counts
 * the time of the reading only. */
static double read_gb(size_t size) {
  begin();
  block_size = size;
  block_rounds = (size_t)BLOCK * BLOCK_ROUNDS / size;
  start_process(core_of(1), read_block, NULL, 0);
  start_all();
  for (uint64_t round = 1; round <= block_rounds; round++) {
    memset(block, (int)round, size);
    atomic_store_explicit(&board->ping, round, memory_order_release);
    while (atomic_load_explicit(&board->pong, memory_order_acquire) < round) pause_cpu();
  }
  end_all();
  return (double)size * (double)block_rounds / ((double)state->sent[0].sum * ns_per_tick());
}

static void add(const struct run *run, int index) {
  (void)run;
  (void)index;
  atomic_fetch_add(&state->joined, 1);
  for (;;) atomic_fetch_add(&board->shared, 1);
}

static double contended_add_ns(void) {
  start_process(core_of(0), add, NULL, 0);
  start_process(core_of(1), add, NULL, 0);
  start_all();
  sleep_us(2000);
  uint64_t start = now_ns(), before = board->shared;
  sleep_us(20000);
  double ns = (double)(now_ns() - start) / (double)(board->shared - before);
  end_all();
  return ns;
}

static double memcpy_gb(size_t size) {
  size_t rounds = ((size_t)256 << 20) / size;
  char *from = aligned_alloc(4096, size), *to = aligned_alloc(4096, size);
  if (!from || !to) die("no memory");
  memset(from, 1, size);
  memset(to, 2, size);
  uint64_t start = now_ns();
  for (size_t i = 0; i < rounds; i++) {
    memcpy(to, from, size);
    __asm__ volatile("" ::: "memory");
  }
  double gb = (double)(rounds * size) / (double)(now_ns() - start);
  free(from);
  free(to);
  return gb;
}

#define NS_OF(n, expression)                             \
  ({                                                     \
    uint64_t start_ = now_ns();                          \
    for (int i_ = 0; i_ < (n); i_++) (void)(expression); \
    (double)(now_ns() - start_) / (n);                   \
  })

static void print_all(void) {
  printf(", \"read_64kib_gb\": %.1f, \"read_1mib_gb\": %.1f", read_gb(64 << 10), read_gb(BLOCK));
  begin();
  printf(", \"contended_add_ns\": %.1f", contended_add_ns());
  printf(", \"cas_ns\": %.2f", NS_OF(1000000, ({
                                       uint64_t old = board->shared;
                                       atomic_compare_exchange_strong(&board->shared, &old, old + 1);
                                     })));
  printf(", \"pause_ns\": %.2f", NS_OF(100000, (pause_cpu(), 0)));
  printf(", \"clock_ns\": %.2f", NS_OF(100000, now_ns()));
  printf(", \"syscall_ns\": %.1f", NS_OF(100000, syscall(SYS_getppid)));
  printf(", \"wake_nobody_ns\": %.1f",
         NS_OF(100000, syscall(SYS_futex, &board->futex, FUTEX_WAKE, 1, NULL, NULL, 0)));
  printf(", \"memcpy_64kib_gb\": %.1f, \"memcpy_1mib_gb\": %.1f, \"memcpy_64mib_gb\": %.1f",
         memcpy_gb(64 << 10), memcpy_gb(1 << 20), memcpy_gb(64 << 20));
}

int main(int argc, char **argv) {
  long size = BLOCK;
  state = shared_memory(sizeof *state);
  board = shared_memory(sizeof *board);
  block = shared_memory(BLOCK);
  for (int i = 1; i < argc; i++) sscanf(argv[i], "size=%ld", &size);
  if (size < 64 || size % 64 || size > BLOCK) die("size=%ld?", size);
  int other = core_of(1);
  printf("{\"line_ns\": %.1f", line_ns());
  if (core_of(1) != other) die("both processes would run on one core");
  if (argc > 2)
    printf(", \"rate\": %.1f", read_gb((size_t)size) * 1e9 / (double)size);
  else if (argc == 1)
    print_all();
  puts("}");
  return 0;
}
