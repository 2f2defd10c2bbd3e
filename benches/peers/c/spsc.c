/* Reference, not a peer: a ring of one producer and one consumer that only spin. If one of them
 * dies or stops, the other hangs. */
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "peer.h"

struct ring {
  _Alignas(128) _Atomic uint64_t tail;
  uint64_t head_seen;
  _Alignas(128) _Atomic uint64_t head;
  uint64_t tail_seen;
  _Alignas(128) char slots[];
};

static struct ring *rings[2];
static size_t capacity, slot_size;

static void create(const struct setup *setup) {
  capacity = setup->capacity;
  slot_size = (setup->size + 63) / 64 * 64;
  for (int i = 0; i < setup->channels; i++)
    rings[i] = shared_memory(sizeof(struct ring) + capacity * slot_size);
}

static void join(int channel, enum role role, int index) {
  (void)channel;
  (void)role;
  (void)index;
}

static inline void pause_cpu(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  __asm__ volatile("yield");
#endif
}

static void put(int channel, const void *data, size_t len) {
  struct ring *ring = rings[channel];
  uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
  while (tail - ring->head_seen == capacity) {
    ring->head_seen = atomic_load_explicit(&ring->head, memory_order_acquire);
    if (tail - ring->head_seen == capacity) pause_cpu();
  }
  memcpy(ring->slots + tail % capacity * slot_size, data, len);
  atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
}

static size_t get(int channel, void *buf, size_t cap) {
  struct ring *ring = rings[channel];
  uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
  while (head == ring->tail_seen) {
    ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
    if (head == ring->tail_seen) pause_cpu();
  }
  memcpy(buf, ring->slots + head % capacity * slot_size, cap);
  atomic_store_explicit(&ring->head, head + 1, memory_order_release);
  return cap;
}

const struct peer peer = {.name = "spsc", .create = create, .join = join, .put = put, .get = get};
