/* The writer is gone before the reader starts, and the queue still has all that it wrote. With no
 * writer left, is_empty tells the reader exactly when it has everything. */
#include "example.h"

static polyproc_queue *queue;

static int write_letters(void *arg) {
  static const char *const letters[] = {"A", "B", "C"};

  (void)arg;
  for (int i = 0; i < 3; i++) {
    printf("writer puts %s\n", letters[i]);
    put_text(queue, letters[i]);
    nap(0.1);
  }
  return 0;
}

static int read_letters(void *arg) {
  int32_t empty;
  char text[8];

  (void)arg;
  while (CHECK(polyproc_queue_is_empty(queue, &empty)), !empty) {
    CHECK(get_text(queue, text, sizeof text, POLYPROC_FOREVER));
    printf("reader gets %s\n", text);
  }
  return 0;
}

int main(int argc, char **argv) {
  begin(argc, argv);
  CHECK(polyproc_queue_create(NULL, NULL, &queue));
  printf("writer exited with %d\n", (int)finish(start(write_letters, NULL)));
  printf("reader exited with %d\n", (int)finish(start(read_letters, NULL)));
  polyproc_queue_close(queue);
  return 0;
}
