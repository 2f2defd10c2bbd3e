/* Where processes meet: condition and barrier. Nothing here waits, a barrier with its last party aside. */
#include "addon.h"

static int32_t enter(struct call *call, napi_env env, napi_callback_info info, int32_t kind,
                     struct object **object) {
  call_read(call, env, info);
  return call_object(call, kind, object);
}

/* (condition, n) */
static napi_value condition_notify(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *condition;
  int64_t n;
  int32_t status = enter(&call, env, info, POLYPROC_KIND_CONDITION, &condition);
  if (status >= 0) status = call_i64(&call, 1, &n);
  if (status >= 0) status = polyproc_condition_notify(condition->handle, (uint32_t)n);
  return number(env, status);
}

static napi_value condition_notify_all(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *condition;
  int32_t status = enter(&call, env, info, POLYPROC_KIND_CONDITION, &condition);
  if (status >= 0) status = polyproc_condition_notify_all(condition->handle);
  return number(env, status);
}

/* For who waits no time at all: the party's number is in row 0 as `loan`. */
static napi_value barrier_wait(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *barrier;
  uint32_t index = 0;
  int32_t status = enter(&call, env, info, POLYPROC_KIND_BARRIER, &barrier);
  if (status >= 0) status = polyproc_barrier_wait(barrier->handle, &index, 0, NULL);
  call.addon->rows->loan = index;
  return number(env, status);
}

/* The same; whether it is the leader is in row 0 as `offset`. */
static napi_value barrier_arrive(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *barrier;
  uint32_t index = 0;
  int32_t is_leader = 0;
  int32_t status = enter(&call, env, info, POLYPROC_KIND_BARRIER, &barrier);
  if (status >= 0) status = polyproc_barrier_arrive(barrier->handle, &index, &is_leader, 0, NULL);
  call.addon->rows->loan = index;
  call.addon->rows->offset = is_leader;
  return number(env, status);
}

/* (barrier, ok) */
static napi_value barrier_complete(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *barrier;
  int32_t ok;
  int32_t status = enter(&call, env, info, POLYPROC_KIND_BARRIER, &barrier);
  if (status >= 0) status = call_i32(&call, 1, &ok);
  if (status >= 0) status = polyproc_barrier_complete(barrier->handle, ok);
  return number(env, status);
}

static napi_value barrier_abort(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *barrier;
  int32_t status = enter(&call, env, info, POLYPROC_KIND_BARRIER, &barrier);
  if (status >= 0) status = polyproc_barrier_abort(barrier->handle);
  return number(env, status);
}

static napi_value barrier_reset(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *barrier;
  int32_t status = enter(&call, env, info, POLYPROC_KIND_BARRIER, &barrier);
  if (status >= 0) status = polyproc_barrier_reset(barrier->handle);
  return number(env, status);
}

static napi_value barrier_parties(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *barrier;
  uint32_t parties;
  int32_t status = enter(&call, env, info, POLYPROC_KIND_BARRIER, &barrier);
  if (status >= 0) status = polyproc_barrier_parties(barrier->handle, &parties);
  return number(env, status < 0 ? status : (double)parties);
}

static napi_value barrier_waiting(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *barrier;
  uint32_t waiting;
  int32_t status = enter(&call, env, info, POLYPROC_KIND_BARRIER, &barrier);
  if (status >= 0) status = polyproc_barrier_waiting(barrier->handle, &waiting);
  return number(env, status < 0 ? status : (double)waiting);
}

static napi_value barrier_is_broken(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *barrier;
  int32_t is_broken;
  int32_t status = enter(&call, env, info, POLYPROC_KIND_BARRIER, &barrier);
  if (status >= 0) status = polyproc_barrier_is_broken(barrier->handle, &is_broken);
  return number(env, status < 0 ? status : is_broken);
}

const addon_function meeting_functions[] = {
    {"conditionNotify", condition_notify},
    {"conditionNotifyAll", condition_notify_all},
    {"barrierWait", barrier_wait},
    {"barrierArrive", barrier_arrive},
    {"barrierComplete", barrier_complete},
    {"barrierAbort", barrier_abort},
    {"barrierReset", barrier_reset},
    {"barrierParties", barrier_parties},
    {"barrierWaiting", barrier_waiting},
    {"barrierIsBroken", barrier_is_broken},
    {NULL, NULL},
};
