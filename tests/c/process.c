/* Processes: spawn, fork, join, exit codes, signals, what a child inherits. */
#include <fcntl.h>
#include <poll.h>

#include "check.h"

static const char *self; /* this program, which is its own child */

static polyproc_process *spawn(const char *program, const char *argument) {
  polyproc_process_options options = POLYPROC_PROCESS_OPTIONS_INIT;
  polyproc_process *process = NULL;
  const char *argv[3];
  argv[0] = program;
  argv[1] = argument;
  argv[2] = NULL;
  options.argv = argv;
  options.stdout_fd = POLYPROC_FD_NULL;
  ANSWERS(OK, polyproc_process_spawn(&options, &process));
  return process;
}

static int32_t exit_code(polyproc_process *process) {
  int32_t code = 7777;
  ANSWERS(OK, polyproc_process_join(process, PATIENCE, NULL));
  ANSWERS(OK, polyproc_process_exit_code(process, &code));
  return code;
}

static void exit_codes(void) {
  polyproc_process *process = spawn("true", NULL);
  CHECK(exit_code(process) == 0);
  CHECK(exit_code(process) == 0); /* as often as one likes */
  polyproc_process_close(process);
  process = spawn("false", NULL);
  CHECK(exit_code(process) == 1);
  polyproc_process_close(process);
}

static void a_process_that_runs(void) {
  polyproc_process *process = spawn("sleep", "1000");
  struct pollfd end;
  int32_t code = 77;
  int32_t alive = 77;
  int32_t daemon = 77;
  int32_t pid = 77;
  int fd = -7;
  char name[64];
  size_t len = 77;
  int64_t began;

  ANSWERS(E_TIMEOUT, polyproc_process_exit_code(process, &code));
  CHECK(code == 77);
  ANSWERS(E_TIMEOUT, polyproc_process_join(process, 0, NULL));
  began = now();
  ANSWERS(E_TIMEOUT, polyproc_process_join(process, 30 * MILLISECOND, NULL));
  CHECK(now() - began >= 30 * MILLISECOND);
  ANSWERS(OK, polyproc_process_is_alive(process, &alive));
  ANSWERS(OK, polyproc_process_is_daemon(process, &daemon));
  ANSWERS(OK, polyproc_process_pid(process, &pid));
  CHECK(alive == 1 && daemon == 0 && pid > 0 && kill(pid, 0) == 0);

  ANSWERS(E_TOO_SMALL, polyproc_process_name(process, NULL, 0, &len));
  CHECK(len >= 2 && len <= sizeof name);
  ANSWERS(E_TOO_SMALL, polyproc_process_name(process, name, len - 1, &len));
  ANSWERS(OK, polyproc_process_name(process, name, sizeof name, &len));
  CHECK(strlen(name) == len && strncmp(name, "Process-", 8) == 0);

  ANSWERS(OK, polyproc_process_fd(process, &fd));
  end.fd = fd;
  end.events = POLLIN;
  CHECK(poll(&end, 1, 0) == 0);
  ANSWERS(E_INVALID, polyproc_process_signal(process, 0));
  ANSWERS(E_INVALID, polyproc_process_signal(process, -9));
  ANSWERS(E_INVALID, polyproc_process_signal(process, 65));
  ANSWERS(OK, polyproc_process_signal(process, SIGSTOP));
  ANSWERS(OK, polyproc_process_signal(process, SIGCONT));
  ANSWERS(OK, polyproc_process_terminate(process));
  CHECK(exit_code(process) == -SIGTERM);
  CHECK(poll(&end, 1, 0) == 1);
  ANSWERS(OK, polyproc_process_is_alive(process, &alive));
  CHECK(alive == 0);
  ANSWERS(OK, polyproc_process_kill(process)); /* it has ended: nothing happens */
  CHECK(exit_code(process) == -SIGTERM);
  polyproc_process_close(process);

  process = spawn("sleep", "1000");
  ANSWERS(OK, polyproc_process_kill(process));
  CHECK(exit_code(process) == -SIGKILL);
  polyproc_process_close(process);
}

static void a_program_that_is_not_there(void) {
  polyproc_process_options options = POLYPROC_PROCESS_OPTIONS_INIT;
  polyproc_process *process = NULL;
  const char *argv[] = {"/nonexistent/program", NULL};
  options.argv = argv;
  ANSWERS(E_NOT_FOUND, polyproc_process_spawn(&options, &process));
  argv[0] = "no-program-has-this-name";
  ANSWERS(E_NOT_FOUND, polyproc_process_spawn(&options, &process));
  argv[0] = "/etc/passwd";
  ANSWERS(E_PERMISSION, polyproc_process_spawn(&options, &process));
  argv[0] = "true";
  options.cwd = "/nonexistent";
  ANSWERS(E_NOT_FOUND, polyproc_process_spawn(&options, &process));
  CHECK(process == NULL);
}

static void environment_directory_and_descriptors(void) {
  polyproc_process_options options = POLYPROC_PROCESS_OPTIONS_INIT;
  polyproc_process *process = NULL;
  const char *argv[] = {"/bin/sh", "-c", "echo \"$GREETING$HOME\"; pwd; cat", NULL};
  const char *env[] = {"GREETING=hello", "PATH=/usr/bin:/bin", NULL};
  int ends[2];
  char text[64];
  size_t len = 0;
  ssize_t got;

  CHECK(pipe(ends) == 0 && fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0);
  options.argv = argv;
  options.env = env;
  options.cwd = "/";
  options.flags = POLYPROC_PROCESS_CLEAR_ENV;
  options.stdin_fd = POLYPROC_FD_NULL;
  options.stdout_fd = ends[1];
  ANSWERS(OK, polyproc_process_spawn(&options, &process));
  close(ends[1]);
  while ((got = read(ends[0], text + len, sizeof text - 1 - len)) > 0) {
    len += (size_t)got;
  }
  text[len] = '\0';
  CHECK(strcmp(text, "hello\n/\n") == 0);
  CHECK(exit_code(process) == 0);
  close(ends[0]);
  polyproc_process_close(process);
}

/* The program that `inheritance` starts. */
static int be_the_heir(void) {
  polyproc_process_info info = POLYPROC_PROCESS_INFO_INIT;
  void *jobs = NULL;
  void *lock = NULL;
  void *none = NULL;
  char buf[16];
  size_t len = 0;

  ANSWERS(OK, polyproc_current_process(&info));
  CHECK(info.pid == getpid() && info.parent_pid == getppid() && info.daemon == 0);
  CHECK(strcmp(info.name, "heir") == 0 && info.reserved == 0 && info.size == sizeof info);
  ANSWERS(E_NOT_FOUND, polyproc_inherited("nothing", POLYPROC_KIND_QUEUE, &none));
  ANSWERS(E_MISMATCH, polyproc_inherited("jobs", POLYPROC_KIND_LOCK, &none));
  ANSWERS(E_INVALID, polyproc_inherited("a/b", POLYPROC_KIND_LOCK, &none));
  ANSWERS(E_INVALID, polyproc_inherited(NULL, POLYPROC_KIND_LOCK, &none));
  CHECK(none == NULL);
  ANSWERS(OK, polyproc_inherited("jobs", POLYPROC_KIND_QUEUE, &jobs));
  ANSWERS(OK, polyproc_inherited("lock", POLYPROC_KIND_LOCK, &lock));
  ANSWERS(E_TIMEOUT, polyproc_lock_acquire((polyproc_lock *)lock, 0, NULL));
  ANSWERS(OK, polyproc_queue_get((polyproc_queue *)jobs, buf, sizeof buf, &len, PATIENCE, NULL));
  CHECK(len == 5 && memcmp(buf, "hello", 5) == 0);
  ANSWERS(OK, polyproc_queue_put((polyproc_queue *)jobs, "thanks", 6, PATIENCE, NULL));
  polyproc_queue_close((polyproc_queue *)jobs);
  polyproc_lock_close((polyproc_lock *)lock);
  return 42;
}

static void inheritance(void) {
  polyproc_process_options options = POLYPROC_PROCESS_OPTIONS_INIT;
  polyproc_process *process = NULL;
  polyproc_queue *queue = NULL;
  polyproc_lock *lock = NULL;
  polyproc_handle handles[2];
  const char *argv[3];
  char buf[16];
  size_t len = 0;

  ANSWERS(OK, polyproc_queue_create(NULL, NULL, &queue));
  ANSWERS(OK, polyproc_lock_create(NULL, NULL, &lock));
  ANSWERS(OK, polyproc_lock_acquire(lock, 0, NULL));
  ANSWERS(OK, polyproc_queue_put(queue, "hello", 5, 0, NULL));
  handles[0].name = "jobs";
  handles[0].kind = POLYPROC_KIND_QUEUE;
  handles[0].object = queue;
  handles[1].name = "lock";
  handles[1].kind = POLYPROC_KIND_LOCK;
  handles[1].object = lock;
  argv[0] = self;
  argv[1] = "heir";
  argv[2] = NULL;
  options.name = "heir";
  options.argv = argv;
  options.handles = handles;
  options.handle_count = 2;
  ANSWERS(OK, polyproc_process_spawn(&options, &process));
  CHECK(exit_code(process) == 42);
  ANSWERS(OK, polyproc_queue_get(queue, buf, sizeof buf, &len, 0, NULL));
  CHECK(len == 6 && memcmp(buf, "thanks", 6) == 0);
  polyproc_process_close(process);
  polyproc_queue_close(queue);
  ANSWERS(E_CLOSED, polyproc_process_spawn(&options, &process));
  polyproc_lock_close(lock);
}

static int target(void *argument) {
  polyproc_process_info info = POLYPROC_PROCESS_INFO_INIT;
  void *inherited = NULL;
  ANSWERS(OK, polyproc_current_process(&info));
  CHECK(strcmp(info.name, "fork") == 0 && info.pid == getpid() && info.parent_pid == getppid());
  ANSWERS(OK, polyproc_inherited("queue", POLYPROC_KIND_QUEUE, &inherited));
  ANSWERS(OK, polyproc_queue_put((polyproc_queue *)inherited, "one", 3, PATIENCE, NULL));
  ANSWERS(OK, polyproc_queue_put((polyproc_queue *)argument, "two", 3, PATIENCE, NULL));
  polyproc_queue_close((polyproc_queue *)inherited);
  polyproc_queue_close((polyproc_queue *)argument);
  return 256 + 9;
}

static void fork_into_a_function(void) {
  polyproc_process_options options = POLYPROC_PROCESS_OPTIONS_INIT;
  polyproc_process *process = NULL;
  polyproc_queue *queue = NULL;
  polyproc_handle handle;
  uint64_t length = 0;

  ANSWERS(OK, polyproc_queue_create(NULL, NULL, &queue));
  handle.name = "queue";
  handle.kind = POLYPROC_KIND_QUEUE;
  handle.object = queue;
  options.name = "fork";
  options.handles = &handle;
  options.handle_count = 1;
  fflush(NULL);
  ANSWERS(OK, polyproc_process_fork(&options, target, queue, &process));
  CHECK(exit_code(process) == 9);
  ANSWERS(OK, polyproc_queue_length(queue, &length));
  CHECK(length == 2);
  polyproc_process_close(process);
  polyproc_queue_close(queue);
}

static int have_a_child(void *argument) {
  polyproc_process_options options = POLYPROC_PROCESS_OPTIONS_INIT;
  polyproc_process *process = NULL;
  const char *argv[] = {"true", NULL};
  polyproc_process_info info = POLYPROC_PROCESS_INFO_INIT;
  (void)argument;
  options.argv = argv;
  ANSWERS(OK, polyproc_current_process(&info));
  CHECK(info.daemon == 1);
  ANSWERS(E_DAEMONIC, polyproc_process_spawn(&options, &process));
  ANSWERS(E_DAEMONIC, polyproc_process_fork(&options, have_a_child, NULL, &process));
  return 0;
}

static void a_daemon_has_no_children(void) {
  polyproc_process_options options = POLYPROC_PROCESS_OPTIONS_INIT;
  polyproc_process *process = NULL;
  int32_t daemon = 0;
  options.flags = POLYPROC_PROCESS_DAEMON;
  fflush(NULL);
  ANSWERS(OK, polyproc_process_fork(&options, have_a_child, NULL, &process));
  ANSWERS(OK, polyproc_process_is_daemon(process, &daemon));
  CHECK(daemon == 1 && exit_code(process) == 0);
  polyproc_process_close(process);
}

static void children(void) {
  polyproc_process *first = spawn("sleep", "1000");
  polyproc_process *second = spawn("sleep", "1000");
  int32_t pids[8] = {0};
  int32_t pid = 0;
  size_t len = 77;

  ANSWERS(E_TOO_SMALL, polyproc_active_children(NULL, 0, &len));
  CHECK(len == 2);
  ANSWERS(E_TOO_SMALL, polyproc_active_children(pids, 1, &len));
  CHECK(len == 2 && pids[0] == 0);
  ANSWERS(OK, polyproc_active_children(pids, 8, &len));
  CHECK(len == 2);
  ANSWERS(OK, polyproc_process_pid(first, &pid));
  CHECK(pids[0] == pid || pids[1] == pid);
  ANSWERS(OK, polyproc_process_kill(first));
  ANSWERS(OK, polyproc_process_kill(second));
  CHECK(exit_code(first) == -SIGKILL && exit_code(second) == -SIGKILL);
  ANSWERS(OK, polyproc_active_children(NULL, 0, &len));
  CHECK(len == 0);
  polyproc_process_close(first);
  polyproc_process_close(second);
}

static void adoption(void) {
  polyproc_process *process = NULL;
  pid_t child = forked();
  int32_t pid = 0;
  if (child == 0) {
    _exit(5);
  }
  ANSWERS(OK, polyproc_process_adopt(child, &process));
  ANSWERS(OK, polyproc_process_pid(process, &pid));
  CHECK(pid == child && exit_code(process) == 5);
  polyproc_process_close(process);
  process = NULL;
  ANSWERS(E_NOT_FOUND, polyproc_process_adopt(child, &process));
  ANSWERS(E_INVALID, polyproc_process_adopt(0, &process));
  ANSWERS(E_INVALID, polyproc_process_adopt(-1, &process));
  CHECK(process == NULL);
}

static void who_nobody_started(void) {
  polyproc_process_info info = POLYPROC_PROCESS_INFO_INIT;
  void *none = NULL;
  ANSWERS(OK, polyproc_current_process(&info));
  CHECK(strcmp(info.name, "MainProcess") == 0 && info.pid == getpid() && info.daemon == 0);
  ANSWERS(E_NOT_FOUND, polyproc_inherited("jobs", POLYPROC_KIND_QUEUE, &none));
  CHECK(none == NULL);
}

int main(int argc, char **argv) {
  if (argc > 1) {
    return be_the_heir();
  }
  self = argv[0];
  who_nobody_started();
  exit_codes();
  a_process_that_runs();
  a_program_that_is_not_there();
  environment_directory_and_descriptors();
  inheritance();
  fork_into_a_function();
  a_daemon_has_no_children();
  children();
  adoption();
  return 0;
}
