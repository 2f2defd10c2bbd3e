#include "request.h"

#include <stdlib.h>
#include <string.h>

#include "loan.h"

enum { FIRST_ROOM = 64 * 1024 };

/* argument: the bytes */
static int32_t bytes_argument(const struct call *call, struct request *request) {
  void *data;
  if (!bytes_of(call->env, call->argv[2], &data, &request->count)) return POLYPROC_E_INVALID;
  request->of.bytes = malloc(request->count > 0 ? request->count : 1);
  if (request->of.bytes == NULL) return POLYPROC_E_NO_MEMORY;
  if (request->count > 0) memcpy(request->of.bytes, data, request->count);
  return POLYPROC_OK;
}

/* argument: an array of bytes, at most BATCH_MAX; one block holds the slices and then the bytes */
static int32_t slices_argument(const struct call *call, struct request *request) {
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

/* argument: a length */
static int32_t length_argument(const struct call *call, struct request *request) {
  int64_t length;
  if (call_i64(call, 2, &length) < 0 || length < 0) return POLYPROC_E_INVALID;
  request->count = (size_t)length;
  return POLYPROC_OK;
}

static int32_t object_at(const struct call *call, napi_value array, uint32_t index, struct object **out) {
  napi_value item;
  napi_get_element(call->env, array, index, &item);
  return object_of(call->env, item, 0, out);
}

/* argument: a list of objects; owner: an array of POLYPROC_WAIT_*, one for each object */
static int32_t any_arguments(const struct call *call, struct request *request) {
  uint32_t count = 0;
  if (napi_get_array_length(call->env, call->argv[2], &count) != napi_ok || count == 0) {
    return POLYPROC_E_INVALID;
  }
  request->objects = calloc(count, sizeof *request->objects);
  request->of.waitables = calloc(count, sizeof *request->of.waitables);
  if (request->objects == NULL || request->of.waitables == NULL) return POLYPROC_E_NO_MEMORY;
  for (uint32_t i = 0; i < count; i++) {
    napi_value kind;
    polyproc_waitable *waitable = &request->of.waitables[i];
    int32_t status = object_at(call, call->argv[2], i, &request->objects[i]);
    if (status < 0) return status;
    napi_get_element(call->env, call->argv[3], i, &kind);
    if (napi_get_value_int32(call->env, kind, &waitable->kind) != napi_ok) return POLYPROC_E_INVALID;
    waitable->object = request->objects[i]->handle;
  }
  request->object_count = count;
  return POLYPROC_OK;
}

/* argument: the lock or rlock of a condition */
static int32_t lock_argument(const struct call *call, struct request *request) {
  int32_t status = object_of(call->env, call->argv[2], 0, &request->pair[1]);
  if (status < 0) return status;
  int32_t kind = request->pair[1]->kind;
  if (kind != POLYPROC_KIND_LOCK && kind != POLYPROC_KIND_RLOCK) return POLYPROC_E_INVALID;
  request->object_count = 2;
  return POLYPROC_OK;
}

/* argument: an array of what peer_read takes */
static int32_t connect_arguments(const struct call *call, struct request *request) {
  struct call list = {.env = call->env, .addon = call->addon};
  for (uint32_t i = 0; i < 6; i++) napi_get_element(call->env, call->argv[2], i, &list.argv[i]);
  struct peer *peer = calloc(1, sizeof *peer);
  if (peer == NULL) return POLYPROC_E_NO_MEMORY;
  request->of.connect.peer = peer;
  int32_t status = peer_of(&list, peer);
  if (status < 0 || peer->options.authkey == NULL) return status;
  /* Copied, because the caller may change its key meanwhile. */
  void *key = malloc(peer->options.authkey_len + 1);
  if (key != NULL) memcpy(key, peer->options.authkey, peer->options.authkey_len);
  peer->options.authkey = key;
  return key == NULL ? POLYPROC_E_NO_MEMORY : POLYPROC_OK;
}

static int32_t arguments(const struct call *call, struct request *request) {
  switch (request->operation) {
    case WAIT_PUT:
    case WAIT_SEND:
      return bytes_argument(call, request);
    case WAIT_PUT_MANY:
      return slices_argument(call, request);
    case WAIT_RESERVE:
      return length_argument(call, request);
    case WAIT_CONDITION:
      return lock_argument(call, request);
    case WAIT_ANY:
      return any_arguments(call, request);
    case WAIT_CONNECT:
      return connect_arguments(call, request);
    default:
      return POLYPROC_OK;
  }
}

static void memory_free(struct request *request) {
  switch (request->operation) {
    case WAIT_PUT:
    case WAIT_SEND:
    case WAIT_RECV:
      free(request->of.bytes);
      break;
    case WAIT_PUT_MANY:
      free(request->of.slices);
      break;
    case WAIT_CONNECT:
      if (request->of.connect.peer != NULL)
        free((void *)(uintptr_t)request->of.connect.peer->options.authkey);
      free(request->of.connect.peer);
      break;
    case WAIT_ANY:
      free(request->of.waitables);
      if (request->objects != request->pair) free(request->objects);
      break;
    default:
      break;
  }
  free(request->detail);
  free(request);
}

int32_t request_new(const struct call *call, struct request **out) {
  int32_t operation, status = POLYPROC_OK;
  int64_t owner = 0;
  if (call_i32(call, 1, &operation) < 0 || operation < 0 || operation >= OPERATIONS)
    return POLYPROC_E_INVALID;
  struct request *request = calloc(1, sizeof *request);
  if (request == NULL) return POLYPROC_E_NO_MEMORY;
  request->operation = (enum operation)operation;
  request->objects = request->pair;
  if (request->operation != WAIT_ANY && request->operation != WAIT_CHILDREN &&
      request->operation != WAIT_CONNECT) {
    status = call_object(call, 0, &request->pair[0]);
    request->object_count = 1;
  }
  if (call_i64(call, 3, &owner) >= 0) request->owner = (uint64_t)owner;
  if (status >= 0) status = arguments(call, request);
  if (status < 0) {
    memory_free(request);
    return status;
  }
  if (request->object_count > 0) request->object = request->objects[0];
  for (size_t i = 0; i < request->object_count; i++) request->objects[i]->users++;
  *out = request;
  return POLYPROC_OK;
}

struct line *request_line(struct request *request) {
  switch (request->operation) {
    case WAIT_CONDITION:
    case WAIT_BARRIER:
    case WAIT_ARRIVE:
    case WAIT_CHILDREN:
    case WAIT_ANY:
    case WAIT_CONNECT:
      return NULL;
    case WAIT_JOIN:
    case WAIT_RECV:
      return &request->object->lines[1];
    default:
      return &request->object->lines[0];
  }
}

/* The length is not known before: the buffer grows to the size that the first message needs. */
static int32_t receive(void *handle, struct request *request, polyproc_cancel *token) {
  size_t room = FIRST_ROOM;
  for (;;) {
    void *grown = realloc(request->of.bytes, room);
    if (grown == NULL) return POLYPROC_E_NO_MEMORY;
    request->of.bytes = grown;
    int32_t status = polyproc_connection_recv(handle, grown, room, &request->count, POLYPROC_FOREVER, token);
    if (status != POLYPROC_E_TOO_SMALL) return status;
    room = request->count;
  }
}

static int32_t condition_wait(struct request *request, polyproc_cancel *token) {
  void *handle = request->object->handle, *lock = request->pair[1]->handle;
  if (request->pair[1]->kind == POLYPROC_KIND_LOCK) {
    return polyproc_condition_wait(handle, lock, POLYPROC_FOREVER, token);
  }
  return polyproc_condition_wait_rlock(handle, lock, request->owner, POLYPROC_FOREVER, token);
}

static int32_t wait_for(struct request *request, polyproc_cancel *token) {
  void *handle = request->object == NULL ? NULL : request->object->handle;
  const int64_t forever = POLYPROC_FOREVER; /* time limits are timers of JavaScript, which fire the token */
  size_t count = request->count;
  switch (request->operation) {
    case WAIT_PUT:
      return polyproc_queue_put(handle, request->of.bytes, count, forever, token);
    case WAIT_PUT_MANY:
      return polyproc_queue_put_many(handle, request->of.slices, count, &request->count, forever, token);
    case WAIT_RESERVE:
      return polyproc_queue_reserve(handle, count, &request->of.slot, forever, token);
    case WAIT_JOIN:
      return polyproc_queue_join(handle, forever, token);
    case WAIT_LOCK:
      return polyproc_lock_acquire(handle, forever, token);
    case WAIT_RLOCK:
      return polyproc_rlock_acquire(handle, request->owner, forever, token);
    case WAIT_SEMAPHORE:
      return polyproc_semaphore_acquire(handle, forever, token);
    case WAIT_EVENT:
      return polyproc_event_wait_since(handle, (uint32_t)request->owner, forever, token);
    case WAIT_CONDITION:
      return condition_wait(request, token);
    case WAIT_BARRIER:
      return polyproc_barrier_wait(handle, &request->of.party.index, forever, token);
    case WAIT_ARRIVE:
      return polyproc_barrier_arrive(handle, &request->of.party.index, &request->of.party.is_leader, forever,
                                     token);
    case WAIT_SEND:
      return polyproc_connection_send(handle, request->of.bytes, count, forever, token);
    case WAIT_RECV:
      return receive(handle, request, token);
    case WAIT_PROCESS:
      return polyproc_process_join(handle, forever, token);
    case WAIT_CONNECT:
      return polyproc_connect(request->of.connect.peer->address, &request->of.connect.peer->options,
                              &request->of.connect.connection, forever, token);
    case WAIT_POOL:
      return polyproc_pool_join(handle, forever, token);
    case WAIT_ANY:
      return polyproc_wait_any(request->of.waitables, request->object_count, &request->count, forever, token);
    case WAIT_CHILDREN:
      return polyproc_exit_children();
    case OPERATIONS:
      break;
  }
  return POLYPROC_E_INTERNAL;
}

void request_run(struct request *request, polyproc_cancel *token) {
  char detail[DETAIL_CAP];
  request->status = wait_for(request, token);
  if (request->status >= 0 || polyproc_detail(detail, sizeof detail) != POLYPROC_OK) return;
  request->detail = strdup(detail);
}

void request_undo(struct request *request) {
  if (request->status < 0) return;
  switch (request->operation) {
    case WAIT_RESERVE:
      polyproc_slot_abort(&request->of.slot);
      break;
    case WAIT_LOCK:
      polyproc_lock_release(request->object->handle);
      break;
    case WAIT_RLOCK:
      polyproc_rlock_release(request->object->handle, request->owner);
      break;
    case WAIT_SEMAPHORE:
      polyproc_semaphore_release(request->object->handle, 1);
      break;
    case WAIT_CONNECT:
      polyproc_connection_close(request->of.connect.connection);
      break;
    case WAIT_ARRIVE:
      if (request->of.party.is_leader) polyproc_barrier_complete(request->object->handle, 0);
      break;
    default:
      return; /* It put something or waited for something: the answer stands. */
  }
  request->status = POLYPROC_E_CLOSED;
}

static void bytes_free(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  free(data);
}

/* The Buffer takes over the received memory, if this Node has external Buffers. */
static napi_value answer_bytes(napi_env env, struct request *request) {
  napi_value buffer = NULL;
  void *bytes = request->of.bytes;
  napi_status made = napi_create_external_buffer(env, request->count, bytes, bytes_free, NULL, &buffer);
  if (made == napi_ok) {
    request->of.bytes = NULL;
  } else {
    napi_create_buffer_copy(env, request->count, bytes, NULL, &buffer);
  }
  return buffer;
}

/* One byte for each object: 1 if it is ready. */
static napi_value answer_ready(napi_env env, struct request *request) {
  napi_value buffer = NULL;
  void *data = NULL;
  if (napi_create_buffer(env, request->object_count, &data, &buffer) != napi_ok) return NULL;
  for (size_t i = 0; i < request->object_count; i++) {
    ((uint8_t *)data)[i] = request->of.waitables[i].ready != 0;
  }
  return buffer;
}

napi_value request_answer(struct addon *addon, struct request *request) {
  napi_env env = addon->env;
  if (request->object != NULL && request->object->closed) request_undo(request);
  if (request->status < 0) return number(env, request->status);
  switch (request->operation) {
    case WAIT_RECV:
      return answer_bytes(env, request);
    case WAIT_ANY:
      return answer_ready(env, request);
    case WAIT_CONNECT:
      return object_new(addon, POLYPROC_KIND_CONNECTION, request->of.connect.connection);
    case WAIT_PUT_MANY:
      return number(env, (double)request->count);
    case WAIT_RESERVE: {
      int32_t loan = loan_slot(addon, &request->of.slot);
      if (loan < 0) polyproc_slot_abort(&request->of.slot);
      return number(env, loan);
    }
    case WAIT_BARRIER:
    case WAIT_ARRIVE:
      addon->rows->loan = request->of.party.index;
      addon->rows->offset = request->of.party.is_leader;
      return number(env, request->status);
    default:
      return number(env, request->status);
  }
}

void request_free(struct request *request) {
  for (size_t i = 0; i < request->object_count; i++) object_leave(request->objects[i]);
  memory_free(request);
}
