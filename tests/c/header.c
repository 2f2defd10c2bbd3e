/* The header: included twice, every macro evaluated, every struct laid out as in Rust. */
#include "check.h"
#include "polyproc.h"

/* Fails to compile when the condition is false, in C99 and in C++17. */
#define ASSERT_NAME_2(line) assertion_##line
#define ASSERT_NAME(line) ASSERT_NAME_2(line)
#define ASSERT(condition)             \
  struct ASSERT_NAME(__LINE__) {      \
    char holds[(condition) ? 1 : -1]; \
  }

#define AT(type, field, offset) ASSERT(offsetof(type, field) == (offset))

ASSERT(POLYPROC_VERSION_MAJOR == 0);
ASSERT(POLYPROC_VERSION_MINOR == 1);
ASSERT(POLYPROC_VERSION_PATCH == 0);
ASSERT(POLYPROC_ABI_VERSION == 0);
ASSERT(POLYPROC_OK == 0);
ASSERT(POLYPROC_OWNER_DIED == 1);
ASSERT(POLYPROC_E_INVALID == -1);
ASSERT(POLYPROC_E_TIMEOUT == -2);
ASSERT(POLYPROC_E_EMPTY == -3);
ASSERT(POLYPROC_E_FULL == -4);
ASSERT(POLYPROC_E_CANCELED == -5);
ASSERT(POLYPROC_E_INTERRUPTED == -6);
ASSERT(POLYPROC_E_CLOSED == -7);
ASSERT(POLYPROC_E_SHUTDOWN == -8);
ASSERT(POLYPROC_E_EOF == -9);
ASSERT(POLYPROC_E_BROKEN_PIPE == -10);
ASSERT(POLYPROC_E_TOO_SMALL == -11);
ASSERT(POLYPROC_E_TOO_LARGE == -12);
ASSERT(POLYPROC_E_NO_MEMORY == -13);
ASSERT(POLYPROC_E_NOT_FOUND == -14);
ASSERT(POLYPROC_E_EXISTS == -15);
ASSERT(POLYPROC_E_MISMATCH == -16);
ASSERT(POLYPROC_E_PERMISSION == -17);
ASSERT(POLYPROC_E_CORRUPT == -18);
ASSERT(POLYPROC_E_LIMIT == -19);
ASSERT(POLYPROC_E_NOT_OWNER == -20);
ASSERT(POLYPROC_E_OVER_RELEASE == -21);
ASSERT(POLYPROC_E_BROKEN_BARRIER == -22);
ASSERT(POLYPROC_E_DAEMONIC == -23);
ASSERT(POLYPROC_E_AUTH == -24);
ASSERT(POLYPROC_E_UNSUPPORTED == -25);
ASSERT(POLYPROC_E_WORKER_DIED == -26);
ASSERT(POLYPROC_E_TASK_FAILED == -27);
ASSERT(POLYPROC_E_INTERNAL == -99);
ASSERT(POLYPROC_FOREVER < 0);
ASSERT(POLYPROC_NAME_MAX == 200);
ASSERT(POLYPROC_KIND_LOCK == 1);
ASSERT(POLYPROC_KIND_SEMAPHORE == 2);
ASSERT(POLYPROC_KIND_EVENT == 3);
ASSERT(POLYPROC_KIND_QUEUE == 4);
ASSERT(POLYPROC_WAIT_QUEUE_GET == 1);
ASSERT(POLYPROC_WAIT_QUEUE_PUT == 2);
ASSERT(POLYPROC_WAIT_QUEUE_SETTLED == 8);
ASSERT(POLYPROC_MESSAGE_WAITING == 1);
ASSERT(POLYPROC_MESSAGE_LEASED == 2);
ASSERT(POLYPROC_MESSAGE_DONE == 3);
ASSERT(POLYPROC_MESSAGE_DEAD == 4);
ASSERT(POLYPROC_MESSAGE_DISCARDED == 5);
ASSERT(POLYPROC_MESSAGE_UNKNOWN == 6);
ASSERT(POLYPROC_WAIT_EVENT == 3);
ASSERT(POLYPROC_WAIT_CONNECTION == 4);
ASSERT(POLYPROC_WAIT_PROCESS == 6);
ASSERT(POLYPROC_WAIT_TASK == 7);
ASSERT(POLYPROC_TASK_TAGGED == 1);
ASSERT(POLYPROC_POOL_WORKERS_MAX == 1000);
ASSERT(POLYPROC_WAIT_LISTENER == 5);
ASSERT(POLYPROC_LISTENER_PUBLIC == 1);
ASSERT(POLYPROC_KIND_CONNECTION == 8);
ASSERT(POLYPROC_KIND_RLOCK == 5);
ASSERT(POLYPROC_KIND_CONDITION == 6);
ASSERT(POLYPROC_KIND_BARRIER == 7);
ASSERT(POLYPROC_BARRIER_PARTIES_MAX == 1024);
ASSERT(POLYPROC_OPEN_OR_CREATE == 1);
ASSERT(POLYPROC_QUEUE_JOINABLE == 2);
ASSERT(POLYPROC_SEMAPHORE_OWNED == 4);
ASSERT(POLYPROC_PROCESS_DAEMON == 1);
ASSERT(POLYPROC_PROCESS_CLEAR_ENV == 2);
ASSERT(POLYPROC_PROCESS_GROUP == 4);
ASSERT(POLYPROC_POOL_GROUP == 1);
ASSERT(POLYPROC_FD_NULL == -2);

/* tests/header.rs asserts the same numbers of the Rust structs. */
ASSERT(sizeof(polyproc_options) == 16);
AT(polyproc_options, size, 0);
AT(polyproc_options, flags, 8);
AT(polyproc_options, mode, 12);

ASSERT(sizeof(polyproc_semaphore_options) == 32);
AT(polyproc_semaphore_options, size, 0);
AT(polyproc_semaphore_options, flags, 8);
AT(polyproc_semaphore_options, mode, 12);
AT(polyproc_semaphore_options, initial, 16);
AT(polyproc_semaphore_options, maximum, 24);

ASSERT(sizeof(polyproc_queue_options) == 72);
AT(polyproc_queue_options, size, 0);
AT(polyproc_queue_options, flags, 8);
AT(polyproc_queue_options, mode, 12);
AT(polyproc_queue_options, max_items, 16);
AT(polyproc_queue_options, max_bytes, 24);
AT(polyproc_queue_options, max_deliveries, 32);
AT(polyproc_queue_options, spin_ns, 36);
AT(polyproc_queue_options, format, 40);

ASSERT(sizeof(polyproc_queue_info) == 176);
AT(polyproc_queue_info, size, 0);
AT(polyproc_queue_info, items, 8);
AT(polyproc_queue_info, bytes, 16);
AT(polyproc_queue_info, in_flight, 24);
AT(polyproc_queue_info, unfinished, 32);
AT(polyproc_queue_info, puts, 40);
AT(polyproc_queue_info, gets, 48);
AT(polyproc_queue_info, redelivered, 56);
AT(polyproc_queue_info, discarded, 64);
AT(polyproc_queue_info, recoveries, 72);
AT(polyproc_queue_info, dead_letters, 80);
AT(polyproc_queue_info, max_items, 88);
AT(polyproc_queue_info, max_bytes, 96);
AT(polyproc_queue_info, max_deliveries, 104);
AT(polyproc_queue_info, flags, 108);
AT(polyproc_queue_info, waiting, 112);
AT(polyproc_queue_info, participants, 116);
AT(polyproc_queue_info, shutdown, 120);
AT(polyproc_queue_info, spin_ns, 124);
AT(polyproc_queue_info, format, 128);
AT(polyproc_queue_info, identity, 160);

ASSERT(sizeof(polyproc_slice) == 16);
AT(polyproc_slice, data, 0);
AT(polyproc_slice, len, 8);

ASSERT(sizeof(polyproc_slot) == 32);
AT(polyproc_slot, data, 0);
AT(polyproc_slot, len, 8);
AT(polyproc_slot, opaque, 16);

ASSERT(sizeof(polyproc_message) == 48);
AT(polyproc_message, data, 0);
AT(polyproc_message, len, 8);
AT(polyproc_message, id, 16);
AT(polyproc_message, deliveries, 24);
AT(polyproc_message, reserved, 28);
AT(polyproc_message, opaque, 32);

ASSERT(sizeof(polyproc_handle) == 24);
AT(polyproc_handle, name, 0);
AT(polyproc_handle, kind, 8);
AT(polyproc_handle, object, 16);
ASSERT(sizeof(polyproc_waitable) == 16);
AT(polyproc_waitable, kind, 0);
AT(polyproc_waitable, ready, 4);
AT(polyproc_waitable, object, 8);

ASSERT(sizeof(polyproc_process_options) == 80);
AT(polyproc_process_options, size, 0);
AT(polyproc_process_options, flags, 8);
AT(polyproc_process_options, name, 16);
AT(polyproc_process_options, cwd, 24);
AT(polyproc_process_options, argv, 32);
AT(polyproc_process_options, env, 40);
AT(polyproc_process_options, stdin_fd, 48);
AT(polyproc_process_options, stdout_fd, 52);
AT(polyproc_process_options, stderr_fd, 56);
AT(polyproc_process_options, handles, 64);
AT(polyproc_process_options, handle_count, 72);

ASSERT(sizeof(polyproc_process_info) == 88);
AT(polyproc_process_info, size, 0);
AT(polyproc_process_info, pid, 8);
AT(polyproc_process_info, parent_pid, 12);
AT(polyproc_process_info, daemon, 16);
AT(polyproc_process_info, reserved, 20);
AT(polyproc_process_info, name, 24);

ASSERT(sizeof(polyproc_listener_options) == 56);
AT(polyproc_listener_options, size, 0);
AT(polyproc_listener_options, flags, 8);
AT(polyproc_listener_options, backlog, 12);
AT(polyproc_listener_options, authkey, 16);
AT(polyproc_listener_options, authkey_len, 24);
AT(polyproc_listener_options, handshake_timeout_ns, 32);
AT(polyproc_listener_options, max_message, 40);
AT(polyproc_listener_options, allow_md5, 48);
AT(polyproc_listener_options, reserved, 52);
ASSERT(sizeof(polyproc_pool_options) == 80);
AT(polyproc_pool_options, size, 0);
AT(polyproc_pool_options, workers, 8);
AT(polyproc_pool_options, flags, 12);
AT(polyproc_pool_options, argv, 16);
AT(polyproc_pool_options, env, 24);
AT(polyproc_pool_options, max_tasks_per_worker, 32);
AT(polyproc_pool_options, max_attempts, 36);
AT(polyproc_pool_options, initialiser, 40);
AT(polyproc_pool_options, initialiser_data, 48);
AT(polyproc_pool_options, initialiser_len, 56);
AT(polyproc_pool_options, handles, 64);
AT(polyproc_pool_options, handle_count, 72);

ASSERT(sizeof(polyproc_task_options) == 32);
AT(polyproc_task_options, size, 0);
AT(polyproc_task_options, flags, 8);
AT(polyproc_task_options, timeout_ns, 16);
AT(polyproc_task_options, tag, 24);

ASSERT(sizeof(polyproc_pool_info) == 80);
AT(polyproc_pool_info, size, 0);
AT(polyproc_pool_info, workers, 8);
AT(polyproc_pool_info, alive, 12);
AT(polyproc_pool_info, outstanding, 16);
AT(polyproc_pool_info, queued, 24);
AT(polyproc_pool_info, submitted, 32);
AT(polyproc_pool_info, succeeded, 40);
AT(polyproc_pool_info, failed, 48);
AT(polyproc_pool_info, retried, 56);
AT(polyproc_pool_info, started_workers, 64);
AT(polyproc_pool_info, died_workers, 72);

ASSERT(sizeof(polyproc_job) == 48);
AT(polyproc_job, function, 0);
AT(polyproc_job, data, 8);
AT(polyproc_job, len, 16);
AT(polyproc_job, count, 24);
AT(polyproc_job, attempt, 28);
AT(polyproc_job, opaque, 32);

ASSERT(sizeof(polyproc_object_info) == 248);
AT(polyproc_object_info, kind, 0);
AT(polyproc_object_info, mode, 4);
AT(polyproc_object_info, processes, 8);
AT(polyproc_object_info, waiting, 12);
AT(polyproc_object_info, bytes, 16);
AT(polyproc_object_info, reserved, 24);
AT(polyproc_object_info, name, 40);

int main(void) {
  polyproc_options options = POLYPROC_OPTIONS_INIT;
  polyproc_semaphore_options semaphore = POLYPROC_SEMAPHORE_OPTIONS_INIT;
  polyproc_queue_options queue = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_process_options process = POLYPROC_PROCESS_OPTIONS_INIT;
  polyproc_queue_info queue_info = POLYPROC_QUEUE_INFO_INIT;
  polyproc_process_info process_info = POLYPROC_PROCESS_INFO_INIT;
  polyproc_listener_options listener = POLYPROC_LISTENER_OPTIONS_INIT;
  polyproc_pool_options pool = POLYPROC_POOL_OPTIONS_INIT;
  polyproc_task_options task = POLYPROC_TASK_OPTIONS_INIT;
  polyproc_pool_info pool_info = POLYPROC_POOL_INFO_INIT;

  CHECK(options.size == sizeof options && options.flags == 0 && options.mode == 0);
  CHECK(semaphore.size == sizeof semaphore && semaphore.flags == 0 && semaphore.mode == 0);
  CHECK(semaphore.initial == 0 && semaphore.maximum == 0);
  CHECK(queue.size == sizeof queue && queue.flags == 0 && queue.mode == 0);
  CHECK(queue.max_items == 0 && queue.max_bytes == 0 && queue.max_deliveries == 0);
  CHECK(queue.spin_ns == 0 && queue.format[0] == '\0' && queue.format[31] == '\0');
  CHECK(process.size == sizeof process && process.flags == 0 && process.name == NULL);
  CHECK(process.cwd == NULL && process.argv == NULL && process.env == NULL);
  CHECK(process.stdin_fd == -1 && process.stdout_fd == -1 && process.stderr_fd == -1);
  CHECK(process.handles == NULL && process.handle_count == 0);
  CHECK(queue_info.size == sizeof queue_info && queue_info.items == 0);
  CHECK(queue_info.spin_ns == 0 && queue_info.format[0] == '\0');
  CHECK(process_info.size == sizeof process_info && process_info.pid == 0);
  CHECK(process_info.name[0] == '\0');
  CHECK(listener.size == sizeof listener && listener.flags == 0 && listener.backlog == 0);
  CHECK(listener.authkey == NULL && listener.authkey_len == 0 && listener.handshake_timeout_ns == 0);
  CHECK(listener.max_message == 0 && listener.allow_md5 == 1 && listener.reserved == 0);
  CHECK(pool.size == sizeof pool && pool.workers == 0 && pool.argv == NULL && pool.env == NULL);
  CHECK(pool.max_tasks_per_worker == 0 && pool.max_attempts == 0 && pool.initialiser == NULL);
  CHECK(pool.initialiser_data == NULL && pool.initialiser_len == 0);
  CHECK(pool.handles == NULL && pool.handle_count == 0);
  CHECK(task.size == sizeof task && task.flags == 0 && task.timeout_ns == 0 && task.tag == 0);
  CHECK(pool_info.size == sizeof pool_info && pool_info.workers == 0 && pool_info.died_workers == 0);
  return 0;
}
