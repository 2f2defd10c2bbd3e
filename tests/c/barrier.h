/* The common part of barrier.c and barrier_steps.c: parties in threads and in children. */
#ifndef BARRIER_H
#define BARRIER_H

#include "check.h"

static inline polyproc_barrier *barrier_for(uint32_t parties) {
  polyproc_barrier *barrier = NULL;
  ANSWERS(OK, polyproc_barrier_create(NULL, NULL, parties, &barrier));
  return barrier;
}

static inline uint32_t waiting_at(polyproc_barrier *barrier) {
  uint32_t waiting = 77;
  ANSWERS(OK, polyproc_barrier_waiting(barrier, &waiting));
  return waiting;
}

static inline int broken(polyproc_barrier *barrier) {
  int32_t is_broken = 77;
  ANSWERS(OK, polyproc_barrier_is_broken(barrier, &is_broken));
  CHECK(is_broken == 0 || is_broken == 1);
  return is_broken;
}

static inline void until_waiting(polyproc_barrier *barrier, uint32_t parties) {
  const int64_t end = now() + PATIENCE;
  while (waiting_at(barrier) != parties) {
    CHECK(now() < end);
    nap(MILLISECOND);
  }
}

typedef struct {
  polyproc_barrier *barrier;
  pthread_t thread;
  int32_t status;
  uint32_t index;
} party_t;

static inline void *be_party(void *argument) {
  party_t *party = (party_t *)argument;
  party->status = polyproc_barrier_wait(party->barrier, &party->index, POLYPROC_FOREVER, NULL);
  return NULL;
}

/* Starts a thread that waits beside those that wait already; returns when it waits. */
static inline void party_waits(party_t *party, polyproc_barrier *barrier) {
  const uint32_t others = waiting_at(barrier);
  party->barrier = barrier;
  party->status = 77;
  party->index = 77;
  party->thread = start(be_party, party);
  until_waiting(barrier, others + 1);
}

static inline int32_t party_ended(party_t *party) {
  finish(party->thread);
  CHECK(party->status == POLYPROC_OK || party->index == 77);
  return party->status;
}

/* A child that waits, and exits with 0 when it is let go. */
static inline pid_t a_child_that_waits(polyproc_barrier *barrier) {
  const uint32_t others = waiting_at(barrier);
  pid_t child = forked();
  if (child == 0) {
    uint32_t index = 77;
    ANSWERS(OK, polyproc_barrier_wait(barrier, &index, POLYPROC_FOREVER, NULL));
    CHECK(index == others);
    _exit(0);
  }
  until_waiting(barrier, others + 1);
  return child;
}

#endif
