/*
 * The life of a handle in an environment. create.c makes them.
 *
 * The library frees a handle at close when no call is inside, and a waiter thread may be just about to call.
 * So the handle is closed by the last of its users: the open object and every request that has not been
 * answered.
 */
#include <stdlib.h>

#include "addon.h"
#include "waits.h"

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

void object_close(struct object *object) {
  if (object->closed) return;
  object->closed = true;
  poll_disarm(object);
  waits_stop(object);
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

/* At the end of an environment, after the waiter threads have ended: what is left is given back. */
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

static napi_value share_fd(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *object;
  int fd = -1;
  call_read(&call, env, info);
  int32_t status = call_object(&call, 0, &object);
  if (status >= 0) status = polyproc_share_fd(object->kind, object->handle, &fd);
  return number(env, status < 0 ? status : fd);
}

static napi_value close_object(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *object;
  call_read(&call, env, info);
  if (call_object(&call, 0, &object) >= 0) object_close(object);
  return NULL;
}

const addon_function object_functions[] = {{"shareFd", share_fd}, {"close", close_object}, {NULL, NULL}};
