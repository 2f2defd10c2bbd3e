/* Every function that waits, without the pool's: each timeout, its token, a signal, its handle
 * closed. */
#include "waits.h"

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

enum { OWNER = 1, OTHER = 2, PIECE = 64 * 1024 };

static void make_lock(void) {
  ANSWERS(OK, polyproc_lock_create(NULL, NULL, &lock));
  ANSWERS(OK, polyproc_lock_acquire(lock, 0, NULL));
}

static int32_t acquire_lock(int64_t timeout_ns, polyproc_cancel *cancel) {
  return polyproc_lock_acquire(lock, timeout_ns, cancel);
}

static void let_go_lock(void) {
  ANSWERS(OK, polyproc_lock_release(lock));
}

static void close_lock(void) {
  polyproc_lock_close(lock);
}

static void make_rlock(void) {
  ANSWERS(OK, polyproc_rlock_create(NULL, NULL, &rlock));
  ANSWERS(OK, polyproc_rlock_acquire(rlock, OWNER, 0, NULL));
}

static int32_t acquire_rlock(int64_t timeout_ns, polyproc_cancel *cancel) {
  return polyproc_rlock_acquire(rlock, OTHER, timeout_ns, cancel);
}

static void let_go_rlock(void) {
  ANSWERS(OK, polyproc_rlock_release(rlock, OWNER));
}

static void close_rlock(void) {
  polyproc_rlock_close(rlock);
}

static void make_semaphore(void) {
  polyproc_semaphore_options options = POLYPROC_SEMAPHORE_OPTIONS_INIT;
  options.initial = 0;
  ANSWERS(OK, polyproc_semaphore_create(NULL, &options, &semaphore));
}

static int32_t acquire_semaphore(int64_t timeout_ns, polyproc_cancel *cancel) {
  return polyproc_semaphore_acquire(semaphore, timeout_ns, cancel);
}

static void let_go_semaphore(void) {
  ANSWERS(OK, polyproc_semaphore_release(semaphore, 1));
}

static void close_semaphore(void) {
  polyproc_semaphore_close(semaphore);
}

static void make_event(void) {
  ANSWERS(OK, polyproc_event_create(NULL, NULL, &event));
}

static int32_t wait_for_event(int64_t timeout_ns, polyproc_cancel *cancel) {
  return polyproc_event_wait(event, timeout_ns, cancel);
}

static int32_t wait_for_event_since(int64_t timeout_ns, polyproc_cancel *cancel) {
  return polyproc_event_wait_since(event, 0, timeout_ns, cancel);
}

static void let_go_event(void) {
  ANSWERS(OK, polyproc_event_set(event));
}

static void close_event(void) {
  polyproc_event_close(event);
}

/* Both are always there. The thread of a wait holds its lock whenever it does not wait, so a thread
 * that gets the lock finds the wait begun or over. */
static polyproc_lock *conditions_lock;
static polyproc_rlock *conditions_rlock;
static int is_inside;

static void make_condition(void) {
  ANSWERS(OK, polyproc_condition_create(NULL, NULL, &condition));
  is_inside = 0;
}

static int32_t wait_for_condition(int64_t timeout_ns, polyproc_cancel *cancel) {
  int32_t status;
  ANSWERS(OK, polyproc_lock_acquire(conditions_lock, PATIENCE, NULL));
  is_inside = 1;
  status = polyproc_condition_wait(condition, conditions_lock, timeout_ns, cancel);
  ANSWERS(OK, polyproc_lock_release(conditions_lock));
  return status;
}

static int32_t wait_for_condition_with_rlock(int64_t timeout_ns, polyproc_cancel *cancel) {
  int32_t status;
  ANSWERS(OK, polyproc_rlock_acquire(conditions_rlock, OTHER, PATIENCE, NULL));
  is_inside = 1;
  status = polyproc_condition_wait_rlock(condition, conditions_rlock, OTHER, timeout_ns, cancel);
  ANSWERS(OK, polyproc_rlock_release(conditions_rlock, OTHER));
  return status;
}

static void let_go_condition(void) {
  int inside = 0;
  while (!inside) {
    ANSWERS(OK, polyproc_lock_acquire(conditions_lock, PATIENCE, NULL));
    ANSWERS(OK, polyproc_rlock_acquire(conditions_rlock, OWNER, PATIENCE, NULL));
    inside = is_inside;
    ANSWERS(OK, polyproc_rlock_release(conditions_rlock, OWNER));
    ANSWERS(OK, polyproc_lock_release(conditions_lock));
  }
  ANSWERS(OK, polyproc_condition_notify_all(condition));
}

static void close_condition(void) {
  polyproc_condition_close(condition);
}

static void make_barrier(void) {
  ANSWERS(OK, polyproc_barrier_create(NULL, NULL, 2, &barrier));
}

static int32_t wait_at_barrier(int64_t timeout_ns, polyproc_cancel *cancel) {
  uint32_t index;
  return polyproc_barrier_wait(barrier, &index, timeout_ns, cancel);
}

static int32_t arrive_at_barrier(int64_t timeout_ns, polyproc_cancel *cancel) {
  uint32_t index;
  int32_t leader;
  return polyproc_barrier_arrive(barrier, &index, &leader, timeout_ns, cancel);
}

static void let_go_barrier(void) {
  const int64_t end = now() + PATIENCE;
  uint32_t waiting = 0;
  while (waiting != 1) {
    CHECK(now() < end);
    ANSWERS(OK, polyproc_barrier_waiting(barrier, &waiting));
  }
  ANSWERS(OK, wait_at_barrier(PATIENCE, NULL));
}

static void close_barrier(void) {
  polyproc_barrier_close(barrier);
}

static void make_empty(void) {
  ANSWERS(OK, polyproc_queue_create(NULL, NULL, &queue));
}

static int32_t get(int64_t timeout_ns, polyproc_cancel *cancel) {
  char buf[8];
  size_t len;
  return polyproc_queue_get(queue, buf, sizeof buf, &len, timeout_ns, cancel);
}

static int32_t settled(int32_t status, polyproc_message *message) {
  if (status == POLYPROC_OK) {
    ANSWERS(OK, polyproc_message_done(message));
  }
  return status;
}

static int32_t take(int64_t timeout_ns, polyproc_cancel *cancel) {
  polyproc_message message;
  return settled(polyproc_queue_take(queue, &message, timeout_ns, cancel), &message);
}

static int32_t take_many(int64_t timeout_ns, polyproc_cancel *cancel) {
  polyproc_message message;
  size_t taken;
  return settled(polyproc_queue_take_many(queue, &message, 1, &taken, timeout_ns, cancel), &message);
}

static int32_t wait_for_any(int64_t timeout_ns, polyproc_cancel *cancel) {
  polyproc_waitable item;
  size_t ready;
  item.kind = POLYPROC_WAIT_QUEUE_GET;
  item.object = queue;
  return polyproc_wait_any(&item, 1, &ready, timeout_ns, cancel);
}

static void let_go_empty(void) {
  ANSWERS(OK, polyproc_queue_put(queue, "x", 1, 0, NULL));
}

static void close_empty(void) {
  polyproc_queue_close(queue);
}

static void make_full(void) {
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  options.max_items = 1;
  ANSWERS(OK, polyproc_queue_create(NULL, &options, &queue));
  ANSWERS(OK, polyproc_queue_put(queue, "x", 1, 0, NULL));
}

static int32_t put(int64_t timeout_ns, polyproc_cancel *cancel) {
  return polyproc_queue_put(queue, "x", 1, timeout_ns, cancel);
}

static int32_t put_many(int64_t timeout_ns, polyproc_cancel *cancel) {
  polyproc_slice slice = {"x", 1};
  size_t count;
  return polyproc_queue_put_many(queue, &slice, 1, &count, timeout_ns, cancel);
}

static int32_t put_id(int64_t timeout_ns, polyproc_cancel *cancel) {
  uint64_t id;
  return polyproc_queue_put_id(queue, "x", 1, &id, timeout_ns, cancel);
}

static int32_t reserve(int64_t timeout_ns, polyproc_cancel *cancel) {
  polyproc_slot slot;
  const int32_t status = polyproc_queue_reserve(queue, 1, &slot, timeout_ns, cancel);
  if (status == POLYPROC_OK) {
    ANSWERS(OK, polyproc_slot_abort(&slot));
  }
  return status;
}

static void let_go_full(void) {
  ANSWERS(OK, get(0, NULL));
}

static void close_full(void) {
  polyproc_queue_close(queue);
}

static void make_tasks(void) {
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  options.flags = POLYPROC_QUEUE_JOINABLE;
  ANSWERS(OK, polyproc_queue_create(NULL, &options, &queue));
  ANSWERS(OK, polyproc_queue_put(queue, "x", 1, 0, NULL));
  ANSWERS(OK, get(0, NULL));
}

static int32_t join_tasks(int64_t timeout_ns, polyproc_cancel *cancel) {
  return polyproc_queue_join(queue, timeout_ns, cancel);
}

static void let_go_tasks(void) {
  ANSWERS(OK, polyproc_queue_task_done(queue));
}

static void close_tasks(void) {
  polyproc_queue_close(queue);
}

static char piece[PIECE];

/* Closed when the next pipe is made: a wait on this one must not see it. */
static void close_other_end(void) {
  polyproc_connection_close(b);
  b = NULL;
}

static void make_silent(void) {
  close_other_end();
  ANSWERS(OK, polyproc_pipe_create(1, &a, &b));
}

static int32_t receive(int64_t timeout_ns, polyproc_cancel *cancel) {
  size_t len;
  return polyproc_connection_recv(a, piece, sizeof piece, &len, timeout_ns, cancel);
}

static int32_t poll_end(int64_t timeout_ns, polyproc_cancel *cancel) {
  return polyproc_connection_poll(a, timeout_ns, cancel);
}

static void let_go_silent(void) {
  ANSWERS(OK, polyproc_connection_send(b, "x", 1, 0, NULL));
}

static void close_silent(void) {
  polyproc_connection_close(a);
}

static int32_t send_piece(int64_t timeout_ns, polyproc_cancel *cancel) {
  return polyproc_connection_send(a, piece, sizeof piece, timeout_ns, cancel);
}

static void make_stuffed(void) {
  make_silent();
  while (send_piece(0, NULL) == POLYPROC_OK) {
  }
}

static void let_go_stuffed(void) {
  char buf[PIECE];
  size_t len;
  ANSWERS(OK, polyproc_connection_recv(b, buf, sizeof buf, &len, 0, NULL));
}

static void close_stuffed(void) {
  close_silent();
}

static char address[128];

static void make_listener(void) {
  size_t len;
  ANSWERS(OK, polyproc_listener_create("tcp://127.0.0.1:0", NULL, &listener));
  ANSWERS(OK, polyproc_listener_address(listener, address, sizeof address, &len));
}

static int32_t accept_next(int64_t timeout_ns, polyproc_cancel *cancel) {
  polyproc_connection *accepted = NULL;
  const int32_t status = polyproc_listener_accept(listener, &accepted, timeout_ns, cancel);
  CHECK((status == POLYPROC_OK) == (accepted != NULL));
  polyproc_connection_close(accepted);
  return status;
}

static void let_go_listener(void) {
  polyproc_connection *connection = NULL;
  ANSWERS(OK, polyproc_connect(address, NULL, &connection, PATIENCE, NULL));
  polyproc_connection_close(connection);
}

static void close_listener(void) {
  polyproc_listener_close(listener);
}

static pid_t child;

/* Ended when the next one is made: a wait for this one must not see it. */
static void end_child(void) {
  if (child != 0) {
    CHECK(kill(child, SIGKILL) == 0 || errno == ESRCH);
    child = 0;
  }
}

static void make_process(void) {
  end_child();
  child = forked();
  if (child == 0) {
    for (;;) {
      pause();
    }
  }
  ANSWERS(OK, polyproc_process_adopt(child, &process));
}

static int32_t join_process(int64_t timeout_ns, polyproc_cancel *cancel) {
  return polyproc_process_join(process, timeout_ns, cancel);
}

static void let_go_process(void) {
  CHECK(kill(child, SIGKILL) == 0);
}

static void close_process(void) {
  polyproc_process_close(process);
}

static const way_t ways[] = {
    WAY(polyproc_lock_acquire, E_TIMEOUT, lock, acquire_lock),
    WAY(polyproc_rlock_acquire, E_TIMEOUT, rlock, acquire_rlock),
    WAY(polyproc_semaphore_acquire, E_TIMEOUT, semaphore, acquire_semaphore),
    WAY(polyproc_event_wait, E_TIMEOUT, event, wait_for_event),
    WAY(polyproc_event_wait_since, E_TIMEOUT, event, wait_for_event_since),
    WAY(polyproc_condition_wait, E_TIMEOUT, condition, wait_for_condition),
    WAY(polyproc_condition_wait_rlock, E_TIMEOUT, condition, wait_for_condition_with_rlock),
    WAY(polyproc_barrier_wait, E_TIMEOUT, barrier, wait_at_barrier),
    WAY(polyproc_barrier_arrive, E_TIMEOUT, barrier, arrive_at_barrier),
    WAY(polyproc_queue_get, E_EMPTY, empty, get),
    WAY(polyproc_queue_take, E_EMPTY, empty, take),
    WAY(polyproc_queue_take_many, E_EMPTY, empty, take_many),
    WAY(polyproc_queue_put, E_FULL, full, put),
    WAY(polyproc_queue_put_many, E_FULL, full, put_many),
    WAY(polyproc_queue_put_id, E_FULL, full, put_id),
    WAY(polyproc_queue_reserve, E_FULL, full, reserve),
    WAY(polyproc_queue_join, E_TIMEOUT, tasks, join_tasks),
    WAY(polyproc_connection_recv, E_TIMEOUT, silent, receive),
    WAY(polyproc_connection_poll, E_TIMEOUT, silent, poll_end),
    WAY(polyproc_connection_send, E_TIMEOUT, stuffed, send_piece),
    WAY(polyproc_listener_accept, E_TIMEOUT, listener, accept_next),
    WAY(polyproc_wait_any, E_TIMEOUT, empty, wait_for_any),
    WAY(polyproc_process_join, E_TIMEOUT, process, join_process),
};

int main(void) {
  size_t i;
  ANSWERS(OK, polyproc_lock_create(NULL, NULL, &conditions_lock));
  ANSWERS(OK, polyproc_rlock_create(NULL, NULL, &conditions_rlock));
  for (i = 0; i < sizeof ways / sizeof *ways; i++) {
    faults_of(&ways[i]);
  }
  close_other_end();
  end_child();
  polyproc_lock_close(conditions_lock);
  polyproc_rlock_close(conditions_rlock);
  return 0;
}
