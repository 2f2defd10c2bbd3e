#include "object.h"

#include <stdlib.h>

#include "tasks.h"

static void handle_close(int32_t kind, void *handle) {
  switch (kind) {
    case POLYPROC_KIND_LOCK:
      polyproc_lock_close(handle);
      break;
    case POLYPROC_KIND_SEMAPHORE:
      polyproc_semaphore_close(handle);
      break;
    case POLYPROC_KIND_EVENT:
      polyproc_event_close(handle);
      break;
    case POLYPROC_KIND_QUEUE:
      polyproc_queue_close(handle);
      break;
    case POLYPROC_KIND_RLOCK:
      polyproc_rlock_close(handle);
      break;
    case POLYPROC_KIND_CONDITION:
      polyproc_condition_close(handle);
      break;
    case POLYPROC_KIND_BARRIER:
      polyproc_barrier_close(handle);
      break;
    case POLYPROC_KIND_CONNECTION:
      polyproc_connection_close(handle);
      break;
    case OBJECT_POOL:
      polyproc_pool_close(handle);
      break;
    case OBJECT_LISTENER:
      polyproc_listener_close(handle);
      break;
    case OBJECT_WORKER:
      break;
    default:
      polyproc_process_close(handle);
  }
}

void object_abandon(struct object *object) {
  if (object->handle != NULL) handle_close(object->kind, object->handle);
  object->handle = NULL;
}

void object_leave(struct object *object) {
  if (--object->users == 0) object_abandon(object);
}

static void object_close(struct object *object) {
  if (object->closed) return;
  object->closed = true;
  object->addon->before_close(object);
  object_leave(object);
}

static void object_finalize(napi_env env, void *data, void *hint) {
  struct object *object = data;
  (void)env;
  (void)hint;
  if (object->addon != NULL) {
    object_close(object); /* No promise waits, or it would have kept the object. */
    *object->link = object->next;
    if (object->next != NULL) object->next->link = object->link;
  }
  tasks_free(object->tasks);
  free(object);
}

/* Runs at the end of an environment, after the waiter threads: closes the handles that are left. */
void objects_teardown(struct addon *addon) {
  for (struct object *object = addon->objects; object != NULL; object = object->next) {
    object_close(object);
    object->addon = NULL;
  }
}

napi_value object_new(struct addon *addon, int32_t kind, void *handle) {
  struct object *object = calloc(1, sizeof *object);
  napi_value external = NULL;
  if (object == NULL) {
    handle_close(kind, handle);
    return number(addon->env, POLYPROC_E_NO_MEMORY);
  }
  *object = (struct object){.addon = addon, .handle = handle, .kind = kind, .users = 1, .polled_fd = -1};
  if (napi_create_external(addon->env, object, object_finalize, NULL, &external) != napi_ok) {
    handle_close(kind, handle);
    free(object);
    return internal_failure(addon->env, "no external for an object");
  }
  object->next = addon->objects;
  object->link = &addon->objects;
  if (object->next != NULL) object->next->link = &object->next;
  addon->objects = object;
  return external;
}

napi_value object_made(const struct call *call, int32_t status, int32_t kind, void *handle) {
  return status < 0 ? number(call->env, status) : object_new(call->addon, kind, handle);
}

int32_t object_of(napi_env env, napi_value value, int32_t kind, struct object **out) {
  void *found = NULL;
  if (napi_get_value_external(env, value, &found) != napi_ok) return POLYPROC_E_INVALID;
  struct object *object = found;
  if (kind != 0 && object->kind != kind) return POLYPROC_E_INVALID;
  if (object->closed) return POLYPROC_E_CLOSED;
  *out = object;
  return POLYPROC_OK;
}

int32_t call_object(const struct call *call, int32_t kind, struct object **out) {
  return object_of(call->env, call->argv[0], kind, out);
}

int32_t call_enter(struct call *call, napi_env env, napi_callback_info info, int32_t kind,
                   struct object **out) {
  call_read(call, env, info);
  return call_object(call, kind, out);
}

static napi_value share_fd(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *object;
  int fd = -1;
  int32_t status = call_enter(&call, env, info, 0, &object);
  if (status >= 0) status = polyproc_share_fd(object->kind, object->handle, &fd);
  return number(env, status < 0 ? status : fd);
}

static napi_value close_object(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *object;
  if (call_enter(&call, env, info, 0, &object) >= 0) object_close(object);
  return NULL;
}

const addon_function object_functions[] = {{"shareFd", share_fd}, {"close", close_object}, {NULL, NULL}};
