/* A function of the library, called in a process of its own that has prepared the call. */
#ifndef CASES_H
#define CASES_H

#include <stdint.h>

struct kase {
  /* The function; if it has several cases, a space and the case. */
  const char *name;
  void (*prepare)(void);
  int32_t (*call)(void);
  /* The state of the objects as others see it; a failed call must leave it as it was. */
  int64_t (*look)(void);
  /* The result of the call if nothing fails, and by how much it changes that state. */
  int32_t answer;
  int64_t change;
  struct kase *next;
};

extern struct kase *first_case;

#endif
