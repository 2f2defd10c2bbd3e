/* The beginning and end of every function: it reads arguments and returns numbers. */
#ifndef POLYPROC_NODE_CALL_H
#define POLYPROC_NODE_CALL_H

#include "addon.h"

struct call {
  struct addon *addon;
  napi_env env;
  size_t argc;
  napi_value argv[10];
};

void call_read(struct call *call, napi_env env, napi_callback_info info);
int32_t call_i32(const struct call *call, size_t index, int32_t *out);
int32_t call_i64(const struct call *call, size_t index, int64_t *out);
/* A string without NUL of at most cap - 1 bytes; null and undefined give *out == NULL. */
int32_t call_string(const struct call *call, size_t index, char *buf, size_t cap, const char **out);
/* The bytes of a view or an ArrayBuffer. Throws a TypeError and returns false if it is neither. */
bool bytes_of(napi_env env, napi_value value, void **data, size_t *length);
napi_value number(napi_env env, double value);
/* Throws an exception that says which call of Node-API itself failed. `what` is a static string. */
napi_value internal_failure(napi_env env, const char *what);

#endif
