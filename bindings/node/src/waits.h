/*
 * Waits that must block, for want of a descriptor: what poll.c cannot do. A request is made on the
 * environment's thread and answered there; in between it belongs to the waiter threads, under the lock of
 * `struct waits`.
 */
#ifndef POLYPROC_NODE_WAITS_H
#define POLYPROC_NODE_WAITS_H

#include <pthread.h>

#include "addon.h"

/* What a request waits for; the numbers are known to JavaScript. */
enum operation {
  WAIT_PUT,
  WAIT_PUT_MANY,
  WAIT_RESERVE,
  WAIT_JOIN,
  WAIT_LOCK,
  WAIT_RLOCK,
  WAIT_SEMAPHORE,
  WAIT_EVENT,
  WAIT_CONDITION,
  WAIT_BARRIER,
  WAIT_ARRIVE,
  WAIT_SEND,
  WAIT_RECV, /* a message that is handed over: longer than the pipe */
  WAIT_PROCESS,
  WAIT_POOL,
  WAIT_CONNECT,
  WAIT_CHILDREN,
  WAIT_ANY,
  OPERATIONS
};

/* In line: behind another of its object and direction, without a thread. Due: a thread is about to have it.
 */
enum request_state { REQUEST_NEW, REQUEST_IN_LINE, REQUEST_DUE, REQUEST_RUNNING, REQUEST_ANSWERED };

struct request {
  struct request *next, *previous; /* in its line; `next` also among the answered */
  struct request *next_due, *previous_due;
  struct object *object;   /* NULL: it is about none */
  struct object **objects; /* all that it is about, and how many: `object` is the first */
  size_t object_count;
  struct object *pair[2]; /* room for `objects` where they are at most two */
  uint32_t id;
  enum operation operation;
  enum request_state state;
  bool stopped;           /* one of its objects is closed: its end is E_CLOSED */
  polyproc_cancel *token; /* of the thread that runs it; ends the wait */
  int32_t status;         /* the answer */
  uint64_t owner;         /* of an rlock; of an event the mark from which the wait counts */
  size_t count;           /* of messages or slices; of bytes of a put, a reserve or what was received */
  union {
    void *bytes; /* what was received; a put's own copy: the caller may change or transfer its buffer
                    meanwhile */
    polyproc_slice *slices;
    polyproc_slot slot;
    struct {
      uint32_t index;
      int32_t is_leader;
    } party;
    polyproc_waitable *waitables;
    struct {
      struct peer *peer;
      polyproc_connection *connection;
    } connect;
  } of;
};

/* request.c */
int32_t request_new(const struct call *call, struct request **out);
void request_run(struct request *request, polyproc_cancel *token);
/* The line that it stands in; NULL: it waits beside all others. */
struct line *request_line(struct request *request);
/* What the request got goes back to where it came from: nobody is left to have it. */
void request_undo(struct request *request);
/* What JavaScript's callback gets: a status or number, the rows filled; a Buffer of what was received. */
napi_value request_answer(struct addon *addon, struct request *request);
void request_free(struct request *request);

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

/* waiter.c */
int32_t waiters_add(struct waits *waits, struct request *request);
/* True when the request had not begun and is out now; else its wait is ended and its answer on the way. */
bool waiters_cancel(struct waits *waits, struct request *request);
/* One of its objects closes: its answer is E_CLOSED. */
void waiters_stop(struct waits *waits, struct request *request);
/* After every request was stopped: no thread is left. */
void waiters_end(struct waits *waits);

/* waits.c */
int32_t waits_create(struct addon *addon);
/* The object is closing: what waits on it is answered with E_CLOSED. */
void waits_stop(struct object *object);
/* The environment ends: threads joined, what they got given back. */
void waits_teardown(struct addon *addon);
void waits_destroy(struct addon *addon);

#endif
