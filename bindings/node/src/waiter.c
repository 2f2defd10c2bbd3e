/*
 * The waiter threads. An object has at most one per direction, started at the first wait that must block and
 * ended when it has been idle for a while; it does one request after the other, so promises are answered in
 * order. All it does is the blocking call; answers come back through one doorbell per environment.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "waits.h"

enum { IDLE_SECONDS = 1, STACK_BYTES = 256 * 1024, DIRECTION_GET = 0, DIRECTION_PUT = 1, DIRECTION_JOIN = 2 };

static int direction_of(enum operation operation) {
  switch (operation) {
    case WAIT_PUT:
    case WAIT_PUT_MANY:
    case WAIT_RESERVE:
      return DIRECTION_PUT;
    case WAIT_JOIN:
      return DIRECTION_JOIN;
    default:
      return DIRECTION_GET;
  }
}

/* Under the lock, before something is added to what the bell announces: who hears it takes all there is. */
static void ring(struct waits *waits) {
  if (waits->answered == NULL && waits->ended == NULL) {
    napi_call_threadsafe_function(waits->doorbell, NULL, napi_tsfn_nonblocking);
  }
}

static void answer(struct waits *waits, struct request *request, int32_t status) {
  ring(waits);
  request->status = status;
  request->next = NULL;
  if (waits->answered == NULL) {
    waits->answered = request;
  } else {
    waits->last_answered->next = request;
  }
  waits->last_answered = request;
}

static void line_add(struct waiter *waiter, struct request *request) {
  request->queued = true;
  request->next = NULL;
  request->previous = waiter->last;
  if (waiter->last == NULL) {
    waiter->first = request;
  } else {
    waiter->last->next = request;
  }
  waiter->last = request;
}

static void line_remove(struct waiter *waiter, struct request *request) {
  if (request->previous == NULL) {
    waiter->first = request->next;
  } else {
    request->previous->next = request->next;
  }
  if (request->next == NULL) {
    waiter->last = request->previous;
  } else {
    request->next->previous = request->previous;
  }
  request->queued = false;
}

/* The next request, out of the line; NULL when the thread is to end. */
static struct request *next_request(struct waiter *waiter) {
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += IDLE_SECONDS;
  int waited = 0;
  while (waiter->first == NULL && !waiter->stopping && waited != ETIMEDOUT) {
    waited = pthread_cond_timedwait(&waiter->work, &waiter->waits->lock, &until);
  }
  struct request *request = waiter->first;
  if (request != NULL) line_remove(waiter, request);
  return request;
}

static void *waiter_main(void *argument) {
  struct waiter *waiter = argument;
  struct waits *waits = waiter->waits;
  struct request *request;
  pthread_mutex_lock(&waits->lock);
  while ((request = next_request(waiter)) != NULL) {
    if (waiter->stopping) {
      answer(waits, request, POLYPROC_E_CLOSED);
      continue;
    }
    waiter->running = request;
    /* Whoever fires it for this request, or to stop, does so under the lock after this. */
    polyproc_cancel_reset(waiter->token);
    pthread_mutex_unlock(&waits->lock);
    request_run(request, waiter->token);
    pthread_mutex_lock(&waits->lock);
    waiter->running = NULL;
    bool closed = waiter->stopping && request->status == POLYPROC_E_CANCELED;
    answer(waits, request, closed ? POLYPROC_E_CLOSED : request->status);
  }
  waiter->state = THREAD_ENDED;
  ring(waits);
  waiter->next_ended = waits->ended;
  waits->ended = waiter;
  pthread_mutex_unlock(&waits->lock);
  return NULL;
}

void waiters_reap(struct waits *waits) {
  pthread_mutex_lock(&waits->lock);
  struct waiter *ended = waits->ended;
  waits->ended = NULL;
  pthread_mutex_unlock(&waits->lock);
  /* A thread that said so has only its return left, and only this thread changes the state from here. */
  for (; ended != NULL; ended = ended->next_ended) {
    pthread_join(ended->thread, NULL);
    ended->state = THREAD_NONE;
  }
}

static int32_t thread_start(struct waiter *waiter) {
  pthread_attr_t attributes;
  sigset_t all, before;
  if (pthread_attr_init(&attributes) != 0) return POLYPROC_E_NO_MEMORY;
  pthread_attr_setstacksize(&attributes, STACK_BYTES);
  /* Signals are for Node's own threads. */
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = pthread_create(&waiter->thread, &attributes, waiter_main, waiter);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  if (failed != 0) return POLYPROC_E_LIMIT;
  waiter->state = THREAD_RUNNING;
  return POLYPROC_OK;
}

int32_t waiter_add(struct waiter *waiter, struct request *request) {
  struct waits *waits = waiter->waits;
  int32_t status = POLYPROC_OK;
  pthread_mutex_lock(&waits->lock);
  line_add(waiter, request);
  if (waiter->state == THREAD_RUNNING) {
    pthread_cond_signal(&waiter->work);
    pthread_mutex_unlock(&waits->lock);
    return status;
  }
  pthread_mutex_unlock(&waits->lock);
  waiters_reap(waits);
  pthread_mutex_lock(&waits->lock);
  status = thread_start(waiter);
  if (status < 0) line_remove(waiter, request);
  pthread_mutex_unlock(&waits->lock);
  return status;
}

bool waiter_cancel(struct waiter *waiter, struct request *request) {
  pthread_mutex_lock(&waiter->waits->lock);
  bool removed = request->queued;
  if (removed) line_remove(waiter, request);
  if (waiter->running == request) polyproc_cancel_fire(waiter->token);
  pthread_mutex_unlock(&waiter->waits->lock);
  return removed;
}

struct waiter *waiter_of(struct object *object, enum operation operation) {
  struct waiter **place = &object->waiters[direction_of(operation)];
  if (*place != NULL) return *place;
  struct waiter *waiter = calloc(1, sizeof *waiter);
  if (waiter == NULL || polyproc_cancel_create(&waiter->token) < 0) {
    free(waiter);
    return NULL;
  }
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&waiter->work, &attributes);
  pthread_condattr_destroy(&attributes);
  waiter->waits = object->addon->waits;
  *place = waiter;
  return waiter;
}

void waits_stop(struct object *object) {
  struct waits *waits = object->addon->waits;
  pthread_mutex_lock(&waits->lock);
  for (int i = 0; i < DIRECTIONS; i++) {
    struct waiter *waiter = object->waiters[i];
    if (waiter == NULL) continue;
    waiter->stopping = true;
    polyproc_cancel_fire(waiter->token);
    pthread_cond_signal(&waiter->work);
  }
  pthread_mutex_unlock(&waits->lock);
}

static void wait_until_ended(struct waiter *waiter) {
  pthread_mutex_lock(&waiter->waits->lock);
  bool started = waiter->state != THREAD_NONE;
  pthread_mutex_unlock(&waiter->waits->lock);
  if (!started) return;
  pthread_join(waiter->thread, NULL);
  struct waiter **link = &waiter->waits->ended;
  pthread_mutex_lock(&waiter->waits->lock);
  while (*link != waiter) link = &(*link)->next_ended;
  *link = waiter->next_ended;
  pthread_mutex_unlock(&waiter->waits->lock);
}

void waits_free(struct object *object) {
  for (int i = 0; i < DIRECTIONS; i++) {
    struct waiter *waiter = object->waiters[i];
    if (waiter == NULL) continue;
    wait_until_ended(waiter);
    polyproc_cancel_free(waiter->token);
    pthread_cond_destroy(&waiter->work);
    free(waiter);
    object->waiters[i] = NULL;
  }
}
