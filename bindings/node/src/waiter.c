/* Requests of one object and direction stand in line, and one thread does them in their order. At
 * conditions and barriers each request waits on a thread of its own, because the library counts it.
 */
#include "waiter.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

enum { IDLE_SECONDS = 1, STACK_BYTES = 256 * 1024 };

/* Called under the lock, as every function here unless it says otherwise. Ring before adding: the
 * receiver of the ring takes all answers that are there. */
static void answer(struct waits *waits, struct request *request, int32_t status) {
  if (waits->answered == NULL) {
    napi_call_threadsafe_function(waits->doorbell, NULL, napi_tsfn_nonblocking);
  }
  request->state = REQUEST_ANSWERED;
  request->status = status;
  request->next = NULL;
  if (waits->answered == NULL) {
    waits->answered = request;
  } else {
    waits->last_answered->next = request;
  }
  waits->last_answered = request;
}

static void due_add(struct waits *waits, struct request *request) {
  request->state = REQUEST_DUE;
  request->next_due = NULL;
  request->previous_due = waits->last_due;
  *(waits->last_due == NULL ? &waits->due : &waits->last_due->next_due) = request;
  waits->last_due = request;
  waits->due_count++;
}

static void due_remove(struct waits *waits, struct request *request) {
  struct request *before = request->previous_due, *after = request->next_due;
  *(before == NULL ? &waits->due : &before->next_due) = after;
  *(after == NULL ? &waits->last_due : &after->previous_due) = before;
  waits->due_count--;
}

static void line_add(struct line *line, struct request *request) {
  request->state = REQUEST_IN_LINE;
  request->next = NULL;
  request->previous = line->last;
  *(line->last == NULL ? &line->first : &line->last->next) = request;
  line->last = request;
}

static void line_remove(struct line *line, struct request *request) {
  *(request->previous == NULL ? &line->first : &request->previous->next) = request->next;
  *(request->next == NULL ? &line->last : &request->next->previous) = request->previous;
}

/* Takes a request that is over out of its line, and returns its successor. */
static struct request *leave_line(struct request *request) {
  struct line *line = request_line(request);
  if (line == NULL) return NULL;
  line_remove(line, request);
  return line->first;
}

/* Answers the waits behind `event`, whose event was set. A set ends every wait whose mark is older
 * than the set. The requests stand in the order of their marks, so the first one that must go on
 * waiting ends the loop. */
static void answer_all(struct waits *waits, struct request *event) {
  struct request *next;
  for (struct request *other = event->next; other != NULL; other = next) {
    next = other->next;
    int32_t status = polyproc_event_wait_since(other->object->handle, (uint32_t)other->owner, 0, NULL);
    if (status < 0) return;
    line_remove(request_line(other), other);
    answer(waits, other, status);
  }
}

/* Runs a request that is due, without the lock while it waits; then makes the next in its line due.
 */
static void run_line(struct waiter *waiter, struct request *request) {
  struct waits *waits = waiter->waits;
  while (request != NULL) {
    request->state = REQUEST_RUNNING;
    request->token = waiter->token;
    /* A call that fires the token for this request does so under the lock, after this. */
    polyproc_cancel_reset(waiter->token);
    pthread_mutex_unlock(&waits->lock);
    request_run(request, waiter->token);
    pthread_mutex_lock(&waits->lock);
    request->token = NULL;
    int32_t status = request->status;
    if (request->operation == WAIT_EVENT && status >= 0) answer_all(waits, request);
    struct request *next = leave_line(request);
    answer(waits, request, request->stopped && status == POLYPROC_E_CANCELED ? POLYPROC_E_CLOSED : status);
    request = next;
  }
}

/* Returns the next request, or NULL if there is none for a while. */
static struct request *next_due(struct waits *waits) {
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += IDLE_SECONDS;
  int late = 0;
  waits->idle_count++;
  while (waits->due == NULL && !waits->ending && late != ETIMEDOUT) {
    late = pthread_cond_timedwait(&waits->work, &waits->lock, &until);
  }
  waits->idle_count--;
  struct request *request = waits->due;
  if (request != NULL) due_remove(waits, request);
  return request;
}

static void *waiter_main(void *argument) {
  struct waiter *waiter = argument;
  struct waits *waits = waiter->waits;
  struct request *request;
  pthread_mutex_lock(&waits->lock);
  while ((request = next_due(waits)) != NULL) run_line(waiter, request);
  waiter->ended = true;
  waits->thread_count--;
  pthread_mutex_unlock(&waits->lock);
  return NULL;
}

static void waiter_free(struct waiter *waiter) {
  polyproc_cancel_close(waiter->token);
  free(waiter);
}

/* Joins the threads that have marked themselves as ended: all that they still do is return. */
static void reap(struct waits *waits) {
  for (struct waiter **link = &waits->waiters, *waiter; (waiter = *link) != NULL;) {
    if (!waiter->ended) {
      link = &waiter->next;
      continue;
    }
    *link = waiter->next;
    pthread_join(waiter->thread, NULL);
    waiter_free(waiter);
  }
}

static int thread_start(struct waiter *waiter) {
  pthread_attr_t attributes;
  sigset_t all, before;
  int failed = pthread_attr_init(&attributes);
  if (failed != 0) return failed;
  pthread_attr_setstacksize(&attributes, STACK_BYTES);
  /* Block all signals: they are for Node's own threads. */
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  failed = pthread_create(&waiter->thread, &attributes, waiter_main, waiter);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return failed;
}

static int32_t waiter_start(struct waits *waits) {
  reap(waits);
  if (waits->thread_count == WAITERS_MAX) return POLYPROC_E_LIMIT;
  struct waiter *waiter = calloc(1, sizeof *waiter);
  if (waiter == NULL || polyproc_cancel_create(&waiter->token) < 0) {
    free(waiter);
    return POLYPROC_E_NO_MEMORY;
  }
  waiter->waits = waits;
  if (thread_start(waiter) != 0) {
    waiter_free(waiter);
    return POLYPROC_E_LIMIT;
  }
  waiter->next = waits->waiters;
  waits->waiters = waiter;
  waits->thread_count++;
  return POLYPROC_OK;
}

int32_t waiters_add(struct waits *waits, struct request *request) {
  int32_t status = POLYPROC_OK;
  pthread_mutex_lock(&waits->lock);
  struct line *line = request_line(request);
  bool is_first = line == NULL || line->first == NULL;
  if (line != NULL) line_add(line, request);
  if (is_first) {
    if (waits->idle_count <= waits->due_count) status = waiter_start(waits);
    if (status >= 0) {
      due_add(waits, request);
      pthread_cond_signal(&waits->work);
    } else if (line != NULL) {
      line_remove(line, request);
    }
  }
  pthread_mutex_unlock(&waits->lock);
  return status;
}

/* Takes out a request that has not begun; the next in its line moves up. */
static bool take_out(struct waits *waits, struct request *request) {
  if (request->state != REQUEST_IN_LINE && request->state != REQUEST_DUE) return false;
  bool was_due = request->state == REQUEST_DUE;
  if (was_due) due_remove(waits, request);
  struct request *next = leave_line(request);
  if (was_due && next != NULL) due_add(waits, next);
  return true;
}

bool waiters_cancel(struct waits *waits, struct request *request) {
  pthread_mutex_lock(&waits->lock);
  bool is_out = take_out(waits, request);
  if (request->state == REQUEST_RUNNING) polyproc_cancel_fire(request->token);
  pthread_mutex_unlock(&waits->lock);
  return is_out;
}

void waiters_stop(struct waits *waits, struct request *request) {
  pthread_mutex_lock(&waits->lock);
  request->stopped = true;
  if (take_out(waits, request)) answer(waits, request, POLYPROC_E_CLOSED);
  if (request->state == REQUEST_RUNNING) polyproc_cancel_fire(request->token);
  pthread_mutex_unlock(&waits->lock);
}

void waiters_end(struct waits *waits) {
  pthread_mutex_lock(&waits->lock);
  waits->ending = true;
  pthread_cond_broadcast(&waits->work);
  pthread_mutex_unlock(&waits->lock);
  /* Only this thread removes entries from the list. */
  for (struct waiter *waiter = waits->waiters, *next; waiter != NULL; waiter = next) {
    next = waiter->next;
    pthread_join(waiter->thread, NULL);
    waiter_free(waiter);
  }
  waits->waiters = NULL;
}
