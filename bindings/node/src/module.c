/* Begins and ends the addon in an environment, and asks the library about itself. */
#include <stdio.h>
#include <stdlib.h>

#include "loan.h"
#include "object.h"
#include "poll.h"
#include "request.h"
#include "waits.h"

static napi_value library_text(napi_env env, napi_callback_info info) {
  struct call call;
  int32_t status = 0;
  napi_value text = NULL;
  call_read(&call, env, info);
  call_i32(&call, 0, &status);
  napi_create_string_utf8(env, polyproc_strerror(status), NAPI_AUTO_LENGTH, &text);
  return text;
}

/* Returns the sentence of polyproc_detail about the present answer; undefined if there is none. */
static napi_value library_detail(napi_env env, napi_callback_info info) {
  struct call call;
  napi_value text = NULL;
  char detail[DETAIL_CAP];
  call_read(&call, env, info);
  /* An answer that is being delivered has its sentence from a waiter thread. */
  const char *said = call.addon->delivered;
  if (said == NULL && polyproc_detail(detail, sizeof detail) == POLYPROC_OK) said = detail;
  if (said != NULL && *said != '\0') napi_create_string_utf8(env, said, NAPI_AUTO_LENGTH, &text);
  return text;
}

static napi_value library_version(napi_env env, napi_callback_info info) {
  napi_value text = NULL;
  (void)info;
  napi_create_string_utf8(env, polyproc_version(), NAPI_AUTO_LENGTH, &text);
  return text;
}

/* (Buffer): copies short messages to this slab from now on */
static napi_value library_slab(napi_env env, napi_callback_info info) {
  struct call call;
  void *data;
  size_t size;
  napi_ref kept;
  call_read(&call, env, info);
  if (!bytes_of(env, call.argv[0], &data, &size)) return NULL;
  if (napi_create_reference(env, call.argv[0], 1, &kept) != napi_ok) return internal_failure(env, "no slab");
  if (call.addon->slab_ref != NULL) napi_delete_reference(env, call.addon->slab_ref);
  call.addon->slab_ref = kept;
  call.addon->slab = data;
  call.addon->slab_size = size;
  call.addon->slab_used = 0;
  return NULL;
}

static const struct {
  const char *name;
  int32_t code;
} statuses[] = {
    {"OK", POLYPROC_OK},
    {"OWNER_DIED", POLYPROC_OWNER_DIED},
    {"E_INVALID", POLYPROC_E_INVALID},
    {"E_TIMEOUT", POLYPROC_E_TIMEOUT},
    {"E_EMPTY", POLYPROC_E_EMPTY},
    {"E_FULL", POLYPROC_E_FULL},
    {"E_CANCELED", POLYPROC_E_CANCELED},
    {"E_INTERRUPTED", POLYPROC_E_INTERRUPTED},
    {"E_CLOSED", POLYPROC_E_CLOSED},
    {"E_SHUTDOWN", POLYPROC_E_SHUTDOWN},
    {"E_EOF", POLYPROC_E_EOF},
    {"E_BROKEN_PIPE", POLYPROC_E_BROKEN_PIPE},
    {"E_TOO_SMALL", POLYPROC_E_TOO_SMALL},
    {"E_TOO_LARGE", POLYPROC_E_TOO_LARGE},
    {"E_NO_MEMORY", POLYPROC_E_NO_MEMORY},
    {"E_NOT_FOUND", POLYPROC_E_NOT_FOUND},
    {"E_EXISTS", POLYPROC_E_EXISTS},
    {"E_MISMATCH", POLYPROC_E_MISMATCH},
    {"E_PERMISSION", POLYPROC_E_PERMISSION},
    {"E_CORRUPT", POLYPROC_E_CORRUPT},
    {"E_LIMIT", POLYPROC_E_LIMIT},
    {"E_NOT_OWNER", POLYPROC_E_NOT_OWNER},
    {"E_OVER_RELEASE", POLYPROC_E_OVER_RELEASE},
    {"E_BROKEN_BARRIER", POLYPROC_E_BROKEN_BARRIER},
    {"E_DAEMONIC", POLYPROC_E_DAEMONIC},
    {"E_AUTH", POLYPROC_E_AUTH},
    {"E_UNSUPPORTED", POLYPROC_E_UNSUPPORTED},
    {"E_WORKER_DIED", POLYPROC_E_WORKER_DIED},
    {"E_TASK_FAILED", POLYPROC_E_TASK_FAILED},
    {"E_INTERNAL", POLYPROC_E_INTERNAL},
};

/* The constants of the header and of addon.h that JavaScript needs. */
static const struct {
  const char *name;
  int32_t value;
} constants[] = {
    {"LOCK", POLYPROC_KIND_LOCK},
    {"SEMAPHORE", POLYPROC_KIND_SEMAPHORE},
    {"EVENT", POLYPROC_KIND_EVENT},
    {"QUEUE", POLYPROC_KIND_QUEUE},
    {"RLOCK", POLYPROC_KIND_RLOCK},
    {"CONDITION", POLYPROC_KIND_CONDITION},
    {"BARRIER", POLYPROC_KIND_BARRIER},
    {"CONNECTION", POLYPROC_KIND_CONNECTION},
    {"TASKS_PER_LOOK", TASKS_PER_LOOK},
    {"PARTIES_MAX", POLYPROC_BARRIER_PARTIES_MAX},
    {"READY_GET", POLYPROC_WAIT_QUEUE_GET},
    {"READY_PUT", POLYPROC_WAIT_QUEUE_PUT},
    {"READY_LISTENER", POLYPROC_WAIT_LISTENER},
    {"OPEN_OR_CREATE", POLYPROC_OPEN_OR_CREATE},
    {"JOINABLE", POLYPROC_QUEUE_JOINABLE},
    {"OWNED", POLYPROC_SEMAPHORE_OWNED},
    {"DAEMON", POLYPROC_PROCESS_DAEMON},
    {"CLEAR_ENV", POLYPROC_PROCESS_CLEAR_ENV},
    {"GROUP", POLYPROC_PROCESS_GROUP},
    {"POOL_GROUP", POLYPROC_POOL_GROUP},
    {"FD_NULL", POLYPROC_FD_NULL},
    {"BATCH_MAX", BATCH_MAX},
    {"STAGE_MAX", STAGE_MAX},
    {"COPY_LIMIT", COPY_LIMIT},
    {"WAIT_PUT", WAIT_PUT},
    {"WAIT_PUT_MANY", WAIT_PUT_MANY},
    {"WAIT_RESERVE", WAIT_RESERVE},
    {"WAIT_JOIN", WAIT_JOIN},
    {"WAIT_LOCK", WAIT_LOCK},
    {"WAIT_RLOCK", WAIT_RLOCK},
    {"WAIT_SEMAPHORE", WAIT_SEMAPHORE},
    {"WAIT_EVENT", WAIT_EVENT},
    {"WAIT_CONDITION", WAIT_CONDITION},
    {"WAIT_BARRIER", WAIT_BARRIER},
    {"WAIT_ARRIVE", WAIT_ARRIVE},
    {"WAIT_SEND", WAIT_SEND},
    {"WAIT_RECV", WAIT_RECV},
    {"WAIT_PROCESS", WAIT_PROCESS},
    {"WAIT_CONNECT", WAIT_CONNECT},
    {"WAIT_POOL", WAIT_POOL},
    {"WAIT_CHILDREN", WAIT_CHILDREN},
    {"WAIT_ANY", WAIT_ANY},
};

static void define(napi_env env, napi_value target, const char *name, napi_value value) {
  napi_set_named_property(env, target, name, value);
}

static void define_functions(struct addon *addon, napi_value exports, const addon_function *functions) {
  for (; functions->name != NULL; functions++) {
    napi_value function;
    if (napi_create_function(addon->env, functions->name, NAPI_AUTO_LENGTH, functions->function, addon,
                             &function) == napi_ok) {
      define(addon->env, exports, functions->name, function);
    }
  }
}

/* `rows`: the memory that a call writes and JavaScript reads */
static bool define_rows(struct addon *addon, napi_value exports) {
  void *data = NULL;
  napi_value rows;
  napi_ref kept;
  if (napi_create_arraybuffer(addon->env, BATCH_MAX * sizeof(struct row), &data, &rows) != napi_ok)
    return false;
  if (napi_create_reference(addon->env, rows, 1, &kept) != napi_ok) return false;
  addon->rows = data;
  define(addon->env, exports, "rows", rows);
  return true;
}

/* Runs before a handle closes: answers the waits on the object and stops polling its descriptor. */
static void end_waits(struct object *object) {
  poll_disarm(object);
  waits_stop(object);
}

static void addon_free(struct addon *addon) {
  free(addon->messages);
  free(addon->slices);
  free(addon);
}

static void addon_teardown(void *data) {
  struct addon *addon = data;
  waits_teardown(addon);
  loans_teardown(addon);
  objects_teardown(addon);
  poll_teardown(addon);
  waits_destroy(addon);
  addon_free(addon);
}

/* (settle): settle is called with each answer of a wait: (number, status or result) */
static napi_value library_start_waits(napi_env env, napi_callback_info info) {
  struct call call;
  call_read(&call, env, info);
  if (waits_start(call.addon, call.argv[0]) != napi_ok) {
    return internal_failure(env, "no threadsafe function");
  }
  /* After the doorbell: hooks run in reverse order, so the threads are joined while the doorbell
   * exists. */
  if (napi_add_env_cleanup_hook(env, addon_teardown, call.addon) != napi_ok) {
    return internal_failure(env, "no cleanup hook");
  }
  return NULL;
}

static const addon_function library_functions[] = {
    {"strerror", library_text}, {"detail", library_detail},          {"version", library_version},
    {"setSlab", library_slab},  {"startWaits", library_start_waits}, {NULL, NULL}};

/* A library of another binary interface would be called with the wrong arguments. */
static bool library_fits(napi_env env) {
  char text[160];
  uint32_t abi = polyproc_abi_version();
  if (abi == POLYPROC_ABI_VERSION) return true;
  snprintf(text, sizeof text,
           "this addon is made for libpolyproc.so.%u, and is linked with libpolyproc.so.%u (version %s)",
           (unsigned)POLYPROC_ABI_VERSION, (unsigned)abi, polyproc_version());
  napi_throw_error(env, NULL, text);
  return false;
}

NAPI_MODULE_INIT() {
  if (!library_fits(env)) return NULL;
  struct addon *addon = calloc(1, sizeof *addon);
  if (addon == NULL) return internal_failure(env, "out of memory");
  addon->env = env;
  addon->before_close = end_waits;
  addon->loan_free = addon->loan_newest = -1;
  addon->messages = malloc(BATCH_MAX * sizeof *addon->messages);
  addon->slices = malloc(BATCH_MAX * sizeof *addon->slices);
  if (addon->messages == NULL || addon->slices == NULL || waits_create(addon) < 0) {
    addon_free(addon);
    return internal_failure(env, "out of memory");
  }
  const addon_function *const tables[] = {
      library_functions, wrapped_functions, create_functions,    object_functions,     queue_functions,
      batch_functions,   loan_functions,    primitive_functions, connection_functions, process_functions,
      pool_functions,    worker_functions,  wait_functions,      poll_functions};
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) define_functions(addon, exports, tables[i]);
  napi_value codes, values;
  napi_create_object(env, &codes);
  for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
    define(env, codes, statuses[i].name, number(env, statuses[i].code));
  }
  napi_create_object(env, &values);
  for (size_t i = 0; i < sizeof constants / sizeof *constants; i++) {
    define(env, values, constants[i].name, number(env, constants[i].value));
  }
  define(env, exports, "statuses", codes);
  define(env, exports, "constants", values);
  return define_rows(addon, exports) ? exports : internal_failure(env, "no memory for rows");
}
