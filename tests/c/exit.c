/* The children of a process that exits: ended, waited for, or left alone. */
#include "check.h"

static polyproc_event *started;
static polyproc_event *go;
static polyproc_event *done;

static void make_events(void) {
  ANSWERS(OK, polyproc_event_create(NULL, NULL, &started));
  ANSWERS(OK, polyproc_event_create(NULL, NULL, &go));
  ANSWERS(OK, polyproc_event_create(NULL, NULL, &done));
}

static void close_events(void) {
  polyproc_event_close(started);
  polyproc_event_close(go);
  polyproc_event_close(done);
}

static int is_set(polyproc_event *event) {
  int32_t set = 7;
  ANSWERS(OK, polyproc_event_is_set(event, &set));
  return set;
}

static int takes_its_time(void *argument) {
  (void)argument;
  nap(200 * MILLISECOND);
  ANSWERS(OK, polyproc_event_set(done));
  return 0;
}

static int waits_to_go(void *argument) {
  (void)argument;
  ANSWERS(OK, polyproc_event_set(started));
  ANSWERS(OK, polyproc_event_wait(go, PATIENCE, NULL));
  ANSWERS(OK, polyproc_event_set(done));
  return 0;
}

static void say_and_leave(int number) {
  (void)number;
  polyproc_event_set(done);
  _exit(0);
}

static int cleans_up_when_asked(void *argument) {
  (void)argument;
  CHECK(signal(SIGTERM, say_and_leave) != SIG_ERR);
  ANSWERS(OK, polyproc_event_set(started));
  for (;;) {
    pause();
  }
}

static int does_not_listen(void *argument) {
  (void)argument;
  CHECK(signal(SIGTERM, SIG_IGN) != SIG_ERR);
  ANSWERS(OK, polyproc_event_set(started));
  for (;;) {
    pause();
  }
}

/* Forks without keeping the handle: the library knows the child anyway. */
static int32_t child_that(int (*target)(void *), uint32_t flags) {
  polyproc_process_options options = POLYPROC_PROCESS_OPTIONS_INIT;
  polyproc_process *process = NULL;
  int32_t pid = 0;
  options.flags = flags;
  ANSWERS(OK, polyproc_process_fork(&options, target, NULL, &process));
  ANSWERS(OK, polyproc_process_pid(process, &pid));
  polyproc_process_close(process);
  return pid;
}

/* A process that starts a child and ends as if main returned. */
static pid_t parent_of(int (*target)(void *), uint32_t flags, int32_t at_exit) {
  pid_t parent = forked();
  if (parent == 0) {
    ANSWERS(OK, polyproc_exit_children_at_exit(at_exit));
    child_that(target, flags);
    if (target != takes_its_time) {
      ANSWERS(OK, polyproc_event_wait(started, PATIENCE, NULL));
    }
    exit(0);
  }
  return parent;
}

static void an_exit_waits_for_children(void) {
  make_events();
  went_well(parent_of(takes_its_time, 0, 1));
  CHECK(is_set(done));
  close_events();
}

static void an_exit_asks_the_daemonic_to_end(void) {
  make_events();
  went_well(parent_of(cleans_up_when_asked, POLYPROC_PROCESS_DAEMON, 1));
  CHECK(is_set(done));
  close_events();
}

static void a_daemonic_child_that_does_not_listen_is_killed(void) {
  int64_t began;
  make_events();
  began = now();
  went_well(parent_of(does_not_listen, POLYPROC_PROCESS_DAEMON, 1));
  CHECK(now() - began >= 5 * SECOND);
  close_events();
}

static void switched_off_the_children_go_on(void) {
  make_events();
  went_well(parent_of(waits_to_go, 0, 0));
  CHECK(!is_set(done));
  ANSWERS(OK, polyproc_event_set(go));
  ANSWERS(OK, polyproc_event_wait(done, PATIENCE, NULL));
  close_events();
}

/* A child with a child of its own: each exit handles its own children. */
static int forks_in_turn(void *argument) {
  (void)argument;
  ANSWERS(OK, polyproc_event_set(started));
  child_that(takes_its_time, 0);
  return 0;
}

static void a_forked_child_waits_for_its_own(void) {
  make_events();
  went_well(parent_of(forks_in_turn, 0, 1));
  CHECK(is_set(done));
  close_events();
}

static void called_by_hand(void) {
  polyproc_process_options options = POLYPROC_PROCESS_OPTIONS_INIT;
  polyproc_process *process = NULL;
  size_t count = 7;
  int32_t code = 7;
  make_events();
  ANSWERS(OK, polyproc_exit_children());
  options.flags = POLYPROC_PROCESS_DAEMON;
  ANSWERS(OK, polyproc_process_fork(&options, waits_to_go, NULL, &process));
  child_that(takes_its_time, 0);
  ANSWERS(OK, polyproc_exit_children());
  CHECK(is_set(done));
  ANSWERS(OK, polyproc_active_children(NULL, 0, &count));
  CHECK(count == 0);
  ANSWERS(OK, polyproc_process_exit_code(process, &code));
  CHECK(code == -SIGTERM);
  ANSWERS(OK, polyproc_exit_children());
  polyproc_process_close(process);
  close_events();
}

static void an_adopted_process_is_left_alone(void) {
  polyproc_process *process = NULL;
  int32_t alive = 7;
  pid_t child = forked();
  if (child == 0) {
    for (;;) {
      pause();
    }
  }
  ANSWERS(OK, polyproc_process_adopt(child, &process));
  ANSWERS(OK, polyproc_exit_children());
  ANSWERS(OK, polyproc_process_is_alive(process, &alive));
  CHECK(alive == 1);
  ANSWERS(OK, polyproc_process_kill(process));
  ANSWERS(OK, polyproc_process_join(process, PATIENCE, NULL));
  polyproc_process_close(process);
}

static void nothing(int number) {
  (void)number;
}

static void *interrupts(void *argument) {
  pthread_t main_thread = *(pthread_t *)argument;
  int32_t set = 0;
  /* Repeated, because the first signal may come before the wait. */
  while (!set) {
    CHECK(pthread_kill(main_thread, SIGUSR1) == 0);
    nap(5 * MILLISECOND);
    ANSWERS(OK, polyproc_event_is_set(started, &set));
  }
  return NULL;
}

static void a_signal_ends_it_where_waits_are_interruptible(void) {
  struct sigaction action;
  pthread_t self = pthread_self();
  pthread_t thread;
  make_events();
  memset(&action, 0, sizeof action);
  action.sa_handler = nothing;
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
  child_that(waits_to_go, 0);
  ANSWERS(OK, polyproc_event_wait(started, PATIENCE, NULL));
  ANSWERS(OK, polyproc_event_clear(started));
  ANSWERS(OK, polyproc_interruptible(1));
  thread = start(interrupts, &self);
  ANSWERS(E_INTERRUPTED, polyproc_exit_children());
  ANSWERS(OK, polyproc_event_set(started));
  finish(thread);
  ANSWERS(OK, polyproc_interruptible(0));
  ANSWERS(OK, polyproc_event_set(go));
  ANSWERS(OK, polyproc_exit_children());
  CHECK(is_set(done));
  close_events();
}

/* The process that forks a pool's workers is a child too, and ends by itself only when the pool is
 * closed. */
static void an_exit_with_an_open_pool(void) {
  pid_t parent = forked();
  if (parent == 0) {
    polyproc_pool_options options = POLYPROC_POOL_OPTIONS_INIT;
    polyproc_pool *pool = NULL;
    options.workers = 2;
    ANSWERS(OK, polyproc_pool_create(&options, &pool));
    exit(0);
  }
  went_well(parent);
}

int main(void) {
  ANSWERS(E_INVALID, polyproc_exit_children_at_exit(2));
  ANSWERS(E_INVALID, polyproc_exit_children_at_exit(-1));
  an_exit_waits_for_children();
  an_exit_asks_the_daemonic_to_end();
  a_daemonic_child_that_does_not_listen_is_killed();
  switched_off_the_children_go_on();
  a_forked_child_waits_for_its_own();
  an_exit_with_an_open_pool();
  called_by_hand();
  an_adopted_process_is_left_alone();
  a_signal_ends_it_where_waits_are_interruptible();
  return 0;
}
