/* This process as a worker of a pool: it does one job after the other. */
#include <string.h>

#include "loan.h"
#include "object.h"

static napi_value worker_is(napi_env env, napi_callback_info info) {
  int32_t is_worker = 0;
  (void)info;
  int32_t status = polyproc_worker_is_current(&is_worker);
  return number(env, status < 0 ? status : is_worker);
}

/* Returns the object whose descriptor is polled for jobs. */
static napi_value worker_object(napi_env env, napi_callback_info info) {
  struct call call;
  call_read(&call, env, info);
  return object_new(call.addon, OBJECT_WORKER, call.addon);
}

/* Returns the name of the function, or a status: E_EMPTY, E_SHUTDOWN, ... Row 0 has the number of
 * items as `loan`, the attempt as `deliveries`, and the data in the slab, or offset -1 if
 * workerData must copy it. */
static napi_value worker_next(napi_env env, napi_callback_info info) {
  struct call call;
  napi_value function;
  call_read(&call, env, info);
  struct addon *addon = call.addon;
  polyproc_job *job = &addon->job;
  int32_t status = polyproc_worker_next(job, 0, NULL);
  if (status < 0) return number(env, status);
  addon->rows->loan = job->count;
  addon->rows->deliveries = job->attempt;
  addon->rows->length = (double)job->len;
  addon->rows->offset = job->len <= COPY_LIMIT ? slab_copy(addon, job->data, job->len) : -1;
  napi_create_string_utf8(env, job->function, NAPI_AUTO_LENGTH, &function);
  return function;
}

/* (buffer): copies the data to the buffer, which is as long as the data */
static napi_value worker_data(napi_env env, napi_callback_info info) {
  struct call call;
  void *data;
  size_t room;
  call_read(&call, env, info);
  polyproc_job *job = &call.addon->job;
  if (!bytes_of(env, call.argv[0], &data, &room)) return NULL;
  if (room < job->len) return number(env, POLYPROC_E_TOO_SMALL);
  if (job->len > 0) memcpy(data, job->data, job->len);
  return number(env, POLYPROC_OK);
}

/* (status, bytes) */
static napi_value worker_reply(napi_env env, napi_callback_info info) {
  struct call call;
  void *data;
  size_t length;
  int32_t status;
  call_read(&call, env, info);
  if (call_i32(&call, 0, &status) < 0) return number(env, POLYPROC_E_INVALID);
  if (!bytes_of(env, call.argv[1], &data, &length)) return NULL;
  return number(env, polyproc_job_reply(&call.addon->job, status, data, length));
}

const addon_function worker_functions[] = {
    {"workerIs", worker_is},     {"workerObject", worker_object}, {"workerNext", worker_next},
    {"workerData", worker_data}, {"workerReply", worker_reply},   {NULL, NULL},
};
