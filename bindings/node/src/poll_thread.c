/* For runtimes without libuv, as Bun, or with a part of it, as Deno: a thread polls a descriptor
 * and calls the environment's thread when it is readable. The descriptor is level-triggered, so the
 * thread polls again only after the environment's thread has answered. */
#include "poll_thread.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct poll_thread {
  int fd, end; /* end: an eventfd, readable when the thread is to end */
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t answered;
  bool has_rung, is_ending; /* under the lock */
  napi_threadsafe_function bell;
  void (*ready)(void *data);
  void *data;
};

static void *run(void *argument) {
  struct poll_thread *poll_thread = argument;
  struct pollfd of[2] = {{.fd = poll_thread->fd, .events = POLLIN},
                         {.fd = poll_thread->end, .events = POLLIN}};
  for (;;) {
    if (poll(of, 2, -1) < 0) continue; /* EINTR */
    if (of[1].revents != 0) return NULL;
    pthread_mutex_lock(&poll_thread->lock);
    poll_thread->has_rung = true;
    napi_call_threadsafe_function(poll_thread->bell, NULL, napi_tsfn_nonblocking);
    while (poll_thread->has_rung && !poll_thread->is_ending) {
      pthread_cond_wait(&poll_thread->answered, &poll_thread->lock);
    }
    pthread_mutex_unlock(&poll_thread->lock);
  }
}

/* Runs on the environment's thread. env is NULL while the environment is torn down. */
static void rang(napi_env env, napi_value unused, void *context, void *data) {
  struct poll_thread *poll_thread = context;
  (void)unused;
  (void)data;
  if (env == NULL) return;
  poll_thread->ready(poll_thread->data);
  pthread_mutex_lock(&poll_thread->lock);
  poll_thread->has_rung = false;
  pthread_cond_signal(&poll_thread->answered);
  pthread_mutex_unlock(&poll_thread->lock);
}

static bool has_bell(napi_env env, napi_value callback, struct poll_thread *poll_thread) {
  napi_value name;
  napi_create_string_utf8(env, "polyproc", NAPI_AUTO_LENGTH, &name);
  if (napi_create_threadsafe_function(env, callback, NULL, name, 0, 1, NULL, NULL, poll_thread, rang,
                                      &poll_thread->bell) != napi_ok) {
    return false;
  }
  napi_unref_threadsafe_function(env, poll_thread->bell);
  return true;
}

struct poll_thread *poll_thread_new(napi_env env, napi_value callback, int fd, void (*ready)(void *),
                                    void *data) {
  struct poll_thread *poll_thread = calloc(1, sizeof *poll_thread);
  if (poll_thread == NULL) return NULL;
  *poll_thread = (struct poll_thread){.fd = fd, .ready = ready, .data = data};
  pthread_mutex_init(&poll_thread->lock, NULL);
  pthread_cond_init(&poll_thread->answered, NULL);
  poll_thread->end = eventfd(0, EFD_CLOEXEC);
  if (poll_thread->end >= 0 && has_bell(env, callback, poll_thread)) {
    if (pthread_create(&poll_thread->thread, NULL, run, poll_thread) == 0) return poll_thread;
    napi_release_threadsafe_function(poll_thread->bell, napi_tsfn_abort);
  }
  if (poll_thread->end >= 0) close(poll_thread->end);
  free(poll_thread);
  return NULL;
}

void poll_thread_keep(struct poll_thread *poll_thread, napi_env env, bool is_kept) {
  if (is_kept) {
    napi_ref_threadsafe_function(env, poll_thread->bell);
  } else {
    napi_unref_threadsafe_function(env, poll_thread->bell);
  }
}

void poll_thread_end(struct poll_thread *poll_thread) {
  pthread_mutex_lock(&poll_thread->lock);
  poll_thread->is_ending = true;
  pthread_cond_signal(&poll_thread->answered);
  pthread_mutex_unlock(&poll_thread->lock);
  eventfd_write(poll_thread->end, 1);
  pthread_join(poll_thread->thread, NULL);
  napi_release_threadsafe_function(poll_thread->bell, napi_tsfn_abort);
  close(poll_thread->end);
  pthread_cond_destroy(&poll_thread->answered);
  pthread_mutex_destroy(&poll_thread->lock);
  free(poll_thread);
}
