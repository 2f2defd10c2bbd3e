/*
 * What the files of the addon share. One `struct addon` per environment (the main thread and each
 * worker_thread has its own); everything in it belongs to that environment's thread, apart from what waits.h
 * says of the waiter threads.
 *
 * The JavaScript side checks types and ranges; the functions here answer with a number that is a status of
 * polyproc.h when it is negative.
 */
#ifndef POLYPROC_NODE_ADDON_H
#define POLYPROC_NODE_ADDON_H

#include <node_api.h>
#include <polyproc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  BATCH_MAX = 1024,     /* messages in one call */
  TASKS_PER_LOOK = 256, /* of a pool, told in one call */
  WAITERS_MAX = 128,    /* waiter threads of an environment */
  OBJECT_PROCESS = -1,  /* these are not kinds that can be inherited */
  OBJECT_POOL = -2,
  OBJECT_LISTENER = -4,
  OBJECT_WORKER = -3 /* this process as a worker of a pool: no handle of the library */
};

/* What a call says besides its status, read by JavaScript as five doubles, the id as its halves. */
struct row {
  double loan;   /* its number; -1: settled already */
  double offset; /* of its bytes in the slab; -1: not there */
  double length;
  double deliveries;
  uint64_t id;
};

struct waits;
struct request;
struct poller;
struct tasks;
struct loan;

/* The requests of one object and direction that wait for a thread. The first has one, or is about to. */
struct line {
  struct request *first, *last;
};

/* A handle of the library with what JavaScript's side of it needs. */
struct object {
  struct addon *addon; /* NULL once the environment is gone */
  void *handle;
  int32_t kind;   /* POLYPROC_KIND_* or OBJECT_PROCESS */
  bool closed;    /* JavaScript called close */
  uint32_t users; /* the open handle and each request: the last one out closes the handle */
  struct line lines[2];
  int polled_fd;       /* -1: nobody waits for its descriptor */
  struct tasks *tasks; /* of a pool */
  struct object *next, **link;
};

struct addon {
  napi_env env;
  struct row *rows; /* BATCH_MAX of them */
  uint8_t *slab;    /* where short messages are copied to; JavaScript cuts Buffers out of it */
  size_t slab_size, slab_used;
  napi_ref slab_ref;
  struct loan *loans;
  int32_t loan_count, loan_free, loan_newest; /* -1: none */
  struct object *objects;
  struct waits *waits;
  struct poller *poller;
  polyproc_job job;           /* of a worker: what it does now */
  polyproc_message *messages; /* scratch for batches, BATCH_MAX */
  polyproc_slice *slices;     /* likewise */
};

/* module.c: the cleanup hook of an environment */
void addon_teardown(void *addon);

/* call.c: what every function begins and ends with */
struct call {
  struct addon *addon;
  napi_env env;
  size_t argc;
  napi_value argv[10];
};
void call_read(struct call *call, napi_env env, napi_callback_info info);
/* The object in argument 0: E_INVALID when it is none of that kind (0: any), E_CLOSED when it is closed. */
int32_t call_object(const struct call *call, int32_t kind, struct object **out);
int32_t call_i32(const struct call *call, size_t index, int32_t *out);
int32_t call_i64(const struct call *call, size_t index, int64_t *out);
/* A string without NUL of at most cap - 1 bytes; null and undefined give *out == NULL. */
int32_t call_string(const struct call *call, size_t index, char *buf, size_t cap, const char **out);
/* The bytes of a view or an ArrayBuffer; false with a TypeError thrown when it is neither. */
bool bytes_of(napi_env env, napi_value value, void **data, size_t *length);
napi_value number(napi_env env, double value);
/* A static string for a failure inside Node-API itself, which ends the call with an exception. */
napi_value internal_failure(napi_env env, const char *what);

/* process.c: a NULL-ended array of the strings of a JavaScript array, for strings_free; and the handles of an
 * array of objects, to be freed. What goes wrong is written to *status. */
char **strings_of(napi_env env, napi_value array, int32_t *status);
void strings_free(char **strings);
polyproc_handle *handles_of(const struct call *call, size_t index, char **names, size_t *count,
                            int32_t *status);

/* listener.c */
/* Of an address and a key, which may be NULL, in memory that stays until the call is over. */
enum { ADDRESS_CAP = 160 };
struct peer {
  char address[ADDRESS_CAP];
  polyproc_listener_options options;
};
/* (address, key or undefined, backlog, handshake timeout in ns, max message, flags: 1 public, 2 no MD5) */
int32_t peer_read(const struct call *call, struct peer *peer);

/* pool.c */
void tasks_free(struct tasks *tasks);

/* object.c */
napi_value object_new(struct addon *addon, int32_t kind, void *handle);
void object_close(struct object *object);
void object_leave(struct object *object);
/* At the end of an environment: the handle goes at once, whoever still uses it. */
void object_abandon(struct object *object);
void objects_teardown(struct addon *addon);

/* loan.c */
enum { COPY_LIMIT = 4096 }; /* messages up to this are copied: a view costs more than so many bytes */
/* A number, or E_NO_MEMORY: then the message or slot is still the caller's to settle. */
int32_t loan_message(struct addon *addon, const polyproc_message *message);
int32_t loan_slot(struct addon *addon, const polyproc_slot *slot);
/* loan_message, and its row filled, a short message copied to the slab where that has room */
int32_t lend(struct addon *addon, struct row *row, const polyproc_message *message);
void row_fill(struct row *row, double loan, double offset, const polyproc_message *message);
void loans_teardown(struct addon *addon);
/* Copies into the slab: the offset, or -1 when the message is too long for what is left of it. */
double slab_copy(struct addon *addon, const void *data, size_t length);
void slab_claim(struct addon *addon, size_t length);

/* poll.c */
void poll_disarm(struct object *object);
void poll_teardown(struct addon *addon);

/* Each file's functions, for the table of module.c */
typedef struct {
  const char *name;
  napi_callback function;
} addon_function;
extern const addon_function library_functions[], create_functions[], object_functions[], queue_functions[],
    batch_functions[], loan_functions[], primitive_functions[], meeting_functions[], connection_functions[],
    listener_functions[], process_functions[], pool_functions[], worker_functions[], wait_functions[],
    poll_functions[];

#endif
