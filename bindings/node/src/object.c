/*
 * Objects: creating, opening, handing on, closing.
 *
 * The library frees a handle at close when no call is inside, and a waiter thread may be just about to call.
 * So the handle is closed by the last of its users: the open object and every request that has not been
 * answered.
 */
#include <stdlib.h>
#include <string.h>

#include "addon.h"
#include "waits.h"

enum { NAME_CAP = 256 }; /* the library's limit is 200: longer ones get its own answer, E_INVALID */

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
    default:
      polyproc_process_close(handle);
  }
}

void object_leave(struct object *object) {
  if (--object->users == 0) {
    handle_close(object->kind, object->handle);
    object->handle = NULL;
  }
}

void object_close(struct object *object) {
  if (object->closed) return;
  object->closed = true;
  waits_stop(object);
  object_leave(object);
}

static void object_finalize(napi_env env, void *data, void *hint) {
  struct object *object = data;
  (void)env;
  (void)hint;
  if (object->addon != NULL) {
    /* No promise waits, or it would have kept the object; only an idle waiter thread may be left. */
    object_close(object);
    waits_free(object);
    *object->link = object->next;
    if (object->next != NULL) object->next->link = object->link;
  }
  free(object);
}

/* At the end of an environment, after the waiter threads have ended: what is left is given back. */
void objects_teardown(struct addon *addon) {
  for (struct object *object = addon->objects; object != NULL; object = object->next) {
    object_close(object);
    waits_free(object);
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
  *object = (struct object){.addon = addon, .handle = handle, .kind = kind, .users = 1};
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

/* The object, or its status as a number. */
static napi_value made(const struct call *call, int32_t status, int32_t kind, void *handle) {
  return status < 0 ? number(call->env, status) : object_new(call->addon, kind, handle);
}

/* (kind, name, flags, mode): a lock or an event */
static napi_value create_plain(napi_env env, napi_callback_info info) {
  struct call call;
  char buf[NAME_CAP];
  const char *name;
  void *handle = NULL;
  int32_t kind, flags, mode;
  call_read(&call, env, info);
  if (call_i32(&call, 0, &kind) < 0 || call_i32(&call, 2, &flags) < 0 || call_i32(&call, 3, &mode) < 0 ||
      call_string(&call, 1, buf, sizeof buf, &name) < 0) {
    return number(env, POLYPROC_E_INVALID);
  }
  polyproc_options options = POLYPROC_OPTIONS_INIT;
  options.flags = (uint32_t)flags;
  options.mode = (uint32_t)mode;
  int32_t status = kind == POLYPROC_KIND_LOCK
                       ? polyproc_lock_create(name, &options, (polyproc_lock **)&handle)
                       : polyproc_event_create(name, &options, (polyproc_event **)&handle);
  return made(&call, status, kind, handle);
}

/* (name, flags, mode, initial, maximum) */
static napi_value create_semaphore(napi_env env, napi_callback_info info) {
  struct call call;
  char buf[NAME_CAP];
  const char *name;
  polyproc_semaphore *handle = NULL;
  int32_t flags, mode;
  polyproc_semaphore_options options = POLYPROC_SEMAPHORE_OPTIONS_INIT;
  call_read(&call, env, info);
  if (call_string(&call, 0, buf, sizeof buf, &name) < 0 || call_i32(&call, 1, &flags) < 0 ||
      call_i32(&call, 2, &mode) < 0 || call_i64(&call, 3, &options.initial) < 0 ||
      call_i64(&call, 4, &options.maximum) < 0) {
    return number(env, POLYPROC_E_INVALID);
  }
  options.flags = (uint32_t)flags;
  options.mode = (uint32_t)mode;
  int32_t status = polyproc_semaphore_create(name, &options, &handle);
  return made(&call, status, POLYPROC_KIND_SEMAPHORE, handle);
}

/* (name, flags, mode, max_items, max_bytes, max_deliveries, spin_ns, format) */
static napi_value create_queue(napi_env env, napi_callback_info info) {
  struct call call;
  char buf[NAME_CAP], label[sizeof((polyproc_queue_options *)NULL)->format];
  const char *name, *format;
  polyproc_queue *handle = NULL;
  int32_t flags, mode;
  int64_t limits[4];
  call_read(&call, env, info);
  if (call_string(&call, 0, buf, sizeof buf, &name) < 0 || call_i32(&call, 1, &flags) < 0 ||
      call_i32(&call, 2, &mode) < 0 || call_string(&call, 7, label, sizeof label, &format) < 0) {
    return number(env, POLYPROC_E_INVALID);
  }
  for (size_t i = 0; i < 4; i++) {
    if (call_i64(&call, 3 + i, &limits[i]) < 0) return number(env, POLYPROC_E_INVALID);
  }
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  options.flags = (uint32_t)flags;
  options.mode = (uint32_t)mode;
  options.max_items = (uint64_t)limits[0];
  options.max_bytes = (uint64_t)limits[1];
  options.max_deliveries = (uint32_t)limits[2];
  options.spin_ns = (uint32_t)limits[3];
  if (format != NULL) memcpy(options.format, format, strlen(format) + 1);
  int32_t status = polyproc_queue_create(name, &options, &handle);
  return made(&call, status, POLYPROC_KIND_QUEUE, handle);
}

/* (kind, name) */
static napi_value open_named(napi_env env, napi_callback_info info) {
  struct call call;
  char buf[NAME_CAP];
  const char *name;
  void *handle = NULL;
  int32_t kind, status;
  call_read(&call, env, info);
  if (call_i32(&call, 0, &kind) < 0 || call_string(&call, 1, buf, sizeof buf, &name) < 0) {
    return number(env, POLYPROC_E_INVALID);
  }
  switch (kind) {
    case POLYPROC_KIND_LOCK:
      status = polyproc_lock_open(name, (polyproc_lock **)&handle);
      break;
    case POLYPROC_KIND_SEMAPHORE:
      status = polyproc_semaphore_open(name, (polyproc_semaphore **)&handle);
      break;
    case POLYPROC_KIND_EVENT:
      status = polyproc_event_open(name, (polyproc_event **)&handle);
      break;
    default:
      status = polyproc_queue_open(name, (polyproc_queue **)&handle);
  }
  return made(&call, status, kind, handle);
}

/* (kind, name) */
static napi_value open_inherited(napi_env env, napi_callback_info info) {
  struct call call;
  char buf[NAME_CAP];
  const char *name;
  void *handle = NULL;
  int32_t kind;
  call_read(&call, env, info);
  if (call_i32(&call, 0, &kind) < 0 || call_string(&call, 1, buf, sizeof buf, &name) < 0) {
    return number(env, POLYPROC_E_INVALID);
  }
  int32_t status = polyproc_inherited(name, kind, &handle);
  return made(&call, status, kind, handle);
}

/* (kind, fd) */
static napi_value open_fd(napi_env env, napi_callback_info info) {
  struct call call;
  void *handle = NULL;
  int32_t kind, fd;
  call_read(&call, env, info);
  if (call_i32(&call, 0, &kind) < 0 || call_i32(&call, 1, &fd) < 0) return number(env, POLYPROC_E_INVALID);
  int32_t status = polyproc_open_fd(fd, kind, &handle);
  return made(&call, status, kind, handle);
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

static napi_value unlink_name(napi_env env, napi_callback_info info) {
  struct call call;
  char buf[NAME_CAP];
  const char *name;
  call_read(&call, env, info);
  int32_t status = call_string(&call, 0, buf, sizeof buf, &name);
  return number(env, status < 0 ? status : polyproc_unlink(name));
}

const addon_function object_functions[] = {
    {"createPlain", create_plain}, {"createSemaphore", create_semaphore},
    {"createQueue", create_queue}, {"open", open_named},
    {"inherited", open_inherited}, {"fromFd", open_fd},
    {"shareFd", share_fd},         {"close", close_object},
    {"unlink", unlink_name},       {NULL, NULL},
};
