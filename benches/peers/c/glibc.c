/* Locks of glibc, and the futex itself. Modes: mutex, robust, semaphore; for waiting: post (of a
 * semaphore), condition, futex. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "peer.h"

static struct shared {
  pthread_mutex_t mutex;
  pthread_cond_t condition;
  sem_t semaphore;
  int is_set;
  _Alignas(64) _Atomic unsigned word;
} * shared;
static enum { MUTEX, SEMAPHORE, FUTEX } kind;

static void create(const struct setup *setup) {
  pthread_mutexattr_t mutex;
  pthread_condattr_t condition;
  shared = shared_memory(sizeof *shared);
  kind = has_mode(setup, "semaphore") || has_mode(setup, "post") ? SEMAPHORE
         : has_mode(setup, "futex")                              ? FUTEX
                                                                 : MUTEX;
  pthread_mutexattr_init(&mutex);
  pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
  if (has_mode(setup, "robust")) pthread_mutexattr_setrobust(&mutex, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&shared->mutex, &mutex);
  pthread_condattr_init(&condition);
  pthread_condattr_setpshared(&condition, PTHREAD_PROCESS_SHARED);
  pthread_cond_init(&shared->condition, &condition);
  sem_init(&shared->semaphore, 1, has_mode(setup, "semaphore") ? 1 : 0);
}

static void join(int channel, enum role role, int index) {
  (void)channel;
  (void)role;
  (void)index;
}

static void acquire(void) {
  if (kind == SEMAPHORE ? sem_wait(&shared->semaphore) : pthread_mutex_lock(&shared->mutex)) die("acquire");
}

static void release(void) {
  if (kind == SEMAPHORE ? sem_post(&shared->semaphore) : pthread_mutex_unlock(&shared->mutex)) die("release");
}

static void wake(void) {
  switch (kind) {
    case SEMAPHORE:
      sem_post(&shared->semaphore);
      break;
    case MUTEX:
      pthread_mutex_lock(&shared->mutex);
      shared->is_set = 1;
      pthread_cond_signal(&shared->condition);
      pthread_mutex_unlock(&shared->mutex);
      break;
    case FUTEX:
      atomic_store(&shared->word, 1);
      syscall(SYS_futex, &shared->word, FUTEX_WAKE, 1, NULL, NULL, 0);
      break;
  }
}

static void await(void) {
  switch (kind) {
    case SEMAPHORE:
      sem_wait(&shared->semaphore);
      break;
    case MUTEX:
      pthread_mutex_lock(&shared->mutex);
      while (!shared->is_set) pthread_cond_wait(&shared->condition, &shared->mutex);
      shared->is_set = 0;
      pthread_mutex_unlock(&shared->mutex);
      break;
    case FUTEX:
      while (atomic_exchange(&shared->word, 0) == 0)
        syscall(SYS_futex, &shared->word, FUTEX_WAIT, 0, NULL, NULL, 0);
      break;
  }
}

const struct peer peer = {.name = "glibc",
                          .create = create,
                          .join = join,
                          .acquire = acquire,
                          .release = release,
                          .wake = wake,
                          .await = await};
