/* Bad arguments: every call returns E_INVALID, and nothing is written or changed. */
#include "check.h"

static polyproc_lock *lock;
static polyproc_semaphore *semaphore;
static polyproc_event *event;
static polyproc_queue *queue;
static polyproc_cancel *token;

#define INVALID(call) ANSWERS(E_INVALID, call)

/* Handles of other types, and pointers that no handle can have. */
#define LOCK(pointer) ((polyproc_lock *)(void *)(pointer))
#define SEMAPHORE(pointer) ((polyproc_semaphore *)(void *)(pointer))
#define EVENT(pointer) ((polyproc_event *)(void *)(pointer))
#define QUEUE(pointer) ((polyproc_queue *)(void *)(pointer))
#define CANCEL(pointer) ((polyproc_cancel *)(void *)(pointer))
#define PROCESS(pointer) ((polyproc_process *)(void *)(pointer))

static void null_places(void) {
  INVALID(polyproc_lock_create(NULL, NULL, NULL));
  INVALID(polyproc_lock_open("x", NULL));
  INVALID(polyproc_semaphore_create(NULL, NULL, NULL));
  INVALID(polyproc_semaphore_open("x", NULL));
  INVALID(polyproc_event_create(NULL, NULL, NULL));
  INVALID(polyproc_event_open("x", NULL));
  INVALID(polyproc_queue_create(NULL, NULL, NULL));
  INVALID(polyproc_queue_open("x", NULL));
  INVALID(polyproc_cancel_create(NULL));
  INVALID(polyproc_lock_is_locked(lock, NULL));
  INVALID(polyproc_semaphore_value(semaphore, NULL));
  INVALID(polyproc_event_is_set(event, NULL));
  INVALID(polyproc_queue_length(queue, NULL));
  INVALID(polyproc_queue_is_empty(queue, NULL));
  INVALID(polyproc_queue_is_full(queue, NULL));
  INVALID(polyproc_queue_get_info(queue, NULL));
  INVALID(polyproc_queue_take(queue, NULL, 0, NULL));
  INVALID(polyproc_queue_take_dead(queue, NULL));
  INVALID(polyproc_queue_reserve(queue, 1, NULL, 0, NULL));
  INVALID(polyproc_message_done(NULL));
  INVALID(polyproc_message_return(NULL));
  INVALID(polyproc_slot_commit(NULL, 0));
  INVALID(polyproc_slot_abort(NULL));
  INVALID(polyproc_share_fd(POLYPROC_KIND_QUEUE, queue, NULL));
  INVALID(polyproc_open_fd(0, POLYPROC_KIND_QUEUE, NULL));
  INVALID(polyproc_inherited("x", POLYPROC_KIND_QUEUE, NULL));
  INVALID(polyproc_current_process(NULL));
  INVALID(polyproc_active_children(NULL, 0, NULL));
  INVALID(polyproc_process_adopt(getpid(), NULL));
}

static void null_handles(void) {
  int32_t flag = 7;
  int64_t value = 7;
  uint64_t length = 7;
  size_t len = 7;
  int fd = 7;
  char buf[8];
  polyproc_message message;
  polyproc_slot slot;
  polyproc_slice slice = {"x", 1};
  polyproc_queue_info info = POLYPROC_QUEUE_INFO_INIT;

  INVALID(polyproc_lock_acquire(NULL, 0, NULL));
  INVALID(polyproc_lock_release(NULL));
  INVALID(polyproc_lock_is_locked(NULL, &flag));
  INVALID(polyproc_semaphore_acquire(NULL, 0, NULL));
  INVALID(polyproc_semaphore_release(NULL, 1));
  INVALID(polyproc_semaphore_value(NULL, &value));
  INVALID(polyproc_event_set(NULL));
  INVALID(polyproc_event_clear(NULL));
  INVALID(polyproc_event_is_set(NULL, &flag));
  INVALID(polyproc_event_wait(NULL, 0, NULL));
  INVALID(polyproc_cancel_fire(NULL));
  INVALID(polyproc_cancel_reset(NULL));
  INVALID(polyproc_queue_put(NULL, "x", 1, 0, NULL));
  INVALID(polyproc_queue_get(NULL, buf, sizeof buf, &len, 0, NULL));
  INVALID(polyproc_queue_put_many(NULL, &slice, 1, &len, 0, NULL));
  INVALID(polyproc_queue_take_many(NULL, &message, 1, &len, 0, NULL));
  INVALID(polyproc_queue_reserve(NULL, 1, &slot, 0, NULL));
  INVALID(polyproc_queue_take(NULL, &message, 0, NULL));
  INVALID(polyproc_queue_take_dead(NULL, &message));
  INVALID(polyproc_queue_task_done(NULL));
  INVALID(polyproc_queue_join(NULL, 0, NULL));
  INVALID(polyproc_queue_shutdown(NULL, 0));
  INVALID(polyproc_queue_length(NULL, &length));
  INVALID(polyproc_queue_is_empty(NULL, &flag));
  INVALID(polyproc_queue_is_full(NULL, &flag));
  INVALID(polyproc_queue_get_info(NULL, &info));
  INVALID(polyproc_share_fd(POLYPROC_KIND_LOCK, NULL, &fd));
  INVALID(polyproc_process_join(NULL, 0, NULL));
  INVALID(polyproc_process_exit_code(NULL, &flag));
  INVALID(polyproc_process_pid(NULL, &flag));
  INVALID(polyproc_process_name(NULL, buf, sizeof buf, &len));
  INVALID(polyproc_process_is_alive(NULL, &flag));
  INVALID(polyproc_process_is_daemon(NULL, &flag));
  INVALID(polyproc_process_terminate(NULL));
  INVALID(polyproc_process_kill(NULL));
  INVALID(polyproc_process_signal(NULL, SIGTERM));
  INVALID(polyproc_process_fd(NULL, &fd));
  CHECK(flag == 7 && value == 7 && length == 7 && len == 7 && fd == 7);

  polyproc_lock_close(NULL);
  polyproc_semaphore_close(NULL);
  polyproc_event_close(NULL);
  polyproc_queue_close(NULL);
  polyproc_process_close(NULL);
  polyproc_cancel_close(NULL);
}

static void handles_of_another_type(void) {
  int32_t flag = 7;
  uint64_t length = 7;
  int fd = 7;
  void *out = NULL;

  INVALID(polyproc_lock_acquire(LOCK(semaphore), 0, NULL));
  INVALID(polyproc_semaphore_acquire(SEMAPHORE(lock), 0, NULL));
  INVALID(polyproc_event_set(EVENT(queue)));
  INVALID(polyproc_queue_length(QUEUE(event), &length));
  INVALID(polyproc_cancel_fire(CANCEL(event)));
  INVALID(polyproc_process_is_alive(PROCESS(token), &flag));
  INVALID(polyproc_lock_acquire(lock, 0, CANCEL(lock)));
  INVALID(polyproc_queue_length(QUEUE((char *)queue + 1), &length));
  INVALID(polyproc_share_fd(POLYPROC_KIND_LOCK, queue, &fd));
  INVALID(polyproc_share_fd(0, queue, &fd));
  INVALID(polyproc_share_fd(1000, queue, &fd));
  INVALID(polyproc_open_fd(0, 0, &out));
  INVALID(polyproc_open_fd(-1, POLYPROC_KIND_LOCK, &out));
  INVALID(polyproc_open_fd(1 << 20, POLYPROC_KIND_LOCK, &out));
  INVALID(polyproc_inherited("x", 99, &out));
  CHECK(flag == 7 && length == 7 && fd == 7 && out == NULL);

  /* A close of the wrong type closes nothing. */
  polyproc_lock_close(LOCK(queue));
  polyproc_cancel_close(CANCEL(lock));
  ANSWERS(OK, polyproc_queue_length(queue, &length));
  ANSWERS(OK, polyproc_lock_acquire(lock, 0, token));
  ANSWERS(OK, polyproc_lock_release(lock));
}

static void numbers(void) {
  char buf[4];
  size_t len = 7;
  polyproc_slice slices[2] = {{"x", 1}, {NULL, 1}};
  polyproc_message message;
  polyproc_semaphore_options options = POLYPROC_SEMAPHORE_OPTIONS_INIT;
  polyproc_queue_options queue_options = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_semaphore *none = NULL;
  uint64_t length = 7;

  INVALID(polyproc_queue_put(queue, NULL, 1, 0, NULL));
  INVALID(polyproc_queue_put(queue, "x", SIZE_MAX, 0, NULL));
  INVALID(polyproc_queue_get(queue, NULL, 1, &len, 0, NULL));
  INVALID(polyproc_queue_get(queue, buf, SIZE_MAX, &len, 0, NULL));
  INVALID(polyproc_queue_get(queue, buf, sizeof buf, NULL, 0, NULL));
  INVALID(polyproc_queue_put_many(queue, NULL, 1, &len, 0, NULL));
  INVALID(polyproc_queue_put_many(queue, slices, 2, &len, 0, NULL));
  INVALID(polyproc_queue_put_many(queue, slices, 1, NULL, 0, NULL));
  INVALID(polyproc_queue_put_many(queue, slices, SIZE_MAX, &len, 0, NULL));
  INVALID(polyproc_queue_take_many(queue, NULL, 1, &len, 0, NULL));
  INVALID(polyproc_queue_take_many(queue, &message, 0, &len, 0, NULL));
  INVALID(polyproc_queue_take_many(queue, &message, 1, NULL, 0, NULL));
  INVALID(polyproc_queue_take_many(queue, &message, SIZE_MAX, &len, 0, NULL));
  INVALID(polyproc_queue_shutdown(queue, 2));
  INVALID(polyproc_semaphore_release(semaphore, 0));
  INVALID(polyproc_semaphore_release(semaphore, -1));
  INVALID(polyproc_semaphore_release(semaphore, INT64_MIN));
  INVALID(polyproc_process_adopt(0, (polyproc_process **)(void *)&none));
  INVALID(polyproc_process_adopt(-5, (polyproc_process **)(void *)&none));
  options.initial = -1;
  INVALID(polyproc_semaphore_create(NULL, &options, &none));
  options.initial = 3;
  options.maximum = 2;
  INVALID(polyproc_semaphore_create(NULL, &options, &none));
  queue_options.max_deliveries = 65535;
  INVALID(polyproc_queue_create(NULL, &queue_options, (polyproc_queue **)(void *)&none));
  queue_options.max_deliveries = 0;
  queue_options.max_bytes = 15;
  INVALID(polyproc_queue_create(NULL, &queue_options, (polyproc_queue **)(void *)&none));
  options.initial = 0;
  options.maximum = -1;
  INVALID(polyproc_semaphore_create(NULL, &options, &none));
  ANSWERS(OK, polyproc_queue_length(queue, &length));
  CHECK(length == 0 && len == 7 && none == NULL);
}

static void unknown_flags(void) {
  polyproc_options options = POLYPROC_OPTIONS_INIT;
  polyproc_semaphore_options semaphore_options = POLYPROC_SEMAPHORE_OPTIONS_INIT;
  polyproc_queue_options queue_options = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_process_options process_options = POLYPROC_PROCESS_OPTIONS_INIT;
  const char *argv[] = {"/bin/true", NULL};
  void *none = NULL;
  int bit;

  process_options.argv = argv;
  for (bit = 0; bit < 32; bit++) {
    const uint32_t flag = (uint32_t)1 << bit;
    options.flags = semaphore_options.flags = queue_options.flags = process_options.flags = flag;
    if (flag != POLYPROC_OPEN_OR_CREATE) {
      INVALID(polyproc_lock_create(NULL, &options, (polyproc_lock **)&none));
      INVALID(polyproc_event_create(NULL, &options, (polyproc_event **)&none));
      if (flag != POLYPROC_SEMAPHORE_OWNED) {
        INVALID(polyproc_semaphore_create(NULL, &semaphore_options, (polyproc_semaphore **)&none));
      }
      if (flag != POLYPROC_QUEUE_JOINABLE) {
        INVALID(polyproc_queue_create(NULL, &queue_options, (polyproc_queue **)&none));
      }
    }
    if (flag != POLYPROC_PROCESS_DAEMON && flag != POLYPROC_PROCESS_CLEAR_ENV &&
        flag != POLYPROC_PROCESS_GROUP) {
      INVALID(polyproc_process_spawn(&process_options, (polyproc_process **)&none));
    }
  }
  queue_options.flags = 0;
  memset(queue_options.format, 'x', sizeof queue_options.format);
  INVALID(polyproc_queue_create(NULL, &queue_options, (polyproc_queue **)&none));
  CHECK(none == NULL);
}

/* Options of a program that was compiled with a later version of the header. */
typedef struct {
  polyproc_queue_options known;
  uint64_t later;
} newer_options;

static void sizes_of_options(void) {
  const size_t wrong[] = {0, 1, 8, sizeof(polyproc_queue_options) - 1, 4096, SIZE_MAX};
  polyproc_options options = POLYPROC_OPTIONS_INIT;
  polyproc_semaphore_options semaphore_options = POLYPROC_SEMAPHORE_OPTIONS_INIT;
  polyproc_queue_options queue_options = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_process_options process_options = POLYPROC_PROCESS_OPTIONS_INIT;
  polyproc_queue_info info = POLYPROC_QUEUE_INFO_INIT;
  polyproc_process_info process_info = POLYPROC_PROCESS_INFO_INIT;
  newer_options newer;
  void *none = NULL;
  polyproc_queue *made = NULL;
  size_t i;

  for (i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    options.size = semaphore_options.size = queue_options.size = process_options.size = wrong[i];
    if (wrong[i] < sizeof options || wrong[i] >= 4096) {
      INVALID(polyproc_lock_create(NULL, &options, (polyproc_lock **)&none));
      INVALID(polyproc_semaphore_create(NULL, &semaphore_options, (polyproc_semaphore **)&none));
    }
    INVALID(polyproc_queue_create(NULL, &queue_options, (polyproc_queue **)&none));
    INVALID(polyproc_process_spawn(&process_options, (polyproc_process **)&none));
    info.size = process_info.size = wrong[i];
    INVALID(polyproc_queue_get_info(queue, &info));
    INVALID(polyproc_current_process(&process_info));
  }
  CHECK(none == NULL && process_info.pid == 0);

  memset(&newer, 0, sizeof newer);
  newer.known.size = sizeof newer;
  ANSWERS(OK, polyproc_queue_create(NULL, &newer.known, &made));
  polyproc_queue_close(made);
  newer.later = (uint64_t)1 << 63;
  INVALID(polyproc_queue_create(NULL, &newer.known, (polyproc_queue **)&none));
  CHECK(none == NULL);
}

static void processes(void) {
  polyproc_process_options options = POLYPROC_PROCESS_OPTIONS_INIT;
  const char *nothing[] = {NULL};
  const char *argv[] = {"/bin/true", NULL};
  const char *env[] = {"NO_EQUALS_SIGN", NULL};
  polyproc_handle handles[2];
  polyproc_process *none = NULL;

  INVALID(polyproc_process_spawn(NULL, &none));
  INVALID(polyproc_process_spawn(&options, &none));
  options.argv = nothing;
  INVALID(polyproc_process_spawn(&options, &none));
  options.argv = argv;
  INVALID(polyproc_process_spawn(&options, NULL));
  options.stdin_fd = -3;
  INVALID(polyproc_process_spawn(&options, &none));
  options.stdin_fd = 1 << 20;
  INVALID(polyproc_process_spawn(&options, &none));
  options.stdin_fd = -1;
  options.env = env;
  INVALID(polyproc_process_spawn(&options, &none));
  options.env = NULL;
  options.handle_count = 1;
  INVALID(polyproc_process_spawn(&options, &none));
  handles[0].name = handles[1].name = "jobs";
  handles[0].kind = handles[1].kind = POLYPROC_KIND_QUEUE;
  handles[0].object = handles[1].object = queue;
  options.handles = handles;
  options.handle_count = 2;
  INVALID(polyproc_process_spawn(&options, &none)); /* the same name twice */
  handles[1].name = "a/b";
  INVALID(polyproc_process_spawn(&options, &none));
  handles[1].name = NULL;
  INVALID(polyproc_process_spawn(&options, &none));
  handles[1].name = "lock";
  handles[1].object = lock;
  INVALID(polyproc_process_spawn(&options, &none)); /* a lock is no queue */
  handles[1].object = NULL;
  INVALID(polyproc_process_spawn(&options, &none));
  options.handle_count = 0;
  INVALID(polyproc_process_fork(&options, NULL, NULL, &none));
  CHECK(none == NULL);
}

static void loans_that_are_none(void) {
  polyproc_message message;
  polyproc_slot slot;
  memset(&message, 0, sizeof message);
  memset(&slot, 0, sizeof slot);
  INVALID(polyproc_message_done(&message));
  INVALID(polyproc_message_return(&message));
  INVALID(polyproc_slot_commit(&slot, 0));
  INVALID(polyproc_slot_abort(&slot));
}

int main(void) {
  ANSWERS(OK, polyproc_lock_create(NULL, NULL, &lock));
  ANSWERS(OK, polyproc_semaphore_create(NULL, NULL, &semaphore));
  ANSWERS(OK, polyproc_event_create(NULL, NULL, &event));
  ANSWERS(OK, polyproc_queue_create(NULL, NULL, &queue));
  ANSWERS(OK, polyproc_cancel_create(&token));
  null_places();
  null_handles();
  handles_of_another_type();
  numbers();
  unknown_flags();
  sizes_of_options();
  processes();
  loans_that_are_none();
  polyproc_lock_close(lock);
  polyproc_semaphore_close(semaphore);
  polyproc_event_close(event);
  polyproc_queue_close(queue);
  polyproc_cancel_close(token);
  return 0;
}
