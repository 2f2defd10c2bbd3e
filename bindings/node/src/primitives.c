/* Lock, semaphore and event, tried once. */
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

static napi_value event_wait(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *event;
  int32_t status = enter(&call, env, info, POLYPROC_KIND_EVENT, &event);
  if (status >= 0) status = polyproc_event_wait(event->handle, 0, NULL);
  return number(env, status);
}

const addon_function primitive_functions[] = {
    {"lockAcquire", lock_acquire},
    {"lockRelease", lock_release},
    {"lockIsLocked", lock_is_locked},
    {"semaphoreAcquire", semaphore_acquire},
    {"semaphoreRelease", semaphore_release},
    {"semaphoreValue", semaphore_value},
    {"eventSet", event_set},
    {"eventClear", event_clear},
    {"eventIsSet", event_is_set},
    {"eventWait", event_wait},
    {NULL, NULL},
};
