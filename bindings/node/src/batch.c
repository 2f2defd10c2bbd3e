/* Many messages in one call that does not wait. */
#include "loan.h"
#include "object.h"

/* The messages are the arguments of these two calls, because to read the elements of an array takes
 * three times as long. `this` is the queue, and row 0 has the number of the messages that are staged
 * already. */

/* Reads the messages of a call into the slices behind those that are staged. Returns their number
 * with these, or -1 with an exception pending. */
static int32_t stage(napi_env env, napi_callback_info info, struct addon **addon, napi_value *handle) {
  napi_value argv[STAGE_MAX];
  size_t argc = STAGE_MAX;
  void *data;
  napi_get_cb_info(env, info, &argc, argv, handle, &data);
  *addon = data;
  double before = (*addon)->rows->loan;
  if (!(before >= 0 && before <= BATCH_MAX - STAGE_MAX) || argc > STAGE_MAX) {
    internal_failure(env, "messages beyond a batch");
    return -1;
  }
  int32_t staged = (int32_t)before;
  for (size_t i = 0; i < argc; i++) {
    polyproc_slice *slice = &(*addon)->slices[staged++];
    if (!bytes_of(env, argv[i], &data, &slice->len)) return -1;
    slice->data = data;
  }
  return staged;
}

/* (bytes ...) of a queue: stages these too, for the next call. It must follow at once, because nothing
 * keeps the bytes alive. */
static napi_value queue_stage(napi_env env, napi_callback_info info) {
  struct addon *addon;
  napi_value handle;
  stage(env, info, &addon, &handle);
  return NULL;
}

/* (bytes ...) of a queue: puts the staged messages and then these, and returns how many it put */
static napi_value queue_put_many(napi_env env, napi_callback_info info) {
  struct addon *addon;
  struct object *queue;
  napi_value handle;
  size_t put = 0;
  int32_t count = stage(env, info, &addon, &handle);
  if (count < 0) return NULL;
  int32_t status = object_of(env, handle, POLYPROC_KIND_QUEUE, &queue);
  if (status < 0 || count == 0) return number(env, status);
  status = polyproc_queue_put_many(queue->handle, addon->slices, (size_t)count, &put, 0, NULL);
  return number(env, status < 0 ? status : (double)put);
}

static int32_t take_many(struct call *call, struct object **queue, size_t *taken) {
  int32_t max;
  int32_t status = call_object(call, POLYPROC_KIND_QUEUE, queue);
  if (status < 0) return status;
  if (call_i32(call, 1, &max) < 0 || max <= 0) return POLYPROC_E_INVALID;
  if (max > BATCH_MAX) max = BATCH_MAX;
  return polyproc_queue_take_many((*queue)->handle, call->addon->messages, (size_t)max, taken, 0, NULL);
}

/* Begins with the last one, so that they keep their order. */
static void return_from(polyproc_message *messages, size_t first, size_t count) {
  while (count > first) polyproc_message_return(&messages[--count]);
}

/* (queue, max): takes messages, a row each, and returns how many */
static napi_value queue_take_many(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *queue;
  size_t taken = 0;
  call_read(&call, env, info);
  int32_t status = take_many(&call, &queue, &taken);
  if (status < 0) return number(env, status);
  polyproc_message *messages = call.addon->messages;
  for (size_t i = 0; i < taken; i++) {
    int32_t loan = lend(call.addon, &call.addon->rows[i], &messages[i]);
    if (loan >= 0) continue;
    return_from(messages, i, taken);
    return number(env, i > 0 ? (double)i : loan);
  }
  return number(env, (double)taken);
}

/* (queue, max): gets messages into the slab, a row each, and returns how many. E_TOO_SMALL: the
 * first does not fit. */
static napi_value queue_get_many(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *queue;
  int32_t max, got = 0;
  int32_t status = call_enter(&call, env, info, POLYPROC_KIND_QUEUE, &queue);
  struct addon *addon = call.addon;
  if (status < 0) return number(env, status);
  if (call_i32(&call, 1, &max) < 0 || max <= 0) return number(env, POLYPROC_E_INVALID);
  if (max > BATCH_MAX) max = BATCH_MAX;
  /* Get one after the other: after a common take, settling each would take the lock again. */
  while (got < max) {
    size_t offset = addon->slab_used, room = addon->slab_size - offset, length = 0;
    status = polyproc_queue_get(queue->handle, addon->slab + offset, room, &length, 0, NULL);
    if (status < 0) break;
    addon->rows[got].offset = (double)offset;
    addon->rows[got++].length = (double)length;
    slab_claim(addon, length);
  }
  return number(env, got > 0 ? got : status);
}

const addon_function batch_functions[] = {
    {"queueStage", queue_stage},
    {"queuePutMany", queue_put_many},
    {"queueTakeMany", queue_take_many},
    {"queueGetMany", queue_get_many},
    {NULL, NULL},
};
