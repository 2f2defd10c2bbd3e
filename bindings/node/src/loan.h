/*
 * Loans: messages taken and slots reserved, until they are settled; they outlive their queue's handle. And
 * the slab, to which short messages are copied.
 */
#ifndef POLYPROC_NODE_LOAN_H
#define POLYPROC_NODE_LOAN_H

#include "addon.h"

enum { COPY_LIMIT = 4096 }; /* messages up to this are copied: a view costs more than so many bytes */

/* A number, or E_NO_MEMORY: then the slot is still the caller's to settle. */
int32_t loan_slot(struct addon *addon, const polyproc_slot *slot);
/* Likewise of a message, whose row is filled; a short one is copied to the slab where that has room. */
int32_t lend(struct addon *addon, struct row *row, const polyproc_message *message);
void loans_teardown(struct addon *addon);

/* Copies into the slab: the offset, or -1 when the message is too long for what is left of it. */
double slab_copy(struct addon *addon, const void *data, size_t length);
void slab_claim(struct addon *addon, size_t length);

#endif
