#define _XOPEN_SOURCE 700
#include "headers.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct {
  crew crew;
  killer killer;
  uint64_t put;
} run;

void complain(int32_t status, const char *format, ...) {
  va_list arguments;

  /* On a terminal the reporter's progress bar may stand on this line. */
  fputs(isatty(STDERR_FILENO) ? "\r\033[Kheaders: " : "headers: ", stderr);
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  if (status != 0) fprintf(stderr, ": %s", polyproc_strerror(status));
  fputc('\n', stderr);
}

int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static verdict count_file(const char *path, void *context) {
  (void)path;
  ++*(uint64_t *)context;
  return GO_ON;
}

static verdict put_file(const char *path, void *context) {
  run *run = context;
  int32_t status;

  while ((status = polyproc_queue_put(run->crew.jobs, path, strlen(path), POLYPROC_FOREVER,
                                      run->crew.wake)) == POLYPROC_E_CANCELED)
    if (crew_attend(&run->crew) != GO_ON) return STOP;
  if (status < 0) {
    complain(status, "cannot put %s", path);
    return STOP;
  }
  return killer_step(&run->killer, ++run->put);
}

static verdict join_jobs(crew *crew) {
  int32_t status;

  while ((status = polyproc_queue_join(crew->jobs, POLYPROC_FOREVER, crew->wake)) == POLYPROC_E_CANCELED)
    if (crew_attend(crew) != GO_ON) return STOP;
  if (status < 0) complain(status, "cannot join the jobs");
  return status >= 0 ? GO_ON : STOP;
}

static verdict shut_down(polyproc_queue *queue, const char *name) {
  int32_t status = polyproc_queue_shutdown(queue, 0);

  if (status < 0) complain(status, "cannot shut down the %s", name);
  return status >= 0 ? GO_ON : STOP;
}

static bool create_queues(crew *crew, polyproc_cancel *wake) {
  polyproc_queue_options jobs = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_queue_options results = POLYPROC_QUEUE_OPTIONS_INIT;
  int32_t status;

  crew->wake = wake;
  jobs.flags = POLYPROC_QUEUE_JOINABLE;
  /* Bounded, so that no backlog grows if one side is slower. */
  jobs.max_items = 1024;
  results.max_items = 1024;
  strcpy(results.format, "msgpack");
  status = polyproc_queue_create(NULL, &jobs, &crew->jobs);
  if (status >= 0) status = polyproc_queue_create(NULL, &results, &crew->results);
  if (status < 0) complain(status, "cannot create the queues");
  return status >= 0;
}

static verdict start_crew(crew *crew, const settings *settings, uint64_t files, int64_t started) {
  char total[24], since[24];
  const char *const argv[] = {
      "node",   settings->reporter, "--directory", settings->directory, "--total", total, "--since", since,
      "--html", settings->html,     "--json",      settings->json,      NULL,
  };

  snprintf(total, sizeof total, "%" PRIu64, files);
  snprintf(since, sizeof since, "%" PRId64, started);
  crew->workers = calloc(settings->workers, sizeof *crew->workers);
  if (crew->workers == NULL) {
    complain(0, "out of memory");
    return STOP;
  }
  crew->worker_count = settings->workers;
  crew->worker_program = settings->worker;
  if (!crew_start_reporter(crew, argv, NULL)) return STOP;
  for (size_t i = 0; i < settings->workers; i++)
    if (!crew_start_worker(crew, i)) return STOP;
  return GO_ON;
}

/* From the last counted file to the end of every child. */
static verdict finish(crew *crew) {
  crew->work_is_over = true;
  if (shut_down(crew->jobs, "jobs") != GO_ON) return STOP;
  for (size_t i = 0; i < crew->worker_count; i++)
    if (crew_join(crew, &crew->workers[i]) != GO_ON) return STOP;
  /* No worker puts any more: the reporter drains the queue and sees its end. */
  if (shut_down(crew->results, "results") != GO_ON) return STOP;
  return crew_join(crew, &crew->reporter);
}

static verdict run_pipeline(run *run, const settings *settings) {
  polyproc_queue_info info = POLYPROC_QUEUE_INFO_INIT;
  crew *crew = &run->crew;
  int64_t started = now_ns();
  uint64_t files = 0;
  int32_t status;

  /* A first walk counts the files, for the progress bar and the killer's moments. */
  if (walk(settings->directory, count_file, &files) != GO_ON ||
      !killer_plan(&run->killer, crew, settings->kills, files) ||
      start_crew(crew, settings, files, started) != GO_ON ||
      walk(settings->directory, put_file, run) != GO_ON || join_jobs(crew) != GO_ON)
    return STOP;
  status = polyproc_queue_get_info(crew->jobs, &info);
  if (status < 0) {
    complain(status, "cannot look at the jobs");
    return STOP;
  }
  if (finish(crew) != GO_ON) return STOP;
  killer_report(&run->killer, info.redelivered);
  return GO_ON;
}

static int run_with(const settings *settings) {
  run run = {0};
  polyproc_cancel *wake = NULL;
  int32_t status = polyproc_cancel_create(&wake);
  verdict result = STOP;

  if (status < 0)
    complain(status, "cannot start");
  else if (!signals_install(wake))
    complain(0, "cannot handle signals: %s", strerror(errno));
  else if (create_queues(&run.crew, wake))
    result = run_pipeline(&run, settings);
  crew_stop(&run.crew);
  killer_free(&run.killer);
  free(run.crew.workers);
  polyproc_queue_close(run.crew.jobs);
  polyproc_queue_close(run.crew.results);
  /* `wake` stays: a signal may still come. */
  if (result == GO_ON) return EXIT_DONE;
  if (signals_stopped_by() == 0) return EXIT_FAILED;
  complain(0, "stopped: %s", strsignal(signals_stopped_by()));
  return 128 + signals_stopped_by();
}

/* A recount is one plain process, so it replaces this one. */
static int recount(const settings *settings) {
  const char *const argv[] = {"node", settings->check, settings->directory, settings->json, NULL};

  fflush(stdout);
  execvp(argv[0], (char *const *)argv);
  complain(0, "cannot start the recount: %s", strerror(errno));
  return EXIT_FAILED;
}

int main(int argc, char **argv) {
  settings settings;
  int code = arguments_parse(&settings, argc, argv);

  if (code >= 0) return code;
  code = run_with(&settings);
  return code == EXIT_DONE && settings.check != NULL ? recount(&settings) : code;
}
