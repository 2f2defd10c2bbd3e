/* One `struct addon` per environment: the main thread and each worker_thread has its own.
 * Everything in it belongs to that environment's thread, except the fields that waiter.h gives to
 * the waiter threads.
 *
 * The JavaScript side checks types and ranges. A function here returns a number; a negative one is
 * a status of polyproc.h. */
#ifndef POLYPROC_NODE_ADDON_H
#define POLYPROC_NODE_ADDON_H

#include <node_api.h>
#include <polyproc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  BATCH_MAX = 1024,     /* messages in one call */
  STAGE_MAX = 32,       /* messages in the arguments of one call; divides BATCH_MAX */
  TASKS_PER_LOOK = 256, /* of a pool, told in one call */
  WAITERS_MAX = 128     /* waiter threads of an environment */
};

/* The results of a call beside its status. JavaScript reads them as five doubles, the id as two
 * halves. */
struct row {
  double loan;   /* its number; -1: settled already */
  double offset; /* of its bytes in the slab; -1: not there */
  double length;
  double deliveries;
  uint64_t id;
};

struct loan;
struct object;
struct poller;
struct waits;

/* Room for the sentence of polyproc_detail. */
enum { DETAIL_CAP = 512 };

struct addon {
  napi_env env;
  const char *delivered; /* while a thread's answer is delivered: what is said about it, "" for nothing */
  struct row *rows;      /* BATCH_MAX of them */
  uint8_t *slab;         /* where short messages are copied to; JavaScript cuts Buffers out of it */
  size_t slab_size, slab_used;
  napi_ref slab_ref;
  struct loan *loans;
  int32_t loan_count, loan_free, loan_newest; /* -1: none */
  struct object *objects;
  void (*before_close)(struct object *object); /* ends what waits on it */
  struct waits *waits;
  struct poller *poller;
  polyproc_job job;           /* of a worker: what it does now */
  polyproc_message *messages; /* scratch for batches, BATCH_MAX */
  polyproc_slice *slices;     /* likewise */
};

/* Each file's functions, for the table of module.c. */
typedef struct {
  const char *name;
  napi_callback function;
} addon_function;
extern const addon_function wrapped_functions[], create_functions[], object_functions[], queue_functions[],
    batch_functions[], loan_functions[], primitive_functions[], connection_functions[], process_functions[],
    pool_functions[], worker_functions[], wait_functions[], poll_functions[];

#endif
