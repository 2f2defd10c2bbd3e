/* ulimit -f: memory beyond the limit is E_NO_MEMORY, never SIGXFSZ, and existing messages stay. */
#include <sys/resource.h>

#include "check.h"

#define MEGABYTE ((rlim_t)1 << 20)

static void limit_to(rlim_t bytes) {
  struct rlimit limit;
  CHECK(getrlimit(RLIMIT_FSIZE, &limit) == 0);
  limit.rlim_cur = bytes;
  CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

static void no_object_within_a_page(void) {
  name_t name = unique("fsize");
  polyproc_lock *lock = NULL;
  polyproc_queue *queue = NULL;
  polyproc_connection *a = NULL;
  polyproc_connection *b = NULL;
  limit_to(4096);
  ANSWERS(E_NO_MEMORY, polyproc_lock_create(NULL, NULL, &lock));
  ANSWERS(E_NO_MEMORY, polyproc_lock_create(name.text, NULL, &lock));
  ANSWERS(E_NOT_FOUND, polyproc_unlink(name.text));
  ANSWERS(E_NO_MEMORY, polyproc_queue_create(NULL, NULL, &queue));
  ANSWERS(E_NO_MEMORY, polyproc_pipe_create(1, &a, &b));
  limit_to(RLIM_INFINITY);
  ANSWERS(OK, polyproc_lock_create(NULL, NULL, &lock));
  polyproc_lock_close(lock);
}

/* A queue uses a ring of memory if the limit is beyond its end: just before the end of the next one,
 * the backlog is half as large as the limit, and just after it three quarters. */
static void a_backlog_ends_near_the_limit(const char *name, rlim_t limit, rlim_t least) {
  static char text[1000];
  static char got[1000];
  polyproc_queue *queue = NULL;
  size_t put = 0;
  size_t at;
  size_t len = 0;
  int32_t status;
  memset(text, 0, sizeof text);
  limit_to(limit);
  ANSWERS(OK, polyproc_queue_create(name, NULL, &queue));
  while ((status = polyproc_queue_put(queue, text, sizeof text, 0, NULL)) == POLYPROC_OK) {
    put++;
    memcpy(text, &put, sizeof put);
  }
  CHECK(status == POLYPROC_E_NO_MEMORY);
  CHECK(put * sizeof text >= least);
  CHECK(put * sizeof text < limit);
  for (at = 0; at < put; at++) {
    size_t number = 0;
    ANSWERS(OK, polyproc_queue_get(queue, got, sizeof got, &len, 0, NULL));
    memcpy(&number, got, sizeof number);
    CHECK(len == sizeof got && number == at);
  }
  ANSWERS(E_EMPTY, polyproc_queue_get(queue, got, sizeof got, &len, 0, NULL));
  polyproc_queue_close(queue);
  limit_to(RLIM_INFINITY);
}

int main(void) {
  name_t name = unique("fsize");
  no_object_within_a_page();
  a_backlog_ends_near_the_limit(NULL, 15 * MEGABYTE, 7 * MEGABYTE);
  a_backlog_ends_near_the_limit(NULL, 16 * MEGABYTE, 11 * MEGABYTE);
  a_backlog_ends_near_the_limit(name.text, 16 * MEGABYTE, 11 * MEGABYTE);
  ANSWERS(OK, polyproc_unlink(name.text));
  return 0;
}
