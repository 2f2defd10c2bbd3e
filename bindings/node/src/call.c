#include "call.h"

#include <string.h>

void call_read(struct call *call, napi_env env, napi_callback_info info) {
  void *data = NULL;
  call->env = env;
  call->argc = sizeof call->argv / sizeof *call->argv;
  napi_get_cb_info(env, info, &call->argc, call->argv, NULL, &data);
  call->addon = data;
}

int32_t call_i32(const struct call *call, size_t index, int32_t *out) {
  return napi_get_value_int32(call->env, call->argv[index], out) == napi_ok ? POLYPROC_OK
                                                                            : POLYPROC_E_INVALID;
}

int32_t call_i64(const struct call *call, size_t index, int64_t *out) {
  return napi_get_value_int64(call->env, call->argv[index], out) == napi_ok ? POLYPROC_OK
                                                                            : POLYPROC_E_INVALID;
}

int32_t call_string(const struct call *call, size_t index, char *buf, size_t cap, const char **out) {
  napi_valuetype type = napi_undefined;
  napi_typeof(call->env, call->argv[index], &type);
  *out = NULL;
  if (type == napi_undefined || type == napi_null) return POLYPROC_OK;
  size_t length = 0;
  if (napi_get_value_string_utf8(call->env, call->argv[index], NULL, 0, &length) != napi_ok ||
      length >= cap) {
    return POLYPROC_E_INVALID;
  }
  napi_get_value_string_utf8(call->env, call->argv[index], buf, cap, &length);
  if (strlen(buf) != length) return POLYPROC_E_INVALID; /* C would see only what is before the NUL */
  *out = buf;
  return POLYPROC_OK;
}

static size_t element_size(napi_typedarray_type type) {
  switch (type) {
    case napi_int16_array:
    case napi_uint16_array:
      return 2;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array:
      return 4;
    case napi_float64_array:
    case napi_bigint64_array:
    case napi_biguint64_array:
      return 8;
    default:
      return 1;
  }
}

/* A view has length 0 if it is empty, or if it belonged to a settled message, whose memory is gone.
 */
static bool is_detached(napi_env env, napi_value value) {
  napi_value buffer = value;
  bool detached = false;
  if (napi_get_typedarray_info(env, value, NULL, NULL, NULL, &buffer, NULL) != napi_ok) {
    napi_get_dataview_info(env, value, NULL, NULL, &buffer, NULL);
  }
  return napi_is_detached_arraybuffer(env, buffer, &detached) == napi_ok && detached;
}

bool bytes_of(napi_env env, napi_value value, void **data, size_t *length) {
  napi_typedarray_type type;
  *data = NULL;
  *length = 0;
  if (napi_get_typedarray_info(env, value, &type, length, data, NULL, NULL) == napi_ok) {
    *length *= element_size(type);
  } else if (napi_get_dataview_info(env, value, length, data, NULL, NULL) != napi_ok &&
             napi_get_arraybuffer_info(env, value, data, length) != napi_ok) {
    napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE",
                          "a message must be a Buffer, TypedArray, DataView or ArrayBuffer; "
                          "a queue with { format: 'msgpack' } takes any value");
    return false;
  }
  if (*length == 0 && is_detached(env, value)) {
    napi_throw_type_error(env, "ERR_INVALID_ARG_VALUE", "the message's ArrayBuffer is detached");
    return false;
  }
  return true;
}

napi_value number(napi_env env, double value) {
  napi_value result = NULL;
  napi_create_double(env, value, &result);
  return result;
}

napi_value internal_failure(napi_env env, const char *what) {
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending) napi_throw_error(env, "E_INTERNAL", what);
  return NULL;
}
