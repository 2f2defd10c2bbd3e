/* One message at a time, tried once; and the queue's own questions. */
#include "addon.h"

static int32_t enter(struct call *call, napi_env env, napi_callback_info info, struct object **queue) {
  call_read(call, env, info);
  return call_object(call, POLYPROC_KIND_QUEUE, queue);
}

static napi_value queue_put(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *queue;
  void *data;
  size_t length;
  int32_t status = enter(&call, env, info, &queue);
  if (!bytes_of(env, call.argv[1], &data, &length)) return NULL;
  if (status >= 0) status = polyproc_queue_put(queue->handle, data, length, 0, NULL);
  return number(env, status);
}

/* Into the slab: the message's length, its offset in row 0. E_TOO_SMALL: row 0 has the length that it needs.
 */
static napi_value queue_get(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *queue;
  int32_t status = enter(&call, env, info, &queue);
  if (status < 0) return number(env, status);
  struct addon *addon = call.addon;
  size_t offset = addon->slab_used, room = addon->slab_size - offset, length = 0;
  status = polyproc_queue_get(queue->handle, addon->slab + offset, room, &length, 0, NULL);
  addon->rows->length = (double)length;
  if (status < 0) return number(env, status);
  addon->rows->offset = (double)offset;
  slab_claim(addon, length);
  return number(env, (double)length);
}

/* (queue, buffer): the message's length */
static napi_value queue_get_into(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *queue;
  void *data;
  size_t room, length = 0;
  int32_t status = enter(&call, env, info, &queue);
  if (!bytes_of(env, call.argv[1], &data, &room)) return NULL;
  if (status >= 0) status = polyproc_queue_get(queue->handle, data, room, &length, 0, NULL);
  call.addon->rows->length = (double)length;
  return number(env, status < 0 ? status : (double)length);
}

/* The loan's number, its row filled. */
static napi_value lent(struct call *call, int32_t status, polyproc_message *message) {
  if (status < 0) return number(call->env, status);
  int32_t loan = lend(call->addon, call->addon->rows, message);
  if (loan < 0) polyproc_message_return(message);
  return number(call->env, loan);
}

static napi_value queue_take(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *queue;
  polyproc_message message;
  int32_t status = enter(&call, env, info, &queue);
  if (status >= 0) status = polyproc_queue_take(queue->handle, &message, 0, NULL);
  return lent(&call, status, &message);
}

static napi_value queue_take_dead(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *queue;
  polyproc_message message;
  int32_t status = enter(&call, env, info, &queue);
  if (status >= 0) status = polyproc_queue_take_dead(queue->handle, &message);
  return lent(&call, status, &message);
}

/* (queue, length) */
static napi_value queue_reserve(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *queue;
  polyproc_slot slot;
  int64_t length;
  int32_t status = enter(&call, env, info, &queue);
  if (status >= 0) status = call_i64(&call, 1, &length);
  if (status >= 0) status = polyproc_queue_reserve(queue->handle, (size_t)length, &slot, 0, NULL);
  if (status < 0) return number(env, status);
  int32_t loan = loan_slot(call.addon, &slot);
  if (loan < 0) polyproc_slot_abort(&slot);
  return number(env, loan);
}

static napi_value queue_task_done(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *queue;
  int32_t status = enter(&call, env, info, &queue);
  if (status >= 0) status = polyproc_queue_task_done(queue->handle);
  return number(env, status);
}

/* Asked before a thread is made to wait: most joins have nothing to wait for. */
static napi_value queue_join(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *queue;
  int32_t status = enter(&call, env, info, &queue);
  if (status >= 0) status = polyproc_queue_join(queue->handle, 0, NULL);
  return number(env, status);
}

/* (queue, immediate) */
static napi_value queue_shutdown(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *queue;
  int32_t immediate;
  int32_t status = enter(&call, env, info, &queue);
  if (status >= 0) status = call_i32(&call, 1, &immediate);
  if (status >= 0) status = polyproc_queue_shutdown(queue->handle, immediate);
  return number(env, status);
}

static napi_value queue_length(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *queue;
  uint64_t length;
  int32_t status = enter(&call, env, info, &queue);
  if (status >= 0) status = polyproc_queue_length(queue->handle, &length);
  return number(env, status < 0 ? status : (double)length);
}

static napi_value queue_is_empty(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *queue;
  int32_t is_empty;
  int32_t status = enter(&call, env, info, &queue);
  if (status >= 0) status = polyproc_queue_is_empty(queue->handle, &is_empty);
  return number(env, status < 0 ? status : is_empty);
}

static napi_value queue_is_full(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *queue;
  int32_t is_full;
  int32_t status = enter(&call, env, info, &queue);
  if (status >= 0) status = polyproc_queue_is_full(queue->handle, &is_full);
  return number(env, status < 0 ? status : is_full);
}

static void set_number(napi_env env, napi_value object, const char *name, double value) {
  napi_set_named_property(env, object, name, number(env, value));
}

static void set_boolean(napi_env env, napi_value object, const char *name, bool value) {
  napi_value boolean;
  napi_get_boolean(env, value, &boolean);
  napi_set_named_property(env, object, name, boolean);
}

static napi_value info_object(napi_env env, const polyproc_queue_info *info) {
  napi_value object, format;
  napi_create_object(env, &object);
  set_number(env, object, "items", (double)info->items);
  set_number(env, object, "bytes", (double)info->bytes);
  set_number(env, object, "inFlight", (double)info->in_flight);
  set_number(env, object, "unfinished", (double)info->unfinished);
  set_number(env, object, "puts", (double)info->puts);
  set_number(env, object, "gets", (double)info->gets);
  set_number(env, object, "redelivered", (double)info->redelivered);
  set_number(env, object, "discarded", (double)info->discarded);
  set_number(env, object, "recoveries", (double)info->recoveries);
  set_number(env, object, "deadLetters", (double)info->dead_letters);
  set_number(env, object, "maxItems", (double)info->max_items);
  set_number(env, object, "maxBytes", (double)info->max_bytes);
  set_number(env, object, "maxDeliveries", info->max_deliveries);
  set_boolean(env, object, "joinable", (info->flags & POLYPROC_QUEUE_JOINABLE) != 0);
  set_number(env, object, "waiting", info->waiting);
  set_number(env, object, "participants", info->participants);
  set_boolean(env, object, "shutdown", info->shutdown != 0);
  set_number(env, object, "spinNs", info->spin_ns);
  napi_create_string_utf8(env, info->format, NAPI_AUTO_LENGTH, &format);
  napi_set_named_property(env, object, "format", format);
  return object;
}

static napi_value queue_get_info(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *queue;
  polyproc_queue_info found = POLYPROC_QUEUE_INFO_INIT;
  int32_t status = enter(&call, env, info, &queue);
  if (status >= 0) status = polyproc_queue_get_info(queue->handle, &found);
  return status < 0 ? number(env, status) : info_object(env, &found);
}

const addon_function queue_functions[] = {
    {"queuePut", queue_put},
    {"queueGet", queue_get},
    {"queueGetInto", queue_get_into},
    {"queueTake", queue_take},
    {"queueTakeDead", queue_take_dead},
    {"queueReserve", queue_reserve},
    {"queueTaskDone", queue_task_done},
    {"queueJoin", queue_join},
    {"queueShutdown", queue_shutdown},
    {"queueLength", queue_length},
    {"queueIsEmpty", queue_is_empty},
    {"queueIsFull", queue_is_full},
    {"queueInfo", queue_get_info},
    {NULL, NULL},
};
