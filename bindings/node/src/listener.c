/* Listeners: where connections come from. Connecting to one is a wait. */
#include "addon.h"

enum { IS_PUBLIC = 1, NO_MD5 = 2 };

int32_t peer_read(const struct call *call, struct peer *peer) {
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

static napi_value listener_create(napi_env env, napi_callback_info info) {
  struct call call;
  struct peer peer;
  polyproc_listener *listener = NULL;
  call_read(&call, env, info);
  int32_t status = peer_read(&call, &peer);
  if (status >= 0) status = polyproc_listener_create(peer.address, &peer.options, &listener);
  return status < 0 ? number(env, status) : object_new(call.addon, OBJECT_LISTENER, listener);
}

static int32_t enter(struct call *call, napi_env env, napi_callback_info info, struct object **listener) {
  call_read(call, env, info);
  return call_object(call, OBJECT_LISTENER, listener);
}

static napi_value listener_accept(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *listener;
  polyproc_connection *connection = NULL;
  int32_t status = enter(&call, env, info, &listener);
  if (status >= 0) status = polyproc_listener_accept(listener->handle, &connection, 0, NULL);
  return status < 0 ? number(env, status) : object_new(call.addon, POLYPROC_KIND_CONNECTION, connection);
}

static napi_value listener_address(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *listener;
  char address[ADDRESS_CAP];
  size_t length = 0;
  napi_value text = NULL;
  int32_t status = enter(&call, env, info, &listener);
  if (status >= 0) status = polyproc_listener_address(listener->handle, address, sizeof address, &length);
  if (status < 0) return number(env, status);
  napi_create_string_utf8(env, address, length, &text);
  return text;
}

const addon_function listener_functions[] = {
    {"listenerCreate", listener_create},
    {"listenerAccept", listener_accept},
    {"listenerAddress", listener_address},
    {NULL, NULL},
};
