/* Calls on rlock, event and barrier that need code of their own; wrappers.c has the others. */
#include <stdatomic.h>

#include "object.h"

/* E_TIMEOUT: row 0 has, as `loan`, the mark from which a wait that begins now counts. */
static napi_value event_wait(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *event;
  uint32_t mark = 0;
  int32_t status = call_enter(&call, env, info, POLYPROC_KIND_EVENT, &event);
  if (status >= 0) status = polyproc_event_sets(event->handle, &mark);
  if (status >= 0) status = polyproc_event_wait_since(event->handle, mark, 0, NULL);
  call.addon->rows->loan = mark;
  return number(env, status);
}

/* Returns an owner of rlocks for a task or a thread. It is negative: programs choose positive ones.
 */
static napi_value rlock_new_owner(napi_env env, napi_callback_info info) {
  static _Atomic int64_t last;
  (void)info;
  return number(env, (double)-(atomic_fetch_add(&last, 1) + 1));
}

/* (rlock, owner) */
static napi_value rlock_acquire(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *rlock;
  int64_t owner;
  int32_t status = call_enter(&call, env, info, POLYPROC_KIND_RLOCK, &rlock);
  if (status >= 0) status = call_i64(&call, 1, &owner);
  if (status >= 0) status = polyproc_rlock_acquire(rlock->handle, (uint64_t)owner, 0, NULL);
  return number(env, status);
}

/* For a caller without time to wait. Row 0 has the party's number as `loan`. */
static napi_value barrier_wait(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *barrier;
  uint32_t index = 0;
  int32_t status = call_enter(&call, env, info, POLYPROC_KIND_BARRIER, &barrier);
  if (status >= 0) status = polyproc_barrier_wait(barrier->handle, &index, 0, NULL);
  call.addon->rows->loan = index;
  return number(env, status);
}

/* As barrier_wait. Row 0 also has, as `offset`, whether the party is the leader. */
static napi_value barrier_arrive(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *barrier;
  uint32_t index = 0;
  int32_t is_leader = 0;
  int32_t status = call_enter(&call, env, info, POLYPROC_KIND_BARRIER, &barrier);
  if (status >= 0) status = polyproc_barrier_arrive(barrier->handle, &index, &is_leader, 0, NULL);
  call.addon->rows->loan = index;
  call.addon->rows->offset = is_leader;
  return number(env, status);
}

const addon_function primitive_functions[] = {
    {"rlockNewOwner", rlock_new_owner}, {"rlockAcquire", rlock_acquire},   {"eventWait", event_wait},
    {"barrierWait", barrier_wait},      {"barrierArrive", barrier_arrive}, {NULL, NULL},
};
