/* A thread with a pending pthread_cancel: no call of the library is a cancellation point, so each
 * returns as usual, and the thread ends at the program's next cancellation point. */

#include "check.h"

/* Some calls of the library in a thread that is already canceled; they all return. */
static void *canceled(void *body) {
  void (*calls)(void);
  memcpy(&calls, body, sizeof calls);
  CHECK(pthread_cancel(pthread_self()) == 0);
  calls();
  CHECK(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL) == 0);
  CHECK(printf("%s", "") == 0);
  CHECK(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL) == 0);
  pthread_testcancel();
  CHECK(!"the thread was not canceled");
  return NULL;
}

static void returns_in_a_canceled_thread(void (*calls)(void)) {
  void *result = NULL;
  pthread_t thread = start(canceled, &calls);
  CHECK(pthread_join(thread, &result) == 0);
  CHECK(result == PTHREAD_CANCELED);
}

static void objects_with_names(void) {
  name_t name = unique("canceled");
  polyproc_object_info items[64];
  polyproc_lock *lock = NULL;
  polyproc_lock *again = NULL;
  size_t count = 0;
  int32_t status;
  ANSWERS(OK, polyproc_lock_create(name.text, NULL, &lock));
  ANSWERS(OK, polyproc_lock_open(name.text, &again));
  ANSWERS(OK, polyproc_lock_acquire(lock, 0, NULL));
  ANSWERS(E_TIMEOUT, polyproc_lock_acquire(again, MILLISECOND, NULL));
  ANSWERS(OK, polyproc_lock_release(again));
  status = polyproc_list(items, 64, &count);
  CHECK(status == POLYPROC_OK || status == POLYPROC_E_TOO_SMALL);
  ANSWERS(OK, polyproc_unlink(name.text));
  polyproc_lock_close(again);
  polyproc_lock_close(lock);
}

static void queues(void) {
  static char large[3 << 20];
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_queue *queue = NULL;
  void *opened = NULL;
  polyproc_message message;
  char byte = 0;
  size_t len = 0;
  int fd = -1;
  options.flags = POLYPROC_QUEUE_JOINABLE;
  ANSWERS(OK, polyproc_queue_create(NULL, &options, &queue));
  ANSWERS(E_EMPTY, polyproc_queue_get(queue, &byte, 1, &len, MILLISECOND, NULL));
  ANSWERS(OK, polyproc_queue_fd(queue, &fd));
  ANSWERS(OK, polyproc_queue_put(queue, large, sizeof large, 0, NULL));
  ANSWERS(E_TIMEOUT, polyproc_queue_join(queue, MILLISECOND, NULL));
  ANSWERS(OK, polyproc_queue_take(queue, &message, 0, NULL));
  ANSWERS(OK, polyproc_message_done(&message));
  ANSWERS(OK, polyproc_share_fd(POLYPROC_KIND_QUEUE, queue, &fd));
  ANSWERS(OK, polyproc_open_fd(fd, POLYPROC_KIND_QUEUE, &opened));
  polyproc_queue_close((polyproc_queue *)opened);
  polyproc_queue_close(queue);
}

static void connections(const char *address, const char *key) {
  polyproc_listener_options options = POLYPROC_LISTENER_OPTIONS_INIT;
  polyproc_listener *listener = NULL;
  polyproc_connection *client = NULL;
  polyproc_connection *server = NULL;
  polyproc_waitable waitable;
  char text[128];
  size_t len = 0;
  int fd = -1;
  memset(&waitable, 0, sizeof waitable);
  options.authkey = key;
  options.authkey_len = key == NULL ? 0 : strlen(key);
  ANSWERS(OK, polyproc_listener_create(address, &options, &listener));
  ANSWERS(OK, polyproc_listener_address(listener, text, sizeof text, &len));
  ANSWERS(E_TIMEOUT, polyproc_listener_accept(listener, &server, MILLISECOND, NULL));
  waitable.kind = POLYPROC_WAIT_LISTENER;
  waitable.object = listener;
  ANSWERS(E_TIMEOUT, polyproc_wait_any(&waitable, 1, &len, MILLISECOND, NULL));
  ANSWERS(OK, polyproc_listener_fd(listener, &fd));
  if (key == NULL) {
    ANSWERS(OK, polyproc_connect(text, &options, &client, PATIENCE, NULL));
    ANSWERS(OK, polyproc_listener_accept(listener, &server, PATIENCE, NULL));
    ANSWERS(E_TIMEOUT, polyproc_connection_recv(server, text, sizeof text, &len, MILLISECOND, NULL));
    ANSWERS(OK, polyproc_connection_send(client, "x", 1, PATIENCE, NULL));
    ANSWERS(OK, polyproc_connection_poll(server, PATIENCE, NULL));
    ANSWERS(OK, polyproc_connection_recv(server, text, sizeof text, &len, PATIENCE, NULL));
    polyproc_connection_close(client);
    ANSWERS(E_EOF, polyproc_connection_recv(server, text, sizeof text, &len, PATIENCE, NULL));
    polyproc_connection_close(server);
  }
  polyproc_listener_close(listener);
}

static void sockets(void) {
  connections("tcp://127.0.0.1:0", NULL);
  connections("unix:@polyproc-test-canceled", NULL);
  connections("tcp://127.0.0.1:0", "key");
}

static void pipes(void) {
  polyproc_connection *a = NULL;
  polyproc_connection *b = NULL;
  char byte = 0;
  size_t len = 0;
  ANSWERS(OK, polyproc_pipe_create(1, &a, &b));
  ANSWERS(E_TIMEOUT, polyproc_connection_recv(a, &byte, 1, &len, MILLISECOND, NULL));
  ANSWERS(OK, polyproc_connection_send(b, "x", 1, 0, NULL));
  ANSWERS(OK, polyproc_connection_poll(a, 0, NULL));
  polyproc_connection_close(b);
  polyproc_connection_close(a);
}

static int sleeps(void *argument) {
  (void)argument;
  CHECK(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL) == 0);
  nap(60 * SECOND);
  return 0;
}

static void processes(void) {
  const char *argv[] = {"sleep", "60", NULL};
  polyproc_process_options options = POLYPROC_PROCESS_OPTIONS_INIT;
  polyproc_process *spawned = NULL;
  polyproc_process *forked_child = NULL;
  polyproc_waitable waitable;
  int32_t code = 0;
  size_t ready = 0;
  memset(&waitable, 0, sizeof waitable);
  options.argv = argv;
  ANSWERS(OK, polyproc_process_spawn(&options, &spawned));
  options.argv = NULL;
  ANSWERS(OK, polyproc_process_fork(&options, sleeps, NULL, &forked_child));
  ANSWERS(E_TIMEOUT, polyproc_process_join(spawned, MILLISECOND, NULL));
  waitable.kind = POLYPROC_WAIT_PROCESS;
  waitable.object = spawned;
  ANSWERS(E_TIMEOUT, polyproc_wait_any(&waitable, 1, &ready, MILLISECOND, NULL));
  ANSWERS(OK, polyproc_process_kill(spawned));
  ANSWERS(OK, polyproc_process_kill(forked_child));
  ANSWERS(OK, polyproc_process_join(spawned, PATIENCE, NULL));
  ANSWERS(OK, polyproc_exit_children());
  ANSWERS(OK, polyproc_process_exit_code(forked_child, &code));
  CHECK(code == -SIGKILL);
  polyproc_process_close(forked_child);
  polyproc_process_close(spawned);
}

static int32_t echo(const void *data, size_t len, polyproc_reply *reply, void *user) {
  (void)user;
  return polyproc_reply_write(reply, data, len);
}

static void pools(void) {
  polyproc_pool_options options = POLYPROC_POOL_OPTIONS_INIT;
  polyproc_pool *pool = NULL;
  polyproc_task *task = NULL;
  char byte = 0;
  size_t len = 0;
  int fd = -1;
  options.workers = 1;
  ANSWERS(OK, polyproc_pool_create(&options, &pool));
  ANSWERS(OK, polyproc_pool_apply(pool, "echo", "x", 1, &byte, 1, &len, PATIENCE, NULL));
  ANSWERS(OK, polyproc_pool_submit(pool, "echo", "x", 1, &task));
  ANSWERS(OK, polyproc_task_fd(task, &fd));
  ANSWERS(OK, polyproc_task_wait(task, PATIENCE, NULL));
  polyproc_task_close(task);
  ANSWERS(OK, polyproc_pool_shutdown(pool));
  ANSWERS(OK, polyproc_pool_join(pool, PATIENCE, NULL));
  polyproc_pool_close(pool);
}

/* A thread that is canceled while it waits, as a program does it. */
static void *waits(void *argument) {
  char byte = 0;
  size_t len = 0;
  polyproc_cancel *token = (polyproc_cancel *)argument;
  polyproc_connection *a = NULL;
  polyproc_connection *b = NULL;
  ANSWERS(OK, polyproc_pipe_create(1, &a, &b));
  ANSWERS(E_CANCELED, polyproc_connection_recv(a, &byte, 1, &len, PATIENCE, token));
  polyproc_connection_close(b);
  polyproc_connection_close(a);
  pthread_testcancel();
  return NULL;
}

static void a_token_ends_the_wait_of_a_canceled_thread(void) {
  polyproc_cancel *token = NULL;
  void *result = NULL;
  pthread_t thread;
  ANSWERS(OK, polyproc_cancel_create(&token));
  thread = start(waits, token);
  CHECK(pthread_cancel(thread) == 0);
  ANSWERS(OK, polyproc_cancel_fire(token));
  CHECK(pthread_join(thread, &result) == 0);
  CHECK(result == PTHREAD_CANCELED);
  polyproc_cancel_close(token);
}

int main(void) {
  ANSWERS(OK, polyproc_worker_register("echo", echo, NULL));
  returns_in_a_canceled_thread(objects_with_names);
  returns_in_a_canceled_thread(queues);
  returns_in_a_canceled_thread(pipes);
  returns_in_a_canceled_thread(sockets);
  returns_in_a_canceled_thread(processes);
  returns_in_a_canceled_thread(pools);
  a_token_ends_the_wait_of_a_canceled_thread();
  return 0;
}
