/* W2: one message to and fro, each way a channel of its own. */
#include <stdio.h>
#include <string.h>

#include "harness.h"

static void exchange(int channel, enum role role, uint64_t *buffer, size_t size) {
  if (role == CONSUMER) {
    size_t len;
    if (!ways.loan_out) {
      len = peer.get(channel, buffer, size);
    } else {
      *buffer = *(const uint64_t *)peer.take(channel, &len);
      peer.done(channel);
    }
    if (len != size) atomic_fetch_add(&state->failed, 1);
  } else if (ways.loan_in) {
    *(uint64_t *)peer.reserve(channel, size) = *buffer;
    peer.commit(channel, size);
  } else {
    peer.put(channel, buffer, size);
  }
}

static void pong(const struct run *run, int index) {
  uint64_t buffer[128 * 1024];
  memset(buffer, 0, sizeof buffer);
  peer.join(0, CONSUMER, index);
  peer.join(1, PRODUCER, index);
  atomic_fetch_add(&state->joined, 1);
  for (;;) {
    exchange(0, CONSUMER, buffer, run->setup.size);
    *buffer += 1;
    exchange(1, PRODUCER, buffer, run->setup.size);
  }
}

static void ping(const struct run *run, int index) {
  uint64_t buffer[128 * 1024];
  memset(buffer, 0, sizeof buffer);
  peer.join(0, PRODUCER, index);
  peer.join(1, CONSUMER, index);
  atomic_fetch_add(&state->joined, 1);
  while (!atomic_load(&state->go)) sleep_us(200);
  uint64_t measured_from = now_ns() + (uint64_t)run->warm_ms * 1000000;
  int warm = run->warm_ms > 0;
  for (uint64_t round = 1; !atomic_load_explicit(&state->stop, memory_order_relaxed); round++) {
    if (run->gap_us) sleep_us(run->gap_us);
    uint64_t start = ticks();
    *buffer = round;
    exchange(0, PRODUCER, buffer, run->setup.size);
    exchange(1, CONSUMER, buffer, run->setup.size);
    uint64_t took = ticks() - start;
    if (*buffer != round + 1) atomic_fetch_add(&state->failed, 1);
    if (!warm)
      record(state->latency, took);
    else if (round % 16 == 0 || run->gap_us)
      warm = now_ns() < measured_from;
    atomic_store_explicit(&state->sent[0].count, round, memory_order_relaxed);
  }
  atomic_store(&state->sent[1].count, 1);
}

void run_ping_pong(const struct run *run) {
  uint64_t counts[1];
  start_process(core_of(1), pong, run, 0);
  start_process(core_of(0), ping, run, 0);
  start_all();
  double rate = measure_rate(run, state->sent, 1, counts);
  atomic_store(&state->stop, 1);
  while (!atomic_load(&state->sent[1].count)) {
    check_alive();
    sleep_us(1000);
  }
  if (state->failed) die("%d answers were wrong", state->failed);
  printf(", \"rate\": %.1f", rate);
  print_latency(state->latency);
  end_all();
}
