/* The queue by copy: put, get, order, limits, lengths. */
#include "check.h"

static void put(polyproc_queue *queue, const char *text) {
  ANSWERS(OK, polyproc_queue_put(queue, text, strlen(text), PATIENCE, NULL));
}

static void expect(polyproc_queue *queue, const char *text) {
  char buf[256];
  size_t len = 0;
  ANSWERS(OK, polyproc_queue_get(queue, buf, sizeof buf, &len, PATIENCE, NULL));
  CHECK(len == strlen(text) && memcmp(buf, text, len) == 0);
}

static void expect_length(polyproc_queue *queue, uint64_t expected) {
  uint64_t length = 77;
  int32_t is_empty = 77;
  ANSWERS(OK, polyproc_queue_length(queue, &length));
  CHECK(length == expected);
  ANSWERS(OK, polyproc_queue_is_empty(queue, &is_empty));
  CHECK(is_empty == (expected == 0));
}

static void first_in_first_out(void) {
  polyproc_queue *queue = NULL;
  char buf[8] = "kept";
  size_t len = 77;

  ANSWERS(OK, polyproc_queue_create(NULL, NULL, &queue));
  expect_length(queue, 0);
  ANSWERS(E_EMPTY, polyproc_queue_get(queue, buf, sizeof buf, &len, 0, NULL));
  CHECK(len == 77 && strcmp(buf, "kept") == 0);
  put(queue, "a");
  expect_length(queue, 1);
  put(queue, "bb");
  put(queue, "\xe5\xa7\x91\xe5\xa8\x98");
  expect_length(queue, 3);
  expect(queue, "a");
  expect(queue, "bb");
  expect(queue, "\xe5\xa7\x91\xe5\xa8\x98");
  expect_length(queue, 0);
  polyproc_queue_close(queue);
}

static void a_message_of_no_bytes_is_a_message(void) {
  polyproc_queue *queue = NULL;
  size_t len = 77;
  char buf[1];

  ANSWERS(OK, polyproc_queue_create(NULL, NULL, &queue));
  ANSWERS(OK, polyproc_queue_put(queue, NULL, 0, 0, NULL));
  ANSWERS(OK, polyproc_queue_put(queue, "", 0, 0, NULL));
  expect_length(queue, 2);
  ANSWERS(OK, polyproc_queue_get(queue, NULL, 0, &len, 0, NULL));
  CHECK(len == 0);
  len = 77;
  ANSWERS(OK, polyproc_queue_get(queue, buf, sizeof buf, &len, 0, NULL));
  CHECK(len == 0);
  expect_length(queue, 0);
  polyproc_queue_close(queue);
}

static void a_buffer_that_is_too_small(void) {
  polyproc_queue *queue = NULL;
  char buf[5] = "kept";
  size_t len = 77;

  ANSWERS(OK, polyproc_queue_create(NULL, NULL, &queue));
  put(queue, "hello");
  put(queue, "second");
  ANSWERS(E_TOO_SMALL, polyproc_queue_get(queue, NULL, 0, &len, 0, NULL));
  CHECK(len == 5);
  len = 77;
  ANSWERS(E_TOO_SMALL, polyproc_queue_get(queue, buf, 4, &len, PATIENCE, NULL));
  CHECK(len == 5 && strcmp(buf, "kept") == 0);
  expect_length(queue, 2);
  ANSWERS(OK, polyproc_queue_get(queue, buf, 5, &len, 0, NULL));
  CHECK(len == 5 && memcmp(buf, "hello", 5) == 0);
  expect(queue, "second");
  polyproc_queue_close(queue);
}

static void a_full_queue(void) {
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_queue *queue = NULL;
  int32_t is_full = 77;
  size_t len = 77;
  int64_t began;

  options.max_items = 3;
  ANSWERS(OK, polyproc_queue_create(NULL, &options, &queue));
  ANSWERS(OK, polyproc_queue_is_full(queue, &is_full));
  CHECK(is_full == 0);
  put(queue, "1");
  put(queue, "2");
  put(queue, "3");
  ANSWERS(OK, polyproc_queue_is_full(queue, &is_full));
  CHECK(is_full == 1);
  ANSWERS(E_FULL, polyproc_queue_put(queue, "4", 1, 0, NULL));
  began = now();
  ANSWERS(E_FULL, polyproc_queue_put(queue, "4", 1, 30 * MILLISECOND, NULL));
  CHECK(now() - began >= 30 * MILLISECOND);
  expect_length(queue, 3);
  expect(queue, "1");
  ANSWERS(OK, polyproc_queue_is_full(queue, &is_full));
  CHECK(is_full == 0);
  put(queue, "4");
  expect(queue, "2");
  expect(queue, "3");
  expect(queue, "4");
  began = now();
  ANSWERS(E_EMPTY, polyproc_queue_get(queue, NULL, 0, &len, 30 * MILLISECOND, NULL));
  CHECK(now() - began >= 30 * MILLISECOND);
  polyproc_queue_close(queue);
}

static void limits_in_bytes(void) {
  enum { LIMIT = 64 * 1024 };
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_queue *queue = NULL;
  char *message = (char *)calloc(1, LIMIT + 1);
  char *buf = (char *)calloc(1, LIMIT + 1);
  uint64_t length = 0;
  size_t len = 0;
  int put_count = 0;

  CHECK(message != NULL && buf != NULL);
  options.max_bytes = LIMIT;
  ANSWERS(OK, polyproc_queue_create(NULL, &options, &queue));
  ANSWERS(E_TOO_LARGE, polyproc_queue_put(queue, message, LIMIT + 1, POLYPROC_FOREVER, NULL));
  ANSWERS(E_TOO_LARGE, polyproc_queue_put(queue, message, LIMIT, POLYPROC_FOREVER, NULL));
  ANSWERS(OK, polyproc_queue_length(queue, &length));
  CHECK(length == 0);
  while (polyproc_queue_put(queue, message, 1000, 0, NULL) == POLYPROC_OK) {
    put_count++;
  }
  CHECK(put_count > LIMIT / 1000 / 2 && put_count <= LIMIT / 1000);
  ANSWERS(E_FULL, polyproc_queue_put(queue, message, 1000, 0, NULL));
  ANSWERS(OK, polyproc_queue_get(queue, buf, LIMIT, &len, 0, NULL));
  ANSWERS(OK, polyproc_queue_put(queue, message, 1000, PATIENCE, NULL));
  polyproc_queue_close(queue);
  free(message);
  free(buf);
}

static void messages_of_every_size(void) {
  static const size_t sizes[] = {
      1, 7, 8, 9, 63, 64, 65, 1000, 4095, 4096, 65535, 65536, 100000, 1000 * 1000, 3 * 1000 * 1000};
  enum { SIZES = sizeof sizes / sizeof *sizes };
  polyproc_queue *queue = NULL;
  char *message = (char *)malloc(sizes[SIZES - 1]);
  char *buf = (char *)malloc(sizes[SIZES - 1]);
  size_t len = 0;
  size_t i;
  size_t at;

  CHECK(message != NULL && buf != NULL);
  ANSWERS(OK, polyproc_queue_create(NULL, NULL, &queue));
  for (i = 0; i < SIZES; i++) {
    for (at = 0; at < sizes[i]; at++) {
      message[at] = (char)(at * 31 + i);
    }
    ANSWERS(OK, polyproc_queue_put(queue, message, sizes[i], 0, NULL));
  }
  for (i = 0; i < SIZES; i++) {
    ANSWERS(OK, polyproc_queue_get(queue, buf, sizes[SIZES - 1], &len, 0, NULL));
    CHECK(len == sizes[i]);
    for (at = 0; at < len; at++) {
      CHECK(buf[at] == (char)(at * 31 + i));
    }
  }
  polyproc_queue_close(queue);
  free(message);
  free(buf);
}

enum { PRODUCERS = 3, CONSUMERS = 2, EACH = 5000 };

static void produce(polyproc_queue *queue, uint32_t who) {
  uint32_t message[2];
  message[0] = who;
  for (message[1] = 0; message[1] < EACH; message[1]++) {
    ANSWERS(OK, polyproc_queue_put(queue, message, sizeof message, PATIENCE, NULL));
  }
}

/* Each producer's messages come in order; the sum goes back through another queue. */
static void consume(polyproc_queue *queue, polyproc_queue *sums) {
  uint32_t next[PRODUCERS] = {0, 0, 0};
  uint32_t message[2];
  uint64_t sums_here[2] = {0, 0};
  size_t len = 0;
  int32_t status;
  for (;;) {
    status = polyproc_queue_get(queue, message, sizeof message, &len, PATIENCE, NULL);
    if (status == POLYPROC_E_SHUTDOWN) {
      break;
    }
    ANSWERS(OK, status);
    CHECK(len == sizeof message && message[0] < PRODUCERS);
    CHECK(message[1] >= next[message[0]]);
    next[message[0]] = message[1] + 1;
    sums_here[0]++;
    sums_here[1] += message[1];
  }
  ANSWERS(OK, polyproc_queue_put(sums, sums_here, sizeof sums_here, PATIENCE, NULL));
}

static void many_to_many(void) {
  const name_t name = unique("many");
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_queue *queue = NULL;
  polyproc_queue *sums = NULL;
  pid_t children[PRODUCERS + CONSUMERS];
  uint64_t count = 0;
  uint64_t sum = 0;
  uint64_t part[2];
  size_t len = 0;
  uint32_t i;

  options.max_items = 64;
  ANSWERS(OK, polyproc_queue_create(name.text, &options, &queue));
  ANSWERS(OK, polyproc_queue_create(NULL, NULL, &sums));
  for (i = 0; i < PRODUCERS + CONSUMERS; i++) {
    children[i] = forked();
    if (children[i] == 0) {
      polyproc_queue *mine = NULL;
      ANSWERS(OK, polyproc_queue_open(name.text, &mine));
      if (i < PRODUCERS) {
        produce(mine, i);
      } else {
        consume(mine, sums);
      }
      polyproc_queue_close(mine);
      _exit(0);
    }
  }
  for (i = 0; i < PRODUCERS; i++) {
    went_well(children[i]);
  }
  ANSWERS(OK, polyproc_queue_shutdown(queue, 0));
  for (i = PRODUCERS; i < PRODUCERS + CONSUMERS; i++) {
    went_well(children[i]);
    ANSWERS(OK, polyproc_queue_get(sums, part, sizeof part, &len, 0, NULL));
    count += part[0];
    sum += part[1];
  }
  CHECK(count == (uint64_t)PRODUCERS * EACH);
  CHECK(sum == (uint64_t)PRODUCERS * EACH * (EACH - 1) / 2);
  polyproc_queue_close(queue);
  polyproc_queue_close(sums);
  ANSWERS(OK, polyproc_unlink(name.text));
}

/* A backlog far over the first ring, with no limit. */
static void a_long_backlog(void) {
  enum { MESSAGES = 100000 };
  polyproc_queue *queue = NULL;
  uint64_t message;
  uint64_t got = 0;
  size_t len = 0;

  ANSWERS(OK, polyproc_queue_create(NULL, NULL, &queue));
  for (message = 0; message < MESSAGES; message++) {
    ANSWERS(OK, polyproc_queue_put(queue, &message, sizeof message, 0, NULL));
  }
  expect_length(queue, MESSAGES);
  for (message = 0; message < MESSAGES; message++) {
    ANSWERS(OK, polyproc_queue_get(queue, &got, sizeof got, &len, 0, NULL));
    CHECK(len == sizeof got && got == message);
  }
  expect_length(queue, 0);
  polyproc_queue_close(queue);
}

/* Messages that nobody reads delay no process, and stay. */
static void unread(void) {
  const name_t name = unique("unread");
  polyproc_queue *queue = NULL;
  pid_t child = forked();
  int i;

  if (child == 0) {
    ANSWERS(OK, polyproc_queue_create(name.text, NULL, &queue));
    for (i = 0; i < 10; i++) {
      put(queue, "unread");
    }
    _exit(0);
  }
  went_well(child);
  ANSWERS(OK, polyproc_queue_open(name.text, &queue));
  expect_length(queue, 10);
  expect(queue, "unread");
  polyproc_queue_close(queue);
  ANSWERS(OK, polyproc_unlink(name.text));
}

int main(void) {
  first_in_first_out();
  a_message_of_no_bytes_is_a_message();
  a_buffer_that_is_too_small();
  a_full_queue();
  limits_in_bytes();
  messages_of_every_size();
  many_to_many();
  a_long_backlog();
  unread();
  return 0;
}
