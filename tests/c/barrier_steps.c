/* The barrier with an action: one party leads while the others are held. */
#include "barrier.h"

typedef struct {
  polyproc_barrier *barrier;
  pthread_t thread;
  int64_t timeout_ns;
  int32_t status;
  uint32_t index;
  int32_t leader;
} comer_t;

static void *arrive(void *argument) {
  comer_t *comer = (comer_t *)argument;
  comer->status =
      polyproc_barrier_arrive(comer->barrier, &comer->index, &comer->leader, comer->timeout_ns, NULL);
  return NULL;
}

static void sets_out(comer_t *comer, polyproc_barrier *barrier, int64_t timeout_ns) {
  comer->barrier = barrier;
  comer->timeout_ns = timeout_ns;
  comer->status = comer->leader = 77;
  comer->index = 77;
  comer->thread = start(arrive, comer);
}

/* The same; returns when it waits. */
static void comes(comer_t *comer, polyproc_barrier *barrier, int64_t timeout_ns) {
  const uint32_t others = waiting_at(barrier);
  sets_out(comer, barrier, timeout_ns);
  until_waiting(barrier, others + 1);
}

static int32_t has_gone(comer_t *comer) {
  finish(comer->thread);
  CHECK(comer->status != POLYPROC_OK || comer->leader == 0);
  CHECK(comer->status == POLYPROC_OK || (comer->leader == 77 && comer->index == 77));
  return comer->status;
}

static void lead(polyproc_barrier *barrier, uint32_t expected) {
  uint32_t index = 77;
  int32_t leader = 77;
  ANSWERS(OK, polyproc_barrier_arrive(barrier, &index, &leader, PATIENCE, NULL));
  CHECK(leader == 1 && index == expected);
}

static void alone(void) {
  polyproc_barrier *barrier = barrier_for(1);
  uint32_t index = 77;
  int32_t leader = 77;

  FAULT("timeout 0", OK, polyproc_barrier_arrive(barrier, &index, &leader, 0, NULL));
  CHECK(index == 0 && leader == 1);
  ANSWERS(OK, polyproc_barrier_complete(barrier, 1));
  FAULT("not the owner", E_NOT_OWNER, polyproc_barrier_complete(barrier, 1));
  FAULT("timeout huge", OK, polyproc_barrier_arrive(barrier, &index, &leader, INT64_MAX, NULL));
  FAULT("number out of range", E_INVALID, polyproc_barrier_complete(barrier, 2));
  ANSWERS(E_INVALID, polyproc_barrier_complete(barrier, -1));
  ANSWERS(OK, polyproc_barrier_complete(barrier, 1));
  FAULT("timeout negative", OK, polyproc_barrier_arrive(barrier, &index, &leader, INT64_MIN, NULL));
  ANSWERS(OK, polyproc_barrier_complete(barrier, 0));
  CHECK(broken(barrier));
  FAULT("broken", E_BROKEN_BARRIER, polyproc_barrier_arrive(barrier, &index, &leader, 0, NULL));
  FAULT("broken", E_BROKEN_BARRIER, polyproc_barrier_complete(barrier, 1));
  polyproc_barrier_close(barrier);
}

static void held_until_the_leader_says_so(void) {
  polyproc_barrier *barrier = barrier_for(3);
  comer_t first;
  comer_t second;
  int round;

  for (round = 0; round < 5; round++) {
    comes(&first, barrier, POLYPROC_FOREVER);
    comes(&second, barrier, POLYPROC_FOREVER);
    lead(barrier, 2);
    nap(5 * MILLISECOND);
    CHECK(waiting_at(barrier) == 2 && first.status == 77 && second.status == 77);
    ANSWERS(OK, polyproc_barrier_complete(barrier, 1));
    ANSWERS(OK, has_gone(&first));
    ANSWERS(OK, has_gone(&second));
    CHECK(first.index == 0 && second.index == 1 && waiting_at(barrier) == 0);
  }
  comes(&first, barrier, POLYPROC_FOREVER);
  comes(&second, barrier, POLYPROC_FOREVER);
  lead(barrier, 2);
  ANSWERS(OK, polyproc_barrier_complete(barrier, 0));
  FAULT("the leader breaks it", E_BROKEN_BARRIER, has_gone(&first));
  ANSWERS(E_BROKEN_BARRIER, has_gone(&second));
  polyproc_barrier_close(barrier);
}

/* Leads a round in which another party gives up soon. If it gives up before it is held: again, with
 * more time. */
static void lead_one_in_a_hurry(polyproc_barrier *barrier, comer_t *first, comer_t *hurried) {
  uint32_t index = 77;
  int32_t leader = 77;
  int64_t timeout_ns = 20 * MILLISECOND;
  for (;;) {
    comes(first, barrier, POLYPROC_FOREVER);
    sets_out(hurried, barrier, timeout_ns);
    while (waiting_at(barrier) != 2 && !broken(barrier)) {
      nap(MILLISECOND);
    }
    if (polyproc_barrier_arrive(barrier, &index, &leader, PATIENCE, NULL) == POLYPROC_OK) {
      CHECK(leader == 1 && index == 2);
      return;
    }
    CHECK(has_gone(first) == POLYPROC_E_BROKEN_BARRIER && has_gone(hurried) == POLYPROC_E_TIMEOUT);
    ANSWERS(OK, polyproc_barrier_reset(barrier));
    timeout_ns *= 2;
  }
}

static void who_gives_up_while_held_breaks_it(void) {
  polyproc_barrier *barrier = barrier_for(3);
  comer_t first;
  comer_t second;

  lead_one_in_a_hurry(barrier, &first, &second);
  FAULT("timeout passes", E_TIMEOUT, has_gone(&second));
  FAULT("a party gave up", E_BROKEN_BARRIER, has_gone(&first));
  FAULT("a party gave up", E_BROKEN_BARRIER, polyproc_barrier_complete(barrier, 1));

  ANSWERS(OK, polyproc_barrier_reset(barrier));
  comes(&first, barrier, POLYPROC_FOREVER);
  comes(&second, barrier, POLYPROC_FOREVER);
  lead(barrier, 2);
  ANSWERS(OK, polyproc_barrier_reset(barrier));
  FAULT("reset while it waits", E_BROKEN_BARRIER, has_gone(&first));
  ANSWERS(E_BROKEN_BARRIER, has_gone(&second));
  FAULT("reset meanwhile", E_NOT_OWNER, polyproc_barrier_complete(barrier, 1));
  CHECK(!broken(barrier));

  comes(&first, barrier, POLYPROC_FOREVER);
  comes(&second, barrier, POLYPROC_FOREVER);
  lead(barrier, 2);
  ANSWERS(OK, polyproc_barrier_abort(barrier));
  FAULT("aborted while it waits", E_BROKEN_BARRIER, has_gone(&first));
  ANSWERS(E_BROKEN_BARRIER, has_gone(&second));
  polyproc_barrier_close(barrier);
}

/* A party beyond the number of the barrier delays no other, and may stay or go. */
static void who_comes_while_others_are_held(void) {
  polyproc_barrier *barrier = barrier_for(2);
  comer_t first;
  comer_t next;
  uint32_t index = 77;
  int32_t leader = 77;

  comes(&first, barrier, POLYPROC_FOREVER);
  lead(barrier, 1);
  ANSWERS(E_TIMEOUT, polyproc_barrier_arrive(barrier, &index, &leader, 0, NULL));
  ANSWERS(E_TIMEOUT, polyproc_barrier_wait(barrier, &index, 10 * MILLISECOND, NULL));
  CHECK(!broken(barrier) && waiting_at(barrier) == 1);
  next = first;
  next.status = next.leader = 77;
  next.thread = start(arrive, &next);
  nap(20 * MILLISECOND);
  CHECK(waiting_at(barrier) == 1);
  ANSWERS(OK, polyproc_barrier_complete(barrier, 1));
  ANSWERS(OK, has_gone(&first));
  until_waiting(barrier, 1);
  ANSWERS(OK, polyproc_barrier_wait(barrier, &index, PATIENCE, NULL));
  ANSWERS(OK, has_gone(&next));
  CHECK(next.index == 0 && index == 1);
  polyproc_barrier_close(barrier);
}

static void only_the_leader_completes(void) {
  polyproc_barrier *barrier = barrier_for(2);
  comer_t first;
  pid_t child;

  comes(&first, barrier, POLYPROC_FOREVER);
  lead(barrier, 1);
  child = forked();
  if (child == 0) {
    FAULT("not the owner: another process", E_NOT_OWNER, polyproc_barrier_complete(barrier, 1));
    ANSWERS(E_NOT_OWNER, polyproc_barrier_complete(barrier, 0));
    _exit(0);
  }
  went_well(child);
  CHECK(first.status == 77 && waiting_at(barrier) == 1);
  ANSWERS(OK, polyproc_barrier_complete(barrier, 1));
  ANSWERS(OK, has_gone(&first));
  polyproc_barrier_close(barrier);
}

static void the_leader_is_killed(void) {
  polyproc_barrier *barrier = barrier_for(2);
  polyproc_event *leads = NULL;
  comer_t first;
  pid_t child;

  ANSWERS(OK, polyproc_event_create(NULL, NULL, &leads));
  comes(&first, barrier, POLYPROC_FOREVER);
  child = forked();
  if (child == 0) {
    lead(barrier, 1);
    ANSWERS(OK, polyproc_event_set(leads));
    for (;;) {
      pause();
    }
  }
  ANSWERS(OK, polyproc_event_wait(leads, PATIENCE, NULL));
  CHECK(first.status == 77 && waiting_at(barrier) == 1);
  kill_and_reap(child);
  FAULT("peer killed", E_BROKEN_BARRIER, has_gone(&first));
  CHECK(broken(barrier));
  FAULT("peer killed", E_BROKEN_BARRIER, polyproc_barrier_complete(barrier, 1));
  polyproc_barrier_close(barrier);
  polyproc_event_close(leads);
}

int main(void) {
  alone();
  held_until_the_leader_says_so();
  who_gives_up_while_held_breaks_it();
  who_comes_while_others_are_held();
  only_the_leader_completes();
  the_leader_is_killed();
  return 0;
}
