/* W1, W4, W5 and W8: a put and a get in one process, locks, wake-ups, and calls that are made one
 * after the other. */
#include <stdio.h>

#include "harness.h"

static uint64_t *guarded; /* in shared memory, written only by the holder of the lock */

static void hold_and_release(const struct run *run, int index) {
  struct counter *mine = &state->received[index];
  uint64_t done = 0;
  (void)run;
  peer.join(0, PRODUCER, index);
  atomic_fetch_add(&state->joined, 1);
  while (!atomic_load(&state->go)) sleep_us(200);
  while (!atomic_load_explicit(&state->stop, memory_order_relaxed)) {
    peer.acquire();
    *(volatile uint64_t *)guarded += 1;
    peer.release();
    atomic_store_explicit(&mine->count, ++done, memory_order_relaxed);
  }
  atomic_store(&state->sent[index].count, 1);
}

void run_lock(const struct run *run) {
  int n = run->setup.producers;
  uint64_t counts[MAX_PROCESSES], total = 0;
  guarded = shared_memory(4096);
  for (int i = 0; i < n; i++) start_process(n <= 2 ? core_of(i) : -1, hold_and_release, run, i);
  start_all();
  double rate = measure_rate(run, state->received, n, counts);
  atomic_store(&state->stop, 1);
  for (int i = 0; i < n; i++) {
    for (; !atomic_load(&state->sent[i].count); sleep_us(1000)) check_alive();
    total += state->received[i].count;
  }
  if (total != *guarded)
    die("the lock let two in: %llu of %llu", (unsigned long long)*guarded, (unsigned long long)total);
  printf(", \"rate\": %.1f, \"ns\": %.2f", rate, 1e9 / rate);
  end_all();
}

static void wait_for_event(const struct run *run, int index) {
  uint64_t rounds = 0;
  (void)run;
  peer.join(0, CONSUMER, index);
  atomic_fetch_add(&state->joined, 1);
  for (;;) {
    peer.await();
    uint64_t woken = ticks();
    record(state->latency, woken - atomic_load(&state->sent[0].sum));
    atomic_store(&state->received[0].count, ++rounds);
  }
}

/* The time from just before wake() until the other process runs, which has slept since the gap
 * began. */
void run_event(const struct run *run) {
  uint64_t end;
  start_process(core_of(1), wait_for_event, run, 0);
  start_all();
  pin(core_of(0));
  peer.join(0, PRODUCER, 0);
  end = now_ns() + (uint64_t)run->measure_ms * 1000000;
  for (uint64_t round = 1; now_ns() < end; round++) {
    sleep_us(run->gap_us ? run->gap_us : 1000);
    atomic_store(&state->sent[0].sum, ticks());
    peer.wake();
    for (int spins = 0; atomic_load(&state->received[0].count) < round; spins++) {
      if (spins % 1000 == 999) check_alive();
      sleep_us(50);
    }
  }
  print_latency(state->latency);
  end_all();
}

void run_calls(const struct run *run, void (*call)(void)) {
  uint64_t end, calls = 0, start;
  if (!call) die("does not do that");
  call();
  start = now_ns();
  end = start + (uint64_t)run->measure_ms * 1000000;
  do {
    uint64_t before = ticks();
    call();
    record(state->latency, ticks() - before);
    calls++;
  } while (now_ns() < end);
  printf(", \"ns\": %.1f", (double)(now_ns() - start) / (double)calls);
  print_latency(state->latency);
}

enum { PAIRS = 64 }; /* between two looks at the clock */

static double pair_ns(size_t size, int ms) {
  static uint64_t message[128], received[128];
  uint64_t start = now_ns(), took;
  if (size > sizeof message) die("at most %zu bytes", sizeof message);
  *message = 0;
  do {
    for (int i = 0; i < PAIRS; i++) {
      ++*message;
      peer.put(0, message, size);
      if (peer.get(0, received, size) != size || *received != *message) die("a wrong message");
    }
    took = now_ns() - start;
  } while (took < (uint64_t)ms * 1000000);
  return (double)took / (double)*message;
}

/* One process puts a message and gets it again. */
void run_pair(const struct run *run) {
  pin(core_of(0));
  peer.join(0, PRODUCER, 0);
  peer.join(0, CONSUMER, 0);
  pair_ns(run->setup.size, run->warm_ms);
  printf(", \"ns\": %.2f", pair_ns(run->setup.size, run->measure_ms));
}
