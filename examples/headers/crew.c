#define _POSIX_C_SOURCE 200809L
#include <signal.h>
#include <stdio.h>

#include "headers.h"

/* How long a child may take from SIGTERM to its end. */
static const int64_t GRACE_NS = 2000000000;

static bool start(crew *crew, const char *const argv[], const char *const env[], member *out) {
  /* The queues have no name that another process could open. A child inherits them here, and asks
   * for them by the names on the left. */
  const polyproc_handle handles[] = {
      {"jobs", POLYPROC_KIND_QUEUE, crew->jobs},
      {"results", POLYPROC_KIND_QUEUE, crew->results},
  };
  polyproc_process_options options = POLYPROC_PROCESS_OPTIONS_INIT;
  int32_t status;

  /* Daemonic: it ends when this process does, even by SIGKILL. */
  options.flags = POLYPROC_PROCESS_DAEMON;
  options.name = out->name;
  options.argv = argv;
  options.env = env;
  options.handles = handles;
  options.handle_count = sizeof handles / sizeof *handles;
  status = polyproc_process_spawn(&options, &out->process);
  if (status >= 0) status = polyproc_process_pid(out->process, &out->pid);
  if (status < 0) complain(status, "cannot start %s (%s)", out->name, argv[0]);
  return status >= 0;
}

bool crew_start_worker(crew *crew, size_t place) {
  const char *const argv[] = {crew->worker_program, NULL};
  member *worker = &crew->workers[place];

  snprintf(worker->name, sizeof worker->name, "worker-%zu", ++crew->workers_started);
  return start(crew, argv, NULL, worker);
}

bool crew_start_reporter(crew *crew, const char *const argv[], const char *const env[]) {
  snprintf(crew->reporter.name, sizeof crew->reporter.name, "reporter");
  return start(crew, argv, env, &crew->reporter);
}

static void forget(member *member) {
  polyproc_process_close(member->process);
  member->process = NULL;
}

/* Reports how a child ended that should still run, or should have exited with 0. */
static verdict complain_of_end(const member *member, int32_t code) {
  if (code < 0)
    complain(0, "%s (pid %d) was ended by signal %d", member->name, (int)member->pid, (int)-code);
  else
    complain(0, "%s (pid %d) ended with exit code %d before its work was over", member->name,
             (int)member->pid, (int)code);
  return STOP;
}

static verdict check(member *member, bool may_end) {
  int32_t status, code;

  if (member->process == NULL) return GO_ON;
  status = polyproc_process_exit_code(member->process, &code);
  if (status == POLYPROC_E_TIMEOUT) return GO_ON; /* it runs */
  if (status < 0) {
    complain(status, "cannot tell how %s is", member->name);
    return STOP;
  }
  return may_end && code == 0 ? GO_ON : complain_of_end(member, code);
}

verdict crew_attend(crew *crew) {
  /* Reset the token first and look afterwards: an event in between fires it again. */
  polyproc_cancel_reset(crew->wake);
  if (signals_stopped_by() != 0) return STOP;
  for (size_t i = 0; i < crew->worker_count; i++)
    if (check(&crew->workers[i], crew->work_is_over) != GO_ON) return STOP;
  return check(&crew->reporter, crew->work_is_over);
}

verdict crew_join(crew *crew, member *member) {
  int32_t status, code;

  while ((status = polyproc_process_join(member->process, POLYPROC_FOREVER, crew->wake)) ==
         POLYPROC_E_CANCELED)
    if (crew_attend(crew) != GO_ON) return STOP;
  if (status >= 0) status = polyproc_process_exit_code(member->process, &code);
  if (status < 0) {
    complain(status, "cannot join %s", member->name);
    return STOP;
  }
  forget(member);
  return code == 0 ? GO_ON : complain_of_end(member, code);
}

static void end(member *member, int64_t deadline) {
  int64_t left = deadline - now_ns();

  if (member->process == NULL) return;
  if (polyproc_process_join(member->process, left > 0 ? left : 0, NULL) < 0) {
    polyproc_process_kill(member->process);
    polyproc_process_join(member->process, POLYPROC_FOREVER, NULL);
  }
  forget(member);
}

void crew_stop(crew *crew) {
  int64_t deadline = now_ns() + GRACE_NS;

  for (size_t i = 0; i < crew->worker_count; i++)
    if (crew->workers[i].process != NULL) polyproc_process_terminate(crew->workers[i].process);
  if (crew->reporter.process != NULL) polyproc_process_terminate(crew->reporter.process);
  for (size_t i = 0; i < crew->worker_count; i++) end(&crew->workers[i], deadline);
  end(&crew->reporter, deadline);
}
