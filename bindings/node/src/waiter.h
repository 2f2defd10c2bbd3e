/*
 * The waiter threads of an environment, at most WAITERS_MAX, started when a wait must block and ended when
 * they have been idle for a while. All that a thread does is the blocking call; answers come back through one
 * doorbell per environment.
 */
#ifndef POLYPROC_NODE_WAITER_H
#define POLYPROC_NODE_WAITER_H

#include <pthread.h>

#include "request.h"

/* One thread; `lock` of its waits guards every field. */
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
/* True when the request had not begun and is out now; else its wait is ended and its answer on the way. */
bool waiters_cancel(struct waits *waits, struct request *request);
/* One of its objects closes: its answer is E_CLOSED. */
void waiters_stop(struct waits *waits, struct request *request);
/* After every request was stopped: no thread is left. */
void waiters_end(struct waits *waits);

#endif
