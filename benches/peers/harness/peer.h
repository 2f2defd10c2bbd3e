/* The interface between the harness and a peer. A program is the harness and one peer: it runs one
 * workload in processes of their own and prints one line of JSON. The peer sets the functions that
 * it has; the rest is NULL.
 *
 * create() runs in the parent before the processes are forked, join() in each of them, destroy() in
 * the parent after they were killed while they waited. Every function may end the program with
 * die(). */
#ifndef PEER_H
#define PEER_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { MAX_PROCESSES = 64, BATCH = 32 };

enum role { PRODUCER, CONSUMER };

struct setup {
  const char *mode; /* which of the peer's ways, as in "copy" or "polling" */
  size_t size;      /* of every message, in bytes */
  size_t capacity;  /* in messages */
  int channels;     /* 1, or 2 for ping-pong: one each way */
  int producers, consumers;
};

struct view {
  const void *data;
  size_t len;
};

struct peer {
  const char *name;
  void (*create)(const struct setup *);
  void (*join)(int channel, enum role role, int index);
  void (*destroy)(void);

  /* Messages. Each waits: put while the channel is full, get while it is empty. */
  void (*put)(int channel, const void *data, size_t len);
  size_t (*get)(int channel, void *buf, size_t cap);
  /* In place: reserve room and send it; receive a message and give it back. */
  void *(*reserve)(int channel, size_t len);
  void (*commit)(int channel, size_t len);
  const void *(*take)(int channel, size_t *len);
  void (*done)(int channel);
  /* Several in a call: put all of n; get 1 to max, valid until the next call. */
  void (*put_many)(int channel, const struct view *items, size_t n);
  size_t (*take_many)(int channel, struct view *out, size_t max);

  /* A lock, or a semaphore with one permit; and a wake-up for one process. */
  void (*acquire)(void);
  void (*release)(void);
  void (*wake)(void);  /* also when the other does not wait yet */
  void (*await)(void); /* until wake, which it uses up */

  /* From start to end: a child that runs /bin/true; an object of the peer. */
  void (*spawn)(void);
  void (*create_close)(void);
  void (*open_close)(void);
};

extern const struct peer peer;

/* The functions above that the mode uses. create() sets them, and the harness follows. */
extern struct ways {
  int loan_in, loan_out, batch;
  size_t capacity; /* in messages, when it is not what was asked for */
} ways;

void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
void *shared_memory(size_t size);                     /* zeroed, inherited by the processes */
int has_mode(const struct setup *, const char *mode); /* several: mode=unlimited,loan */
const char *unique_name(const char *suffix);          /* no other run has it */

#ifdef __cplusplus
}
#endif
#endif
