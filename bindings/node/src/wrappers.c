/* The calls that need no code of their own, one line each: the name in JavaScript, the kind of the
 * object in argument 0, and a shape. The shape says which further arguments there are, how the C
 * function is called with them, and what the call returns. */
#include "call.h"
#include "loan.h"
#include "object.h"

/* f(handle): its status */
#define RUN(function) \
  if (status >= 0) status = function(object->handle);

/* f(handle, timeout 0, no token): its status */
#define TRY(function) \
  if (status >= 0) status = function(object->handle, 0, NULL);

/* (integer) f(handle, integer): its status */
#define WITH(function)                                     \
  int64_t argument;                                        \
  if (status >= 0) status = call_i64(&call, 1, &argument); \
  if (status >= 0) status = function(object->handle, argument);

/* f(handle, &value): the value */
#define ASK(type, function)                                   \
  type value;                                                 \
  if (status >= 0) status = function(object->handle, &value); \
  if (status >= 0) return number(env, (double)value);

/* f(handle, text, room, &length): the text */
#define TEXT(function)                                                            \
  char text[TEXT_CAP];                                                            \
  size_t length = 0;                                                              \
  if (status >= 0) status = function(object->handle, text, sizeof text, &length); \
  if (status >= 0) return string(env, text, length);

/* (bytes) f(handle, bytes, length, timeout 0, no token): undefined, or the status of its failure. To
 * make a number costs as much as to read an argument. */
#define PUT(function)                                                        \
  void *data;                                                                \
  size_t length;                                                             \
  if (!bytes_of(env, call.argv[1], &data, &length)) return NULL;             \
  if (status >= 0) status = function(object->handle, data, length, 0, NULL); \
  if (status >= 0) return NULL;

/* f(handle, slab, room, &length, timeout 0, no token): undefined, with the message's offset and
 * length in row 0. E_TOO_SMALL: row 0 has the length that the message needs. */
#define GET(function)                                                                                   \
  struct addon *addon = call.addon;                                                                     \
  size_t offset = addon->slab_used;                                                                     \
  size_t length = 0;                                                                                    \
  if (status < 0) return number(env, status);                                                           \
  status = function(object->handle, addon->slab + offset, addon->slab_size - offset, &length, 0, NULL); \
  addon->rows->length = (double)length;                                                                 \
  if (status < 0) return number(env, status);                                                           \
  addon->rows->offset = (double)offset;                                                                 \
  slab_claim(addon, length);                                                                            \
  return NULL;

/* (buffer) f(handle, buffer, room, &length, timeout 0, no token): the message's length, also in row
 * 0 */
#define GET_INTO(function)                                                          \
  void *data;                                                                       \
  size_t room;                                                                      \
  size_t length = 0;                                                                \
  if (!bytes_of(env, call.argv[1], &data, &room)) return NULL;                      \
  if (status >= 0) status = function(object->handle, data, room, &length, 0, NULL); \
  call.addon->rows->length = (double)length;                                        \
  if (status >= 0) return number(env, (double)length);

/* clang-format off */
#define WRAPPERS(X)                                                                         \
  X(lockAcquire,        POLYPROC_KIND_LOCK,       TRY(polyproc_lock_acquire))               \
  X(lockRelease,        POLYPROC_KIND_LOCK,       RUN(polyproc_lock_release))               \
  X(lockIsLocked,       POLYPROC_KIND_LOCK,       ASK(int32_t, polyproc_lock_is_locked))    \
  X(rlockRelease,       POLYPROC_KIND_RLOCK,      WITH(polyproc_rlock_release))             \
  X(rlockDepth,         POLYPROC_KIND_RLOCK,      ASK(uint32_t, polyproc_rlock_depth))      \
  X(semaphoreAcquire,   POLYPROC_KIND_SEMAPHORE,  TRY(polyproc_semaphore_acquire))          \
  X(semaphoreRelease,   POLYPROC_KIND_SEMAPHORE,  WITH(polyproc_semaphore_release))         \
  X(semaphoreValue,     POLYPROC_KIND_SEMAPHORE,  ASK(int64_t, polyproc_semaphore_value))   \
  X(eventSet,           POLYPROC_KIND_EVENT,      RUN(polyproc_event_set))                  \
  X(eventClear,         POLYPROC_KIND_EVENT,      RUN(polyproc_event_clear))                \
  X(eventIsSet,         POLYPROC_KIND_EVENT,      ASK(int32_t, polyproc_event_is_set))      \
  X(conditionNotify,    POLYPROC_KIND_CONDITION,  WITH(polyproc_condition_notify))          \
  X(conditionNotifyAll, POLYPROC_KIND_CONDITION,  RUN(polyproc_condition_notify_all))       \
  X(barrierComplete,    POLYPROC_KIND_BARRIER,    WITH(polyproc_barrier_complete))          \
  X(barrierAbort,       POLYPROC_KIND_BARRIER,    RUN(polyproc_barrier_abort))              \
  X(barrierReset,       POLYPROC_KIND_BARRIER,    RUN(polyproc_barrier_reset))              \
  X(barrierParties,     POLYPROC_KIND_BARRIER,    ASK(uint32_t, polyproc_barrier_parties))  \
  X(barrierWaiting,     POLYPROC_KIND_BARRIER,    ASK(uint32_t, polyproc_barrier_waiting))  \
  X(barrierIsBroken,    POLYPROC_KIND_BARRIER,    ASK(int32_t, polyproc_barrier_is_broken)) \
  X(queuePut,           POLYPROC_KIND_QUEUE,      PUT(polyproc_queue_put))                  \
  X(queueGet,           POLYPROC_KIND_QUEUE,      GET(polyproc_queue_get))                  \
  X(queueGetInto,       POLYPROC_KIND_QUEUE,      GET_INTO(polyproc_queue_get))             \
  X(queueTaskDone,      POLYPROC_KIND_QUEUE,      RUN(polyproc_queue_task_done))            \
  X(queueJoin,          POLYPROC_KIND_QUEUE,      TRY(polyproc_queue_join))                 \
  X(queueShutdown,      POLYPROC_KIND_QUEUE,      WITH(polyproc_queue_shutdown))            \
  X(queueLength,        POLYPROC_KIND_QUEUE,      ASK(uint64_t, polyproc_queue_length))     \
  X(queueSettledCount,  POLYPROC_KIND_QUEUE,      ASK(uint64_t, polyproc_queue_settled_count)) \
  X(queueIsEmpty,       POLYPROC_KIND_QUEUE,      ASK(int32_t, polyproc_queue_is_empty))    \
  X(queueIsFull,        POLYPROC_KIND_QUEUE,      ASK(int32_t, polyproc_queue_is_full))     \
  X(connectionSend,     POLYPROC_KIND_CONNECTION, PUT(polyproc_connection_send))            \
  X(connectionRecv,     POLYPROC_KIND_CONNECTION, GET(polyproc_connection_recv))            \
  X(connectionRecvInto, POLYPROC_KIND_CONNECTION, GET_INTO(polyproc_connection_recv))       \
  X(connectionPoll,     POLYPROC_KIND_CONNECTION, TRY(polyproc_connection_poll))            \
  X(listenerAddress,    OBJECT_LISTENER,          TEXT(polyproc_listener_address))          \
  X(processJoin,        OBJECT_PROCESS,           TRY(polyproc_process_join))               \
  X(processPid,         OBJECT_PROCESS,           ASK(int32_t, polyproc_process_pid))       \
  X(processName,        OBJECT_PROCESS,           TEXT(polyproc_process_name))              \
  X(processIsAlive,     OBJECT_PROCESS,           ASK(int32_t, polyproc_process_is_alive))  \
  X(processIsDaemon,    OBJECT_PROCESS,           ASK(int32_t, polyproc_process_is_daemon)) \
  X(processSignal,      OBJECT_PROCESS,           WITH(polyproc_process_signal))            \
  X(poolShutdown,       OBJECT_POOL,              RUN(polyproc_pool_shutdown))              \
  X(poolTerminate,      OBJECT_POOL,              RUN(polyproc_pool_terminate))             \
  X(poolJoin,           OBJECT_POOL,              TRY(polyproc_pool_join))
/* clang-format on */

enum { TEXT_CAP = 256 }; /* names and addresses are shorter */

static napi_value string(napi_env env, const char *text, size_t length) {
  napi_value result = NULL;
  napi_create_string_utf8(env, text, length, &result);
  return result;
}

#define DEFINE(name, kind, shape)                                        \
  static napi_value wrap_##name(napi_env env, napi_callback_info info) { \
    struct call call;                                                    \
    struct object *object;                                               \
    call_read(&call, env, info);                                         \
    int32_t status = call_object(&call, kind, &object);                  \
    shape return number(env, status);                                    \
  }
WRAPPERS(DEFINE)

#define LIST(name, kind, shape) {#name, wrap_##name},
const addon_function wrapped_functions[] = {WRAPPERS(LIST){NULL, NULL}};
