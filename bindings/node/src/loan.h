/* Loans: taken messages and reserved slots, until they are settled; they outlive their queue's
 * handle. And the slab, to which short messages are copied. */
#ifndef POLYPROC_NODE_LOAN_H
#define POLYPROC_NODE_LOAN_H

#include "addon.h"

enum { COPY_LIMIT = 4096 }; /* messages up to this are copied: a view costs more than so many bytes */

/* Returns the loan's number, or E_NO_MEMORY: then the caller must still settle the slot. */
int32_t loan_slot(struct addon *addon, const polyproc_slot *slot);
/* As loan_slot, for a message. Fills the message's row, and copies a short message to the slab if
 * the slab has room. */
int32_t lend(struct addon *addon, struct row *row, const polyproc_message *message);
void loans_teardown(struct addon *addon);

/* Copies into the slab. Returns the offset, or -1 if the slab has no room for the message. */
double slab_copy(struct addon *addon, const void *data, size_t length);
void slab_claim(struct addon *addon, size_t length);

#endif
