/* A POSIX semaphore of one permit, and (POSIX_ROBUST=1) glibc's robust mutex. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>

#include "killed.h"

struct shared {
  sem_t semaphore;
  pthread_mutex_t mutex;
};

static struct shared *shared;
static int robust;

static void map(const char *name, int flags) {
  int fd = shm_open(name, O_RDWR | flags, 0600);
  if (fd < 0 || ftruncate(fd, sizeof *shared) != 0) {
    perror(name);
    exit(2);
  }
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  robust = getenv("POSIX_ROBUST") != NULL;
}

static void create(const char *name) {
  map(name, O_CREAT | O_EXCL);
  sem_init(&shared->semaphore, 1, 1);
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&shared->mutex, &attributes);
}

static void open_it(const char *name) {
  map(name, 0);
}

static void lock(void) {
  if (!robust)
    sem_wait(&shared->semaphore);
  else if (pthread_mutex_lock(&shared->mutex) == EOWNERDEAD)
    pthread_mutex_consistent(&shared->mutex);
}

int main(int argc, char **argv) {
  const struct ways peer = {create, open_it, lock, NULL, NULL};
  return play(&peer, argc, argv);
}
