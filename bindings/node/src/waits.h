/* The waits that the waiter threads of an environment do, as JavaScript sees them: it begins and
 * cancels them, and one doorbell delivers the answers. The doorbell keeps Node's loop alive exactly
 * while a promise waits. */
#ifndef POLYPROC_NODE_WAITS_H
#define POLYPROC_NODE_WAITS_H

#include "object.h"

int32_t waits_create(struct addon *addon);
/* From now on `settle` is called with each answer: (number, status or result). */
napi_status waits_start(struct addon *addon, napi_value settle);
/* Answers the waits on a closing object with E_CLOSED. */
void waits_stop(struct object *object);
/* Joins the threads at the end of the environment, and gives back what they got. */
void waits_teardown(struct addon *addon);
void waits_destroy(struct addon *addon);

#endif
