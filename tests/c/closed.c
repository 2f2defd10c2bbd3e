/* Calls on a closed handle, and calls without a place for their result, for functions that no other
 * program tests. */
#include "check.h"

static void queues_and_events(void) {
  polyproc_queue_info info = POLYPROC_QUEUE_INFO_INIT;
  polyproc_queue *queue = NULL;
  polyproc_event *event = NULL;
  polyproc_message message;
  int32_t flag = 7;
  uint32_t sets = 7;
  int fd = -7;

  ANSWERS(OK, polyproc_queue_create(NULL, NULL, &queue));
  ANSWERS(OK, polyproc_event_create(NULL, NULL, &event));
  polyproc_queue_close(queue);
  polyproc_event_close(event);
  FAULT("closed", E_CLOSED, polyproc_queue_fd(queue, &fd));
  FAULT("closed", E_CLOSED, polyproc_queue_get_info(queue, &info));
  FAULT("closed", E_CLOSED, polyproc_queue_is_empty(queue, &flag));
  FAULT("closed", E_CLOSED, polyproc_queue_is_full(queue, &flag));
  FAULT("closed", E_CLOSED, polyproc_queue_take_dead(queue, &message));
  FAULT("closed", E_CLOSED, polyproc_queue_task_done(queue));
  FAULT("closed", E_CLOSED, polyproc_event_is_set(event, &flag));
  FAULT("closed", E_CLOSED, polyproc_event_sets(event, &sets));
  CHECK(flag == 7 && sets == 7 && fd == -7);
}

static int leaves(void *argument) {
  (void)argument;
  return 3;
}

static void processes(void) {
  polyproc_process *process = NULL;
  int32_t number = 77;
  size_t len = 7;
  char name[64];
  int fd = -7;

  FAULT("NULL output", E_INVALID, polyproc_process_fork(NULL, leaves, NULL, NULL));
  ANSWERS(OK, polyproc_process_fork(NULL, leaves, NULL, &process));
  FAULT("NULL output", E_INVALID, polyproc_process_exit_code(process, NULL));
  FAULT("NULL output", E_INVALID, polyproc_process_pid(process, NULL));
  FAULT("NULL output", E_INVALID, polyproc_process_name(process, name, sizeof name, NULL));
  FAULT("NULL output", E_INVALID, polyproc_process_is_alive(process, NULL));
  FAULT("NULL output", E_INVALID, polyproc_process_is_daemon(process, NULL));
  FAULT("NULL output", E_INVALID, polyproc_process_fd(process, NULL));
  ANSWERS(OK, polyproc_process_join(process, PATIENCE, NULL));
  polyproc_process_close(process);
  FAULT("closed", E_CLOSED, polyproc_process_exit_code(process, &number));
  FAULT("closed", E_CLOSED, polyproc_process_pid(process, &number));
  FAULT("closed", E_CLOSED, polyproc_process_name(process, name, sizeof name, &len));
  FAULT("closed", E_CLOSED, polyproc_process_is_alive(process, &number));
  FAULT("closed", E_CLOSED, polyproc_process_is_daemon(process, &number));
  FAULT("closed", E_CLOSED, polyproc_process_fd(process, &fd));
  FAULT("closed", E_CLOSED, polyproc_process_signal(process, SIGTERM));
  FAULT("closed", E_CLOSED, polyproc_process_terminate(process));
  CHECK(number == 77 && len == 7 && fd == -7);
}

static void listeners(void) {
  polyproc_listener *listener = NULL;
  polyproc_connection *connection = NULL;
  char address[128];
  size_t len = 7;
  int fd = -7;

  ANSWERS(OK, polyproc_listener_create("tcp://127.0.0.1:0", NULL, &listener));
  FAULT("NULL handle", E_INVALID, polyproc_listener_accept(NULL, &connection, 0, NULL));
  FAULT("NULL output", E_INVALID, polyproc_listener_accept(listener, NULL, 0, NULL));
  FAULT("NULL handle", E_INVALID, polyproc_listener_address(NULL, address, sizeof address, &len));
  FAULT("NULL output", E_INVALID, polyproc_listener_address(listener, address, sizeof address, NULL));
  FAULT("NULL handle", E_INVALID, polyproc_listener_fd(NULL, &fd));
  FAULT("NULL output", E_INVALID, polyproc_listener_fd(listener, NULL));
  polyproc_listener_close(listener);
  FAULT("closed", E_CLOSED, polyproc_listener_address(listener, address, sizeof address, &len));
  FAULT("closed", E_CLOSED, polyproc_listener_fd(listener, &fd));
  CHECK(connection == NULL && len == 7 && fd == -7);
}

static int32_t nothing_to_do(const void *data, size_t len, polyproc_reply *reply, void *user) {
  (void)data;
  (void)len;
  (void)reply;
  (void)user;
  return 0;
}

static void pools(void) {
  polyproc_pool_info info = POLYPROC_POOL_INFO_INIT;
  polyproc_pool_options options = POLYPROC_POOL_OPTIONS_INIT;
  const polyproc_slice item = {"x", 1};
  polyproc_pool *pool = NULL;
  polyproc_task *task = NULL;
  polyproc_task *none = NULL;
  polyproc_message message;
  int32_t number = 77;
  int32_t pids[4];
  size_t len = 7;
  int fd = -7;

  ANSWERS(OK, polyproc_worker_register("nothing", nothing_to_do, NULL));
  options.workers = 1;
  ANSWERS(OK, polyproc_pool_create(&options, &pool));
  ANSWERS(OK, polyproc_pool_submit(pool, "nothing", NULL, 0, &task));
  FAULT("NULL output", E_INVALID, polyproc_pool_fd(pool, NULL));
  FAULT("NULL output", E_INVALID, polyproc_pool_get_info(pool, NULL));
  FAULT("NULL output", E_INVALID, polyproc_pool_worker_pids(pool, pids, 4, NULL));
  FAULT("NULL output", E_INVALID, polyproc_pool_submit_with(pool, "nothing", NULL, 0, NULL, NULL));
  FAULT("NULL output", E_INVALID, polyproc_pool_submit_chunk(pool, "nothing", &item, 1, NULL, NULL));
  FAULT("NULL handle", E_INVALID, polyproc_pool_submit_with(NULL, "nothing", NULL, 0, NULL, &none));
  FAULT("NULL handle", E_INVALID, polyproc_pool_submit_chunk(NULL, "nothing", &item, 1, NULL, &none));
  FAULT("NULL output", E_INVALID, polyproc_worker_fd(NULL));
  FAULT("NULL output", E_INVALID, polyproc_task_result(task, NULL));
  FAULT("NULL output", E_INVALID, polyproc_task_cancel(task, NULL));
  FAULT("NULL output", E_INVALID, polyproc_task_fd(task, NULL));
  ANSWERS(OK, polyproc_task_wait(task, PATIENCE, NULL));
  polyproc_task_close(task);
  FAULT("closed", E_CLOSED, polyproc_task_result(task, &message));
  FAULT("closed", E_CLOSED, polyproc_task_cancel(task, &number));
  FAULT("closed", E_CLOSED, polyproc_task_fd(task, &fd));
  polyproc_pool_close(pool);
  FAULT("closed", E_CLOSED, polyproc_pool_fd(pool, &fd));
  FAULT("closed", E_CLOSED, polyproc_pool_get_info(pool, &info));
  FAULT("closed", E_CLOSED, polyproc_pool_worker_pids(pool, pids, 4, &len));
  FAULT("closed", E_CLOSED, polyproc_pool_submit_with(pool, "nothing", NULL, 0, NULL, &none));
  FAULT("closed", E_CLOSED, polyproc_pool_submit_chunk(pool, "nothing", &item, 1, NULL, &none));
  FAULT("closed", E_CLOSED, polyproc_pool_shutdown(pool));
  FAULT("closed", E_CLOSED, polyproc_pool_terminate(pool));
  CHECK(number == 77 && len == 7 && fd == -7 && none == NULL);
}

int main(void) {
  queues_and_events();
  processes();
  listeners();
  pools();
  return 0;
}
