/* A worker that may be killed at any moment, as ../python/tasks.py. C has no MessagePack here: the
 * result is made of the task's bytes.
 *
 *     tasks TASKS RESULTS */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "polyproc.h"

static int fail(const char *what, int32_t status) {
  fprintf(stderr, "tasks: %s: %s\n", what, polyproc_strerror(status));
  return EXIT_FAILURE;
}

int main(int argc, char **argv) {
  /* A list of two items, of which the first is the string "c". */
  static unsigned char result[1000] = {0x92, 0xa1, 'c'};
  polyproc_queue *tasks, *results;
  polyproc_message message;
  int32_t status;

  if (argc != 3) {
    fprintf(stderr, "usage: tasks TASKS RESULTS\n");
    return 2;
  }
  status = polyproc_queue_open(argv[1], &tasks);
  if (status < 0) return fail("cannot open the tasks", status);
  status = polyproc_queue_open(argv[2], &results);
  if (status < 0) return fail("cannot open the results", status);
  while ((status = polyproc_queue_take(tasks, &message, POLYPROC_FOREVER, NULL)) == POLYPROC_OK) {
    if (message.len > sizeof result - 3) return fail("a task too long", POLYPROC_E_TOO_LARGE);
    memcpy(result + 3, message.data, message.len);
    status = polyproc_queue_put(results, result, 3 + message.len, POLYPROC_FOREVER, NULL);
    if (status < 0) return fail("put", status);
    status = polyproc_message_done(&message);
    if (status < 0) return fail("done", status);
  }
  if (status != POLYPROC_E_SHUTDOWN) return fail("take", status);
  polyproc_queue_close(results);
  polyproc_queue_close(tasks);
  return EXIT_SUCCESS;
}
