/* W1 and W3: producers put and consumers get as fast as they can. Every message says which producer
 * sent it and its number. The consumer checks that and the contents, and at the end no message may
 * be missing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

/* The distance between the words of a message that are written and checked: all of a small message;
 * one in each page of a large one, and the last. Of a message passed in place only the first and
 * the last are touched. */
static size_t stride_of(const struct run *run, int in_place) {
  size_t size = run->setup.size;
  if (size <= 1024) return 1;
  return (in_place ? size : 4096) / sizeof(uint64_t);
}

static inline uint64_t word_at(uint64_t tag, size_t place) {
  return tag + place * 0x9e3779b97f4a7c15u;
}

static void stamp(uint64_t *message, size_t words, size_t stride, uint64_t tag) {
  for (size_t i = 0; i < words; i += stride) message[i] = word_at(tag, i);
  message[words - 1] = word_at(tag, words - 1);
}

/* A sum instead of a comparison per word, so that the compiler can vectorise it. */
static int is_as_stamped(const uint64_t *message, size_t words, size_t stride) {
  uint64_t tag = message[0], difference = 0;
  for (size_t i = 0; i < words; i += stride) difference |= message[i] ^ word_at(tag, i);
  return (difference | (message[words - 1] ^ word_at(tag, words - 1))) == 0;
}

static void wait_for_go(void) {
  atomic_fetch_add(&state->joined, 1);
  while (!atomic_load(&state->go)) sleep_us(200);
}

static void count(struct counter *counter, uint64_t n, uint64_t sum) {
  atomic_store_explicit(&counter->sum, counter->sum + sum, memory_order_relaxed);
  atomic_store_explicit(&counter->count, counter->count + n, memory_order_release);
}

static void produce(const struct run *run, int index) {
  size_t size = run->setup.size, words = size / sizeof(uint64_t);
  size_t stride = stride_of(run, ways.loan_in && ways.loan_out);
  int copies = ways.batch ? BATCH : 1;
  char *buffers = aligned_alloc(64, (size * (size_t)copies + 63) / 64 * 64);
  struct view views[BATCH];
  struct counter *mine = &state->sent[index];
  uint64_t tag = (uint64_t)index << 48;

  if (!buffers) die("no memory");
  memset(buffers, 0, size * (size_t)copies);
  for (int i = 0; i < copies; i++) views[i] = (struct view){buffers + size * (size_t)i, size};
  peer.join(0, PRODUCER, index);
  wait_for_go();
  while (!atomic_load_explicit(&state->stop, memory_order_relaxed)) {
    uint64_t sum = 0;
    for (int i = 0; i < copies; i++) {
      sum += ++tag;
      if (!ways.loan_in) {
        stamp((uint64_t *)(void *)(buffers + size * (size_t)i), words, stride, tag);
        continue;
      }
      stamp(peer.reserve(0, size), words, stride, tag);
      peer.commit(0, size);
    }
    if (ways.batch)
      peer.put_many(0, views, BATCH);
    else if (!ways.loan_in)
      peer.put(0, buffers, size);
    count(mine, (uint64_t)copies, sum);
  }
}

static void check(const void *data, size_t len, const struct run *run, size_t stride, uint64_t *last) {
  uint64_t tag = *(const uint64_t *)data, producer = tag >> 48;
  if (len != run->setup.size || !is_as_stamped(data, len / sizeof(uint64_t), stride) ||
      producer >= (uint64_t)run->setup.producers || tag <= last[producer])
    atomic_fetch_add(&state->failed, 1);
  else
    last[producer] = tag;
}

static void consume(const struct run *run, int index) {
  size_t size = run->setup.size, stride = stride_of(run, ways.loan_in && ways.loan_out), len;
  uint64_t *buffer = aligned_alloc(64, (size + 63) / 64 * 64), last[MAX_PROCESSES];
  struct counter *mine = &state->received[index];
  struct view views[BATCH];

  if (!buffer) die("no memory");
  memset(buffer, 0, size);
  for (int i = 0; i < MAX_PROCESSES; i++) last[i] = (uint64_t)i << 48;
  peer.join(0, CONSUMER, index);
  wait_for_go();
  for (;;) {
    if (ways.batch) {
      uint64_t sum = 0;
      size_t n = peer.take_many(0, views, BATCH);
      for (size_t i = 0; i < n; i++) {
        check(views[i].data, views[i].len, run, stride, last);
        sum += *(const uint64_t *)views[i].data;
      }
      count(mine, n, sum);
      continue;
    }
    const void *data = buffer;
    if (ways.loan_out)
      data = peer.take(0, &len);
    else
      len = peer.get(0, buffer, size);
    check(data, len, run, stride, last);
    uint64_t tag = *(const uint64_t *)data;
    if (ways.loan_out) peer.done(0);
    count(mine, 1, tag);
  }
}

static void totals(const struct counter *counters, int n, uint64_t *counted, uint64_t *sum) {
  *counted = *sum = 0;
  for (int i = 0; i < n; i++) {
    *counted += atomic_load(&counters[i].count);
    *sum += atomic_load(&counters[i].sum);
  }
}

/* Every sent message must arrive, within a time that every working peer keeps. */
static void verify(const struct run *run) {
  uint64_t sent, sent_sum, received, received_sum, end = now_ns() + 20000000000u, same_since = 0, before = 0;
  atomic_store(&state->stop, 1);
  for (;;) {
    sleep_us(1000);
    totals(state->received, run->setup.consumers, &received, &received_sum);
    totals(state->sent, run->setup.producers, &sent, &sent_sum);
    /* A put may still be under way: wait for the counts to agree. */
    if (sent != received || sent_sum != received_sum || sent != before) same_since = now_ns();
    before = sent;
    if (now_ns() - same_since > 20000000) break;
    if (now_ns() > end)
      die("sent %llu, received %llu", (unsigned long long)sent, (unsigned long long)received);
  }
  if (state->failed) die("%d messages were damaged or out of order", state->failed);
  printf(", \"messages\": %llu", (unsigned long long)received);
}

void run_stream(const struct run *run) {
  int producers = run->setup.producers, consumers = run->setup.consumers, pinned = producers + consumers == 2;
  uint64_t counts[MAX_PROCESSES], most = 0, total = 0;

  for (int i = 0; i < consumers; i++) start_process(pinned ? core_of(1) : -1, consume, run, i);
  for (int i = 0; i < producers; i++) start_process(pinned ? core_of(0) : -1, produce, run, i);
  start_all();
  printf(", \"rate\": %.1f", measure_rate(run, state->received, consumers, counts));
  for (int i = 0; i < consumers; i++) {
    total += counts[i];
    if (counts[i] > most) most = counts[i];
  }
  /* 1: every consumer got the same. */
  if (total) printf(", \"largest_share\": %.3f", (double)most * consumers / (double)total);
  verify(run);
  end_all();
}
