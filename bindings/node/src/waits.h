/*
 * Waits that must block. A request is made on the environment's thread and answered there; in between it
 * belongs to the waiter thread of its object and direction, under the lock of `struct waits`.
 */
#ifndef POLYPROC_NODE_WAITS_H
#define POLYPROC_NODE_WAITS_H

#include <pthread.h>

#include "addon.h"

/* What a request waits for; the numbers are known to lib/wait.js. */
enum operation {
  WAIT_TAKE,
  WAIT_TAKE_MANY,
  WAIT_GET, /* of a joinable queue: task_done does not settle what was taken */
  WAIT_PUT,
  WAIT_PUT_MANY,
  WAIT_RESERVE,
  WAIT_JOIN,
  WAIT_LOCK,
  WAIT_SEMAPHORE,
  WAIT_EVENT,
  WAIT_PROCESS,
  OPERATIONS
};

struct request {
  struct request *next, *previous;
  struct object *object;
  uint32_t id;
  enum operation operation;
  bool queued;    /* in its waiter's line; else running, or answered */
  int32_t status; /* the answer */
  size_t count;   /* of messages or slices; of bytes of a put, a reserve or what was got */
  union {
    void *bytes; /* what was got; a put's own copy: the caller may change or transfer its buffer meanwhile */
    polyproc_slice *slices;
    polyproc_message message;
    polyproc_message *messages;
    polyproc_slot slot;
  } of;
};

/* request.c */
int32_t request_new(const struct call *call, struct object *object, struct request **out);
void request_run(struct request *request, polyproc_cancel *token);
/* What the request got goes back to where it came from: nobody is left to have it. */
void request_undo(struct request *request);
/* What JavaScript's callback gets: a status or number, the rows filled, what was taken made loans; a Buffer
 * of a get. */
napi_value request_answer(napi_env env, struct request *request);
void request_free(struct request *request);

/* One thread, for one object and direction. `lock` of its waits guards every field. */
enum thread_state { THREAD_NONE, THREAD_RUNNING, THREAD_ENDED };

struct waiter {
  struct waits *waits;
  struct request *first, *last, *running;
  polyproc_cancel *token; /* ends the running request's wait */
  bool stopping;
  enum thread_state state; /* ended: still to be joined */
  pthread_t thread;
  pthread_cond_t work;
  struct waiter *next_ended;
};

/* All waits of an environment. */
struct waits {
  struct addon *addon;
  pthread_mutex_t lock; /* of the waiters and of the two lists below; never held during a wait */
  struct request *answered, *last_answered;
  struct waiter *ended;
  struct request **table; /* by id; this and the rest: of the environment's thread only */
  uint32_t table_size, table_hint, pending;
  napi_threadsafe_function doorbell;
};

/* waiter.c */
struct waiter *waiter_of(struct object *object, enum operation operation);
int32_t waiter_add(struct waiter *waiter, struct request *request);
/* True when the request was still in line and is out of it now; else its wait is ended and its answer on the
 * way. */
bool waiter_cancel(struct waiter *waiter, struct request *request);
void waiters_reap(struct waits *waits);
/* The object is closing: what waits on it is answered with E_CLOSED. */
void waits_stop(struct object *object);
/* After waits_stop and when nothing waits: joins the object's waiter threads and frees them. */
void waits_free(struct object *object);

/* waits.c */
int32_t waits_create(struct addon *addon);
/* The environment ends: threads joined, what they got given back. */
void waits_teardown(struct addon *addon);
void waits_destroy(struct addon *addon);

#endif
