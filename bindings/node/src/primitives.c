/* Lock, rlock, semaphore and event, tried once. */
#include <stdatomic.h>

#include "addon.h"

static int32_t enter(struct call *call, napi_env env, napi_callback_info info, int32_t kind,
                     struct object **object) {
  call_read(call, env, info);
  return call_object(call, kind, object);
}

static napi_value lock_acquire(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *lock;
  int32_t status = enter(&call, env, info, POLYPROC_KIND_LOCK, &lock);
  if (status >= 0) status = polyproc_lock_acquire(lock->handle, 0, NULL);
  return number(env, status);
}

static napi_value lock_release(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *lock;
  int32_t status = enter(&call, env, info, POLYPROC_KIND_LOCK, &lock);
  if (status >= 0) status = polyproc_lock_release(lock->handle);
  return number(env, status);
}

static napi_value lock_is_locked(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *lock;
  int32_t is_locked;
  int32_t status = enter(&call, env, info, POLYPROC_KIND_LOCK, &lock);
  if (status >= 0) status = polyproc_lock_is_locked(lock->handle, &is_locked);
  return number(env, status < 0 ? status : is_locked);
}

static napi_value semaphore_acquire(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *semaphore;
  int32_t status = enter(&call, env, info, POLYPROC_KIND_SEMAPHORE, &semaphore);
  if (status >= 0) status = polyproc_semaphore_acquire(semaphore->handle, 0, NULL);
  return number(env, status);
}

/* (semaphore, permits) */
static napi_value semaphore_release(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *semaphore;
  int64_t permits;
  int32_t status = enter(&call, env, info, POLYPROC_KIND_SEMAPHORE, &semaphore);
  if (status >= 0) status = call_i64(&call, 1, &permits);
  if (status >= 0) status = polyproc_semaphore_release(semaphore->handle, permits);
  return number(env, status);
}

static napi_value semaphore_value(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *semaphore;
  int64_t value;
  int32_t status = enter(&call, env, info, POLYPROC_KIND_SEMAPHORE, &semaphore);
  if (status >= 0) status = polyproc_semaphore_value(semaphore->handle, &value);
  return number(env, status < 0 ? status : (double)value);
}

static napi_value event_set(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *event;
  int32_t status = enter(&call, env, info, POLYPROC_KIND_EVENT, &event);
  if (status >= 0) status = polyproc_event_set(event->handle);
  return number(env, status);
}

static napi_value event_clear(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *event;
  int32_t status = enter(&call, env, info, POLYPROC_KIND_EVENT, &event);
  if (status >= 0) status = polyproc_event_clear(event->handle);
  return number(env, status);
}

static napi_value event_is_set(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *event;
  int32_t is_set;
  int32_t status = enter(&call, env, info, POLYPROC_KIND_EVENT, &event);
  if (status >= 0) status = polyproc_event_is_set(event->handle, &is_set);
  return number(env, status < 0 ? status : is_set);
}

/* E_TIMEOUT: row 0 has, as `loan`, the mark from which a wait counts that begins now. */
static napi_value event_wait(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *event;
  uint32_t mark = 0;
  int32_t status = enter(&call, env, info, POLYPROC_KIND_EVENT, &event);
  if (status >= 0) status = polyproc_event_sets(event->handle, &mark);
  if (status >= 0) status = polyproc_event_wait_since(event->handle, mark, 0, NULL);
  call.addon->rows->loan = mark;
  return number(env, status);
}

/* Owners of rlocks that nobody has named: apart from those that programs name, which are above 0, and of all
 * environments of the process. */
static napi_value rlock_new_owner(napi_env env, napi_callback_info info) {
  static _Atomic int64_t last;
  (void)info;
  return number(env, (double)-(atomic_fetch_add(&last, 1) + 1));
}

static int32_t enter_rlock(struct call *call, napi_env env, napi_callback_info info, struct object **rlock,
                           int64_t *owner) {
  int32_t status = enter(call, env, info, POLYPROC_KIND_RLOCK, rlock);
  return status < 0 ? status : call_i64(call, 1, owner);
}

/* (rlock, owner) */
static napi_value rlock_acquire(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *rlock;
  int64_t owner;
  int32_t status = enter_rlock(&call, env, info, &rlock, &owner);
  if (status >= 0) status = polyproc_rlock_acquire(rlock->handle, (uint64_t)owner, 0, NULL);
  return number(env, status);
}

/* (rlock, owner) */
static napi_value rlock_release(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *rlock;
  int64_t owner;
  int32_t status = enter_rlock(&call, env, info, &rlock, &owner);
  if (status >= 0) status = polyproc_rlock_release(rlock->handle, (uint64_t)owner);
  return number(env, status);
}

static napi_value rlock_depth(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *rlock;
  uint32_t depth;
  int32_t status = enter(&call, env, info, POLYPROC_KIND_RLOCK, &rlock);
  if (status >= 0) status = polyproc_rlock_depth(rlock->handle, &depth);
  return number(env, status < 0 ? status : (double)depth);
}

const addon_function primitive_functions[] = {
    {"lockAcquire", lock_acquire},
    {"lockRelease", lock_release},
    {"lockIsLocked", lock_is_locked},
    {"rlockNewOwner", rlock_new_owner},
    {"rlockAcquire", rlock_acquire},
    {"rlockRelease", rlock_release},
    {"rlockDepth", rlock_depth},
    {"semaphoreAcquire", semaphore_acquire},
    {"semaphoreRelease", semaphore_release},
    {"semaphoreValue", semaphore_value},
    {"eventSet", event_set},
    {"eventClear", event_clear},
    {"eventIsSet", event_is_set},
    {"eventWait", event_wait},
    {NULL, NULL},
};
