/* Pipes: messages of every length, both ends, each function and each fault. */
#include "check.h"

/* The longest message that fits into the pipe; a longer one is handed over. */
#define LONGEST ((size_t)(1 << 20) - 8)

static polyproc_connection *a;
static polyproc_connection *b;

static void pipe_of(int32_t duplex) {
  ANSWERS(OK, polyproc_pipe_create(duplex, &a, &b));
}

static void close_both(void) {
  polyproc_connection_close(a);
  polyproc_connection_close(b);
}

static unsigned char *bytes_of(size_t len) {
  unsigned char *bytes = (unsigned char *)malloc(len + 1);
  size_t i;
  CHECK(bytes != NULL);
  for (i = 0; i < len; i++) {
    bytes[i] = (unsigned char)(i * 31 + (i >> 8) + len);
  }
  return bytes;
}

static void both_directions(void) {
  char buf[16];
  size_t len = 7;
  pipe_of(1);
  ANSWERS(E_TIMEOUT, polyproc_connection_recv(a, buf, sizeof buf, &len, 0, NULL));
  ANSWERS(E_TIMEOUT, polyproc_connection_poll(a, 0, NULL));
  CHECK(len == 7);
  ANSWERS(OK, polyproc_connection_send(a, "ping", 4, 0, NULL));
  ANSWERS(E_TIMEOUT, polyproc_connection_poll(a, 0, NULL));
  ANSWERS(OK, polyproc_connection_poll(b, 0, NULL));
  ANSWERS(OK, polyproc_connection_recv(b, buf, sizeof buf, &len, 0, NULL));
  CHECK(len == 4 && memcmp(buf, "ping", 4) == 0);
  ANSWERS(OK, polyproc_connection_send(b, "pong!", 5, 0, NULL));
  ANSWERS(OK, polyproc_connection_recv(a, buf, sizeof buf, &len, 0, NULL));
  CHECK(len == 5 && memcmp(buf, "pong!", 5) == 0);
  close_both();
}

static void one_direction(void) {
  char buf[16];
  size_t len = 7;
  pipe_of(0);
  ANSWERS(E_UNSUPPORTED, polyproc_connection_send(a, "x", 1, POLYPROC_FOREVER, NULL));
  ANSWERS(E_UNSUPPORTED, polyproc_connection_recv(b, buf, 16, &len, POLYPROC_FOREVER, NULL));
  ANSWERS(E_UNSUPPORTED, polyproc_connection_poll(b, POLYPROC_FOREVER, NULL));
  CHECK(len == 7);
  ANSWERS(OK, polyproc_connection_send(b, "x", 1, 0, NULL));
  ANSWERS(OK, polyproc_connection_recv(a, buf, sizeof buf, &len, 0, NULL));
  CHECK(len == 1 && buf[0] == 'x');
  close_both();
}

static void messages_of_no_length(void) {
  char buf[4];
  size_t len = 7;
  pipe_of(1);
  ANSWERS(OK, polyproc_connection_send(a, NULL, 0, 0, NULL));
  ANSWERS(OK, polyproc_connection_send(a, "", 0, 0, NULL));
  ANSWERS(OK, polyproc_connection_send(a, "x", 1, 0, NULL));
  ANSWERS(OK, polyproc_connection_recv(b, buf, sizeof buf, &len, 0, NULL));
  CHECK(len == 0);
  len = 7;
  ANSWERS(OK, polyproc_connection_recv(b, NULL, 0, &len, 0, NULL));
  CHECK(len == 0);
  ANSWERS(E_TOO_SMALL, polyproc_connection_recv(b, NULL, 0, &len, 0, NULL));
  CHECK(len == 1);
  ANSWERS(OK, polyproc_connection_recv(b, buf, 1, &len, 0, NULL));
  close_both();
}

static void too_small_a_buffer(void) {
  char buf[16];
  size_t len = 7;
  pipe_of(1);
  ANSWERS(OK, polyproc_connection_send(a, "a longer one", 12, 0, NULL));
  ANSWERS(OK, polyproc_connection_send(a, "next", 4, 0, NULL));
  ANSWERS(E_TOO_SMALL, polyproc_connection_recv(b, buf, 11, &len, 0, NULL));
  CHECK(len == 12);
  ANSWERS(OK, polyproc_connection_recv(b, buf, 12, &len, 0, NULL));
  CHECK(len == 12 && memcmp(buf, "a longer one", 12) == 0);
  ANSWERS(OK, polyproc_connection_recv(b, buf, 4, &len, 0, NULL));
  CHECK(len == 4 && memcmp(buf, "next", 4) == 0);
  close_both();
}

/* Goes round the ring many times, at every alignment, from empty to full. */
static void round_the_ring(void) {
  static unsigned char buf[200000];
  unsigned char *data = bytes_of(sizeof buf);
  size_t sent = 0;
  size_t received = 0;
  size_t len = 0;
  pipe_of(1);
  while (received < 3000) {
    size_t want = (sent * 7919) % (sent % 3 == 0 ? sizeof buf : 300);
    int32_t status = sent < 3000 ? polyproc_connection_send(a, data, want, 0, NULL) : POLYPROC_E_TIMEOUT;
    if (status == POLYPROC_OK) {
      sent++;
      /* Now and then the receiver keeps up: then the sender returns to the beginning of the ring.
       */
      if (sent % 100 < 50) {
        continue;
      }
    } else {
      ANSWERS(E_TIMEOUT, status);
    }
    do {
      want = (received * 7919) % (received % 3 == 0 ? sizeof buf : 300);
      memset(buf, 0, want);
      ANSWERS(OK, polyproc_connection_recv(b, buf, sizeof buf, &len, 0, NULL));
      CHECK(len == want && memcmp(buf, data, len) == 0);
      received++;
    } while (received < sent && sent % 100 >= 50);
  }
  CHECK(sent == 3000);
  ANSWERS(E_TIMEOUT, polyproc_connection_poll(b, 0, NULL));
  free(data);
  close_both();
}

static void full(void) {
  unsigned char *data = bytes_of(LONGEST);
  unsigned char *buf = (unsigned char *)malloc(LONGEST);
  size_t len = 0;
  int64_t began;
  CHECK(buf != NULL);
  pipe_of(1);
  ANSWERS(OK, polyproc_connection_send(a, data, LONGEST, 0, NULL));
  ANSWERS(E_TIMEOUT, polyproc_connection_send(a, NULL, 0, 0, NULL));
  began = now();
  ANSWERS(E_TIMEOUT, polyproc_connection_send(a, "x", 1, 30 * MILLISECOND, NULL));
  CHECK(now() - began >= 30 * MILLISECOND && now() - began < 10 * SECOND);
  ANSWERS(E_TIMEOUT, polyproc_connection_send(a, data, LONGEST + 1, 30 * MILLISECOND, NULL));
  ANSWERS(OK, polyproc_connection_recv(b, buf, LONGEST, &len, 0, NULL));
  CHECK(len == LONGEST && memcmp(buf, data, len) == 0);
  /* Nothing of the sends that timed out arrives. */
  ANSWERS(E_TIMEOUT, polyproc_connection_poll(b, 0, NULL));
  ANSWERS(OK, polyproc_connection_send(a, data, LONGEST, INT64_MAX, NULL));
  ANSWERS(OK, polyproc_connection_recv(b, buf, LONGEST, &len, INT64_MAX, NULL));
  CHECK(len == LONGEST && memcmp(buf, data, len) == 0);
  free(data);
  free(buf);
  close_both();
}

static void bad_arguments(void) {
  polyproc_connection *out = NULL;
  polyproc_event *event = NULL;
  char buf[4];
  size_t len = 7;
  int fd = -7;
  pipe_of(1);
  ANSWERS(OK, polyproc_event_create(NULL, NULL, &event));
  ANSWERS(E_INVALID, polyproc_pipe_create(1, NULL, &out));
  ANSWERS(E_INVALID, polyproc_pipe_create(1, &out, NULL));
  ANSWERS(E_INVALID, polyproc_pipe_create(2, &out, &out));
  ANSWERS(E_INVALID, polyproc_pipe_create(-1, &out, &out));
  CHECK(out == NULL);
  ANSWERS(E_INVALID, polyproc_connection_send(NULL, "x", 1, 0, NULL));
  ANSWERS(E_INVALID, polyproc_connection_send(a, NULL, 1, 0, NULL));
  ANSWERS(E_INVALID, polyproc_connection_send(a, "x", SIZE_MAX, 0, NULL));
  ANSWERS(E_INVALID, polyproc_connection_send(a, "x", 1, 0, (polyproc_cancel *)(void *)event));
  ANSWERS(E_INVALID, polyproc_connection_send((polyproc_connection *)(void *)event, "x", 1, 0, NULL));
  ANSWERS(E_TOO_LARGE, polyproc_connection_send(a, buf, (size_t)UINT32_MAX + 1, 0, NULL));
  ANSWERS(E_INVALID, polyproc_connection_recv(NULL, buf, 4, &len, 0, NULL));
  ANSWERS(E_INVALID, polyproc_connection_recv(a, NULL, 4, &len, 0, NULL));
  ANSWERS(E_INVALID, polyproc_connection_recv(a, buf, 4, NULL, 0, NULL));
  ANSWERS(E_INVALID, polyproc_connection_recv(a, buf, 4, &len, 0, (polyproc_cancel *)(void *)event));
  ANSWERS(E_INVALID, polyproc_connection_recv((polyproc_connection *)(void *)event, buf, 4, &len, 0, NULL));
  ANSWERS(E_INVALID, polyproc_connection_poll(NULL, 0, NULL));
  ANSWERS(E_INVALID, polyproc_connection_poll(a, 0, (polyproc_cancel *)(void *)event));
  ANSWERS(E_INVALID, polyproc_connection_poll((polyproc_connection *)(void *)event, 0, NULL));
  ANSWERS(E_INVALID, polyproc_share_fd(POLYPROC_KIND_EVENT, a, &fd));
  ANSWERS(E_INVALID, polyproc_share_fd(POLYPROC_KIND_CONNECTION, event, &fd));
  CHECK(len == 7 && fd == -7);
  polyproc_connection_close(NULL);
  polyproc_connection_close((polyproc_connection *)(void *)event);
  ANSWERS(OK, polyproc_event_set(event));
  polyproc_event_close(event);
  close_both();
}

/* After the close of the other end, its messages come first. */
static void end_of_file(void) {
  char buf[16];
  size_t len = 7;
  pipe_of(1);
  ANSWERS(OK, polyproc_connection_send(a, "last", 4, 0, NULL));
  polyproc_connection_close(a);
  ANSWERS(E_BROKEN_PIPE, polyproc_connection_send(b, "x", 1, POLYPROC_FOREVER, NULL));
  ANSWERS(E_BROKEN_PIPE, polyproc_connection_send(b, buf, LONGEST + 1, POLYPROC_FOREVER, NULL));
  ANSWERS(OK, polyproc_connection_poll(b, POLYPROC_FOREVER, NULL));
  ANSWERS(E_TOO_SMALL, polyproc_connection_recv(b, buf, 1, &len, POLYPROC_FOREVER, NULL));
  ANSWERS(OK, polyproc_connection_recv(b, buf, sizeof buf, &len, POLYPROC_FOREVER, NULL));
  CHECK(len == 4 && memcmp(buf, "last", 4) == 0);
  ANSWERS(OK, polyproc_connection_poll(b, POLYPROC_FOREVER, NULL));
  ANSWERS(E_EOF, polyproc_connection_recv(b, buf, sizeof buf, &len, POLYPROC_FOREVER, NULL));
  ANSWERS(E_EOF, polyproc_connection_recv(b, buf, sizeof buf, &len, 0, NULL));
  ANSWERS(OK, polyproc_connection_poll(b, 0, NULL));
  ANSWERS(E_CLOSED, polyproc_connection_send(a, "x", 1, 0, NULL));
  ANSWERS(E_CLOSED, polyproc_connection_recv(a, buf, sizeof buf, &len, 0, NULL));
  ANSWERS(E_CLOSED, polyproc_connection_poll(a, 0, NULL));
  close_both();
}

typedef struct {
  int way;
  polyproc_connection *end;
  polyproc_cancel *cancel;
  int32_t status;
} wait_t;

enum { WAYS = 4 };

static void *wait_in_way(void *argument) {
  wait_t *wait = (wait_t *)argument;
  static unsigned char large[LONGEST + 1];
  char buf[4];
  size_t len;
  switch (wait->way) {
    case 0:
      wait->status = polyproc_connection_recv(wait->end, buf, 4, &len, PATIENCE, wait->cancel);
      break;
    case 1:
      wait->status = polyproc_connection_poll(wait->end, PATIENCE, wait->cancel);
      break;
    case 2:
      wait->status = polyproc_connection_send(wait->end, "x", 1, PATIENCE, wait->cancel);
      break;
    default:
      wait->status = polyproc_connection_send(wait->end, large, sizeof large, PATIENCE, wait->cancel);
  }
  return NULL;
}

/* A pipe in which every call of end a waits. */
static void blocked_pipe(int way) {
  static unsigned char large[LONGEST];
  pipe_of(1);
  if (way == 2) {
    ANSWERS(OK, polyproc_connection_send(a, large, sizeof large, 0, NULL));
  }
}

static void waits_end(void) {
  static const char *const reasons[] = {"cancel", "close", "peer"};
  int reason;
  int way;
  for (reason = 0; reason < 3; reason++) {
    for (way = 0; way < WAYS; way++) {
      polyproc_cancel *cancel = NULL;
      pthread_t thread;
      wait_t wait;
      int32_t expected = reason == 0 ? POLYPROC_E_CANCELED : POLYPROC_E_CLOSED;
      ANSWERS(OK, polyproc_cancel_create(&cancel));
      blocked_pipe(way);
      wait.way = way;
      wait.end = a;
      wait.cancel = cancel;
      wait.status = 7;
      thread = start(wait_in_way, &wait);
      nap(20 * MILLISECOND);
      if (reason == 0) {
        ANSWERS(OK, polyproc_cancel_fire(cancel));
      } else if (reason == 1) {
        polyproc_connection_close(a);
      } else {
        polyproc_connection_close(b);
        expected = way == 0 ? POLYPROC_E_EOF : way == 1 ? POLYPROC_OK : POLYPROC_E_BROKEN_PIPE;
      }
      finish(thread);
      check_status(expected, wait.status, reasons[reason], __FILE__, way);
      polyproc_cancel_close(cancel);
      close_both();
    }
  }
}

/* A call that can complete at once does so, also with a fired token. */
static void fired_before(void) {
  polyproc_cancel *cancel = NULL;
  char buf[4];
  size_t len = 0;
  pipe_of(1);
  ANSWERS(OK, polyproc_cancel_create(&cancel));
  ANSWERS(OK, polyproc_cancel_fire(cancel));
  ANSWERS(OK, polyproc_connection_send(a, "x", 1, POLYPROC_FOREVER, cancel));
  ANSWERS(OK, polyproc_connection_poll(b, POLYPROC_FOREVER, cancel));
  ANSWERS(OK, polyproc_connection_recv(b, buf, 4, &len, POLYPROC_FOREVER, cancel));
  ANSWERS(E_CANCELED, polyproc_connection_recv(b, buf, 4, &len, POLYPROC_FOREVER, cancel));
  ANSWERS(E_CANCELED, polyproc_connection_poll(b, POLYPROC_FOREVER, cancel));
  polyproc_cancel_close(cancel);
  close_both();
}

enum { THREADS = 4, EACH = 400 };

/* Every seventh message is long enough to be handed over. */
static size_t length_of(int thread, int number) {
  return number % 70 == thread ? LONGEST + 1000 + (size_t)number : 64 + (size_t)(number % 50);
}

static void *sends(void *argument) {
  int thread = *(int *)argument;
  unsigned char *data = (unsigned char *)malloc(2 * LONGEST);
  int number;
  CHECK(data != NULL);
  for (number = 0; number < EACH; number++) {
    size_t len = length_of(thread, number);
    memset(data, thread * 50 + number % 50, len);
    memcpy(data, &thread, sizeof thread);
    memcpy(data + 4, &number, sizeof number);
    ANSWERS(OK, polyproc_connection_send(a, data, len, PATIENCE, NULL));
  }
  free(data);
  return NULL;
}

static int seen[THREADS][EACH];

static void *receives(void *argument) {
  unsigned char *data = (unsigned char *)malloc(2 * LONGEST);
  CHECK(data != NULL && argument == NULL);
  for (;;) {
    int thread;
    int number;
    size_t len = 0;
    size_t i;
    int32_t status = polyproc_connection_recv(b, data, 2 * LONGEST, &len, PATIENCE, NULL);
    if (status == POLYPROC_E_EOF) {
      break;
    }
    ANSWERS(OK, status);
    memcpy(&thread, data, sizeof thread);
    memcpy(&number, data + 4, sizeof number);
    CHECK(thread >= 0 && thread < THREADS && number >= 0 && number < EACH);
    CHECK(len == length_of(thread, number));
    for (i = 8; i < len; i++) {
      CHECK(data[i] == thread * 50 + number % 50);
    }
    seen[thread][number]++;
  }
  free(data);
  return NULL;
}

/* send and recv are each atomic between threads. */
static void many_threads(void) {
  pthread_t senders[THREADS];
  pthread_t receivers[THREADS];
  int numbers[THREADS];
  int i;
  int j;
  pipe_of(0);
  /* End b sends; the names are those of the threads. */
  {
    polyproc_connection *swap = a;
    a = b;
    b = swap;
  }
  for (i = 0; i < THREADS; i++) {
    numbers[i] = i;
    senders[i] = start(sends, &numbers[i]);
    receivers[i] = start(receives, NULL);
  }
  for (i = 0; i < THREADS; i++) {
    finish(senders[i]);
  }
  polyproc_connection_close(a);
  for (i = 0; i < THREADS; i++) {
    finish(receivers[i]);
  }
  for (i = 0; i < THREADS; i++) {
    for (j = 0; j < EACH; j++) {
      CHECK(seen[i][j] == 1);
    }
  }
  close_both();
}

int main(void) {
  both_directions();
  one_direction();
  messages_of_no_length();
  too_small_a_buffer();
  round_the_ring();
  full();
  bad_arguments();
  end_of_file();
  waits_end();
  fired_before();
  many_threads();
  return 0;
}
