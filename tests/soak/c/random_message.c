/* The messages of the random soak: the first eight bytes say which one it is, the others follow
 * from them. Messages without bytes are all alike. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "random.h"

enum { IDENTITY = 8, DENSE = 4096, STRIDE = 509 };

size_t some_length(size_t largest) {
  size_t length;
  uint64_t kind = any(100);

  if (kind < 3)
    length = 0;
  else if (kind < 75)
    length = IDENTITY + any(200);
  else if (kind < 92)
    length = IDENTITY + any(6000);
  else if (kind < 98)
    length = IDENTITY + any(120000);
  else
    length = IDENTITY + any(LARGEST);
  return length <= largest ? length : IDENTITY + any(largest - IDENTITY + 1);
}

uint64_t new_message(size_t length) {
  return length == 0 ? 0 : (uint64_t)me.actor << 32 | me.numbers++;
}

static unsigned char byte_of(uint64_t message, size_t at) {
  return (unsigned char)(message ^ message >> 32 ^ at * 7);
}

void fill(unsigned char *data, size_t length, uint64_t message) {
  if (length == 0) return;
  memcpy(data, &message, IDENTITY);
  for (size_t at = IDENTITY; at < length; at += at < DENSE ? 1 : STRIDE) data[at] = byte_of(message, at);
  data[length - 1] = length > IDENTITY ? byte_of(message, length - 1) : data[length - 1];
}

uint64_t read_message(const unsigned char *data, size_t length) {
  uint64_t message;

  if (length == 0) return 0;
  if (length < IDENTITY) {
    fprintf(stderr, "worker %u: a message of %zu bytes came out of nothing\n", (unsigned)getpid(), length);
    _exit(4);
  }
  memcpy(&message, data, IDENTITY);
  for (size_t at = IDENTITY; at < length; at += at < DENSE ? 1 : STRIDE) {
    if (data[at] == byte_of(message, at) &&
        (length == IDENTITY || data[length - 1] == byte_of(message, length - 1)))
      continue;
    fprintf(stderr, "worker %u: message %#llx of %zu bytes is damaged at %zu\n", (unsigned)getpid(),
            (unsigned long long)message, length, at);
    _exit(4);
  }
  return message;
}
