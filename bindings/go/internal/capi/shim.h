/* The functions between cgo and polyproc.h.
 *
 * On every call cgo checks the memory behind a void pointer, or a pointer to a struct that it does
 * not know. So objects come as numbers and buffers as uint8_t pointers, for which it has nothing to
 * check. All is static inline: a call costs no more than the call into the library.
 *
 * A shim returns nothing and writes its status through its first argument. For a result cgo asks
 * the runtime twice where the goroutine's stack lies: with it a put and a get take 85 ns instead of
 * 80 (BenchmarkBareCalls in benches/calls/go). */
#ifndef POLYPROC_GO_SHIM_H
#define POLYPROC_GO_SHIM_H

#include <stddef.h>
#include <stdint.h>

#include "polyproc.h"

/* An object or a cancel token. */
typedef uintptr_t pp_object;

/* The number of messages for one pp_queue_put_many: its slices live on the stack. */
enum { PP_BATCH = 256 };

/* The sentence of polyproc_detail belongs to a thread, and a goroutine may be on another thread
 * after the call. So the shim keeps the sentence before it returns to Go (detail.c). The status
 * that Go gets says where: it is lower by a multiple of PP_STEP, and so below every status of the
 * library. */
enum { PP_STEP = 8192, PP_DETAIL = 512 };
int32_t pp_tell(int32_t status);
int32_t pp_recall(int32_t told, uint8_t *text, size_t cap, size_t *out_len);

static inline int32_t pp_told(int32_t status) {
  /* The statuses from -2 to -12 are ends of a try, for which no sentence is kept. */
  return status >= POLYPROC_E_TOO_LARGE && status != POLYPROC_E_INVALID ? status : pp_tell(status);
}

static inline void pp_queue_put(int32_t *status, pp_object queue, const uint8_t *data, size_t len,
                                int64_t timeout_ns, pp_object cancel) {
  *status =
      pp_told(polyproc_queue_put((polyproc_queue *)queue, data, len, timeout_ns, (polyproc_cancel *)cancel));
}

static inline void pp_queue_put_id(int32_t *status, pp_object queue, const uint8_t *data, size_t len,
                                   uint64_t *out_id, int64_t timeout_ns, pp_object cancel) {
  *status = pp_told(polyproc_queue_put_id((polyproc_queue *)queue, data, len, out_id, timeout_ns,
                                          (polyproc_cancel *)cancel));
}

static inline void pp_queue_get(int32_t *status, pp_object queue, uint8_t *buf, size_t cap, size_t *out_len,
                                int64_t timeout_ns, pp_object cancel) {
  *status = pp_told(
      polyproc_queue_get((polyproc_queue *)queue, buf, cap, out_len, timeout_ns, (polyproc_cancel *)cancel));
}

/* The messages lie one after the other from `packed` on. A table of Go pointers would have to be
 * pinned, which costs more for each message than a short copy. */
static inline void pp_queue_put_many(int32_t *status, pp_object queue, const uint8_t *packed,
                                     const size_t *lens, size_t n, size_t *out_put, int64_t timeout_ns,
                                     pp_object cancel) {
  polyproc_slice items[PP_BATCH];
  if (n > PP_BATCH) {
    *status = POLYPROC_E_INVALID;
    return;
  }
  for (size_t i = 0; i < n; i++) {
    items[i].data = packed;
    items[i].len = lens[i];
    packed += lens[i];
  }
  *status = pp_told(polyproc_queue_put_many((polyproc_queue *)queue, items, n, out_put, timeout_ns,
                                            (polyproc_cancel *)cancel));
}

static inline void pp_queue_take(int32_t *status, pp_object queue, uint8_t *message, int64_t timeout_ns,
                                 pp_object cancel) {
  *status = pp_told(polyproc_queue_take((polyproc_queue *)queue, (polyproc_message *)message, timeout_ns,
                                        (polyproc_cancel *)cancel));
}

static inline void pp_queue_take_dead(int32_t *status, pp_object queue, uint8_t *message) {
  *status = pp_told(polyproc_queue_take_dead((polyproc_queue *)queue, (polyproc_message *)message));
}

static inline void pp_queue_take_many(int32_t *status, pp_object queue, uint8_t *messages, size_t max,
                                      size_t *out_taken, int64_t timeout_ns, pp_object cancel) {
  *status = pp_told(polyproc_queue_take_many((polyproc_queue *)queue, (polyproc_message *)messages, max,
                                             out_taken, timeout_ns, (polyproc_cancel *)cancel));
}

static inline void pp_message_done(int32_t *status, uint8_t *message) {
  *status = pp_told(polyproc_message_done((polyproc_message *)message));
}

/* Settles all of them, and returns the first failure. */
static inline void pp_messages_done(int32_t *status, uint8_t *messages, size_t n) {
  int32_t result = POLYPROC_OK;
  for (size_t i = 0; i < n; i++) {
    int32_t one = polyproc_message_done((polyproc_message *)messages + i);
    if (one < 0 && result == POLYPROC_OK) {
      result = one;
    }
  }
  *status = result;
}

static inline void pp_message_return(int32_t *status, uint8_t *message) {
  *status = pp_told(polyproc_message_return((polyproc_message *)message));
}

static inline void pp_queue_reserve(int32_t *status, pp_object queue, size_t len, uint8_t *slot,
                                    int64_t timeout_ns, pp_object cancel) {
  *status = pp_told(polyproc_queue_reserve((polyproc_queue *)queue, len, (polyproc_slot *)slot, timeout_ns,
                                           (polyproc_cancel *)cancel));
}

static inline void pp_slot_commit(int32_t *status, uint8_t *slot, size_t len) {
  *status = pp_told(polyproc_slot_commit((polyproc_slot *)slot, len));
}

static inline void pp_slot_abort(int32_t *status, uint8_t *slot) {
  *status = pp_told(polyproc_slot_abort((polyproc_slot *)slot));
}

static inline void pp_queue_task_done(int32_t *status, pp_object queue) {
  *status = pp_told(polyproc_queue_task_done((polyproc_queue *)queue));
}

static inline void pp_queue_join(int32_t *status, pp_object queue, int64_t timeout_ns, pp_object cancel) {
  *status = pp_told(polyproc_queue_join((polyproc_queue *)queue, timeout_ns, (polyproc_cancel *)cancel));
}

static inline void pp_lock_acquire(int32_t *status, pp_object lock, int64_t timeout_ns, pp_object cancel) {
  *status = pp_told(polyproc_lock_acquire((polyproc_lock *)lock, timeout_ns, (polyproc_cancel *)cancel));
}

static inline void pp_lock_release(int32_t *status, pp_object lock) {
  *status = pp_told(polyproc_lock_release((polyproc_lock *)lock));
}

static inline void pp_semaphore_acquire(int32_t *status, pp_object semaphore, int64_t timeout_ns,
                                        pp_object cancel) {
  *status = pp_told(
      polyproc_semaphore_acquire((polyproc_semaphore *)semaphore, timeout_ns, (polyproc_cancel *)cancel));
}

static inline void pp_semaphore_release(int32_t *status, pp_object semaphore, int64_t n) {
  *status = pp_told(polyproc_semaphore_release((polyproc_semaphore *)semaphore, n));
}

static inline void pp_event_wait_since(int32_t *status, pp_object event, uint32_t sets, int64_t timeout_ns,
                                       pp_object cancel) {
  *status = pp_told(
      polyproc_event_wait_since((polyproc_event *)event, sets, timeout_ns, (polyproc_cancel *)cancel));
}

static inline void pp_rlock_acquire(int32_t *status, pp_object rlock, uint64_t owner, int64_t timeout_ns,
                                    pp_object cancel) {
  *status =
      pp_told(polyproc_rlock_acquire((polyproc_rlock *)rlock, owner, timeout_ns, (polyproc_cancel *)cancel));
}

static inline void pp_rlock_release(int32_t *status, pp_object rlock, uint64_t owner) {
  *status = pp_told(polyproc_rlock_release((polyproc_rlock *)rlock, owner));
}

static inline void pp_condition_wait(int32_t *status, pp_object condition, pp_object lock, int64_t timeout_ns,
                                     pp_object cancel) {
  *status = pp_told(polyproc_condition_wait((polyproc_condition *)condition, (polyproc_lock *)lock,
                                            timeout_ns, (polyproc_cancel *)cancel));
}

static inline void pp_condition_wait_rlock(int32_t *status, pp_object condition, pp_object rlock,
                                           uint64_t owner, int64_t timeout_ns, pp_object cancel) {
  *status = pp_told(polyproc_condition_wait_rlock((polyproc_condition *)condition, (polyproc_rlock *)rlock,
                                                  owner, timeout_ns, (polyproc_cancel *)cancel));
}

static inline void pp_barrier_wait(int32_t *status, pp_object barrier, uint32_t *out_index,
                                   int64_t timeout_ns, pp_object cancel) {
  *status = pp_told(
      polyproc_barrier_wait((polyproc_barrier *)barrier, out_index, timeout_ns, (polyproc_cancel *)cancel));
}

static inline void pp_barrier_arrive(int32_t *status, pp_object barrier, uint32_t *out_index,
                                     int32_t *out_leader, int64_t timeout_ns, pp_object cancel) {
  *status = pp_told(polyproc_barrier_arrive((polyproc_barrier *)barrier, out_index, out_leader, timeout_ns,
                                            (polyproc_cancel *)cancel));
}

static inline void pp_connection_send(int32_t *status, pp_object connection, const uint8_t *data, size_t len,
                                      int64_t timeout_ns, pp_object cancel) {
  *status = pp_told(polyproc_connection_send((polyproc_connection *)connection, data, len, timeout_ns,
                                             (polyproc_cancel *)cancel));
}

static inline void pp_connection_recv(int32_t *status, pp_object connection, uint8_t *buf, size_t cap,
                                      size_t *out_len, int64_t timeout_ns, pp_object cancel) {
  *status = pp_told(polyproc_connection_recv((polyproc_connection *)connection, buf, cap, out_len, timeout_ns,
                                             (polyproc_cancel *)cancel));
}

static inline void pp_connection_poll(int32_t *status, pp_object connection, int64_t timeout_ns,
                                      pp_object cancel) {
  *status = pp_told(
      polyproc_connection_poll((polyproc_connection *)connection, timeout_ns, (polyproc_cancel *)cancel));
}

static inline void pp_process_join(int32_t *status, pp_object process, int64_t timeout_ns, pp_object cancel) {
  *status =
      pp_told(polyproc_process_join((polyproc_process *)process, timeout_ns, (polyproc_cancel *)cancel));
}

#endif
