/* One wait that must block because its object has no descriptor. The environment's thread makes a
 * request and answers it; in between it belongs to the waiter threads, under the lock of `struct
 * waits`. */
#ifndef POLYPROC_NODE_REQUEST_H
#define POLYPROC_NODE_REQUEST_H

#include "arguments.h"

/* The operations that block. JavaScript knows the numbers. */
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

/* In line: behind another request of its object and direction. Due: the next free thread takes it.
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
  char *detail;           /* what polyproc_detail says of it in the thread that ran it, or NULL */
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

int32_t request_new(const struct call *call, struct request **out);
void request_run(struct request *request, polyproc_cancel *token);
/* The line in which the request stands; NULL: it waits beside all others. */
struct line *request_line(struct request *request);
/* Gives back what the request got: no promise is left to receive it. */
void request_undo(struct request *request);
/* Returns the argument for JavaScript's callback: a status or number with the rows filled, or a
 * Buffer. */
napi_value request_answer(struct addon *addon, struct request *request);
void request_free(struct request *request);

#endif
