/* Waits that have a descriptor: a receive, an accept, the end of a process, a finished task, a
 * worker's next job. No thread blocks for them. One epoll instance of the environment holds the
 * descriptors of all objects that a promise waits for. libuv polls it, or a thread of poll_thread.c
 * if the runtime has no libuv. JavaScript gets the objects that are ready and tries its waits on
 * them. epoll is level-triggered: it reports an object that is still ready and waited for again in
 * the next turn.
 *
 * Everything here runs on the environment's thread. */
#include "poll.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <uv.h>

#include "poll_thread.h"

enum { READY_MAX = 256 };

/* Lives one turn of the loop longer than its addon: that turn closes the libuv handle. */
struct poller {
  uv_poll_t uv;
  struct poll_thread *thread; /* NULL: libuv polls */
  struct addon *addon;        /* NULL once the addon is gone */
  napi_env env;
  int epoll;
  uint32_t armed; /* objects in the epoll instance; above 0 the loop polls, and Node stays alive */
  napi_async_context context;
  napi_ref ready;  /* called when objects are ready, with how many; the rows have their numbers */
  napi_ref served; /* called when JavaScript has tried its waits on these objects */
  struct row *rows;
  napi_async_cleanup_hook_handle hook;
};

static void tell(struct poller *poller, const struct epoll_event *events, int count) {
  napi_env env = poller->env;
  napi_handle_scope scope;
  napi_value receiver, ready, error;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  for (int i = 0; i < count; i++) poller->rows[i].loan = (double)events[i].data.u32;
  napi_value how_many = number(env, count);
  napi_get_global(env, &receiver);
  napi_get_reference_value(env, poller->ready, &ready);
  napi_status called = poller->thread == NULL
                           ? napi_make_callback(env, poller->context, receiver, ready, 1, &how_many, NULL)
                           : napi_call_function(env, receiver, ready, 1, &how_many, NULL);
  if (called == napi_pending_exception && napi_get_and_clear_last_exception(env, &error) == napi_ok) {
    napi_fatal_exception(env, error);
  }
  napi_get_reference_value(env, poller->served, &ready);
  napi_call_function(env, receiver, ready, 0, NULL, NULL);
  napi_close_handle_scope(env, scope);
}

static void is_ready(void *data) {
  struct poller *poller = data;
  struct epoll_event found[READY_MAX];
  int count = epoll_wait(poller->epoll, found, READY_MAX, 0);
  if (count > 0) tell(poller, found, count);
}

static void is_readable(uv_poll_t *uv, int status, int events) {
  (void)status;
  (void)events;
  is_ready(uv->data);
}

/* Starts polling for the first object, and stops it after the last one. */
static void poller_enable(struct poller *poller, bool is_on) {
  if (poller->thread != NULL) {
    poll_thread_keep(poller->thread, poller->env, is_on);
  } else if (is_on) {
    uv_poll_start(&poller->uv, UV_READABLE, is_readable);
  } else {
    uv_poll_stop(&poller->uv);
  }
}

/* A queue has a descriptor too, which JavaScript does not use: see queue-source.js. */
static int32_t fd_of(struct object *object, int *out) {
  switch (object->kind) {
    case POLYPROC_KIND_CONNECTION:
      return polyproc_connection_fd(object->handle, out);
    case OBJECT_PROCESS:
      return polyproc_process_fd(object->handle, out);
    case OBJECT_LISTENER:
      return polyproc_listener_fd(object->handle, out);
    case OBJECT_POOL:
      return polyproc_pool_fd(object->handle, out);
    case OBJECT_WORKER:
      return polyproc_worker_fd(out);
    default:
      return POLYPROC_E_UNSUPPORTED;
  }
}

/* (object, number): reports the number whenever the object is ready, until it is disarmed */
static napi_value poll_arm(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *object;
  int32_t id;
  int fd = -1;
  int32_t status = call_enter(&call, env, info, 0, &object);
  if (status >= 0) status = call_i32(&call, 1, &id);
  if (status < 0 || object->polled_fd >= 0) return number(env, status);
  if (call.addon->poller == NULL) return number(env, POLYPROC_E_CLOSED);
  status = fd_of(object, &fd);
  if (status < 0) return number(env, status);
  struct poller *poller = call.addon->poller;
  struct epoll_event interest = {.events = EPOLLIN, .data.u32 = (uint32_t)id};
  if (epoll_ctl(poller->epoll, EPOLL_CTL_ADD, fd, &interest) != 0) return number(env, -(1000 + errno));
  object->polled_fd = fd;
  if (poller->armed++ == 0) poller_enable(poller, true);
  return number(env, POLYPROC_OK);
}

void poll_disarm(struct object *object) {
  if (object->polled_fd < 0) return;
  struct poller *poller = object->addon->poller;
  int fd = object->polled_fd;
  object->polled_fd = -1;
  if (poller == NULL) return; /* the environment ends */
  epoll_ctl(poller->epoll, EPOLL_CTL_DEL, fd, NULL);
  if (--poller->armed == 0) poller_enable(poller, false);
}

static napi_value poll_disarm_object(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *object;
  if (call_enter(&call, env, info, 0, &object) >= 0) poll_disarm(object);
  return NULL;
}

/* (object, POLYPROC_WAIT_*): OK or E_TIMEOUT */
static napi_value poll_is_ready(napi_env env, napi_callback_info info) {
  struct call call;
  struct object *object;
  polyproc_waitable waitable = {0};
  size_t ready;
  int32_t status = call_enter(&call, env, info, 0, &object);
  if (status >= 0) status = call_i32(&call, 1, &waitable.kind);
  if (status < 0) return number(env, status);
  waitable.object = object->handle;
  return number(env, polyproc_wait_any(&waitable, 1, &ready, 0, NULL));
}

static void closed(uv_handle_t *uv) {
  struct poller *poller = uv->data;
  close(poller->epoll);
  napi_remove_async_cleanup_hook(poller->hook);
  free(poller);
}

/* The environment ends, and waits for `closed`. */
static void poller_close(napi_async_cleanup_hook_handle hook, void *data) {
  struct poller *poller = data;
  poller->hook = hook;
  if (poller->addon != NULL) poller->addon->poller = NULL;
  uv_close((uv_handle_t *)&poller->uv, closed);
}

void poll_teardown(struct addon *addon) {
  struct poller *poller = addon->poller;
  if (poller == NULL) return;
  poller->addon = NULL;
  if (poller->thread == NULL) return;
  poll_thread_end(poller->thread);
  close(poller->epoll);
  free(poller);
}

static bool poller_open(struct poller *poller, bool has_libuv, napi_value callback) {
  uv_loop_t *loop;
  poller->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (poller->epoll < 0) return false;
  if (!has_libuv) {
    poller->thread = poll_thread_new(poller->env, callback, poller->epoll, is_ready, poller);
    if (poller->thread == NULL) close(poller->epoll);
    return poller->thread != NULL;
  }
  if (napi_get_uv_event_loop(poller->env, &loop) != napi_ok ||
      uv_poll_init(loop, &poller->uv, poller->epoll) != 0) {
    close(poller->epoll);
    return false;
  }
  poller->uv.data = poller;
  return true;
}

/* Whether Node has the functions that polling with libuv needs. */
static bool has_hooks(struct poller *poller) {
  napi_value name;
  napi_create_string_utf8(poller->env, "polyproc", NAPI_AUTO_LENGTH, &name);
  return napi_async_init(poller->env, NULL, name, &poller->context) == napi_ok &&
         napi_add_async_cleanup_hook(poller->env, poller_close, poller, &poller->hook) == napi_ok;
}

/* (ready, served, whether there is libuv): ready is called when objects are ready, served after
 * that */
static napi_value poll_begin(napi_env env, napi_callback_info info) {
  struct call call;
  bool has_libuv = true;
  call_read(&call, env, info);
  if (call.addon->poller != NULL) return NULL;
  struct poller *poller = calloc(1, sizeof *poller);
  if (poller == NULL) return internal_failure(env, "out of memory");
  poller->addon = call.addon;
  poller->env = env;
  poller->rows = call.addon->rows;
  napi_get_value_bool(env, call.argv[2], &has_libuv);
  if (!poller_open(poller, has_libuv, call.argv[0])) {
    free(poller);
    return internal_failure(env, "no descriptor to poll with");
  }
  call.addon->poller = poller;
  if (napi_create_reference(env, call.argv[0], 1, &poller->ready) != napi_ok ||
      napi_create_reference(env, call.argv[1], 1, &poller->served) != napi_ok ||
      (has_libuv && !has_hooks(poller))) {
    return internal_failure(env, "no callback to poll with");
  }
  return NULL;
}

const addon_function poll_functions[] = {
    {"arm", poll_arm}, {"disarm", poll_disarm_object}, {"isReady", poll_is_ready}, {"startPoll", poll_begin},
    {NULL, NULL},
};
