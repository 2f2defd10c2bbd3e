#include <polyproc.h>
#include <stdio.h>

int main(void) {
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_queue_info info = POLYPROC_QUEUE_INFO_INIT;
  polyproc_queue *jobs = NULL;
  char text[20];
  char cause[256];
  int32_t status;
  int number;

  options.flags = POLYPROC_OPEN_OR_CREATE | POLYPROC_QUEUE_JOINABLE;
  status = polyproc_queue_create("book.jobs", &options, &jobs);
  for (number = 1; number <= 10 && status >= 0; number++) {
    int length = sprintf(text, "page %d", number);
    status = polyproc_queue_put(jobs, text, (size_t)length, POLYPROC_FOREVER, NULL);
  }
  if (status >= 0) status = polyproc_queue_join(jobs, POLYPROC_FOREVER, NULL); /* until each job is done */
  if (status >= 0) status = polyproc_queue_get_info(jobs, &info);
  if (status < 0) {
    polyproc_detail(cause, sizeof cause); /* empty if no call has failed with a cause */
    fprintf(stderr, "book.jobs: %s: %s\n", polyproc_strerror(status), cause);
    return 1;
  }
  printf("10 jobs are done, %lu of them were delivered again\n", (unsigned long)info.redelivered);
  polyproc_queue_shutdown(jobs, 0); /* the workers' loops end */
  polyproc_queue_close(jobs);
  return polyproc_unlink("book.jobs") < 0;
}
