/* Creates, opens, lists and unlinks objects. */
#include <stdlib.h>
#include <string.h>

#include "object.h"

enum { NAME_CAP = 256 }; /* the library's limit is 200: longer ones get its own answer, E_INVALID */

static int32_t plain_create(int32_t kind, const char *name, const polyproc_options *options, void **out) {
  switch (kind) {
    case POLYPROC_KIND_LOCK:
      return polyproc_lock_create(name, options, (polyproc_lock **)out);
    case POLYPROC_KIND_RLOCK:
      return polyproc_rlock_create(name, options, (polyproc_rlock **)out);
    case POLYPROC_KIND_CONDITION:
      return polyproc_condition_create(name, options, (polyproc_condition **)out);
    default:
      return polyproc_event_create(name, options, (polyproc_event **)out);
  }
}

/* (kind, name, flags, mode): a lock, an rlock, an event or a condition */
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
  int32_t status = plain_create(kind, name, &options, &handle);
  return object_made(&call, status, kind, handle);
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
  return object_made(&call, status, POLYPROC_KIND_SEMAPHORE, handle);
}

/* (name, flags, mode, parties) */
static napi_value create_barrier(napi_env env, napi_callback_info info) {
  struct call call;
  char buf[NAME_CAP];
  const char *name;
  polyproc_barrier *handle = NULL;
  int32_t flags, mode, parties;
  polyproc_options options = POLYPROC_OPTIONS_INIT;
  call_read(&call, env, info);
  if (call_string(&call, 0, buf, sizeof buf, &name) < 0 || call_i32(&call, 1, &flags) < 0 ||
      call_i32(&call, 2, &mode) < 0 || call_i32(&call, 3, &parties) < 0) {
    return number(env, POLYPROC_E_INVALID);
  }
  options.flags = (uint32_t)flags;
  options.mode = (uint32_t)mode;
  int32_t status = polyproc_barrier_create(name, &options, (uint32_t)parties, &handle);
  return object_made(&call, status, POLYPROC_KIND_BARRIER, handle);
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
  return object_made(&call, status, POLYPROC_KIND_QUEUE, handle);
}

static int32_t named_open(int32_t kind, const char *name, void **out) {
  switch (kind) {
    case POLYPROC_KIND_LOCK:
      return polyproc_lock_open(name, (polyproc_lock **)out);
    case POLYPROC_KIND_RLOCK:
      return polyproc_rlock_open(name, (polyproc_rlock **)out);
    case POLYPROC_KIND_SEMAPHORE:
      return polyproc_semaphore_open(name, (polyproc_semaphore **)out);
    case POLYPROC_KIND_EVENT:
      return polyproc_event_open(name, (polyproc_event **)out);
    case POLYPROC_KIND_CONDITION:
      return polyproc_condition_open(name, (polyproc_condition **)out);
    case POLYPROC_KIND_BARRIER:
      return polyproc_barrier_open(name, (polyproc_barrier **)out);
    case POLYPROC_KIND_QUEUE:
      return polyproc_queue_open(name, (polyproc_queue **)out);
    default:
      return POLYPROC_E_INVALID;
  }
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
  status = named_open(kind, name, &handle);
  return object_made(&call, status, kind, handle);
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
  return object_made(&call, status, kind, handle);
}

/* (kind, fd) */
static napi_value open_fd(napi_env env, napi_callback_info info) {
  struct call call;
  void *handle = NULL;
  int32_t kind, fd;
  call_read(&call, env, info);
  if (call_i32(&call, 0, &kind) < 0 || call_i32(&call, 1, &fd) < 0) return number(env, POLYPROC_E_INVALID);
  int32_t status = polyproc_open_fd(fd, kind, &handle);
  return object_made(&call, status, kind, handle);
}

static napi_value unlink_name(napi_env env, napi_callback_info info) {
  struct call call;
  char buf[NAME_CAP];
  const char *name;
  call_read(&call, env, info);
  int32_t status = call_string(&call, 0, buf, sizeof buf, &name);
  return number(env, status < 0 ? status : polyproc_unlink(name));
}

static napi_value list_entry(napi_env env, const polyproc_object_info *info) {
  napi_value entry, name;
  const double numbers[] = {info->kind, info->mode, info->processes, info->waiting, (double)info->bytes};
  napi_create_array_with_length(env, 1 + sizeof numbers / sizeof *numbers, &entry);
  napi_create_string_utf8(env, info->name, NAPI_AUTO_LENGTH, &name);
  napi_set_element(env, entry, 0, name);
  for (uint32_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    napi_set_element(env, entry, i + 1, number(env, numbers[i]));
  }
  return entry;
}

/* [[name, kind, mode, processes, waiting, bytes], ...] */
static napi_value list_names(napi_env env, napi_callback_info info) {
  napi_value list = NULL;
  polyproc_object_info *items = NULL;
  size_t room = 0, count = 64;
  int32_t status;
  (void)info;
  do {
    room = count;
    polyproc_object_info *grown = realloc(items, room * sizeof *items);
    if (grown == NULL) {
      free(items);
      return number(env, POLYPROC_E_NO_MEMORY);
    }
    items = grown;
    status = polyproc_list(items, room, &count);
  } while (status == POLYPROC_E_TOO_SMALL);
  if (status >= 0) {
    napi_create_array_with_length(env, count, &list);
    for (size_t i = 0; i < count; i++) napi_set_element(env, list, (uint32_t)i, list_entry(env, &items[i]));
  }
  free(items);
  return status < 0 ? number(env, status) : list;
}

const addon_function create_functions[] = {
    {"createPlain", create_plain},
    {"createSemaphore", create_semaphore},
    {"createBarrier", create_barrier},
    {"createQueue", create_queue},
    {"open", open_named},
    {"inherited", open_inherited},
    {"fromFd", open_fd},
    {"unlink", unlink_name},
    {"list", list_names},
    {NULL, NULL},
};
