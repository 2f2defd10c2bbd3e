/* The life of a handle in an environment. create.c, connection.c, process.c and pool.c make
 * handles.
 *
 * The library frees a handle at its close if no call is inside, and a waiter thread may be just
 * about to call. So the last user closes the handle: the open object, or a request that was not
 * answered yet. */
#ifndef POLYPROC_NODE_OBJECT_H
#define POLYPROC_NODE_OBJECT_H

#include "call.h"

enum {
  OBJECT_PROCESS = -1, /* these are not kinds that can be inherited */
  OBJECT_POOL = -2,
  OBJECT_WORKER = -3, /* this process as a worker of a pool: no handle of the library */
  OBJECT_LISTENER = -4
};

struct request;
struct tasks;

/* Requests of one object and direction. A waiter thread does them one after the other. */
struct line {
  struct request *first, *last;
};

/* A handle of the library with the state that the JavaScript side needs. */
struct object {
  struct addon *addon; /* NULL once the environment is gone */
  void *handle;
  int32_t kind;   /* POLYPROC_KIND_* or OBJECT_* */
  bool closed;    /* JavaScript called close */
  uint32_t users; /* the open handle and each request: the last user closes the handle */
  struct line lines[2];
  int polled_fd;       /* -1: nobody waits for its descriptor */
  struct tasks *tasks; /* of a pool */
  struct object *next, **link;
};

/* Returns the JavaScript object of a new handle, or the status of its failure as a number. */
napi_value object_made(const struct call *call, int32_t status, int32_t kind, void *handle);
napi_value object_new(struct addon *addon, int32_t kind, void *handle);
void object_leave(struct object *object);
/* Closes the handle at the end of an environment, at once, even if a request still uses it. */
void object_abandon(struct object *object);
void objects_teardown(struct addon *addon);

/* E_INVALID if the value is no object of that kind (0: any), E_CLOSED if it is closed. */
int32_t object_of(napi_env env, napi_value value, int32_t kind, struct object **out);
/* As object_of, for argument 0 of a call. */
int32_t call_object(const struct call *call, int32_t kind, struct object **out);
/* Reads a call and the object in its argument 0. */
int32_t call_enter(struct call *call, napi_env env, napi_callback_info info, int32_t kind,
                   struct object **out);

#endif
