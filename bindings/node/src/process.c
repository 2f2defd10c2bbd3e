/* Starts and adopts processes, and describes the calling one. */
#include <stdlib.h>

#include "arguments.h"

/* (name, cwd, argv, env, flags, stdin, stdout, stderr, handle names, handle objects) */
static napi_value process_spawn(napi_env env, napi_callback_info info) {
  struct call call;
  polyproc_process *process = NULL;
  int32_t flags = 0, status = POLYPROC_OK;
  polyproc_process_options options = POLYPROC_PROCESS_OPTIONS_INIT;
  call_read(&call, env, info);
  napi_valuetype name_type, cwd_type;
  napi_typeof(env, call.argv[0], &name_type);
  napi_typeof(env, call.argv[1], &cwd_type);
  char *name = name_type == napi_string ? string_of(env, call.argv[0], &status) : NULL;
  char *cwd = cwd_type == napi_string ? string_of(env, call.argv[1], &status) : NULL;
  char **argv = strings_of(env, call.argv[2], &status);
  char **variables = strings_of(env, call.argv[3], &status);
  char **names = strings_of(env, call.argv[8], &status);
  polyproc_handle *handles = NULL;
  if (status >= 0) handles = handles_of(&call, 9, names, &options.handle_count, &status);
  if (call_i32(&call, 4, &flags) < 0 || call_i32(&call, 5, &options.stdin_fd) < 0 ||
      call_i32(&call, 6, &options.stdout_fd) < 0 || call_i32(&call, 7, &options.stderr_fd) < 0) {
    status = POLYPROC_E_INVALID;
  }
  options.flags = (uint32_t)flags;
  options.name = name;
  options.cwd = cwd;
  options.argv = (const char *const *)argv;
  options.env = (const char *const *)variables;
  options.handles = handles;
  if (status >= 0) status = polyproc_process_spawn(&options, &process);
  free(name);
  free(cwd);
  strings_free(argv);
  strings_free(variables);
  strings_free(names);
  free(handles);
  return object_made(&call, status, OBJECT_PROCESS, process);
}

/* (pid) */
static napi_value process_adopt(napi_env env, napi_callback_info info) {
  struct call call;
  polyproc_process *process = NULL;
  int32_t pid;
  call_read(&call, env, info);
  int32_t status = call_i32(&call, 0, &pid);
  if (status >= 0) status = polyproc_process_adopt(pid, &process);
  return object_made(&call, status, OBJECT_PROCESS, process);
}

/* Returns the status. Row 0 has the exit code as `loan`, because that may be negative too. */
static napi_value process_exit_code(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *process;
  int32_t exit_code;
  int32_t status = call_enter(&call, env, info, OBJECT_PROCESS, &process);
  if (status >= 0) status = polyproc_process_exit_code(process->handle, &exit_code);
  if (status >= 0) call.addon->rows->loan = exit_code;
  return number(env, status);
}

/* [pid, parent pid, daemon, name] */
static napi_value process_current(napi_env env, napi_callback_info info) {
  polyproc_process_info found = POLYPROC_PROCESS_INFO_INIT;
  napi_value list, name;
  (void)info;
  int32_t status = polyproc_current_process(&found);
  if (status < 0) return number(env, status);
  napi_create_array_with_length(env, 4, &list);
  napi_create_string_utf8(env, found.name, NAPI_AUTO_LENGTH, &name);
  napi_set_element(env, list, 0, number(env, found.pid));
  napi_set_element(env, list, 1, number(env, found.parent_pid));
  napi_set_element(env, list, 2, number(env, found.daemon));
  napi_set_element(env, list, 3, name);
  return list;
}

static napi_value process_children(napi_env env, napi_callback_info info) {
  napi_value list = NULL;
  int32_t *pids = NULL, status;
  size_t room = 0, count = 64;
  (void)info;
  do {
    int32_t *grown = realloc(pids, count * sizeof *pids);
    if (grown == NULL) {
      free(pids);
      return number(env, POLYPROC_E_NO_MEMORY);
    }
    pids = grown;
    room = count;
    status = polyproc_active_children(pids, room, &count);
  } while (status == POLYPROC_E_TOO_SMALL);
  if (status >= 0) {
    napi_create_array_with_length(env, count, &list);
    for (size_t i = 0; i < count; i++) napi_set_element(env, list, (uint32_t)i, number(env, pids[i]));
  }
  free(pids);
  return status < 0 ? number(env, status) : list;
}

/* (on) */
static napi_value process_children_at_exit(napi_env env, napi_callback_info info) {
  struct call call;
  int32_t on;
  call_read(&call, env, info);
  int32_t status = call_i32(&call, 0, &on);
  return number(env, status < 0 ? status : polyproc_exit_children_at_exit(on));
}

const addon_function process_functions[] = {
    {"processSpawn", process_spawn},
    {"processAdopt", process_adopt},
    {"processExitCode", process_exit_code},
    {"processCurrent", process_current},
    {"processChildren", process_children},
    {"processChildrenAtExit", process_children_at_exit},
    {NULL, NULL},
};
