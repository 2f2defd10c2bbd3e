/* Pools: workers and tasks. JavaScript gives each task a number that no other unfinished task has;
 * the library reports the end of the task under this tag. */
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "loan.h"
#include "tasks.h"

enum { NAME_CAP = 256 }; /* the library's limit is 200: longer ones get its own answer, E_INVALID */

static int32_t initialiser_of(const struct call *call, char *buf, size_t cap,
                              polyproc_pool_options *options) {
  void *data = NULL;
  int32_t status = call_string(call, 5, buf, cap, &options->initialiser);
  if (status < 0 || options->initialiser == NULL) return status;
  if (!bytes_of(call->env, call->argv[6], &data, &options->initialiser_len)) return POLYPROC_E_INVALID;
  options->initialiser_data = data;
  return POLYPROC_OK;
}

/* (workers, argv, env, max tasks per worker, max attempts, initialiser, its data, handle names,
 * objects, flags) */
static napi_value pool_create(napi_env env, napi_callback_info info) {
  struct call call;
  char buf[NAME_CAP];
  polyproc_pool *pool = NULL;
  polyproc_handle *handles = NULL;
  polyproc_pool_options options = POLYPROC_POOL_OPTIONS_INIT;
  int64_t numbers[4] = {0, 0, 0, 0};
  const size_t places[4] = {0, 3, 4, 9};
  call_read(&call, env, info);
  int32_t status = initialiser_of(&call, buf, sizeof buf, &options);
  for (size_t i = 0; i < 4 && status >= 0; i++) status = call_i64(&call, places[i], &numbers[i]);
  char **argv = strings_of(env, call.argv[1], &status);
  char **variables = strings_of(env, call.argv[2], &status);
  char **names = strings_of(env, call.argv[7], &status);
  if (status >= 0) handles = handles_of(&call, 8, names, &options.handle_count, &status);
  options.workers = (uint32_t)numbers[0];
  options.max_tasks_per_worker = (uint32_t)numbers[1];
  options.max_attempts = (uint32_t)numbers[2];
  options.flags = (uint32_t)numbers[3];
  options.argv = (const char *const *)argv;
  options.env = (const char *const *)variables;
  options.handles = handles;
  if (status >= 0) status = polyproc_pool_create(&options, &pool);
  strings_free(argv);
  strings_free(variables);
  strings_free(names);
  free(handles);
  return object_made(&call, status, OBJECT_POOL, pool);
}

/* The first arguments of submit and submit_chunk: (pool, function, ..., time limit in ns, tag) */
struct submission {
  struct call call;
  struct object *pool;
  char name[NAME_CAP];
  const char *function;
  polyproc_task_options options;
  polyproc_task **place;
};

static int32_t submission_read(struct submission *submission, napi_env env, napi_callback_info info) {
  struct call *call = &submission->call;
  int32_t tag;
  call_read(call, env, info);
  submission->options = (polyproc_task_options)POLYPROC_TASK_OPTIONS_INIT;
  int32_t status = call_object(call, OBJECT_POOL, &submission->pool);
  if (status < 0) return status;
  status = call_string(call, 1, submission->name, sizeof submission->name, &submission->function);
  if (status < 0 || submission->function == NULL) return POLYPROC_E_INVALID;
  if (call_i64(call, 3, &submission->options.timeout_ns) < 0 || call_i32(call, 4, &tag) < 0 || tag < 0) {
    return POLYPROC_E_INVALID;
  }
  submission->options.flags = POLYPROC_TASK_TAGGED;
  submission->options.tag = (uint64_t)tag;
  submission->place = tasks_add(&submission->pool->tasks, (uint32_t)tag);
  return submission->place == NULL ? POLYPROC_E_NO_MEMORY : POLYPROC_OK;
}

/* (pool, function, bytes, time limit, tag) */
static napi_value pool_submit(napi_env env, napi_callback_info info) {
  struct submission of;
  void *data;
  size_t length;
  int32_t status = submission_read(&of, env, info);
  if (status < 0) return number(env, status);
  if (!bytes_of(env, of.call.argv[2], &data, &length)) return NULL;
  polyproc_pool *pool = of.pool->handle;
  return number(env, polyproc_pool_submit_with(pool, of.function, data, length, &of.options, of.place));
}

/* (pool, function, array of bytes, time limit, tag) */
static napi_value pool_submit_chunk(napi_env env, napi_callback_info info) {
  struct submission of;
  uint32_t count = 0;
  int32_t status = submission_read(&of, env, info);
  if (status < 0) return number(env, status);
  if (napi_get_array_length(env, of.call.argv[2], &count) != napi_ok) return number(env, POLYPROC_E_INVALID);
  polyproc_slice *items = calloc((size_t)count + 1, sizeof *items);
  if (items == NULL) return number(env, POLYPROC_E_NO_MEMORY);
  for (uint32_t i = 0; i < count; i++) {
    napi_value item;
    void *data;
    napi_get_element(env, of.call.argv[2], i, &item);
    if (!bytes_of(env, item, &data, &items[i].len)) {
      free(items);
      return NULL;
    }
    items[i].data = data;
  }
  status = polyproc_pool_submit_chunk(of.pool->handle, of.function, items, count, &of.options, of.place);
  free(items);
  return number(env, status);
}

static polyproc_task **task_of(const struct call *call, struct object *pool, size_t index) {
  int32_t tag;
  return call_i32(call, index, &tag) < 0 ? NULL : tasks_find(pool->tasks, tag);
}

/* Fills the row of a task that is over: its tag as `loan`, its status as `deliveries`, and its text
 * in the slab, or at offset -1 if poolResult must copy it. */
static void tell(struct addon *addon, struct object *pool, uint64_t tag, struct row *row) {
  polyproc_message result = {.data = NULL, .len = 0};
  polyproc_task **task = tasks_find(pool->tasks, (int32_t)tag);
  int32_t status = polyproc_task_result(*task, &result);
  double offset = result.len <= COPY_LIMIT ? slab_copy(addon, result.data, result.len) : -1;
  row->loan = (double)tag;
  row->offset = offset;
  row->length = (double)result.len;
  row->deliveries = status;
  if (offset < 0) return;
  polyproc_task_close(*task);
  *task = NULL;
}

/* Reports tasks that are over, a row each, and returns how many. Each is reported once. */
static napi_value pool_finished(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *pool;
  uint64_t tags[TASKS_PER_LOOK];
  size_t count = 0;
  int32_t status = call_enter(&call, env, info, OBJECT_POOL, &pool);
  if (status >= 0) status = polyproc_pool_finished(pool->handle, tags, TASKS_PER_LOOK, &count, 0, NULL);
  if (status < 0) return number(env, status);
  for (size_t i = 0; i < count; i++) tell(call.addon, pool, tags[i], &call.addon->rows[i]);
  return number(env, (double)count);
}

/* (pool, tag, buffer): copies the text of a reported task to the buffer and frees the task */
static napi_value pool_result(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *pool;
  void *data;
  size_t room;
  polyproc_message result = {.data = NULL, .len = 0};
  int32_t status = call_enter(&call, env, info, OBJECT_POOL, &pool);
  if (status < 0) return number(env, status);
  polyproc_task **task = task_of(&call, pool, 1);
  if (task == NULL) return number(env, POLYPROC_E_INVALID);
  if (!bytes_of(env, call.argv[2], &data, &room)) return NULL;
  polyproc_task_result(*task, &result);
  if (room < result.len) return number(env, POLYPROC_E_TOO_SMALL);
  if (result.len > 0) memcpy(data, result.data, result.len);
  polyproc_task_close(*task);
  *task = NULL;
  return number(env, POLYPROC_OK);
}

/* (pool, tag): returns 1 if the task was canceled before a worker began it */
static napi_value pool_cancel(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *pool;
  int32_t canceled = 0;
  int32_t status = call_enter(&call, env, info, OBJECT_POOL, &pool);
  if (status < 0) return number(env, status);
  polyproc_task **task = task_of(&call, pool, 1);
  if (task == NULL) return number(env, 0);
  status = polyproc_task_cancel(*task, &canceled);
  return number(env, status < 0 ? status : canceled);
}

static napi_value pool_worker_pids(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *pool;
  int32_t pids[POLYPROC_POOL_WORKERS_MAX];
  size_t count = 0;
  napi_value list;
  int32_t status = call_enter(&call, env, info, OBJECT_POOL, &pool);
  if (status >= 0) status = polyproc_pool_worker_pids(pool->handle, pids, POLYPROC_POOL_WORKERS_MAX, &count);
  if (status < 0) return number(env, status);
  napi_create_array_with_length(env, count, &list);
  for (size_t i = 0; i < count; i++) napi_set_element(env, list, (uint32_t)i, number(env, pids[i]));
  return list;
}

/* Returns a list of its figures, in the order of the struct. */
static napi_value pool_get_info(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *pool;
  polyproc_pool_info found = POLYPROC_POOL_INFO_INIT;
  napi_value list;
  int32_t status = call_enter(&call, env, info, OBJECT_POOL, &pool);
  if (status >= 0) status = polyproc_pool_get_info(pool->handle, &found);
  if (status < 0) return number(env, status);
  const uint64_t figures[] = {found.workers,         found.alive,       found.outstanding, found.queued,
                              found.submitted,       found.succeeded,   found.failed,      found.retried,
                              found.started_workers, found.died_workers};
  size_t count = sizeof figures / sizeof *figures;
  napi_create_array_with_length(env, count, &list);
  for (size_t i = 0; i < count; i++)
    napi_set_element(env, list, (uint32_t)i, number(env, (double)figures[i]));
  return list;
}

const addon_function pool_functions[] = {
    {"poolCreate", pool_create},          {"poolSubmit", pool_submit}, {"poolSubmitChunk", pool_submit_chunk},
    {"poolFinished", pool_finished},      {"poolResult", pool_result}, {"poolCancel", pool_cancel},
    {"poolWorkerPids", pool_worker_pids}, {"poolInfo", pool_get_info}, {NULL, NULL},
};
