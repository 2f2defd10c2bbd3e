#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <signal.h>

#include "headers.h"

static polyproc_cancel *wake;
static volatile sig_atomic_t stopped_by;

static void on_signal(int number) {
  int saved = errno;
  if (number != SIGCHLD && stopped_by == 0) stopped_by = number;
  polyproc_cancel_fire(wake);
  errno = saved;
}

bool signals_install(polyproc_cancel *token) {
  static const int numbers[] = {SIGCHLD, SIGINT, SIGTERM, SIGHUP};
  struct sigaction action = {0}, before;
  sigset_t all;

  wake = token;
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&all);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    /* A program that was started with nohup, or in the background, ignores the signal on purpose.
     */
    bool ignored = sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler == SIG_IGN;
    sigaddset(&all, numbers[i]);
    if (ignored && (numbers[i] == SIGINT || numbers[i] == SIGHUP)) continue;
    if (sigaction(numbers[i], &action, NULL) != 0) return false;
  }
  return sigprocmask(SIG_UNBLOCK, &all, NULL) == 0;
}

int signals_stopped_by(void) {
  return stopped_by;
}
