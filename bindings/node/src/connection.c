/* Makes connections: pipes and listeners. Connecting to a listener is a wait (request.c). */
#include "arguments.h"

/* (duplex): returns the two ends */
static napi_value pipe_create(napi_env env, napi_callback_info info) {
  struct call call;
  polyproc_connection *ends[2];
  int32_t duplex;
  napi_value list;
  call_read(&call, env, info);
  int32_t status = call_i32(&call, 0, &duplex);
  if (status >= 0) status = polyproc_pipe_create(duplex, &ends[0], &ends[1]);
  if (status < 0) return number(env, status);
  napi_create_array_with_length(env, 2, &list);
  for (uint32_t i = 0; i < 2; i++) {
    napi_value end = object_new(call.addon, POLYPROC_KIND_CONNECTION, ends[i]);
    if (end == NULL) return NULL;
    napi_set_element(env, list, i, end);
  }
  return list;
}

static napi_value listener_create(napi_env env, napi_callback_info info) {
  struct call call;
  struct peer peer;
  polyproc_listener *listener = NULL;
  call_read(&call, env, info);
  int32_t status = peer_of(&call, &peer);
  if (status >= 0) status = polyproc_listener_create(peer.address, &peer.options, &listener);
  return object_made(&call, status, OBJECT_LISTENER, listener);
}

static napi_value listener_accept(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *listener;
  polyproc_connection *connection = NULL;
  int32_t status = call_enter(&call, env, info, OBJECT_LISTENER, &listener);
  if (status >= 0) status = polyproc_listener_accept(listener->handle, &connection, 0, NULL);
  return object_made(&call, status, POLYPROC_KIND_CONNECTION, connection);
}

const addon_function connection_functions[] = {
    {"pipeCreate", pipe_create},
    {"listenerCreate", listener_create},
    {"listenerAccept", listener_accept},
    {NULL, NULL},
};
