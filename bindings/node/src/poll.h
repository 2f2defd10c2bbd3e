/* Waits that have a descriptor: see poll.c. */
#ifndef POLYPROC_NODE_POLL_H
#define POLYPROC_NODE_POLL_H

#include "object.h"

void poll_disarm(struct object *object);
void poll_teardown(struct addon *addon);

#endif
