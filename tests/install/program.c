/* A C user's first program: one message there and back. */
#include <polyproc.h>
#include <string.h>

int main(void) {
  polyproc_queue *queue;
  char text[8];
  size_t len;

  return polyproc_queue_create(NULL, NULL, &queue) < 0 ||
         polyproc_queue_put(queue, "bao", 3, POLYPROC_FOREVER, NULL) < 0 ||
         polyproc_queue_get(queue, text, sizeof text, &len, 0, NULL) < 0 || len != 3 ||
         memcmp(text, "bao", 3) != 0;
}
