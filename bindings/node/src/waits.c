/* Everything here runs on the environment's thread. */
#include "waits.h"

#include <stdlib.h>

#include "waiter.h"

/* Gives the request the lowest free number: JavaScript keeps its side in an array by these numbers.
 */
static bool table_add(struct waits *waits, struct request *request) {
  uint32_t id = waits->table_hint;
  while (id < waits->table_size && waits->table[id] != NULL) id++;
  if (id == waits->table_size) {
    uint32_t size = id == 0 ? 16 : id * 2;
    struct request **grown = realloc(waits->table, size * sizeof *grown);
    if (grown == NULL) return false;
    for (uint32_t i = id; i < size; i++) grown[i] = NULL;
    waits->table = grown;
    waits->table_size = size;
  }
  waits->table[id] = request;
  waits->table_hint = id + 1;
  request->id = id;
  if (waits->pending++ == 0) napi_ref_threadsafe_function(waits->addon->env, waits->doorbell);
  return true;
}

static void table_remove(struct waits *waits, struct request *request) {
  waits->table[request->id] = NULL;
  if (request->id < waits->table_hint) waits->table_hint = request->id;
  if (--waits->pending == 0) napi_unref_threadsafe_function(waits->addon->env, waits->doorbell);
}

/* (object, operation, argument, owner): begins a wait and returns the request's number */
static napi_value wait_begin(napi_env env, napi_callback_info info) {
  struct call call;
  struct request *request = NULL;
  call_read(&call, env, info);
  struct waits *waits = call.addon->waits;
  int32_t status = request_new(&call, &request);
  if (status < 0) return number(env, status);
  if (!table_add(waits, request)) {
    request_free(request);
    return number(env, POLYPROC_E_NO_MEMORY);
  }
  uint32_t id = request->id; /* from here on the request is the threads' */
  status = waiters_add(waits, request);
  if (status >= 0) return number(env, id);
  table_remove(waits, request);
  request_free(request);
  return number(env, status);
}

/* (number): true if the request had not begun and is gone; false if its answer will come */
static napi_value wait_cancel(napi_env env, napi_callback_info info) {
  struct call call;
  int32_t id;
  napi_value result = NULL;
  call_read(&call, env, info);
  struct waits *waits = call.addon->waits;
  if (call_i32(&call, 0, &id) < 0 || (uint32_t)id >= waits->table_size || waits->table[id] == NULL)
    return NULL;
  struct request *request = waits->table[id];
  bool is_out = waiters_cancel(waits, request);
  if (is_out) {
    table_remove(waits, request);
    request_free(request);
  }
  napi_get_boolean(env, is_out, &result);
  return result;
}

static bool is_about(const struct request *request, const struct object *object) {
  for (size_t i = 0; i < request->object_count; i++) {
    if (request->objects[i] == object) return true;
  }
  return false;
}

void waits_stop(struct object *object) {
  struct waits *waits = object->addon->waits;
  if (object->users == 1) return; /* the open handle itself */
  for (uint32_t id = 0; id < waits->table_size; id++) {
    struct request *request = waits->table[id];
    if (request != NULL && is_about(request, object)) waiters_stop(waits, request);
  }
}

static struct request *take_answers(struct waits *waits) {
  pthread_mutex_lock(&waits->lock);
  struct request *answers = waits->answered;
  waits->answered = waits->last_answered = NULL;
  pthread_mutex_unlock(&waits->lock);
  return answers;
}

static void deliver(napi_env env, napi_value settle, struct waits *waits, struct request *request) {
  napi_value global;
  napi_get_global(env, &global);
  napi_value arguments[2] = {number(env, request->id), request_answer(waits->addon, request)};
  table_remove(waits, request);
  waits->addon->delivered = request->detail != NULL ? request->detail : "";
  /* The call fails only when the worker is being terminated. */
  bool heard = napi_call_function(env, global, settle, 2, arguments, NULL) == napi_ok;
  waits->addon->delivered = NULL;
  /* A slot is a loan by now, which the teardown returns, and a connection is an object. */
  bool is_kept = request->operation == WAIT_RESERVE || request->operation == WAIT_CONNECT;
  if (!heard && !is_kept) request_undo(request);
  request_free(request);
}

/* Delivers answers. Without an env the environment is torn down, and waits_teardown has done
 * everything. */
static void doorbell_rang(napi_env env, napi_value settle, void *context, void *data) {
  struct waits *waits = context;
  (void)data;
  if (env == NULL) return;
  for (struct request *request = take_answers(waits), *next; request != NULL; request = next) {
    napi_handle_scope scope;
    napi_open_handle_scope(env, &scope);
    next = request->next;
    deliver(env, settle, waits, request);
    napi_close_handle_scope(env, scope);
  }
}

napi_status waits_start(struct addon *addon, napi_value settle) {
  napi_env env = addon->env;
  struct waits *waits = addon->waits;
  napi_value name;
  napi_create_string_utf8(env, "polyproc", NAPI_AUTO_LENGTH, &name);
  napi_status made = napi_create_threadsafe_function(env, settle, NULL, name, 0, 1, NULL, NULL, waits,
                                                     doorbell_rang, &waits->doorbell);
  if (made == napi_ok) napi_unref_threadsafe_function(env, waits->doorbell);
  return made;
}

int32_t waits_create(struct addon *addon) {
  struct waits *waits = calloc(1, sizeof *waits);
  pthread_condattr_t attributes;
  if (waits == NULL) return POLYPROC_E_NO_MEMORY;
  waits->addon = addon;
  pthread_mutex_init(&waits->lock, NULL);
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&waits->work, &attributes);
  pthread_condattr_destroy(&attributes);
  addon->waits = waits;
  return POLYPROC_OK;
}

void waits_teardown(struct addon *addon) {
  struct waits *waits = addon->waits;
  for (uint32_t id = 0; id < waits->table_size; id++) {
    struct request *request = waits->table[id];
    if (request == NULL) continue;
    waiters_stop(waits, request);
    /* A wait at a condition returns only when it has taken its lock again, and another process may
     * keep the lock. Closing the handle of the lock ends that. */
    if (request->operation == WAIT_CONDITION) object_abandon(request->pair[1]);
  }
  waiters_end(waits);
  for (struct request *request = take_answers(waits), *next; request != NULL; request = next) {
    next = request->next;
    request_undo(request);
    request_free(request);
  }
}

void waits_destroy(struct addon *addon) {
  struct waits *waits = addon->waits;
  if (waits->doorbell != NULL) napi_release_threadsafe_function(waits->doorbell, napi_tsfn_abort);
  pthread_cond_destroy(&waits->work);
  pthread_mutex_destroy(&waits->lock);
  free(waits->table);
  free(waits);
}

const addon_function wait_functions[] = {
    {"wait", wait_begin},
    {"cancelWait", wait_cancel},
    {NULL, NULL},
};
