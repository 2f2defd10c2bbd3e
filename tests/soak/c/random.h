/* The common part of the files of a random-soak worker.
 *
 * The log is the worker's standard output, a file to which all workers of one configuration append:
 * so it has one order, and outlives its writers. A step is logged before it begins and after it has
 * ended. */
#ifndef SOAK_RANDOM_H
#define SOAK_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "polyproc.h"

/* The same numbers are in tests/soak/random/log.rs. */
enum op {
  OP_START = 1,
  OP_LEAVE,
  OP_PUT_BEGIN,
  OP_PUT_END,
  OP_TAKE_BEGIN,
  OP_TAKE_END,
  OP_GOT,
  OP_GOT_FOR_GOOD,
  OP_DONE_BEGIN,
  OP_DONE_END,
  OP_RETURN_BEGIN,
  OP_RETURN_END,
  OP_DEAD_GOT,
  OP_LOCK_BEGIN,
  OP_LOCK_END,
  OP_UNLOCK_BEGIN,
  OP_UNLOCK_END,
  OP_SLOW = 32
};

struct record {
  uint32_t op, actor;
  int32_t place, status;
  uint64_t message, value;
};

enum { QUEUES = 3, PIPE = 8, LOCK = 0, RLOCK = 1, PERMITS = 2, LARGEST = 8 << 20 };

/* The steps that a configuration allows. */
enum feature {
  MAY_FORK = 1,
  MAY_EXEC = 2,
  MAY_SPAWN = 4,
  MAY_WAIT_FOR_EVER = 8,
  MAY_LEAVE_FULL = 16,
  MAY_LACK_MEMORY = 32,
  MAY_WATCH = 64,
  MAY_REOPEN = 128
};

struct queue {
  const char *spec;
  polyproc_queue_options options;
  polyproc_queue *handle;
  size_t largest;
  bool is_shut;
};

struct worker {
  uint32_t actor, numbers, features;
  int puts_in_ten;
  uint64_t random;
  int queues;
  struct queue queue[QUEUES];
  const char *stop_name, *lock_name, *rlock_name, *permits_name, *event_name, *condition_name, *barrier_name;
  const char *pipe_name[2];
  polyproc_event *stop, *event;
  polyproc_lock *lock;
  polyproc_rlock *rlock;
  polyproc_semaphore *permits;
  polyproc_condition *condition;
  polyproc_barrier *barrier;
  polyproc_connection *pipe[2];
  char **argv;
  int argc;
};

extern struct worker me;

/* random_log.c */
void note(enum op op, int place, int32_t status, uint64_t message, uint64_t value);
void begin_actor(void);
uint64_t any(uint64_t limit);
int64_t some_time(void);
/* Logs the end of a call that began then and was allowed that much time. */
int64_t now(void);
void note_time(int64_t began, int64_t allowed);
/* Ends the soak: the call may not return this status now. */
void wrong(const char *call, int32_t status);
void expect(const char *call, int32_t status, const int32_t *allowed);
#define EXPECT(call, status, ...) expect(call, status, (const int32_t[]){__VA_ARGS__, 1000})

/* random_message.c */
size_t some_length(size_t largest);
uint64_t new_message(size_t length);
void fill(unsigned char *data, size_t length, uint64_t message);
/* Returns the message's number; 0 for one without bytes. */
uint64_t read_message(const unsigned char *data, size_t length);

/* random_queue.c: one step with a queue, and its end */
void queue_step(int place);
void settle_all(void);
/* In a forked child: forgets what its parent holds. */
void disown_all(void);

/* random_objects.c: one step with what is not a queue */
void object_step(void);

/* random.c */
void open_queue(struct queue *queue);
bool is_over(void);

#endif
