/* The functions of polyproc.h that can fail, each with its preparation and the state that it
 * changes. */
#define _GNU_SOURCE
#include "cases.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "polyproc.h"

struct kase *first_case;

#define MS ((int64_t)1000000)
#define LONG (10000 * MS)

#define CASE_OF(id, text, prepares, calls, looks, answers, changes)                               \
  static void prepare_##id(void) {                                                                \
    prepares;                                                                                     \
  }                                                                                               \
  static int32_t call_##id(void) {                                                                \
    return calls;                                                                                 \
  }                                                                                               \
  static int64_t look_##id(void) {                                                                \
    return looks;                                                                                 \
  }                                                                                               \
  static struct kase case_##id = {text, prepare_##id, call_##id, look_##id, answers, changes, 0}; \
  __attribute__((constructor)) static void add_##id(void) {                                       \
    case_##id.next = first_case;                                                                  \
    first_case = &case_##id;                                                                      \
  }
#define CASE(id, prepares, calls, looks, changes) \
  CASE_OF(id, "polyproc_" #id, prepares, calls, looks, POLYPROC_OK, changes)
#define CASE_2(id, how, prepares, calls, looks, answers, changes) \
  CASE_OF(id##_##how, "polyproc_" #id " " #how, prepares, calls, looks, answers, changes)

/* A call of the preparation, which must succeed. */
#define MUST(call)                                                                   \
  do {                                                                               \
    int32_t status_ = (call);                                                        \
    if (status_ < 0) {                                                               \
      fprintf(stderr, "%s:%d: %s answers %d\n", __FILE__, __LINE__, #call, status_); \
      _exit(3);                                                                      \
    }                                                                                \
  } while (0)

static char name[64];
static polyproc_lock *lock;
static polyproc_rlock *rlock;
static polyproc_semaphore *semaphore;
static polyproc_event *event;
static polyproc_condition *condition;
static polyproc_barrier *barrier;
static polyproc_queue *queue;
static polyproc_connection *one, *other;
static polyproc_listener *listener;
static polyproc_process *process;
static polyproc_pool *pool;
static polyproc_task *task;
static polyproc_cancel *token;
static polyproc_message message, messages[4];
static polyproc_slot slot;
static polyproc_slice slices[2] = {{"one", 3}, {"two", 3}};
static polyproc_waitable waitables[4];
static void *any;
static char buf[256], large[3 << 20];
static size_t len;
static int fd = -1;
static int32_t number;
static uint32_t count, mark;
static uint64_t tags[4];
static int64_t permits;

static void a_name(void) {
  snprintf(name, sizeof name, "test-c.%ld.injected", (long)getpid());
}
/* Returns whether an object has this process's name. */
static int64_t named(void) {
  char path[128];
  snprintf(path, sizeof path, "/dev/shm/polyproc.%s", name);
  return access(path, F_OK) == 0;
}
static int64_t length(void) {
  polyproc_queue_info info = POLYPROC_QUEUE_INFO_INIT;
  MUST(polyproc_queue_get_info(queue, &info));
  return (int64_t)(info.items + 1000 * info.in_flight);
}
static int64_t is_locked(void) {
  MUST(polyproc_lock_is_locked(lock, &number));
  return number;
}
static int64_t depth(void) {
  MUST(polyproc_rlock_depth(rlock, &count));
  return count;
}
static int64_t value(void) {
  int64_t now = 0;
  MUST(polyproc_semaphore_value(semaphore, &now));
  return now;
}
static int64_t is_set(void) {
  MUST(polyproc_event_is_set(event, &number));
  return number;
}
static int64_t broken(void) {
  MUST(polyproc_barrier_is_broken(barrier, &number));
  return number;
}
static int64_t children(void) {
  MUST(polyproc_active_children(NULL, 0, &len) == POLYPROC_E_TOO_SMALL ? 0 : 0);
  return (int64_t)len;
}
static int64_t nothing(void) {
  return 0;
}

static void a_queue(void) {
  MUST(polyproc_queue_create(NULL, NULL, &queue));
}
static void a_joinable(void) {
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  options.flags = POLYPROC_QUEUE_JOINABLE;
  options.max_deliveries = 1;
  MUST(polyproc_queue_create(NULL, &options, &queue));
}
static void put(void) {
  MUST(polyproc_queue_put(queue, "hello", 5, 0, NULL));
}
static void take(void) {
  MUST(polyproc_queue_take(queue, &message, 0, NULL));
}
static void a_lock(void) {
  MUST(polyproc_lock_create(NULL, NULL, &lock));
}
static void an_rlock(void) {
  MUST(polyproc_rlock_create(NULL, NULL, &rlock));
}
static void an_event(void) {
  MUST(polyproc_event_create(NULL, NULL, &event));
}
static void a_semaphore(int64_t initial) {
  polyproc_semaphore_options options = POLYPROC_SEMAPHORE_OPTIONS_INIT;
  options.initial = initial;
  MUST(polyproc_semaphore_create(NULL, &options, &semaphore));
}
static void a_condition(void) {
  MUST(polyproc_condition_create(NULL, NULL, &condition));
}
static void a_barrier(uint32_t parties) {
  MUST(polyproc_barrier_create(NULL, NULL, parties, &barrier));
}
static void a_pipe(void) {
  MUST(polyproc_pipe_create(1, &one, &other));
}
static void a_listener(const char *address, const char *key) {
  polyproc_listener_options options = POLYPROC_LISTENER_OPTIONS_INIT;
  options.authkey = key;
  options.authkey_len = key == NULL ? 0 : strlen(key);
  MUST(polyproc_listener_create(address, &options, &listener));
  MUST(polyproc_listener_address(listener, buf, sizeof buf, &len));
}
static void a_socket(void) {
  a_listener("tcp://127.0.0.1:0", NULL);
  MUST(polyproc_connect(buf, NULL, &one, LONG, NULL));
  MUST(polyproc_listener_accept(listener, &other, LONG, NULL));
}

/* create and open of the small objects and of queues */
#define CREATE_AND_OPEN(type, more)                                                                       \
  CASE(type##_create, a_name(), polyproc_##type##_create(name, NULL more, (polyproc_##type **)&any),      \
       named(), 1)                                                                                        \
  CASE_2(type##_create, anonymous, , polyproc_##type##_create(NULL, NULL more, (polyproc_##type **)&any), \
         nothing(), POLYPROC_OK, 0)                                                                       \
  CASE(type##_open, a_name(); MUST(polyproc_##type##_create(name, NULL more, (polyproc_##type **)&any));  \
       polyproc_##type##_close((polyproc_##type *)any),                                                   \
       polyproc_##type##_open(name, (polyproc_##type **)&any), named(), 0)
#define NOTHING_MORE
#define PARTIES , 2
CREATE_AND_OPEN(lock, NOTHING_MORE)
CREATE_AND_OPEN(rlock, NOTHING_MORE)
CREATE_AND_OPEN(semaphore, NOTHING_MORE)
CREATE_AND_OPEN(event, NOTHING_MORE)
CREATE_AND_OPEN(condition, NOTHING_MORE)
CREATE_AND_OPEN(queue, NOTHING_MORE)
CREATE_AND_OPEN(barrier, PARTIES)

/* library */
CASE(interruptible, , polyproc_interruptible(0), nothing(), 0)
CASE(unlink, a_name(); MUST(polyproc_lock_create(name, NULL, &lock)), polyproc_unlink(name), named(), -1)
CASE(list, a_name(); MUST(polyproc_lock_create(name, NULL, &lock)),
                     polyproc_list(NULL, 0, &len) == POLYPROC_E_TOO_SMALL ? 0 : polyproc_list(NULL, 0, &len),
                     named(), 0)
CASE(share_fd, a_queue(), polyproc_share_fd(POLYPROC_KIND_QUEUE, queue, &fd), length(), 0)
CASE_2(share_fd, pipe, a_pipe(), polyproc_share_fd(POLYPROC_KIND_CONNECTION, one, &fd), nothing(),
       POLYPROC_OK, 0)
CASE(open_fd, a_queue(); MUST(polyproc_share_fd(POLYPROC_KIND_QUEUE, queue, &fd)),
                         polyproc_open_fd(fd, POLYPROC_KIND_QUEUE, &any), length(), 0)
CASE_2(open_fd, pipe, a_pipe(); MUST(polyproc_share_fd(POLYPROC_KIND_CONNECTION, one, &fd)),
                                polyproc_open_fd(fd, POLYPROC_KIND_CONNECTION, &any), nothing(), POLYPROC_OK,
                                0)
CASE_2(open_fd, socket, a_socket(); MUST(polyproc_share_fd(POLYPROC_KIND_CONNECTION, one, &fd)),
                                    polyproc_open_fd(fd, POLYPROC_KIND_CONNECTION, &any), nothing(),
                                    POLYPROC_OK, 0)

/* lock, rlock */
CASE(lock_acquire, a_lock(), polyproc_lock_acquire(lock, 0, NULL), is_locked(), 1)
CASE_2(lock_acquire, waits, a_lock(); MUST(polyproc_lock_acquire(lock, 0, NULL)),
                                      polyproc_lock_acquire(lock, MS, NULL), is_locked(), POLYPROC_E_TIMEOUT,
                                      0)
CASE(lock_release, a_lock();
     MUST(polyproc_lock_acquire(lock, 0, NULL)), polyproc_lock_release(lock), is_locked(), -1)
CASE(lock_is_locked, a_lock(), polyproc_lock_is_locked(lock, &number), nothing(), 0)
CASE(rlock_acquire, an_rlock(), polyproc_rlock_acquire(rlock, 0, 0, NULL), depth(), 1)
CASE(rlock_release, an_rlock();
     MUST(polyproc_rlock_acquire(rlock, 0, 0, NULL)), polyproc_rlock_release(rlock, 0), depth(), -1)
CASE(rlock_depth, an_rlock(), polyproc_rlock_depth(rlock, &count), nothing(), 0)

/* semaphore, event */
CASE(semaphore_acquire, a_semaphore(1), polyproc_semaphore_acquire(semaphore, 0, NULL), value(), -1)
CASE_2(semaphore_acquire, waits, a_semaphore(0), polyproc_semaphore_acquire(semaphore, MS, NULL), value(),
       POLYPROC_E_TIMEOUT, 0)
CASE(semaphore_release, a_semaphore(0), polyproc_semaphore_release(semaphore, 1), value(), 1)
CASE(semaphore_value, a_semaphore(0), polyproc_semaphore_value(semaphore, &permits), nothing(), 0)
CASE(event_set, an_event(), polyproc_event_set(event), is_set(), 1)
CASE(event_clear, an_event(); MUST(polyproc_event_set(event)), polyproc_event_clear(event), is_set(), -1)
CASE(event_is_set, an_event(), polyproc_event_is_set(event, &number), nothing(), 0)
CASE_2(event_wait, waits, an_event(), polyproc_event_wait(event, MS, NULL), is_set(), POLYPROC_E_TIMEOUT, 0)
CASE(event_sets, an_event(), polyproc_event_sets(event, &count), is_set(), 0)
CASE_2(event_wait_since, waits, an_event(); MUST(polyproc_event_sets(event, &mark)),
                                            polyproc_event_wait_since(event, mark, MS, NULL), is_set(),
                                            POLYPROC_E_TIMEOUT, 0)
CASE(event_fd, an_event(), polyproc_event_fd(event, &fd), is_set(), 0)

/* condition, barrier */
CASE_2(condition_wait, waits, a_condition(); a_lock(); MUST(polyproc_lock_acquire(lock, 0, NULL)),
                                                       polyproc_condition_wait(condition, lock, MS, NULL),
                                                       is_locked(), POLYPROC_E_TIMEOUT, 0)
CASE_2(condition_wait_rlock, waits, a_condition(); an_rlock();
       MUST(polyproc_rlock_acquire(rlock, 0, 0, NULL)),
       polyproc_condition_wait_rlock(condition, rlock, 0, MS, NULL), depth(), POLYPROC_E_TIMEOUT, 0)
CASE(condition_notify, a_condition(), polyproc_condition_notify(condition, 1), nothing(), 0)
CASE(condition_notify_all, a_condition(), polyproc_condition_notify_all(condition), nothing(), 0)
CASE(barrier_wait, a_barrier(1), polyproc_barrier_wait(barrier, &count, 0, NULL), broken(), 0)
CASE(barrier_abort, a_barrier(2), polyproc_barrier_abort(barrier), broken(), 1)
CASE(barrier_reset, a_barrier(2);
     MUST(polyproc_barrier_abort(barrier)), polyproc_barrier_reset(barrier), broken(), -1)
CASE(barrier_parties, a_barrier(2), polyproc_barrier_parties(barrier, &count), nothing(), 0)
CASE(barrier_waiting, a_barrier(2), polyproc_barrier_waiting(barrier, &count), nothing(), 0)
CASE(barrier_is_broken, a_barrier(2), polyproc_barrier_is_broken(barrier, &number), nothing(), 0)
CASE(barrier_arrive, a_barrier(1), polyproc_barrier_arrive(barrier, &count, &number, 0, NULL), broken(), 0)
CASE(barrier_complete, a_barrier(1); MUST(polyproc_barrier_arrive(barrier, &count, &number, 0, NULL)),
                                     polyproc_barrier_complete(barrier, 1), broken(), 0)

/* queue */
CASE(queue_put, a_queue(), polyproc_queue_put(queue, "x", 1, 0, NULL), length(), 1)
CASE_2(queue_put, large, a_queue();
       put(), polyproc_queue_put(queue, large, sizeof large, 0, NULL), length(), POLYPROC_OK, 1)
CASE(queue_get, a_queue(); put(), polyproc_queue_get(queue, buf, sizeof buf, &len, 0, NULL), length(), -1)
CASE_2(queue_get, waits, a_queue(), polyproc_queue_get(queue, buf, sizeof buf, &len, MS, NULL), length(),
       POLYPROC_E_EMPTY, 0)
CASE(queue_task_done, a_joinable(); put(); MUST(polyproc_queue_get(queue, buf, sizeof buf, &len, 0, NULL)),
                                           polyproc_queue_task_done(queue), length(), -1000)
CASE(queue_join, a_joinable(), polyproc_queue_join(queue, 0, NULL), length(), 0)
CASE(queue_shutdown, a_queue(), polyproc_queue_shutdown(queue, 0), length(), 0)
CASE(queue_length, a_queue(), polyproc_queue_length(queue, tags), nothing(), 0)
CASE(queue_is_empty, a_queue(), polyproc_queue_is_empty(queue, &number), nothing(), 0)
CASE(queue_is_full, a_queue(), polyproc_queue_is_full(queue, &number), nothing(), 0)
CASE(queue_take, a_queue(); put(), polyproc_queue_take(queue, &message, 0, NULL), length(), 999)
CASE(message_done, a_queue(); put(); take(), polyproc_message_done(&message), length(), -1000)
CASE(message_return, a_queue(); put(); take(), polyproc_message_return(&message), length(), -999)
/* Without memory for a dead letter the message stays, to be delivered once more. */
CASE_2(message_return, buries, a_joinable(); put();
       take(), polyproc_message_return(&message), nothing(), POLYPROC_OK, 0)
CASE(queue_take_dead, a_joinable(); put(); take();
     MUST(polyproc_message_return(&message)), polyproc_queue_take_dead(queue, &message), nothing(), 0)
CASE(queue_reserve, a_queue(), polyproc_queue_reserve(queue, 100, &slot, 0, NULL), length(), 0)
CASE_2(queue_reserve, large, a_queue();
       put(), polyproc_queue_reserve(queue, sizeof large, &slot, 0, NULL), length(), POLYPROC_OK, 0)
CASE(slot_commit, a_queue();
     MUST(polyproc_queue_reserve(queue, 100, &slot, 0, NULL)), polyproc_slot_commit(&slot, 10), length(), 1)
CASE(slot_abort, a_queue();
     MUST(polyproc_queue_reserve(queue, 100, &slot, 0, NULL)), polyproc_slot_abort(&slot), length(), 0)
CASE(queue_put_many, a_queue(), polyproc_queue_put_many(queue, slices, 2, &len, 0, NULL), length(), 2)
CASE(queue_take_many, a_queue(); put();
     put(), polyproc_queue_take_many(queue, messages, 4, &len, 0, NULL), length(), 1998)
CASE(message_done_many, a_queue(); put(); put();
     MUST(polyproc_queue_take_many(queue, messages, 4, &len, 0, NULL)),
     polyproc_message_done_many(messages, 2, &len), length(), -2000)
static int32_t informs(void) {
  polyproc_queue_info info = POLYPROC_QUEUE_INFO_INIT;
  return polyproc_queue_get_info(queue, &info);
}
CASE(queue_get_info, a_queue(), informs(), nothing(), 0)
CASE(queue_put_id, a_queue(), polyproc_queue_put_id(queue, "x", 1, &tags[0], 0, NULL), length(), 1)
CASE_2(queue_put_id, large, a_queue(), polyproc_queue_put_id(queue, large, sizeof large, &tags[0], 0, NULL),
       length(), POLYPROC_OK, 1)
CASE(queue_settled, a_queue(); put(), polyproc_queue_settled(queue, 0, &number), length(), 0)
CASE(queue_settled_count, a_queue(), polyproc_queue_settled_count(queue, &tags[0]), nothing(), 0)
CASE(queue_settled_fd, a_queue(), polyproc_queue_settled_fd(queue, &fd), length(), 0)
CASE(queue_fd, a_queue(), polyproc_queue_fd(queue, &fd), length(), 0)

/* connections */
CASE(pipe_create, , polyproc_pipe_create(1, &one, &other), nothing(), 0)
CASE(connection_send, a_pipe(), polyproc_connection_send(one, "x", 1, 0, NULL), nothing(), 0)
CASE_2(connection_send, socket, a_socket(), polyproc_connection_send(one, "x", 1, LONG, NULL), nothing(),
       POLYPROC_OK, 0)
CASE(connection_recv, a_pipe(); MUST(polyproc_connection_send(other, "x", 1, 0, NULL)),
                                polyproc_connection_recv(one, buf, sizeof buf, &len, 0, NULL), nothing(), 0)
CASE_2(connection_recv, waits, a_pipe(), polyproc_connection_recv(one, buf, sizeof buf, &len, MS, NULL),
       nothing(), POLYPROC_E_TIMEOUT, 0)
CASE_2(connection_recv, socket, a_socket(); MUST(polyproc_connection_send(other, "x", 1, LONG, NULL)),
                                            polyproc_connection_recv(one, buf, sizeof buf, &len, LONG, NULL),
                                            nothing(), POLYPROC_OK, 0)
CASE(connection_poll, a_pipe(); MUST(polyproc_connection_send(other, "x", 1, 0, NULL)),
                                polyproc_connection_poll(one, 0, NULL), nothing(), 0)
CASE_2(connection_poll, socket, a_socket(), polyproc_connection_poll(one, MS, NULL), nothing(),
       POLYPROC_E_TIMEOUT, 0)
CASE(connection_fd, a_pipe(), polyproc_connection_fd(one, &fd), nothing(), 0)
CASE_2(connection_fd, socket, a_socket(), polyproc_connection_fd(one, &fd), nothing(), POLYPROC_OK, 0)
CASE(listener_create, , polyproc_listener_create("tcp://127.0.0.1:0", NULL, &listener), nothing(), 0)
CASE_2(listener_create, unix, snprintf(buf, sizeof buf, "unix:/tmp/polyproc-injected-%ld", (long)getpid()),
       polyproc_listener_create(buf, NULL, &listener), access(buf + 5, F_OK) == 0, POLYPROC_OK, 1)
static int32_t accepts(const char *key) {
  return polyproc_listener_accept(listener, &other, key == NULL ? LONG : 50 * MS, NULL);
}
CASE(listener_accept, a_listener("tcp://127.0.0.1:0", NULL);
     MUST(polyproc_connect(buf, NULL, &one, LONG, NULL)), accepts(NULL), nothing(), 0)
CASE_2(listener_accept, key, a_listener("tcp://127.0.0.1:0", "key"), accepts("key"), nothing(),
       POLYPROC_E_TIMEOUT, 0)
CASE(listener_address, a_listener("tcp://127.0.0.1:0", NULL),
     polyproc_listener_address(listener, buf, sizeof buf, &len), nothing(), 0)
CASE(listener_fd, a_listener("tcp://127.0.0.1:0", NULL), polyproc_listener_fd(listener, &fd), nothing(), 0)
CASE_2(listener_fd, key, a_listener("tcp://127.0.0.1:0", "key"), polyproc_listener_fd(listener, &fd),
       nothing(), POLYPROC_OK, 0)
CASE(connect, a_listener("tcp://127.0.0.1:0", NULL), polyproc_connect(buf, NULL, &one, LONG, NULL), nothing(),
     0)

/* waiting */
static polyproc_waitable waitable(int32_t kind, void *object) {
  polyproc_waitable it = {kind, 0, object};
  return it;
}
CASE_2(wait_any, objects, a_queue(); an_event(); waitables[0] = waitable(POLYPROC_WAIT_QUEUE_GET, queue);
       waitables[1] = waitable(POLYPROC_WAIT_EVENT, event), polyproc_wait_any(waitables, 2, &len, MS, NULL),
       length(), POLYPROC_E_TIMEOUT, 0)
CASE_2(wait_any, descriptors, a_queue(); a_listener("tcp://127.0.0.1:0", "key");
       waitables[0] = waitable(POLYPROC_WAIT_QUEUE_GET, queue);
       waitables[1] = waitable(POLYPROC_WAIT_LISTENER, listener),
       polyproc_wait_any(waitables, 2, &len, MS, NULL), length(), POLYPROC_E_TIMEOUT, 0)

/* processes */
static int ends(void *argument) {
  (void)argument;
  return 0;
}
static int32_t spawns(const char *const *argv, uint32_t flags) {
  polyproc_process_options options = POLYPROC_PROCESS_OPTIONS_INIT;
  polyproc_handle handles[2] = {{"queue", POLYPROC_KIND_QUEUE, NULL},
                                {"end", POLYPROC_KIND_CONNECTION, NULL}};
  handles[0].object = queue;
  handles[1].object = one;
  options.argv = argv;
  options.flags = flags;
  options.cwd = "/";
  options.stdin_fd = POLYPROC_FD_NULL;
  options.handles = handles;
  options.handle_count = 2;
  return argv == NULL ? polyproc_process_fork(&options, ends, NULL, &process)
                      : polyproc_process_spawn(&options, &process);
}
static const char *const sleeps[] = {"sleep", "60", NULL};
static void a_process(void) {
  polyproc_process_options options = POLYPROC_PROCESS_OPTIONS_INIT;
  options.argv = sleeps;
  MUST(polyproc_process_spawn(&options, &process));
}
static void a_dead_process(void) {
  a_process();
  MUST(polyproc_process_kill(process));
}
CASE(process_spawn, a_queue(); a_pipe(), spawns(sleeps, 0), children(), 1)
CASE_2(process_spawn, daemon, a_queue();
       a_pipe(), spawns(sleeps, POLYPROC_PROCESS_DAEMON), children(), POLYPROC_OK, 1)
CASE(process_fork, a_queue(); a_pipe(), spawns(NULL, 0), nothing(), 0)
CASE_2(process_fork, daemon, a_queue();
       a_pipe(), spawns(NULL, POLYPROC_PROCESS_DAEMON), nothing(), POLYPROC_OK, 0)
CASE(process_join, a_dead_process(), polyproc_process_join(process, LONG, NULL), nothing(), 0)
CASE_2(process_join, waits, a_process(), polyproc_process_join(process, MS, NULL), children(),
       POLYPROC_E_TIMEOUT, 0)
CASE(process_exit_code, a_dead_process(); MUST(polyproc_process_join(process, LONG, NULL)),
                                          polyproc_process_exit_code(process, &number), nothing(), 0)
CASE(process_pid, a_process(), polyproc_process_pid(process, &number), children(), 0)
CASE(process_name, a_process(), polyproc_process_name(process, buf, sizeof buf, &len), children(), 0)
CASE(process_is_alive, a_process(), polyproc_process_is_alive(process, &number), children(), 0)
CASE(process_is_daemon, a_process(), polyproc_process_is_daemon(process, &number), children(), 0)
CASE(process_terminate, a_process(), polyproc_process_terminate(process), nothing(), 0)
CASE(process_kill, a_process(), polyproc_process_kill(process), nothing(), 0)
CASE(process_signal, a_process(), polyproc_process_signal(process, SIGCONT), children(), 0)
CASE(process_fd, a_process(), polyproc_process_fd(process, &fd), children(), 0)
CASE(process_adopt, , polyproc_process_adopt(getppid(), &process), nothing(), 0)
CASE(active_children, a_process(), polyproc_active_children(&number, 1, &len), nothing(), 0)
CASE(exit_children, a_dead_process(), polyproc_exit_children(), nothing(), 0)
CASE(exit_children_at_exit, , polyproc_exit_children_at_exit(1), nothing(), 0)
static int32_t current(void) {
  polyproc_process_info info = POLYPROC_PROCESS_INFO_INIT;
  return polyproc_current_process(&info);
}
CASE(current_process, , current(), nothing(), 0)
CASE(worker_is_current, , polyproc_worker_is_current(&number), nothing(), 0)

/* pools */
static int32_t echo(const void *data, size_t length_, polyproc_reply *reply, void *user) {
  (void)user;
  return polyproc_reply_write(reply, data, length_);
}
static int32_t makes_a_pool(void) {
  polyproc_pool_options options = POLYPROC_POOL_OPTIONS_INIT;
  options.workers = 1;
  return polyproc_pool_create(&options, &pool);
}
static void a_pool(void) {
  MUST(polyproc_worker_register("echo", echo, NULL));
  MUST(makes_a_pool());
}
static void a_task(void) {
  a_pool();
  MUST(polyproc_pool_submit(pool, "echo", "x", 1, &task));
}
static void a_finished_task(void) {
  polyproc_task_options options = POLYPROC_TASK_OPTIONS_INIT;
  options.flags = POLYPROC_TASK_TAGGED;
  a_pool();
  MUST(polyproc_pool_submit_with(pool, "echo", "x", 1, &options, &task));
  MUST(polyproc_task_wait(task, LONG, NULL));
}
static int64_t tasks(void) {
  polyproc_pool_info info = POLYPROC_POOL_INFO_INIT;
  MUST(polyproc_pool_get_info(pool, &info));
  return (int64_t)info.submitted;
}
static int32_t limited(void) {
  polyproc_task_options options = POLYPROC_TASK_OPTIONS_INIT;
  options.timeout_ns = (uint64_t)LONG;
  return polyproc_pool_submit_with(pool, "echo", "x", 1, &options, &task);
}
CASE(pool_create, MUST(polyproc_worker_register("echo", echo, NULL)), makes_a_pool(), nothing(), 0)
CASE(pool_apply, a_pool(), polyproc_pool_apply(pool, "echo", "x", 1, buf, sizeof buf, &len, LONG, NULL),
     nothing(), 0)
CASE(pool_shutdown, a_pool(), polyproc_pool_shutdown(pool), tasks(), 0)
CASE(pool_join, a_pool();
     MUST(polyproc_pool_shutdown(pool)), polyproc_pool_join(pool, LONG, NULL), tasks(), 0)
CASE(pool_terminate, a_pool(), polyproc_pool_terminate(pool), tasks(), 0)
CASE(pool_worker_pids, a_pool(), polyproc_pool_worker_pids(pool, &number, 1, &len), tasks(), 0)
static int32_t informs_of_pool(void) {
  polyproc_pool_info info = POLYPROC_POOL_INFO_INIT;
  return polyproc_pool_get_info(pool, &info);
}
CASE(pool_get_info, a_pool(), informs_of_pool(), nothing(), 0)
CASE(pool_submit, a_pool(), polyproc_pool_submit(pool, "echo", "x", 1, &task), tasks(), 1)
CASE(pool_submit_with, a_pool(), limited(), tasks(), 1)
CASE(pool_submit_chunk, a_pool(), polyproc_pool_submit_chunk(pool, "echo", slices, 2, NULL, &task), tasks(),
     1)
CASE(pool_finished, a_finished_task(), polyproc_pool_finished(pool, tags, 4, &len, LONG, NULL), tasks(), 0)
CASE(pool_fd, a_pool(), polyproc_pool_fd(pool, &fd), tasks(), 0)
CASE(task_wait, a_task(), polyproc_task_wait(task, LONG, NULL), tasks(), 0)
CASE(task_result, a_finished_task(), polyproc_task_result(task, &message), tasks(), 0)
CASE(task_cancel, a_task(), polyproc_task_cancel(task, &number), tasks(), 0)
CASE(task_fd, a_task(), polyproc_task_fd(task, &fd), tasks(), 0)
CASE(worker_register, , polyproc_worker_register("echo", echo, NULL), nothing(), 0)

/* tokens */
CASE(cancel_create, , polyproc_cancel_create(&token), nothing(), 0)
/* While malloc fails, tokens must not use up the reserve, which has 4,160 pieces: the calls in progress
 * need it. If they do, this returns E_CORRUPT, which no create does. */
static int32_t creates_many(void) {
  static polyproc_cancel *tokens[5000];
  int32_t status = POLYPROC_OK;
  int made = 0;
  while (made < 5000 && (status = polyproc_cancel_create(&tokens[made])) == POLYPROC_OK) made++;
  for (int at = 0; at < made; at++) polyproc_cancel_close(tokens[at]);
  return status != POLYPROC_OK && made > 2000 ? POLYPROC_E_CORRUPT : status;
}
CASE_2(cancel_create, many, , creates_many(), nothing(), POLYPROC_OK, 0)
CASE(cancel_fire, MUST(polyproc_cancel_create(&token)), polyproc_cancel_fire(token), nothing(), 0)
CASE(cancel_reset, MUST(polyproc_cancel_create(&token)), polyproc_cancel_reset(token), nothing(), 0)
