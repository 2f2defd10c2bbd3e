/* Calls each function of the library while each call that it makes fails once: the first, the
 * second, and so on.
 *
 *     driver [part of a case's name [part of a fault's name]]
 *     driver --part 0/4
 *
 * It prints a line for each: the case, the fault, which call failed, and the result: a status, or a
 * problem in words. Each runs in a process of its own, which prepares the function, lets one call
 * fail, checks that a failed function has changed nothing, and calls it once more. */
#define _GNU_SOURCE
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cases.h"
#include "inject.h"
#include "polyproc.h"

/* A call that takes longer hangs. */
#define PATIENCE_S 30

/* The result of a case's process, in memory that it shares with its parent. */
struct result {
  int was_hit;
  int32_t status;
  int64_t seen;
  char problem[256];
};
static struct result *result;

static void problem(const char *what, long long got, long long expected) {
  if (result->problem[0] == 0) {
    snprintf(result->problem, sizeof result->problem, "%s: %lld, not %lld", what, got, expected);
  }
}

static int descriptors(void) {
  DIR *folder = opendir("/proc/self/fd");
  int count = 0;
  while (readdir(folder) != NULL) count++;
  closedir(folder);
  return count;
}

static void seen(const struct kase *it, int64_t expected, const char *when) {
  int64_t now = it->look();
  if (now != expected) problem(when, now, expected);
}

/* Runs without any failure, to see the states before and after. */
static void reference(const struct kase *it, const struct fault *fault, long nth, int64_t before) {
  (void)fault, (void)nth, (void)before;
  it->prepare();
  result->seen = it->look();
  result->status = it->call();
  if (result->status != it->answer) problem("without a failure it answers", result->status, it->answer);
  seen(it, result->seen + it->change, "without a failure there is");
}

/* Notes which call the system refused, if it did. */
static void reason(int32_t status) {
  char detail[256];
  int is_of_the_system = status <= -1000 || status == POLYPROC_E_NO_MEMORY || status == POLYPROC_E_LIMIT ||
                         status == POLYPROC_E_UNSUPPORTED || status == POLYPROC_E_PERMISSION;
  if (is_of_the_system && polyproc_detail(detail, sizeof detail) != POLYPROC_OK) {
    problem("polyproc_detail says nothing of", status, 0);
  }
}

static int32_t failing_call(const struct kase *it, const struct fault *fault, long nth) {
  int32_t status;
  injection_arm(fault, nth);
  status = it->call();
  result->was_hit = injection_end();
  return status;
}

/* A thread of the library may be about to close some. */
static int descriptors_beyond(int expected) {
  int now = descriptors();
  for (int tries = 0; now > expected && tries < 100; tries++) {
    usleep(10000);
    now = descriptors();
  }
  return now;
}

/* Fails again and again. The first failure may have made what stays for later calls; memory that
 * grows each time is lost. */
static int32_t fail_again(const struct kase *it, const struct fault *fault, long nth, int64_t before) {
  int count = descriptors(), grown = 0;
  int32_t status = it->answer;
  for (int tries = 0; tries < 3; tries++) {
    int now;
    status = failing_call(it, fault, nth);
    if (status == it->answer) return status;
    seen(it, before, "after one more failure there is");
    now = descriptors_beyond(count);
    grown += now > count;
    if (now > count) count = now;
  }
  if (grown == 3) problem("three failures leave descriptors", count, count - 3);
  return status;
}

static void with_failure(const struct kase *it, const struct fault *fault, long nth, int64_t before) {
  int32_t status;
  it->prepare();
  result->status = status = failing_call(it, fault, nth);
  if (status != it->answer) {
    if (status >= 0) problem("it answers", status, it->answer);
    reason(status);
    seen(it, before, "after the failure there is");
    status = fail_again(it, fault, nth, before);
    if (status != it->answer) status = it->call();
    result->was_hit = 1;
  }
  if (status != it->answer) problem("the next try answers", status, it->answer);
  seen(it, before + it->change, "in the end there is");
}

typedef void (*body_t)(const struct kase *, const struct fault *, long, int64_t);

static void clean_up(pid_t pid) {
  char name[64];
  kill(-pid, SIGKILL);
  while (waitpid(-1, NULL, WNOHANG) > 0) {
  }
  snprintf(name, sizeof name, "test-c.%ld.injected", (long)pid);
  polyproc_unlink(name);
  snprintf(name, sizeof name, "/tmp/polyproc-injected-%ld", (long)pid);
  unlink(name);
}

static void run(body_t body, const struct kase *it, const struct fault *fault, long nth, int64_t before) {
  int status = 0;
  pid_t pid;
  memset(result, 0, sizeof *result);
  fflush(NULL);
  pid = fork();
  if (pid == 0) {
    setpgid(0, 0);
    alarm(PATIENCE_S);
    body(it, fault, nth, before);
    _exit(0);
  }
  setpgid(pid, pid);
  waitpid(pid, &status, 0);
  injection_end();
  if (WIFSIGNALED(status)) {
    result->was_hit = 1;
    snprintf(result->problem, sizeof result->problem, "%s",
             WTERMSIG(status) == SIGALRM ? "it hangs" : strsignal(WTERMSIG(status)));
  } else if (WEXITSTATUS(status) != 0) {
    problem("it exits with", WEXITSTATUS(status), 0);
  }
  clean_up(pid);
}

static void say(const struct kase *it, const char *fault, long nth) {
  printf("%s\t%s\t%ld\t%d\t%s\n", it->name, fault, nth, (int)result->status, result->problem);
}

/* Only some of many calls fail: 1 to 4, then a few on the way. */
static int is_quick;

static void run_case(const struct kase *it, const char *which) {
  int64_t before;
  run(reference, it, NULL, 0, 0);
  before = result->seen;
  say(it, "-", 0);
  if (result->problem[0] != 0) return;
  for (int at = 0; at < fault_count; at++) {
    if (which != NULL && strstr(faults[at].name, which) == NULL) continue;
    for (long nth = 1; nth <= 200; nth = is_quick ? nth + 1 + nth / 4 : nth + 1) {
      run(with_failure, it, &faults[at], nth, before);
      if (!result->was_hit && result->problem[0] == 0) break;
      say(it, faults[at].name, nth);
      if (!result->was_hit) break;
    }
  }
}

int main(int argc, char **argv) {
  struct rlimit no_core = {0, 0};
  int part = 0, parts = 1, number = 0;
  is_quick = getenv("INJECTION_QUICK") != NULL;
  /* Do not measure the cost of a wake-up in each of thousands of processes. */
  setenv("POLYPROC_SPIN_NS", "1000", 1);
  setrlimit(RLIMIT_CORE, &no_core);
  setvbuf(stdout, NULL, _IOLBF, 0);
  injection_begin();
  result = mmap(NULL, sizeof *result, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (argc > 2 && strcmp(argv[1], "--part") == 0) sscanf(argv[2], "%d/%d", &part, &parts);
  for (const struct kase *it = first_case; it != NULL; it = it->next) {
    if (number++ % parts != part) continue;
    if (parts == 1 && argc > 1 && strstr(it->name, argv[1]) == NULL) continue;
    run_case(it, parts == 1 && argc > 2 ? argv[2] : NULL);
  }
  return 0;
}
