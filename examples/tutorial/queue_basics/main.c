/* A bounded queue in one process: full, empty and length are exact the moment a put has returned; a
 * put or get with a timeout waits that long, one with the timeout 0 fails at once. */
#include "example.h"

static const char *yes_no(int32_t flag) {
  return flag ? "yes" : "no";
}

static const char *outcome(int32_t status) {
  return status == POLYPROC_E_FULL    ? "full"
         : status == POLYPROC_E_EMPTY ? "empty"
                                      : polyproc_strerror(status);
}

static void put(polyproc_queue *queue, const char *text) {
  put_text(queue, text);
  printf("put %s\n", text);
}

int main(int argc, char **argv) {
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_queue *queue;
  uint64_t length;
  int32_t flag;
  char text[8];

  begin(argc, argv);
  options.max_items = 3;
  CHECK(polyproc_queue_create(NULL, &options, &queue));

  CHECK(polyproc_queue_is_full(queue, &flag));
  printf("full: %s\n", yes_no(flag));
  CHECK(polyproc_queue_is_empty(queue, &flag));
  printf("empty: %s\n", yes_no(flag));
  put(queue, "1");
  CHECK(polyproc_queue_is_empty(queue, &flag));
  printf("empty: %s\n", yes_no(flag));
  put(queue, "2");
  put(queue, "3");
  CHECK(polyproc_queue_is_full(queue, &flag));
  printf("full: %s\n", yes_no(flag));

  printf("put 4, waiting 2 s: %s\n", outcome(polyproc_queue_put(queue, "4", 1, seconds(2), NULL)));
  printf("put 4 at once: %s\n", outcome(polyproc_queue_put(queue, "4", 1, 0, NULL)));
  CHECK(polyproc_queue_length(queue, &length));
  printf("length: %d\n", (int)length);

  for (int i = 0; i < 3; i++) {
    CHECK(get_text(queue, text, sizeof text, POLYPROC_FOREVER));
    printf("got %s\n", text);
  }
  printf("get, waiting 2 s: %s\n", outcome(get_text(queue, text, sizeof text, seconds(2))));
  printf("get at once: %s\n", outcome(get_text(queue, text, sizeof text, 0)));
  CHECK(polyproc_queue_is_empty(queue, &flag));
  printf("empty: %s\n", yes_no(flag));
  polyproc_queue_close(queue);
  return 0;
}
