/* Pipes and connections, tried once. */
#include "addon.h"

static int32_t enter(struct call *call, napi_env env, napi_callback_info info, struct object **connection) {
  call_read(call, env, info);
  return call_object(call, POLYPROC_KIND_CONNECTION, connection);
}

/* (duplex): the two ends */
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

static napi_value connection_send(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *connection;
  void *data;
  size_t length;
  int32_t status = enter(&call, env, info, &connection);
  if (!bytes_of(env, call.argv[1], &data, &length)) return NULL;
  if (status >= 0) status = polyproc_connection_send(connection->handle, data, length, 0, NULL);
  return number(env, status);
}

/* Into the slab: the message's length, its offset in row 0. E_TOO_SMALL: row 0 has the length that it needs.
 */
static napi_value connection_recv(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *connection;
  int32_t status = enter(&call, env, info, &connection);
  if (status < 0) return number(env, status);
  struct addon *addon = call.addon;
  size_t offset = addon->slab_used, room = addon->slab_size - offset, length = 0;
  status = polyproc_connection_recv(connection->handle, addon->slab + offset, room, &length, 0, NULL);
  addon->rows->length = (double)length;
  if (status < 0) return number(env, status);
  addon->rows->offset = (double)offset;
  slab_claim(addon, length);
  return number(env, (double)length);
}

/* (connection, buffer): the message's length */
static napi_value connection_recv_into(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *connection;
  void *data;
  size_t room, length = 0;
  int32_t status = enter(&call, env, info, &connection);
  if (!bytes_of(env, call.argv[1], &data, &room)) return NULL;
  if (status >= 0) status = polyproc_connection_recv(connection->handle, data, room, &length, 0, NULL);
  call.addon->rows->length = (double)length;
  return number(env, status < 0 ? status : (double)length);
}

static napi_value connection_poll(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *connection;
  int32_t status = enter(&call, env, info, &connection);
  if (status >= 0) status = polyproc_connection_poll(connection->handle, 0, NULL);
  return number(env, status);
}

const addon_function connection_functions[] = {
    {"pipeCreate", pipe_create},         {"connectionSend", connection_send},
    {"connectionRecv", connection_recv}, {"connectionRecvInto", connection_recv_into},
    {"connectionPoll", connection_poll}, {NULL, NULL},
};
