/* Arguments that are more than a number, a string or an object. */
#ifndef POLYPROC_NODE_ARGUMENTS_H
#define POLYPROC_NODE_ARGUMENTS_H

#include "object.h"

/* A C string of `value` in memory that the caller frees; NULL with *status set when it is none. */
char *string_of(napi_env env, napi_value value, int32_t *status);
/* A NULL-ended array of the strings of a JavaScript array, for strings_free; NULL when it is no array. What
 * goes wrong is written to *status. */
char **strings_of(napi_env env, napi_value array, int32_t *status);
void strings_free(char **strings);
/* The handles of an array of objects, to be freed. What goes wrong is written to *status. */
polyproc_handle *handles_of(const struct call *call, size_t index, char **names, size_t *count,
                            int32_t *status);

/* An address and how to meet the process there, in memory that stays until the call is over. */
enum { ADDRESS_CAP = 160 };
struct peer {
  char address[ADDRESS_CAP];
  polyproc_listener_options options;
};
/* (address, key or undefined, backlog, handshake timeout in ns, max message, flags: 1 public, 2 no MD5) */
int32_t peer_of(const struct call *call, struct peer *peer);

#endif
