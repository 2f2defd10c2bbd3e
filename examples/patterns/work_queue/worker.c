#define _POSIX_C_SOURCE 199309L /* nanosleep */
#include <polyproc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int main(int argc, char **argv) {
  double seconds = argc > 1 ? strtod(argv[1], NULL) : 1; /* that a job takes */
  struct timespec work = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_queue *jobs = NULL;
  polyproc_message job;
  char cause[256];
  int32_t status;

  setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* each line at once: a kill discards what is buffered */
  options.flags = POLYPROC_OPEN_OR_CREATE | POLYPROC_QUEUE_JOINABLE;
  status = polyproc_queue_create("book.jobs", &options, &jobs);
  while (status >= 0) {
    status = polyproc_queue_take(jobs, &job, POLYPROC_FOREVER, NULL);
    if (status < 0) break;
    printf("begins %.*s\n", (int)job.len, (const char *)job.data);
    nanosleep(&work, NULL);
    printf("ends %.*s\n", (int)job.len, (const char *)job.data);
    status = polyproc_message_done(&job); /* killed before this: another worker gets the job */
  }
  polyproc_queue_close(jobs);
  if (status == POLYPROC_E_SHUTDOWN) return 0;
  polyproc_detail(cause, sizeof cause); /* empty if no call has failed with a cause */
  fprintf(stderr, "book.jobs: %s: %s\n", polyproc_strerror(status), cause);
  return 1;
}
