/* A function of the library, called in a process of its own that has prepared what the call needs. */
#ifndef CASES_H
#define CASES_H

#include <stdint.h>

struct kase {
  /* The function, and behind a space how it is called where it has several cases. */
  const char *name;
  void (*prepare)(void);
  int32_t (*call)(void);
  /* What others can see of the objects; a failed call leaves it as it was. */
  int64_t (*look)(void);
  /* What the call answers where nothing fails, and by how much it changes what is seen. */
  int32_t answer;
  int64_t change;
  struct kase *next;
};

extern struct kase *first_case;

#endif
