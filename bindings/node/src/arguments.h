/* Arguments that are more than a number, a string or an object. */
#ifndef POLYPROC_NODE_ARGUMENTS_H
#define POLYPROC_NODE_ARGUMENTS_H

#include "object.h"

/* Returns `value` as a C string in memory that the caller frees; NULL, with *status set, if it is
 * no string. */
char *string_of(napi_env env, napi_value value, int32_t *status);
/* Returns the strings of a JavaScript array as a NULL-ended array for strings_free; NULL if it is
 * no array. Writes a failure to *status. */
char **strings_of(napi_env env, napi_value array, int32_t *status);
void strings_free(char **strings);
/* Returns the handles of an array of objects, which the caller frees. Writes a failure to *status.
 */
polyproc_handle *handles_of(const struct call *call, size_t index, char **names, size_t *count,
                            int32_t *status);

/* An address and the options for its handshake, in memory that stays until the call is over. */
enum { ADDRESS_CAP = 160 };
struct peer {
  char address[ADDRESS_CAP];
  polyproc_listener_options options;
};
/* (address, key or undefined, backlog, handshake timeout in ns, max message, flags: 1 public, 2 no
 * MD5) */
int32_t peer_of(const struct call *call, struct peer *peer);

#endif
