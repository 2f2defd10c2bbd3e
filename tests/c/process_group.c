/* Signals of a terminal to its foreground process group, such as Ctrl-C, reach every child and
 * worker except those in a process group of their own. */
#include "check.h"

static volatile sig_atomic_t interrupts;

static void count(int number) {
  (void)number;
  interrupts = interrupts + 1;
}

static polyproc_process *spawned(uint32_t flags) {
  const char *argv[] = {"sleep", "600", NULL};
  polyproc_process_options options = POLYPROC_PROCESS_OPTIONS_INIT;
  polyproc_process *process = NULL;
  options.argv = argv;
  options.flags = flags | POLYPROC_PROCESS_DAEMON;
  ANSWERS(OK, polyproc_process_spawn(&options, &process));
  return process;
}

static int sleeps(void *argument) {
  (void)argument;
  CHECK(signal(SIGINT, SIG_DFL) != SIG_ERR);
  for (;;) {
    pause();
  }
}

static polyproc_process *of_fork(uint32_t flags) {
  polyproc_process_options options = POLYPROC_PROCESS_OPTIONS_INIT;
  polyproc_process *process = NULL;
  options.flags = flags | POLYPROC_PROCESS_DAEMON;
  ANSWERS(OK, polyproc_process_fork(&options, sleeps, NULL, &process));
  return process;
}

static int32_t pid_of(polyproc_process *process) {
  int32_t pid = 0;
  ANSWERS(OK, polyproc_process_pid(process, &pid));
  return pid;
}

static int is_alive(polyproc_process *process) {
  int32_t alive = 7;
  ANSWERS(OK, polyproc_process_is_alive(process, &alive));
  return alive;
}

static int32_t pid(const void *data, size_t len, polyproc_reply *reply, void *user) {
  int32_t own = (int32_t)getpid();
  (void)data;
  (void)len;
  (void)user;
  return polyproc_reply_write(reply, &own, sizeof own);
}

static polyproc_pool *pool_of_one(uint32_t flags) {
  polyproc_pool_options options = POLYPROC_POOL_OPTIONS_INIT;
  polyproc_pool *pool = NULL;
  options.workers = 1;
  options.flags = flags;
  ANSWERS(OK, polyproc_pool_create(&options, &pool));
  return pool;
}

static int32_t worker_of(polyproc_pool *pool) {
  int32_t own = 0;
  size_t len = 0;
  ANSWERS(OK, polyproc_pool_apply(pool, "pid", "", 0, &own, sizeof own, &len, PATIENCE, NULL));
  return own;
}

static void ends_by_interrupt(polyproc_process *process) {
  int32_t code = 0;
  ANSWERS(OK, polyproc_process_join(process, PATIENCE, NULL));
  ANSWERS(OK, polyproc_process_exit_code(process, &code));
  CHECK(code == -SIGINT);
  polyproc_process_close(process);
}

static void goes_on(polyproc_process *process) {
  CHECK(getpgid(pid_of(process)) == pid_of(process));
  CHECK(is_alive(process));
  /* SIGKILL to its group ends it with all that it has started. */
  CHECK(kill(-pid_of(process), SIGKILL) == 0);
  ANSWERS(OK, polyproc_process_join(process, PATIENCE, NULL));
  polyproc_process_close(process);
}

static void interrupted(void) {
  polyproc_process *spawned_apart, *spawned_beside, *forked_apart, *forked_beside;
  polyproc_pool *pool;
  int32_t worker, second;

  /* As a shell does. */
  CHECK(setpgid(0, 0) == 0);
  pool = pool_of_one(POLYPROC_POOL_GROUP);
  worker = worker_of(pool);
  CHECK(signal(SIGINT, count) != SIG_ERR);
  spawned_apart = spawned(POLYPROC_PROCESS_GROUP);
  spawned_beside = spawned(0);
  forked_apart = of_fork(POLYPROC_PROCESS_GROUP);
  forked_beside = of_fork(0);
  CHECK(getpgid(worker) == worker);
  CHECK(getpgid(pid_of(forked_apart)) == pid_of(forked_apart));
  CHECK(getpgid(pid_of(forked_beside)) == getpid());
  /* Until it has the default action for SIGINT, which its parent has not. */
  while (interrupts == 0 || is_alive(forked_beside)) {
    CHECK(kill(0, SIGINT) == 0);
    nap(MILLISECOND);
  }
  ends_by_interrupt(forked_beside);
  ends_by_interrupt(spawned_beside);
  goes_on(forked_apart);
  goes_on(spawned_apart);
  CHECK(worker_of(pool) == worker);
  /* A worker that replaces another is in a group of its own as well. */
  CHECK(kill(worker, SIGKILL) == 0);
  do {
    polyproc_task *task = NULL;
    polyproc_message message;
    ANSWERS(OK, polyproc_pool_submit(pool, "pid", "", 0, &task));
    ANSWERS(OK, polyproc_task_wait(task, PATIENCE, NULL));
    if (polyproc_task_result(task, &message) == POLYPROC_OK) {
      memcpy(&second, message.data, sizeof second);
    } else {
      second = worker;
    }
    polyproc_task_close(task);
  } while (second == worker);
  CHECK(getpgid(second) == second);
  polyproc_pool_close(pool);
}

static void unknown_flags(void) {
  polyproc_pool_options options = POLYPROC_POOL_OPTIONS_INIT;
  polyproc_pool *pool = NULL;
  options.flags = 2;
  FAULT("an unknown flag", E_INVALID, polyproc_pool_create(&options, &pool));
}

int main(void) {
  pid_t child;
  ANSWERS(OK, polyproc_worker_register("pid", pid, NULL));
  unknown_flags();
  child = forked();
  if (child == 0) {
    interrupted();
    _exit(0);
  }
  went_well(child);
  return 0;
}
