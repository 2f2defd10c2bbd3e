/* One side of a pair: puts, or gets and checks, the messages that the same program in every
 * language makes from a seed.
 *
 *     interop produce|consume QUEUE COUNT SEED
 *
 * Message i comes from the splitmix64 stream that starts at SEED + i. Its length is the first value
 * modulo 100,001; its first 8 bytes are i, little endian, the rest the next values, little endian;
 * all cut at the length. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "polyproc.h"

enum { LENGTHS = 100001, CAPACITY = LENGTHS + 8 };

static uint64_t next(uint64_t *state) {
  uint64_t z = (*state += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

static void put_little_endian(unsigned char *at, uint64_t value) {
  for (int byte = 0; byte < 8; byte++) at[byte] = (unsigned char)(value >> 8 * byte);
}

/* `out` holds CAPACITY bytes: the last value may be written past the length. */
static size_t make_message(unsigned char *out, uint64_t seed, uint64_t index) {
  uint64_t state = seed + index;
  size_t length = (size_t)(next(&state) % LENGTHS);

  put_little_endian(out, index);
  for (size_t at = 8; at < length; at += 8) put_little_endian(out + at, next(&state));
  return length;
}

static uint64_t fnv1a(uint64_t hash, const unsigned char *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) hash = (hash ^ bytes[i]) * 0x100000001B3u;
  return hash;
}

static int fail(const char *what, uint64_t index, int32_t status) {
  fprintf(stderr, "interop: %s, message %" PRIu64 ": %s\n", what, index,
          status < 0 ? polyproc_strerror(status) : "not what was put");
  return EXIT_FAILURE;
}

static int produce(polyproc_queue *queue, uint64_t count, uint64_t seed) {
  static unsigned char message[CAPACITY];

  for (uint64_t i = 0; i < count; i++) {
    size_t length = make_message(message, seed, i);
    int32_t status = polyproc_queue_put(queue, message, length, POLYPROC_FOREVER, NULL);
    if (status < 0) return fail("put", i, status);
  }
  return EXIT_SUCCESS;
}

static int consume(polyproc_queue *queue, uint64_t count, uint64_t seed) {
  static unsigned char expected[CAPACITY], message[CAPACITY];
  uint64_t hash = 0xCBF29CE484222325u;

  for (uint64_t i = 0; i < count; i++) {
    size_t length, wanted = make_message(expected, seed, i);
    int32_t status = polyproc_queue_get(queue, message, sizeof message, &length, POLYPROC_FOREVER, NULL);
    if (status < 0) return fail("get", i, status);
    if (length != wanted || memcmp(message, expected, length) != 0) return fail("get", i, 0);
    hash = fnv1a(hash, message, length);
  }
  printf("ok %" PRIu64 " %016" PRIx64 "\n", count, hash);
  return EXIT_SUCCESS;
}

static int parse(const char *text, uint64_t *out) {
  char *end;

  errno = 0;
  *out = strtoull(text, &end, 10);
  return errno == 0 && end != text && *end == '\0';
}

int main(int argc, char **argv) {
  polyproc_queue *queue;
  uint64_t count, seed;
  int32_t status;
  int result;

  if (argc != 5 || !parse(argv[3], &count) || !parse(argv[4], &seed) ||
      (strcmp(argv[1], "produce") != 0 && strcmp(argv[1], "consume") != 0)) {
    fprintf(stderr, "usage: interop produce|consume QUEUE COUNT SEED\n");
    return 2;
  }
  status = polyproc_queue_open(argv[2], &queue);
  if (status < 0) {
    fprintf(stderr, "interop: cannot open %s: %s\n", argv[2], polyproc_strerror(status));
    return EXIT_FAILURE;
  }
  result = argv[1][0] == 'p' ? produce(queue, count, seed) : consume(queue, count, seed);
  polyproc_queue_close(queue);
  return result;
}
