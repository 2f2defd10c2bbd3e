/* One wait: its arguments, the blocking call, its answer, and its undoing when nobody is left to have the
 * answer. */
#include <stdlib.h>
#include <string.h>

#include "waits.h"

/* argument: the bytes */
static int32_t put_arguments(const struct call *call, struct request *request) {
  void *data;
  if (!bytes_of(call->env, call->argv[2], &data, &request->count)) return POLYPROC_E_INVALID;
  request->of.bytes = malloc(request->count > 0 ? request->count : 1);
  if (request->of.bytes == NULL) return POLYPROC_E_NO_MEMORY;
  if (request->count > 0) memcpy(request->of.bytes, data, request->count);
  return POLYPROC_OK;
}

/* argument: an array of bytes, at most BATCH_MAX; one block holds the slices and then the bytes */
static int32_t put_many_arguments(const struct call *call, struct request *request) {
  polyproc_slice *slices = call->addon->slices;
  uint32_t count = 0;
  size_t total = 0;
  if (napi_get_array_length(call->env, call->argv[2], &count) != napi_ok || count > BATCH_MAX) {
    return POLYPROC_E_INVALID;
  }
  for (uint32_t i = 0; i < count; i++) {
    napi_value item;
    void *data;
    napi_get_element(call->env, call->argv[2], i, &item);
    if (!bytes_of(call->env, item, &data, &slices[i].len)) return POLYPROC_E_INVALID;
    slices[i].data = data;
    total += slices[i].len;
  }
  polyproc_slice *block = malloc(count * sizeof *block + total + 1);
  if (block == NULL) return POLYPROC_E_NO_MEMORY;
  char *bytes = (char *)(block + count);
  for (uint32_t i = 0; i < count; i++) {
    if (slices[i].len > 0) memcpy(bytes, slices[i].data, slices[i].len);
    block[i] = (polyproc_slice){bytes, slices[i].len};
    bytes += slices[i].len;
  }
  request->of.slices = block;
  request->count = count;
  return POLYPROC_OK;
}

/* argument: a length, or how many at most */
static int32_t count_argument(const struct call *call, struct request *request) {
  int64_t count;
  if (call_i64(call, 2, &count) < 0 || count < 0) return POLYPROC_E_INVALID;
  request->count = (size_t)count;
  return POLYPROC_OK;
}

static int32_t take_many_arguments(const struct call *call, struct request *request) {
  if (count_argument(call, request) < 0 || request->count == 0 || request->count > BATCH_MAX) {
    return POLYPROC_E_INVALID;
  }
  request->of.messages = malloc(request->count * sizeof *request->of.messages);
  return request->of.messages == NULL ? POLYPROC_E_NO_MEMORY : POLYPROC_OK;
}

int32_t request_new(const struct call *call, struct object *object, struct request **out) {
  int32_t operation, status = POLYPROC_OK;
  if (call_i32(call, 1, &operation) < 0 || operation < 0 || operation >= OPERATIONS)
    return POLYPROC_E_INVALID;
  struct request *request = calloc(1, sizeof *request);
  if (request == NULL) return POLYPROC_E_NO_MEMORY;
  request->object = object;
  request->operation = (enum operation)operation;
  if (operation == WAIT_PUT) status = put_arguments(call, request);
  if (operation == WAIT_PUT_MANY) status = put_many_arguments(call, request);
  if (operation == WAIT_RESERVE) status = count_argument(call, request);
  if (operation == WAIT_TAKE_MANY) status = take_many_arguments(call, request);
  if (status < 0) {
    free(request);
    return status;
  }
  object->users++;
  *out = request;
  return POLYPROC_OK;
}

/* The length is not known before: the buffer grows to what the first message needs. */
static int32_t get(void *handle, struct request *request, polyproc_cancel *token) {
  size_t room = 4096;
  for (;;) {
    void *grown = realloc(request->of.bytes, room);
    if (grown == NULL) return POLYPROC_E_NO_MEMORY;
    request->of.bytes = grown;
    int32_t status = polyproc_queue_get(handle, grown, room, &request->count, POLYPROC_FOREVER, token);
    if (status != POLYPROC_E_TOO_SMALL) return status;
    room = request->count;
  }
}

void request_run(struct request *request, polyproc_cancel *token) {
  void *handle = request->object->handle;
  const int64_t forever = POLYPROC_FOREVER; /* time limits are timers of JavaScript, which fire the token */
  size_t count = request->count;
  switch (request->operation) {
    case WAIT_TAKE:
      request->status = polyproc_queue_take(handle, &request->of.message, forever, token);
      return;
    case WAIT_TAKE_MANY:
      request->status =
          polyproc_queue_take_many(handle, request->of.messages, count, &request->count, forever, token);
      return;
    case WAIT_GET:
      request->status = get(handle, request, token);
      return;
    case WAIT_PUT:
      request->status = polyproc_queue_put(handle, request->of.bytes, count, forever, token);
      return;
    case WAIT_PUT_MANY:
      request->status =
          polyproc_queue_put_many(handle, request->of.slices, count, &request->count, forever, token);
      return;
    case WAIT_RESERVE:
      request->status = polyproc_queue_reserve(handle, count, &request->of.slot, forever, token);
      return;
    case WAIT_JOIN:
      request->status = polyproc_queue_join(handle, forever, token);
      return;
    case WAIT_LOCK:
      request->status = polyproc_lock_acquire(handle, forever, token);
      return;
    case WAIT_SEMAPHORE:
      request->status = polyproc_semaphore_acquire(handle, forever, token);
      return;
    case WAIT_EVENT:
      request->status = polyproc_event_wait(handle, forever, token);
      return;
    case WAIT_PROCESS:
      request->status = polyproc_process_join(handle, forever, token);
      return;
    case OPERATIONS:
      break;
  }
  request->status = POLYPROC_E_INTERNAL;
}

/* How many of the messages nobody has: from `first` on, the last one first, so that they keep their order. */
static void return_messages(struct request *request, size_t first) {
  for (size_t i = request->count; i > first; i--) polyproc_message_return(&request->of.messages[i - 1]);
}

void request_undo(struct request *request) {
  if (request->status < 0) return;
  switch (request->operation) {
    case WAIT_TAKE:
      polyproc_message_return(&request->of.message);
      break;
    case WAIT_TAKE_MANY:
      return_messages(request, 0);
      break;
    case WAIT_RESERVE:
      polyproc_slot_abort(&request->of.slot);
      break;
    case WAIT_LOCK:
      polyproc_lock_release(request->object->handle);
      break;
    case WAIT_SEMAPHORE:
      polyproc_semaphore_release(request->object->handle, 1);
      break;
    default:
      /* It put something or waited for something: the answer stands. So it does when a joinable queue was got
         from: the task is this process's until it ends, like those that a worker thread leaves unfinished. */
      return;
  }
  request->status = POLYPROC_E_CLOSED;
}

/* The slab is for JavaScript to look after before each call, so nothing is copied here. */
static int32_t answer_message(struct addon *addon, struct row *row, const polyproc_message *message) {
  int32_t loan = loan_message(addon, message);
  if (loan >= 0) row_fill(row, loan, -1, message);
  return loan;
}

static double answer_messages(struct request *request) {
  struct addon *addon = request->object->addon;
  for (size_t i = 0; i < request->count; i++) {
    int32_t loan = answer_message(addon, &addon->rows[i], &request->of.messages[i]);
    if (loan < 0) {
      return_messages(request, i);
      return i > 0 ? (double)i : loan;
    }
  }
  return (double)request->count;
}

static double answer_number(struct request *request) {
  struct addon *addon = request->object->addon;
  if (request->status < 0) return request->status;
  switch (request->operation) {
    case WAIT_TAKE: {
      int32_t loan = answer_message(addon, addon->rows, &request->of.message);
      if (loan < 0) polyproc_message_return(&request->of.message);
      return loan;
    }
    case WAIT_TAKE_MANY:
      return answer_messages(request);
    case WAIT_PUT_MANY:
      return (double)request->count;
    case WAIT_RESERVE: {
      int32_t loan = loan_slot(addon, &request->of.slot);
      if (loan < 0) polyproc_slot_abort(&request->of.slot);
      return loan;
    }
    default:
      return request->status;
  }
}

napi_value request_answer(napi_env env, struct request *request) {
  napi_value buffer = NULL;
  if (request->object->closed) request_undo(request);
  if (request->operation == WAIT_GET && request->status >= 0) {
    napi_create_buffer_copy(env, request->count, request->of.bytes, NULL, &buffer);
    return buffer;
  }
  return number(env, answer_number(request));
}

void request_free(struct request *request) {
  switch (request->operation) {
    case WAIT_GET:
    case WAIT_PUT:
      free(request->of.bytes);
      break;
    case WAIT_PUT_MANY:
      free(request->of.slices);
      break;
    case WAIT_TAKE_MANY:
      free(request->of.messages);
      break;
    default:
      break;
  }
  object_leave(request->object);
  free(request);
}
