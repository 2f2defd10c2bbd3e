/* Messages and slots on loan from a queue, one at a time, without waiting; and the queue's figures.
 */
#include <stdio.h>

#include "loan.h"
#include "object.h"

/* Fills a message's row and returns its loan number. */
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
  int32_t status = call_enter(&call, env, info, POLYPROC_KIND_QUEUE, &queue);
  if (status >= 0) status = polyproc_queue_take(queue->handle, &message, 0, NULL);
  return lent(&call, status, &message);
}

static napi_value queue_take_dead(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *queue;
  polyproc_message message;
  int32_t status = call_enter(&call, env, info, POLYPROC_KIND_QUEUE, &queue);
  if (status >= 0) status = polyproc_queue_take_dead(queue->handle, &message);
  return lent(&call, status, &message);
}

/* (queue, length) */
static napi_value queue_reserve(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *queue;
  polyproc_slot slot;
  int64_t length;
  int32_t status = call_enter(&call, env, info, POLYPROC_KIND_QUEUE, &queue);
  if (status >= 0) status = call_i64(&call, 1, &length);
  if (status >= 0) status = polyproc_queue_reserve(queue->handle, (size_t)length, &slot, 0, NULL);
  if (status < 0) return number(env, status);
  int32_t loan = loan_slot(call.addon, &slot);
  if (loan < 0) polyproc_slot_abort(&slot);
  return number(env, loan);
}

/* (queue, bytes): puts a message and returns its id, a BigInt; a status if it was not put */
static napi_value queue_put_id(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *queue;
  void *data;
  size_t length;
  uint64_t id = 0;
  napi_value out;
  int32_t status = call_enter(&call, env, info, POLYPROC_KIND_QUEUE, &queue);
  if (!bytes_of(env, call.argv[1], &data, &length)) return NULL;
  if (status >= 0) status = polyproc_queue_put_id(queue->handle, data, length, &id, 0, NULL);
  if (status < 0) return number(env, status);
  napi_create_bigint_uint64(env, id, &out);
  return out;
}

/* (queue, id): a POLYPROC_MESSAGE_*, or a status */
static napi_value queue_settled(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *queue;
  uint64_t id;
  bool is_whole;
  int32_t state = 0;
  int32_t status = call_enter(&call, env, info, POLYPROC_KIND_QUEUE, &queue);
  if (status < 0) return number(env, status);
  if (napi_get_value_bigint_uint64(env, call.argv[1], &id, &is_whole) != napi_ok || !is_whole) {
    return number(env, POLYPROC_E_INVALID);
  }
  status = polyproc_queue_settled(queue->handle, id, &state);
  return number(env, status < 0 ? status : state);
}

static void set_number(napi_env env, napi_value object, const char *name, double value) {
  napi_set_named_property(env, object, name, number(env, value));
}

static void set_boolean(napi_env env, napi_value object, const char *name, bool value) {
  napi_value boolean;
  napi_get_boolean(env, value, &boolean);
  napi_set_named_property(env, object, name, boolean);
}

static napi_value info_object(napi_env env, const struct polyproc_queue_info *info) {
  napi_value object, format, identity;
  char digits[2 * sizeof info->identity + 1];
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
  for (size_t i = 0; i < sizeof info->identity; i++) snprintf(digits + 2 * i, 3, "%02x", info->identity[i]);
  napi_create_string_utf8(env, digits, NAPI_AUTO_LENGTH, &identity);
  napi_set_named_property(env, object, "identity", identity);
  return object;
}

static napi_value queue_get_info(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *queue;
  polyproc_queue_info found = POLYPROC_QUEUE_INFO_INIT;
  int32_t status = call_enter(&call, env, info, POLYPROC_KIND_QUEUE, &queue);
  if (status >= 0) status = polyproc_queue_get_info(queue->handle, &found);
  return status < 0 ? number(env, status) : info_object(env, &found);
}

const addon_function queue_functions[] = {
    {"queueTake", queue_take},
    {"queueTakeDead", queue_take_dead},
    {"queueReserve", queue_reserve},
    {"queuePutId", queue_put_id},
    {"queueSettled", queue_settled},
    {"queueInfo", queue_get_info},
    {NULL, NULL},
};
