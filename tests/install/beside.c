/* polyproc beside the static library of another Rust crate: both work, and each unwinds by itself. */
#include <polyproc.h>
#include <string.h>

long long other_digits(long long number);

int main(void) {
  polyproc_queue *queue;
  char text[8];
  size_t len;

  return other_digits(1234) != 4 || other_digits(-1) != -1 || polyproc_queue_create(NULL, NULL, &queue) < 0 ||
         polyproc_queue_put(queue, "bao", 3, POLYPROC_FOREVER, NULL) < 0 ||
         polyproc_queue_get(queue, text, sizeof text, &len, 0, NULL) < 0 || len != 3 ||
         memcmp(text, "bao", 3) != 0;
}
