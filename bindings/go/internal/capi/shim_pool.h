/* The functions between cgo and the pools of polyproc.h; see shim.h. */
#ifndef POLYPROC_GO_SHIM_POOL_H
#define POLYPROC_GO_SHIM_POOL_H

#include <stdlib.h>
#include <string.h>

#include "shim.h"

/* The longest name of a function, and its NUL. */
enum { PP_FUNCTION_NAME = 201 };

/* Copies a Go string, which has no NUL at its end. Returns 0 if it cannot be a name. */
static inline int pp_function_name(char name[PP_FUNCTION_NAME], const uint8_t *text, size_t len) {
  if (len >= PP_FUNCTION_NAME || memchr(text, 0, len) != NULL) {
    return 0;
  }
  memcpy(name, text, len);
  name[len] = 0;
  return 1;
}

static inline polyproc_task_options pp_task_options(int64_t timeout_ns, uint64_t tag) {
  polyproc_task_options options = POLYPROC_TASK_OPTIONS_INIT;
  options.flags = POLYPROC_TASK_TAGGED;
  options.timeout_ns = timeout_ns;
  options.tag = tag;
  return options;
}

static inline void pp_pool_submit(int32_t *status, pp_object pool, const uint8_t *function,
                                  size_t function_len, const uint8_t *data, size_t len, int64_t timeout_ns,
                                  uint64_t tag, pp_object *out) {
  char name[PP_FUNCTION_NAME];
  polyproc_task_options options = pp_task_options(timeout_ns, tag);
  polyproc_task *task = NULL;
  int32_t result;
  if (!pp_function_name(name, function, function_len)) {
    *status = POLYPROC_E_INVALID;
    return;
  }
  result = polyproc_pool_submit_with((polyproc_pool *)pool, name, data, len, &options, &task);
  *out = (pp_object)task;
  *status = pp_told(result);
}

/* The items lie one after the other from `packed` on. */
static inline void pp_pool_submit_chunk(int32_t *status, pp_object pool, const uint8_t *function,
                                        size_t function_len, const uint8_t *packed, const size_t *lens,
                                        size_t n, int64_t timeout_ns, uint64_t tag, pp_object *out) {
  char name[PP_FUNCTION_NAME];
  polyproc_task_options options = pp_task_options(timeout_ns, tag);
  polyproc_task *task = NULL;
  polyproc_slice *items;
  int32_t result;
  if (!pp_function_name(name, function, function_len)) {
    *status = POLYPROC_E_INVALID;
    return;
  }
  items = (polyproc_slice *)calloc(n + 1, sizeof *items);
  if (items == NULL) {
    *status = POLYPROC_E_NO_MEMORY;
    return;
  }
  for (size_t i = 0; i < n; i++) {
    items[i].data = packed;
    items[i].len = lens[i];
    packed += lens[i];
  }
  result = polyproc_pool_submit_chunk((polyproc_pool *)pool, name, items, n, &options, &task);
  free(items);
  *out = (pp_object)task;
  *status = pp_told(result);
}

static inline void pp_pool_finished(int32_t *status, pp_object pool, uint64_t *tags, size_t cap,
                                    size_t *out_len, int64_t timeout_ns, pp_object cancel) {
  *status = pp_told(polyproc_pool_finished((polyproc_pool *)pool, tags, cap, out_len, timeout_ns,
                                           (polyproc_cancel *)cancel));
}

static inline void pp_pool_join(int32_t *status, pp_object pool, int64_t timeout_ns, pp_object cancel) {
  *status = pp_told(polyproc_pool_join((polyproc_pool *)pool, timeout_ns, (polyproc_cancel *)cancel));
}

/* Copies a task's outcome into buf and frees the task. Returns 0 and only the length if that is
 * over cap. */
static inline int pp_task_take(pp_object task, uint8_t *buf, size_t cap, size_t *out_len,
                               int32_t *out_status) {
  polyproc_message message = {0};
  *out_status = polyproc_task_result((polyproc_task *)task, &message);
  *out_len = message.len;
  if (message.len > cap) {
    return 0;
  }
  if (message.len > 0) {
    memcpy(buf, message.data, message.len);
  }
  polyproc_task_close((polyproc_task *)task);
  return 1;
}

/* A task that is over, and its outcome. */
typedef struct {
  pp_object task;
  size_t len;
  int32_t status;
} pp_ended;

/* Copies the outcomes of tasks into buf, one after the other, and frees the tasks, until an outcome
 * does not fit. */
static inline void pp_tasks_take(pp_ended *tasks, size_t n, uint8_t *buf, size_t cap, size_t *out_taken) {
  size_t taken = 0;
  while (taken < n && pp_task_take(tasks[taken].task, buf, cap, &tasks[taken].len, &tasks[taken].status)) {
    buf += tasks[taken].len;
    cap -= tasks[taken].len;
    taken++;
  }
  *out_taken = taken;
}

/* Runs a task from beginning to end, if it is over in time and its outcome fits; else the task is
 * in *out_task. */
static inline void pp_pool_apply(int32_t *status, pp_object pool, const uint8_t *function,
                                 size_t function_len, const uint8_t *data, size_t len, uint8_t *buf,
                                 size_t cap, size_t *out_len, int32_t *out_ended, int64_t timeout_ns,
                                 pp_object *out_task) {
  char name[PP_FUNCTION_NAME];
  polyproc_task *task = NULL;
  int32_t result;
  if (!pp_function_name(name, function, function_len)) {
    *status = POLYPROC_E_INVALID;
    return;
  }
  result = polyproc_pool_submit((polyproc_pool *)pool, name, data, len, &task);
  if (result < 0) {
    *status = pp_told(result);
    return;
  }
  if (polyproc_task_wait(task, timeout_ns, NULL) != POLYPROC_OK ||
      !pp_task_take((pp_object)task, buf, cap, out_len, out_ended)) {
    *out_task = (pp_object)task;
  }
  *status = POLYPROC_OK;
}

static inline void pp_task_wait(int32_t *status, pp_object task, int64_t timeout_ns, pp_object cancel) {
  *status = pp_told(polyproc_task_wait((polyproc_task *)task, timeout_ns, (polyproc_cancel *)cancel));
}

static inline void pp_task_cancel(int32_t *status, pp_object task, int32_t *out_canceled) {
  *status = pp_told(polyproc_task_cancel((polyproc_task *)task, out_canceled));
}

static inline void pp_worker_next(int32_t *status, uint8_t *job, int64_t timeout_ns) {
  *status = pp_told(polyproc_worker_next((polyproc_job *)job, timeout_ns, NULL));
}

static inline void pp_job_reply(int32_t *status, uint8_t *job, int32_t outcome, const uint8_t *data,
                                size_t len) {
  *status = pp_told(polyproc_job_reply((polyproc_job *)job, outcome, data, len));
}

#endif
