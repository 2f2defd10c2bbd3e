/* The barrier: its rounds, and every way to break one. barrier_steps.c tests the two steps. */
#include "barrier.h"

static void one_party(void) {
  polyproc_barrier *barrier = barrier_for(1);
  uint32_t index = 7;
  uint32_t parties = 0;

  ANSWERS(OK, polyproc_barrier_parties(barrier, &parties));
  CHECK(parties == 1);
  FAULT("timeout 0", OK, polyproc_barrier_wait(barrier, &index, 0, NULL));
  CHECK(index == 0);
  FAULT("timeout negative", OK, polyproc_barrier_wait(barrier, &index, INT64_MIN, NULL));
  FAULT("timeout huge", OK, polyproc_barrier_wait(barrier, &index, INT64_MAX, NULL));
  CHECK(waiting_at(barrier) == 0 && !broken(barrier));
  polyproc_barrier_close(barrier);
}

static void numbers_of_parties(void) {
  const name_t name = unique("parties");
  polyproc_options options = POLYPROC_OPTIONS_INIT;
  polyproc_barrier *barrier = NULL;
  polyproc_barrier *none = NULL;
  uint32_t parties = 0;

  FAULT("number out of range", E_INVALID, polyproc_barrier_create(NULL, NULL, 0, &none));
  ANSWERS(E_INVALID, polyproc_barrier_create(NULL, NULL, POLYPROC_BARRIER_PARTIES_MAX + 1, &none));
  ANSWERS(E_INVALID, polyproc_barrier_create(NULL, NULL, UINT32_MAX, &none));
  ANSWERS(OK, polyproc_barrier_create(name.text, NULL, POLYPROC_BARRIER_PARTIES_MAX, &barrier));
  options.flags = POLYPROC_OPEN_OR_CREATE;
  FAULT("another shape", E_MISMATCH, polyproc_barrier_create(name.text, &options, 3, &none));
  ANSWERS(E_EXISTS, polyproc_barrier_create(name.text, NULL, POLYPROC_BARRIER_PARTIES_MAX, &none));
  CHECK(none == NULL);
  polyproc_barrier_close(barrier);
  ANSWERS(OK, polyproc_barrier_open(name.text, &barrier));
  ANSWERS(OK, polyproc_barrier_parties(barrier, &parties));
  CHECK(parties == POLYPROC_BARRIER_PARTIES_MAX);
  polyproc_barrier_close(barrier);
  ANSWERS(OK, polyproc_unlink(name.text));
}

enum { PROCESSES = 3, THREADS = 2, PARTIES = PROCESSES * THREADS, ROUNDS = 100 };

static polyproc_barrier *meeting;
static polyproc_queue *indexes;

/* Every party marks its index; one of them checks that each was there once. */
static void *meet(void *unused) {
  int round;
  for (round = 0; round < ROUNDS; round++) {
    uint32_t index = 77;
    size_t len = 0;
    ANSWERS(OK, polyproc_barrier_wait(meeting, &index, PATIENCE, NULL));
    CHECK(index < PARTIES);
    ANSWERS(OK, polyproc_queue_put(indexes, &index, sizeof index, PATIENCE, NULL));
    ANSWERS(OK, polyproc_barrier_wait(meeting, &index, PATIENCE, NULL));
    if (index == 0) {
      uint32_t seen = 0;
      int i;
      for (i = 0; i < PARTIES; i++) {
        ANSWERS(OK, polyproc_queue_get(indexes, &index, sizeof index, &len, 0, NULL));
        seen |= (uint32_t)1 << index;
      }
      CHECK(seen == (1 << PARTIES) - 1);
    }
    ANSWERS(OK, polyproc_barrier_wait(meeting, &index, PATIENCE, NULL));
  }
  return unused;
}

static void rounds(void) {
  pid_t children[PROCESSES];
  int i;

  meeting = barrier_for(PARTIES);
  ANSWERS(OK, polyproc_queue_create(NULL, NULL, &indexes));
  for (i = 0; i < PROCESSES; i++) {
    children[i] = forked();
    if (children[i] == 0) {
      pthread_t threads[THREADS];
      int j;
      for (j = 0; j < THREADS; j++) {
        threads[j] = start(meet, NULL);
      }
      for (j = 0; j < THREADS; j++) {
        finish(threads[j]);
      }
      _exit(0);
    }
  }
  for (i = 0; i < PROCESSES; i++) {
    went_well(children[i]);
  }
  CHECK(waiting_at(meeting) == 0 && !broken(meeting));
  polyproc_barrier_close(meeting);
  polyproc_queue_close(indexes);
}

static void who_gives_up_breaks_it(void) {
  polyproc_barrier *barrier = barrier_for(3);
  polyproc_cancel *token = NULL;
  party_t party;
  uint32_t index = 77;
  int64_t began;

  party_waits(&party, barrier);
  began = now();
  FAULT("timeout passes", E_TIMEOUT, polyproc_barrier_wait(barrier, &index, 30 * MILLISECOND, NULL));
  CHECK(now() - began >= 30 * MILLISECOND && index == 77);
  FAULT("a party gave up", E_BROKEN_BARRIER, party_ended(&party));
  CHECK(broken(barrier) && waiting_at(barrier) == 0);
  FAULT("broken", E_BROKEN_BARRIER, polyproc_barrier_wait(barrier, &index, POLYPROC_FOREVER, NULL));
  CHECK(index == 77);

  ANSWERS(OK, polyproc_barrier_reset(barrier));
  CHECK(!broken(barrier));
  party_waits(&party, barrier);
  FAULT("timeout 0", E_TIMEOUT, polyproc_barrier_wait(barrier, &index, 0, NULL));
  ANSWERS(E_BROKEN_BARRIER, party_ended(&party));

  ANSWERS(OK, polyproc_barrier_reset(barrier));
  ANSWERS(OK, polyproc_cancel_create(&token));
  ANSWERS(OK, polyproc_cancel_fire(token));
  party_waits(&party, barrier);
  FAULT("canceled", E_CANCELED, polyproc_barrier_wait(barrier, &index, POLYPROC_FOREVER, token));
  ANSWERS(E_BROKEN_BARRIER, party_ended(&party));
  polyproc_cancel_close(token);
  polyproc_barrier_close(barrier);
}

static void a_closed_handle_breaks_it(void) {
  const name_t name = unique("closed");
  polyproc_barrier *first = NULL;
  polyproc_barrier *second = NULL;
  party_t parties[2];

  ANSWERS(OK, polyproc_barrier_create(name.text, NULL, 3, &first));
  ANSWERS(OK, polyproc_barrier_open(name.text, &second));
  party_waits(&parties[0], first);
  party_waits(&parties[1], second);
  polyproc_barrier_close(second);
  FAULT("closed while it waits", E_CLOSED, party_ended(&parties[1]));
  ANSWERS(E_BROKEN_BARRIER, party_ended(&parties[0]));
  polyproc_barrier_close(first);
  ANSWERS(OK, polyproc_unlink(name.text));
}

static void reset_and_abort(void) {
  polyproc_barrier *barrier = barrier_for(2);
  party_t party;
  uint32_t index = 77;

  party_waits(&party, barrier);
  ANSWERS(OK, polyproc_barrier_reset(barrier));
  FAULT("reset while it waits", E_BROKEN_BARRIER, party_ended(&party));
  CHECK(!broken(barrier));
  party_waits(&party, barrier);
  ANSWERS(OK, polyproc_barrier_wait(barrier, &index, PATIENCE, NULL));
  CHECK(index == 1);
  ANSWERS(OK, party_ended(&party));
  CHECK(party.index == 0);

  party_waits(&party, barrier);
  ANSWERS(OK, polyproc_barrier_abort(barrier));
  FAULT("aborted while it waits", E_BROKEN_BARRIER, party_ended(&party));
  ANSWERS(OK, polyproc_barrier_abort(barrier));
  ANSWERS(E_BROKEN_BARRIER, polyproc_barrier_wait(barrier, &index, 0, NULL));
  ANSWERS(OK, polyproc_barrier_reset(barrier));
  ANSWERS(OK, polyproc_barrier_reset(barrier));
  party_waits(&party, barrier);
  ANSWERS(OK, polyproc_barrier_wait(barrier, &index, 0, NULL));
  ANSWERS(OK, party_ended(&party));
  polyproc_barrier_close(barrier);
}

static void a_party_is_killed(void) {
  polyproc_barrier *barrier = barrier_for(3);
  party_t party;
  uint32_t index = 77;
  pid_t child = a_child_that_waits(barrier);

  party_waits(&party, barrier);
  kill_and_reap(child);
  FAULT("peer killed", E_BROKEN_BARRIER, party_ended(&party));
  CHECK(broken(barrier) && waiting_at(barrier) == 0);

  /* No party was there to see it; the next one does. */
  ANSWERS(OK, polyproc_barrier_reset(barrier));
  kill_and_reap(a_child_that_waits(barrier));
  CHECK(broken(barrier));
  ANSWERS(OK, polyproc_barrier_reset(barrier));
  kill_and_reap(a_child_that_waits(barrier));
  ANSWERS(E_BROKEN_BARRIER, polyproc_barrier_wait(barrier, &index, POLYPROC_FOREVER, NULL));
  polyproc_barrier_close(barrier);
}

/* A stopped party is not dead and delays no other; it gets its round's answer later. */
static void a_party_is_stopped(void) {
  polyproc_barrier *barrier = barrier_for(2);
  uint32_t index = 77;
  pid_t child = a_child_that_waits(barrier);
  int64_t began;

  CHECK(kill(child, SIGSTOP) == 0);
  began = now();
  FAULT("peer stopped", OK, polyproc_barrier_wait(barrier, &index, POLYPROC_FOREVER, NULL));
  CHECK(now() - began < SECOND && index == 1);
  ANSWERS(E_TIMEOUT, polyproc_barrier_wait(barrier, &index, 0, NULL));
  CHECK(broken(barrier));
  CHECK(kill(child, SIGCONT) == 0);
  went_well(child);
  polyproc_barrier_close(barrier);
}

static void ignore(int signal_number) {
  (void)signal_number;
}

static void an_interrupted_party_comes_again(void) {
  polyproc_barrier *barrier = barrier_for(3);
  struct sigaction action;
  party_t parties[2];
  uint32_t index = 77;

  memset(&action, 0, sizeof action);
  action.sa_handler = ignore;
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
  ANSWERS(OK, polyproc_interruptible(1));
  party_waits(&parties[0], barrier);
  party_waits(&parties[1], barrier);
  do {
    pthread_kill(parties[0].thread, SIGUSR1);
    nap(MILLISECOND);
  } while (waiting_at(barrier) == 2);
  FAULT("interrupted", E_INTERRUPTED, party_ended(&parties[0]));
  CHECK(!broken(barrier));
  ANSWERS(OK, polyproc_interruptible(0));
  party_waits(&parties[0], barrier);
  ANSWERS(OK, polyproc_barrier_wait(barrier, &index, PATIENCE, NULL));
  ANSWERS(OK, party_ended(&parties[0]));
  ANSWERS(OK, party_ended(&parties[1]));
  CHECK(parties[0].index == 0 && parties[1].index == 1 && index == 2);
  polyproc_barrier_close(barrier);
}

int main(void) {
  one_party();
  numbers_of_parties();
  rounds();
  who_gives_up_breaks_it();
  a_closed_handle_breaks_it();
  reset_and_abort();
  a_party_is_killed();
  a_party_is_stopped();
  an_interrupted_party_comes_again();
  return 0;
}
