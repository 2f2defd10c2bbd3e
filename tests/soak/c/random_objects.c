/* The steps of the random soak with locks, permits, the other small objects and a pipe. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "random.h"

/* HELD: a status of the log, for a lock that is held, whatever happened to its last holder. */
enum { PIPE_LARGEST = 1 << 21, HELD = 1000 };

static unsigned char buffer[PIPE_LARGEST];

static void nap(void) {
  struct timespec time = {0, (long)any(300000)};
  nanosleep(&time, NULL);
}

/* The log shows the holder of a lock: two at a time are a breach. */
static bool acquired(int which, int32_t status) {
  note(OP_LOCK_END, which, status, 0, 0);
  EXPECT("acquire", status, POLYPROC_OK, POLYPROC_OWNER_DIED, POLYPROC_E_TIMEOUT);
  return status >= 0;
}

static void released(int which, int32_t status) {
  note(OP_UNLOCK_END, which, status, 0, 0);
  EXPECT("release", status, POLYPROC_OK);
}

static void lock_step(void) {
  int64_t time = some_time(), began = now();

  note(OP_LOCK_BEGIN, LOCK, 0, 0, 0);
  int32_t status = polyproc_lock_acquire(me.lock, time, NULL);
  note_time(began, time);
  if (!acquired(LOCK, status)) return;
  nap();
  if (me.condition != NULL && any(2) == 0) {
    /* Released for a while, and acquired again when this returns. */
    note(OP_UNLOCK_BEGIN, LOCK, 0, 0, 0);
    note(OP_LOCK_BEGIN, LOCK, 0, 0, 0);
    status = polyproc_condition_wait(me.condition, me.lock, 2000000, NULL);
    EXPECT("condition wait", status, POLYPROC_OK, POLYPROC_OWNER_DIED, POLYPROC_E_TIMEOUT);
    note(OP_LOCK_END, LOCK, status == POLYPROC_E_TIMEOUT ? HELD : status, 0, 0);
  }
  note(OP_UNLOCK_BEGIN, LOCK, 0, 0, 0);
  released(LOCK, polyproc_lock_release(me.lock));
}

static void rlock_step(void) {
  int64_t time = some_time(), began = now();

  note(OP_LOCK_BEGIN, RLOCK, 0, 0, 0);
  int32_t status = polyproc_rlock_acquire(me.rlock, 0, time, NULL);
  note_time(began, time);
  if (!acquired(RLOCK, status)) return;
  EXPECT("acquire once more", polyproc_rlock_acquire(me.rlock, 0, 0, NULL), POLYPROC_OK);
  nap();
  EXPECT("release once", polyproc_rlock_release(me.rlock, 0), POLYPROC_OK);
  note(OP_UNLOCK_BEGIN, RLOCK, 0, 0, 0);
  released(RLOCK, polyproc_rlock_release(me.rlock, 0));
}

static void permits_step(void) {
  int64_t time = some_time(), began = now();
  int32_t status;

  note(OP_LOCK_BEGIN, PERMITS, 0, 0, 0);
  status = polyproc_semaphore_acquire(me.permits, time, NULL);
  note_time(began, time);
  if (!acquired(PERMITS, status)) return;
  nap();
  note(OP_UNLOCK_BEGIN, PERMITS, 0, 0, 0);
  while ((status = polyproc_semaphore_release(me.permits, 1)) == POLYPROC_E_TIMEOUT) nap();
  released(PERMITS, status);
}

static void send_step(void) {
  size_t length = some_length(PIPE_LARGEST);
  uint64_t message = new_message(length);
  int64_t time = some_time();

  fill(buffer, length, message);
  note(OP_PUT_BEGIN, PIPE, 0, message, 1);
  int32_t status = polyproc_connection_send(me.pipe[1], buffer, length, time, NULL);
  note(OP_PUT_END, PIPE, status, message, status == POLYPROC_OK);
  EXPECT("send", status, POLYPROC_OK, POLYPROC_E_TIMEOUT);
}

static void recv_step(void) {
  size_t length = 0, room = any(4) == 0 ? any(100) : sizeof buffer;
  int64_t time = some_time();

  /* No shutdown ends a wait at a pipe whose other end is open. */
  if (time < 0) time = 5000000;
  note(OP_TAKE_BEGIN, PIPE, 0, 0, 1);
  int32_t status = polyproc_connection_recv(me.pipe[0], buffer, room, &length, time, NULL);
  if (status != POLYPROC_OK) {
    note(OP_TAKE_END, PIPE, status, 0, 0);
    EXPECT("recv", status, POLYPROC_E_TIMEOUT, POLYPROC_E_TOO_SMALL);
    return;
  }
  note(OP_GOT_FOR_GOOD, PIPE, 0, read_message(buffer, length), 0);
}

static void event_step(void) {
  int64_t began = now();
  switch (any(4)) {
    case 0:
      EXPECT("set", polyproc_event_set(me.event), POLYPROC_OK);
      break;
    case 1:
      EXPECT("clear", polyproc_event_clear(me.event), POLYPROC_OK);
      break;
    default:
      EXPECT("event wait", polyproc_event_wait(me.event, 1000000, NULL), POLYPROC_OK, POLYPROC_E_TIMEOUT);
  }
  note_time(began, 1000000);
}

static void barrier_step(void) {
  uint32_t index;
  int64_t began = now();

  EXPECT("barrier wait", polyproc_barrier_wait(me.barrier, &index, 20000000, NULL), POLYPROC_OK,
         POLYPROC_E_TIMEOUT, POLYPROC_E_BROKEN_BARRIER);
  note_time(began, 20000000);
  if (any(3) == 0) EXPECT("reset", polyproc_barrier_reset(me.barrier), POLYPROC_OK, POLYPROC_E_TIMEOUT);
}

void object_step(void) {
  switch (any(8)) {
    case 0:
      if (me.lock != NULL) lock_step();
      break;
    case 1:
      if (me.rlock != NULL) rlock_step();
      break;
    case 2:
      if (me.permits != NULL) permits_step();
      break;
    case 3:
      if (me.event != NULL) event_step();
      break;
    case 4:
      if (me.barrier != NULL) barrier_step();
      break;
    case 5:
      if (me.condition != NULL) {
        int32_t status = any(2) == 0 ? polyproc_condition_notify(me.condition, 1)
                                     : polyproc_condition_notify_all(me.condition);
        EXPECT("notify", status, POLYPROC_OK, POLYPROC_E_TIMEOUT);
      }
      break;
    case 6:
      if (me.pipe[1] != NULL) send_step();
      break;
    default:
      if (me.pipe[0] != NULL) recv_step();
  }
}
