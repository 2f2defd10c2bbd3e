/*
 * The waits of an environment that its waiter threads do, as JavaScript sees them: begun, cancelled, and
 * answered through one doorbell that keeps Node's loop alive exactly while a promise waits.
 */
#ifndef POLYPROC_NODE_WAITS_H
#define POLYPROC_NODE_WAITS_H

#include "object.h"

int32_t waits_create(struct addon *addon);
/* From here on `settle` is called with each answer: (number, status or result). */
napi_status waits_start(struct addon *addon, napi_value settle);
/* The object is closing: what waits on it is answered with E_CLOSED. */
void waits_stop(struct object *object);
/* The environment ends: threads joined, what they got given back. */
void waits_teardown(struct addon *addon);
void waits_destroy(struct addon *addon);

#endif
