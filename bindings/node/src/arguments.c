#include "arguments.h"

#include <stdlib.h>
#include <string.h>

enum { IS_PUBLIC = 1, NO_MD5 = 2 };

char *string_of(napi_env env, napi_value value, int32_t *status) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) {
    *status = POLYPROC_E_INVALID;
    return NULL;
  }
  char *text = malloc(length + 1);
  if (text == NULL) {
    *status = POLYPROC_E_NO_MEMORY;
    return NULL;
  }
  napi_get_value_string_utf8(env, value, text, length + 1, &length);
  if (strlen(text) != length) *status = POLYPROC_E_INVALID;
  return text;
}

char **strings_of(napi_env env, napi_value array, int32_t *status) {
  uint32_t count = 0;
  if (napi_get_array_length(env, array, &count) != napi_ok) return NULL;
  char **strings = calloc((size_t)count + 1, sizeof *strings);
  if (strings == NULL) *status = POLYPROC_E_NO_MEMORY;
  for (uint32_t i = 0; strings != NULL && i < count && *status >= 0; i++) {
    napi_value item;
    napi_get_element(env, array, i, &item);
    strings[i] = string_of(env, item, status);
  }
  return strings;
}

void strings_free(char **strings) {
  if (strings == NULL) return;
  for (char **string = strings; *string != NULL; string++) free(*string);
  free(strings);
}

polyproc_handle *handles_of(const struct call *call, size_t index, char **names, size_t *count,
                            int32_t *status) {
  uint32_t length = 0;
  napi_get_array_length(call->env, call->argv[index], &length);
  polyproc_handle *handles = calloc((size_t)length + 1, sizeof *handles);
  if (handles == NULL) *status = POLYPROC_E_NO_MEMORY;
  for (uint32_t i = 0; handles != NULL && i < length && *status >= 0; i++) {
    struct object *object;
    napi_value item;
    napi_get_element(call->env, call->argv[index], i, &item);
    int32_t found = object_of(call->env, item, 0, &object);
    if (found < 0) {
      *status = found;
    } else {
      handles[i] = (polyproc_handle){.name = names[i], .kind = object->kind, .object = object->handle};
    }
  }
  *count = length;
  return handles;
}

int32_t peer_of(const struct call *call, struct peer *peer) {
  const char *address;
  void *key;
  napi_valuetype type = napi_undefined;
  int32_t backlog, flags;
  int64_t longest;
  polyproc_listener_options *options = &peer->options;
  *options = (polyproc_listener_options)POLYPROC_LISTENER_OPTIONS_INIT;
  if (call_string(call, 0, peer->address, sizeof peer->address, &address) < 0 || address == NULL ||
      call_i32(call, 2, &backlog) < 0 || call_i64(call, 3, &options->handshake_timeout_ns) < 0 ||
      call_i64(call, 4, &longest) < 0 || call_i32(call, 5, &flags) < 0) {
    return POLYPROC_E_INVALID;
  }
  napi_typeof(call->env, call->argv[1], &type);
  if (type != napi_undefined) {
    if (!bytes_of(call->env, call->argv[1], &key, &options->authkey_len)) return POLYPROC_E_INVALID;
    if (options->authkey_len == 0) return POLYPROC_E_INVALID;
    options->authkey = key;
  }
  options->backlog = (uint32_t)backlog;
  options->max_message = (uint64_t)longest;
  options->flags = (flags & IS_PUBLIC) != 0 ? POLYPROC_LISTENER_PUBLIC : 0;
  options->allow_md5 = (flags & NO_MD5) == 0;
  return POLYPROC_OK;
}
