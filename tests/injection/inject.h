/* Calls of the C library and of the kernel that fail where a test wants it. */
#ifndef INJECT_H
#define INJECT_H

#include <stdint.h>

/* A call that can fail, and the errno of its failure. */
struct fault {
  const char *call;
  int error;
  const char *name;
  /* From the nth call on each fails, not only the nth. */
  int for_good;
};

extern const struct fault faults[];
extern const int fault_count;

/* Call this before anything else: the state is in memory that forked children share, so a failure
 * in a child is seen too. */
void injection_begin(void);

/* From now on the nth call of the fault's kind fails, in any thread or child. */
void injection_arm(const struct fault *fault, long nth);

/* Ends the failures; returns whether one took place. */
int injection_end(void);

#endif
