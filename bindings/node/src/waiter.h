/* The waiter threads of an environment, at most WAITERS_MAX. A wait that must block starts one; a
 * thread that has been idle for a while ends. A thread makes only the blocking call; its answers
 * come back through one doorbell per environment. */
#ifndef POLYPROC_NODE_WAITER_H
#define POLYPROC_NODE_WAITER_H

#include <pthread.h>

#include "request.h"

/* One thread. The lock of its `struct waits` guards every field. */
struct waiter {
  struct waits *waits;
  struct waiter *next;
  polyproc_cancel *token;
  pthread_t thread;
  bool ended; /* still to be joined */
};

/* All waits of an environment. */
struct waits {
  struct addon *addon;
  pthread_mutex_t lock; /* of the lines and of what follows; never held during a wait */
  pthread_cond_t work;
  struct request *due, *last_due;
  uint32_t due_count, idle_count, thread_count;
  struct waiter *waiters;
  bool ending;
  struct request *answered, *last_answered;
  struct request **table; /* by id; this and the rest: of the environment's thread only */
  uint32_t table_size, table_hint, pending;
  napi_threadsafe_function doorbell;
};

int32_t waiters_add(struct waits *waits, struct request *request);
/* Returns true if the request had not begun and was removed; else ends its wait, and its answer
 * will come. */
bool waiters_cancel(struct waits *waits, struct request *request);
/* Ends the request with E_CLOSED, because one of its objects closes. */
void waiters_stop(struct waits *waits, struct request *request);
/* Ends all threads. Every request was stopped before. */
void waiters_end(struct waits *waits);

#endif
