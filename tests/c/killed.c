/* A process that another one waits for is killed: what each waiting function returns then. */
#include <arpa/inet.h>
#include <sys/socket.h>

#include "check.h"

typedef struct {
  const char *function;
  int32_t answer; /* after the death, and after what `then` does */
  void (*make)(void);
  void (*victim)(void); /* in a child: ends where it is to be killed, or waits there */
  int32_t (*call)(void);
  void (*then)(void);
} way_t;

#define KILLED_WAY(function, answer, make, victim, call, then) \
  { #function, POLYPROC_##answer, make, victim, call, then }

static polyproc_lock *lock;
static polyproc_rlock *rlock;
static polyproc_semaphore *semaphore;
static polyproc_event *event;
static polyproc_condition *condition;
static polyproc_barrier *barrier;
static polyproc_queue *queue;
static polyproc_connection *a;
static polyproc_connection *b;
static polyproc_listener *listener;
static polyproc_process *process;
static char address[128];
static pid_t child;

/* The victim sets it when it is ready to be killed; a victim that waits sets it before its wait. */
static polyproc_event *ready;

static void nothing(void) {}

enum { OWNER = 1, OTHER = 2, PIECE = 64 * 1024 };

static void make_locks(void) {
  polyproc_semaphore_options options = POLYPROC_SEMAPHORE_OPTIONS_INIT;
  options.flags = POLYPROC_SEMAPHORE_OWNED;
  options.initial = 1;
  ANSWERS(OK, polyproc_lock_create(NULL, NULL, &lock));
  ANSWERS(OK, polyproc_rlock_create(NULL, NULL, &rlock));
  ANSWERS(OK, polyproc_semaphore_create(NULL, &options, &semaphore));
}

static void holds_all(void) {
  ANSWERS(OK, polyproc_lock_acquire(lock, 0, NULL));
  ANSWERS(OK, polyproc_rlock_acquire(rlock, OWNER, 0, NULL));
  ANSWERS(OK, polyproc_semaphore_acquire(semaphore, 0, NULL));
}

static int32_t acquire_lock(void) {
  return polyproc_lock_acquire(lock, POLYPROC_FOREVER, NULL);
}

static int32_t acquire_rlock(void) {
  return polyproc_rlock_acquire(rlock, OTHER, POLYPROC_FOREVER, NULL);
}

static int32_t acquire_semaphore(void) {
  return polyproc_semaphore_acquire(semaphore, POLYPROC_FOREVER, NULL);
}

/* Another process that waits beside the victim is not disturbed. */
static void make_event(void) {
  ANSWERS(OK, polyproc_event_create(NULL, NULL, &event));
}

static void waits_for_event(void) {
  ANSWERS(OK, polyproc_event_set(ready));
  polyproc_event_wait(event, POLYPROC_FOREVER, NULL);
}

static int32_t wait_for_event(void) {
  return polyproc_event_wait(event, POLYPROC_FOREVER, NULL);
}

static int32_t wait_for_event_since(void) {
  return polyproc_event_wait_since(event, 0, POLYPROC_FOREVER, NULL);
}

static void set_event(void) {
  ANSWERS(OK, polyproc_event_set(event));
}

/* Killed while it holds the lock that the wait must take again: the wait gets the lock with
 * OWNER_DIED. */
static void make_condition(void) {
  make_locks();
  ANSWERS(OK, polyproc_condition_create(NULL, NULL, &condition));
}

static void takes_a_lock_of_one_that_waits(void) {
  uint32_t depth = 0;
  /* The wait has released the rlock by then, so the victim holds it. */
  ANSWERS(OK, polyproc_event_wait(event, PATIENCE, NULL));
  ANSWERS(OK, polyproc_lock_acquire(lock, PATIENCE, NULL));
  ANSWERS(OK, polyproc_rlock_acquire(rlock, OWNER, PATIENCE, NULL));
  ANSWERS(OK, polyproc_rlock_depth(rlock, &depth));
  ANSWERS(OK, polyproc_condition_notify_all(condition));
}

static void make_condition_with_event(void) {
  make_condition();
  make_event();
}

static int32_t wait_for_condition(void) {
  ANSWERS(OK, polyproc_lock_acquire(lock, PATIENCE, NULL));
  ANSWERS(OK, polyproc_event_set(event));
  return polyproc_condition_wait(condition, lock, POLYPROC_FOREVER, NULL);
}

static int32_t wait_for_condition_with_rlock(void) {
  ANSWERS(OK, polyproc_rlock_acquire(rlock, OTHER, PATIENCE, NULL));
  ANSWERS(OK, polyproc_event_set(event));
  return polyproc_condition_wait_rlock(condition, rlock, OTHER, POLYPROC_FOREVER, NULL);
}

static void make_barrier(void) {
  ANSWERS(OK, polyproc_barrier_create(NULL, NULL, 3, &barrier));
}

static void waits_at_barrier(void) {
  uint32_t index;
  ANSWERS(OK, polyproc_event_set(ready));
  polyproc_barrier_wait(barrier, &index, POLYPROC_FOREVER, NULL);
}

static int32_t wait_at_barrier(void) {
  uint32_t index;
  uint32_t waiting = 0;
  const int64_t end = now() + PATIENCE;
  while (waiting == 0) {
    CHECK(now() < end);
    ANSWERS(OK, polyproc_barrier_waiting(barrier, &waiting));
  }
  return polyproc_barrier_wait(barrier, &index, POLYPROC_FOREVER, NULL);
}

static int32_t arrive_at_barrier(void) {
  uint32_t index;
  int32_t leader;
  return polyproc_barrier_arrive(barrier, &index, &leader, POLYPROC_FOREVER, NULL);
}

static void until_both_wait(void) {
  uint32_t waiting = 0;
  const int64_t end = now() + PATIENCE;
  while (waiting != 2) {
    CHECK(now() < end);
    ANSWERS(OK, polyproc_barrier_waiting(barrier, &waiting));
  }
}

static void make_tasks(void) {
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  options.flags = POLYPROC_QUEUE_JOINABLE;
  ANSWERS(OK, polyproc_queue_create(NULL, &options, &queue));
  ANSWERS(OK, polyproc_queue_put(queue, "x", 1, 0, NULL));
}

/* The only delivery that is allowed. */
static void make_last_try(void) {
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  options.flags = POLYPROC_QUEUE_JOINABLE;
  options.max_deliveries = 1;
  ANSWERS(OK, polyproc_queue_create(NULL, &options, &queue));
  ANSWERS(OK, polyproc_queue_put(queue, "x", 1, 0, NULL));
}

static void takes_a_task(void) {
  polyproc_message message;
  ANSWERS(OK, polyproc_queue_take(queue, &message, 0, NULL));
}

static int32_t get(void) {
  char buf[8];
  size_t len;
  return polyproc_queue_get(queue, buf, sizeof buf, &len, POLYPROC_FOREVER, NULL);
}

static int32_t take(void) {
  polyproc_message message;
  const int32_t status = polyproc_queue_take(queue, &message, POLYPROC_FOREVER, NULL);
  CHECK(status != POLYPROC_OK || message.deliveries == 2);
  ANSWERS(OK, polyproc_message_done(&message));
  return status;
}

static int32_t take_many(void) {
  polyproc_message message;
  size_t taken = 0;
  const int32_t status = polyproc_queue_take_many(queue, &message, 1, &taken, POLYPROC_FOREVER, NULL);
  CHECK(status != POLYPROC_OK || (taken == 1 && message.deliveries == 2));
  ANSWERS(OK, polyproc_message_done(&message));
  return status;
}

static int32_t join_tasks(void) {
  return polyproc_queue_join(queue, POLYPROC_FOREVER, NULL);
}

static void make_small(void) {
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  options.max_items = 1;
  ANSWERS(OK, polyproc_queue_create(NULL, &options, &queue));
}

static void reserves_the_room(void) {
  polyproc_slot slot;
  ANSWERS(OK, polyproc_queue_reserve(queue, 1, &slot, 0, NULL));
}

static int32_t put(void) {
  return polyproc_queue_put(queue, "x", 1, POLYPROC_FOREVER, NULL);
}

static int32_t put_many(void) {
  const polyproc_slice slice = {"x", 1};
  size_t count;
  return polyproc_queue_put_many(queue, &slice, 1, &count, POLYPROC_FOREVER, NULL);
}

static int32_t put_id(void) {
  uint64_t id;
  return polyproc_queue_put_id(queue, "x", 1, &id, POLYPROC_FOREVER, NULL);
}

static int32_t reserve(void) {
  polyproc_slot slot;
  const int32_t status = polyproc_queue_reserve(queue, 1, &slot, POLYPROC_FOREVER, NULL);
  ANSWERS(OK, polyproc_slot_abort(&slot));
  return status;
}

static char piece[PIECE];

static void make_pipe(void) {
  ANSWERS(OK, polyproc_pipe_create(1, &a, &b));
}

static void has_the_other_end(void) {
  polyproc_connection_close(a);
}

static void give_it_away(void) {
  polyproc_connection_close(b);
}

static int32_t receive(void) {
  size_t len;
  return polyproc_connection_recv(a, piece, sizeof piece, &len, POLYPROC_FOREVER, NULL);
}

static int32_t poll_end(void) {
  return polyproc_connection_poll(a, POLYPROC_FOREVER, NULL);
}

static int32_t send_much(void) {
  int32_t status = POLYPROC_OK;
  while (status == POLYPROC_OK) {
    status = polyproc_connection_send(a, piece, sizeof piece, POLYPROC_FOREVER, NULL);
  }
  return status;
}

static int32_t wait_for_any(void) {
  polyproc_waitable item;
  size_t count;
  item.kind = POLYPROC_WAIT_CONNECTION;
  item.object = a;
  return polyproc_wait_any(&item, 1, &count, POLYPROC_FOREVER, NULL);
}

static int32_t join_process(void) {
  ANSWERS(OK, polyproc_process_adopt(child, &process));
  return polyproc_process_join(process, POLYPROC_FOREVER, NULL);
}

static polyproc_listener_options keyed(void) {
  polyproc_listener_options options = POLYPROC_LISTENER_OPTIONS_INIT;
  options.authkey = "key";
  options.authkey_len = 3;
  return options;
}

static int port;

static void make_listener(void) {
  const polyproc_listener_options options = keyed();
  size_t len;
  ANSWERS(OK, polyproc_listener_create("tcp://127.0.0.1:0", &options, &listener));
  ANSWERS(OK, polyproc_listener_address(listener, address, sizeof address, &len));
  port = atoi(strrchr(address, ':') + 1);
}

static struct sockaddr_in here(void) {
  struct sockaddr_in place;
  memset(&place, 0, sizeof place);
  place.sin_family = AF_INET;
  place.sin_port = htons((uint16_t)port);
  place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return place;
}

/* A client that never shows its key. */
static void knocks(void) {
  const struct sockaddr_in place = here();
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(fd >= 0 && connect(fd, (const struct sockaddr *)&place, sizeof place) == 0);
}

static int32_t accept_next(void) {
  polyproc_connection *connection = NULL;
  const int32_t status = polyproc_listener_accept(listener, &connection, POLYPROC_FOREVER, NULL);
  polyproc_connection_close(connection);
  return status;
}

static void come_with_the_key(void) {
  const polyproc_listener_options options = keyed();
  polyproc_connection *connection = NULL;
  ANSWERS(OK, polyproc_connect(address, &options, &connection, PATIENCE, NULL));
  polyproc_connection_close(connection);
}

static int silent = -1;

/* A listener that never answers; only the child has it. */
static void make_silent(void) {
  struct sockaddr_in place;
  socklen_t size = sizeof place;
  port = 0;
  place = here();
  silent = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(silent >= 0 && bind(silent, (const struct sockaddr *)&place, sizeof place) == 0);
  CHECK(listen(silent, 4) == 0 && getsockname(silent, (struct sockaddr *)&place, &size) == 0);
  snprintf(address, sizeof address, "tcp://127.0.0.1:%d", ntohs(place.sin_port));
}

static void accepts_and_says_nothing(void) {
  CHECK(accept(silent, NULL, NULL) >= 0);
}

static void give_silent_away(void) {
  CHECK(close(silent) == 0);
}

static int32_t connect_to_it(void) {
  const polyproc_listener_options options = keyed();
  polyproc_connection *connection = NULL;
  return polyproc_connect(address, &options, &connection, POLYPROC_FOREVER, NULL);
}

static const way_t ways[] = {
    KILLED_WAY(polyproc_lock_acquire, OWNER_DIED, make_locks, holds_all, acquire_lock, nothing),
    KILLED_WAY(polyproc_rlock_acquire, OWNER_DIED, make_locks, holds_all, acquire_rlock, nothing),
    KILLED_WAY(polyproc_semaphore_acquire, OK, make_locks, holds_all, acquire_semaphore, nothing),
    KILLED_WAY(polyproc_event_wait, OK, make_event, waits_for_event, wait_for_event, set_event),
    KILLED_WAY(polyproc_event_wait_since, OK, make_event, waits_for_event, wait_for_event_since, set_event),
    KILLED_WAY(polyproc_condition_wait, OWNER_DIED, make_condition_with_event, takes_a_lock_of_one_that_waits,
               wait_for_condition, nothing),
    KILLED_WAY(polyproc_condition_wait_rlock, OWNER_DIED, make_condition_with_event,
               takes_a_lock_of_one_that_waits, wait_for_condition_with_rlock, nothing),
    KILLED_WAY(polyproc_barrier_wait, E_BROKEN_BARRIER, make_barrier, waits_at_barrier, wait_at_barrier,
               nothing),
    KILLED_WAY(polyproc_barrier_arrive, E_BROKEN_BARRIER, make_barrier, waits_at_barrier, arrive_at_barrier,
               nothing),
    KILLED_WAY(polyproc_queue_get, OK, make_tasks, takes_a_task, get, nothing),
    KILLED_WAY(polyproc_queue_take, OK, make_tasks, takes_a_task, take, nothing),
    KILLED_WAY(polyproc_queue_take_many, OK, make_tasks, takes_a_task, take_many, nothing),
    KILLED_WAY(polyproc_queue_put, OK, make_small, reserves_the_room, put, nothing),
    KILLED_WAY(polyproc_queue_put_many, OK, make_small, reserves_the_room, put_many, nothing),
    KILLED_WAY(polyproc_queue_put_id, OK, make_small, reserves_the_room, put_id, nothing),
    KILLED_WAY(polyproc_queue_reserve, OK, make_small, reserves_the_room, reserve, nothing),
    KILLED_WAY(polyproc_queue_join, OK, make_last_try, takes_a_task, join_tasks, nothing),
    KILLED_WAY(polyproc_connection_recv, E_EOF, make_pipe, has_the_other_end, receive, nothing),
    KILLED_WAY(polyproc_connection_poll, OK, make_pipe, has_the_other_end, poll_end, nothing),
    KILLED_WAY(polyproc_connection_send, E_BROKEN_PIPE, make_pipe, has_the_other_end, send_much, nothing),
    KILLED_WAY(polyproc_wait_any, OK, make_pipe, has_the_other_end, wait_for_any, nothing),
    KILLED_WAY(polyproc_process_join, OK, nothing, nothing, join_process, nothing),
    KILLED_WAY(polyproc_listener_accept, OK, make_listener, knocks, accept_next, come_with_the_key),
    KILLED_WAY(polyproc_connect, E_EOF, make_silent, accepts_and_says_nothing, connect_to_it, nothing),
};

static int32_t answer;

static void *call_in_way(void *argument) {
  const way_t *way = (const way_t *)argument;
  answer = way->call();
  return NULL;
}

static void close_all(void) {
  polyproc_lock_close(lock);
  polyproc_rlock_close(rlock);
  polyproc_semaphore_close(semaphore);
  polyproc_event_close(event);
  polyproc_condition_close(condition);
  polyproc_barrier_close(barrier);
  polyproc_queue_close(queue);
  polyproc_connection_close(a);
  polyproc_listener_close(listener);
  polyproc_process_close(process);
  lock = NULL;
  rlock = NULL;
  semaphore = NULL;
  event = NULL;
  condition = NULL;
  barrier = NULL;
  queue = NULL;
  a = NULL;
  listener = NULL;
  process = NULL;
}

static void killed_in(const way_t *way) {
  int status = 0;
  pthread_t thread;
  const int waits_first = way->make == make_condition_with_event || way->make == make_silent;

  ANSWERS(OK, polyproc_event_create(NULL, NULL, &ready));
  way->make();
  child = forked();
  if (child == 0) {
    way->victim();
    ANSWERS(OK, polyproc_event_set(ready));
    for (;;) {
      pause();
    }
  }
  if (way->make == make_pipe) {
    give_it_away();
  } else if (way->make == make_silent) {
    give_silent_away();
  }
  if (!waits_first) {
    ANSWERS(OK, polyproc_event_wait(ready, PATIENCE, NULL));
  }
  thread = start(call_in_way, (void *)(uintptr_t)way);
  if (waits_first) {
    ANSWERS(OK, polyproc_event_wait(ready, PATIENCE, NULL));
  }
  if (way->make == make_barrier) {
    until_both_wait();
  }
  /* Usually it sleeps by then. The answer is the same if it does not. */
  nap(10 * MILLISECOND);
  CHECK(kill(child, SIGKILL) == 0);
  way->then();
  finish(thread);
  if (way->answer != answer) {
    fprintf(stderr, "%s, killed: answers %d (%s)\n", way->function, (int)answer, polyproc_strerror(answer));
    exit(1);
  }
  /* The library may have reaped it, if it was adopted. */
  CHECK(waitpid(child, &status, 0) == child || errno == ECHILD);
  close_all();
  polyproc_event_close(ready);
}

int main(void) {
  size_t i;
  for (i = 0; i < sizeof ways / sizeof *ways; i++) {
    killed_in(&ways[i]);
  }
  return 0;
}
