/* polyproc: a lock, and a queue. */
#include <polyproc.h>

#include "killed.h"

static polyproc_queue *queue;
static polyproc_lock *lock_of_all;

static void check(int32_t status, const char *what) {
  if (status >= 0) return;
  fprintf(stderr, "%s: %s\n", what, polyproc_strerror(status));
  exit(2);
}

static const char *lock_name(const char *name) {
  static char text[256];
  snprintf(text, sizeof text, "%s.lock", name);
  return text;
}

static void create(const char *name) {
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  options.max_items = CAPACITY;
  check(polyproc_queue_create(name, &options, &queue), "queue");
  check(polyproc_lock_create(lock_name(name), NULL, &lock_of_all), "lock");
}

static void open_it(const char *name) {
  check(polyproc_queue_open(name, &queue), "queue");
  check(polyproc_lock_open(lock_name(name), &lock_of_all), "lock");
}

static void lock(void) {
  check(polyproc_lock_acquire(lock_of_all, POLYPROC_FOREVER, NULL), "acquire");
}

static int try_put(const void *message) {
  int32_t status = polyproc_queue_put(queue, message, MESSAGE, 0, NULL);
  if (status != POLYPROC_E_FULL) check(status, "put");
  return status >= 0;
}

static int try_get(void *message) {
  size_t len;
  int32_t status = polyproc_queue_get(queue, message, MESSAGE, &len, 0, NULL);
  if (status != POLYPROC_E_EMPTY) check(status, "get");
  return status >= 0;
}

int main(int argc, char **argv) {
  const struct ways peer = {create, open_it, lock, try_put, try_get};
  return play(&peer, argc, argv);
}
