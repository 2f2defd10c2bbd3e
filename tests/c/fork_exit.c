/* The end of a forked child: it does not write its parent's buffered output nor run its parent's
 * exit handlers; its own output is written. */
#include <fcntl.h>
#include <sys/stat.h>

#include "check.h"

/* In these programs' directory, which each leaves as it was. */
static char cleaned_up[64];
static char log_file[64];
static FILE *log_stream;

static void clean_up(void) {
  int fd = open(cleaned_up, O_CREAT | O_WRONLY | O_APPEND, 0600);
  CHECK(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0);
}

/* How often this program's handler has run by now. */
static long clean_ups(void) {
  struct stat found;
  return stat(cleaned_up, &found) == 0 ? (long)found.st_size : 0;
}

static void log_says(const char *expected) {
  char text[256];
  FILE *file = fopen(log_file, "r");
  size_t len;
  CHECK(file != NULL);
  len = fread(text, 1, sizeof text - 1, file);
  text[len] = 0;
  fclose(file);
  if (strcmp(text, expected) != 0) {
    fprintf(stderr, "the log says \"%s\", not \"%s\"\n", text, expected);
    exit(1);
  }
}

static int32_t code_of(polyproc_process *process) {
  int32_t code = -1;
  ANSWERS(OK, polyproc_process_join(process, PATIENCE, NULL));
  ANSWERS(OK, polyproc_process_exit_code(process, &code));
  polyproc_process_close(process);
  return code;
}

static int32_t code_of_fork(int (*target)(void *)) {
  polyproc_process *process = NULL;
  ANSWERS(OK, polyproc_process_fork(NULL, target, NULL, &process));
  return code_of(process);
}

static int returns(void *argument) {
  (void)argument;
  return 3;
}

static int writes(void *argument) {
  (void)argument;
  fprintf(log_stream, "child ");
  return 0;
}

#ifdef __GLIBC__
static void clean_up_of_the_child(void) {
  int fd = open(log_file, O_WRONLY | O_APPEND);
  CHECK(write(fd, "handler ", 8) == 8);
}

static int exits(void *argument) {
  (void)argument;
  fprintf(log_stream, "exit ");
  CHECK(atexit(clean_up_of_the_child) == 0);
  exit(5);
}
#endif

static int forks_once_more(void *argument) {
  (void)argument;
  CHECK(code_of_fork(returns) == 3);
  return 4;
}

static int32_t writes_in_worker(const void *data, size_t len, polyproc_reply *reply, void *user) {
  (void)data;
  (void)len;
  (void)user;
  fprintf(log_stream, "worker ");
  return polyproc_reply_write(reply, "", 0);
}

static int32_t exits_in_worker(const void *data, size_t len, polyproc_reply *reply, void *user) {
  (void)data;
  (void)len;
  (void)reply;
  (void)user;
  fprintf(log_stream, "gone ");
  exit(0);
}

static void worker_does(const char *function, int32_t status) {
  polyproc_pool_options options = POLYPROC_POOL_OPTIONS_INIT;
  polyproc_pool *pool = NULL;
  size_t len = 0;
  options.workers = 1;
  ANSWERS(OK, polyproc_pool_create(&options, &pool));
  check_status(status, polyproc_pool_apply(pool, function, "", 0, NULL, 0, &len, PATIENCE, NULL), function,
               __FILE__, __LINE__);
  ANSWERS(OK, polyproc_pool_shutdown(pool));
  ANSWERS(OK, polyproc_pool_join(pool, PATIENCE, NULL));
  polyproc_pool_close(pool);
}

#ifdef __GLIBC__
static void *reads(void *stream) {
  CHECK(fgetc((FILE *)stream) == 'x');
  return NULL;
}

/* Another thread reads from a stream, and so holds its lock: neither a fork nor a child's end waits
 * for that. */
static void nobody_waits_for_a_reader(void) {
  int ends[2];
  FILE *stream;
  pthread_t reader;
  CHECK(pipe(ends) == 0);
  stream = fdopen(ends[0], "r");
  reader = start(reads, stream);
  while (ftrylockfile(stream) == 0) {
    funlockfile(stream);
    nap(MILLISECOND);
  }
  CHECK(code_of_fork(returns) == 3);
  CHECK(write(ends[1], "x", 1) == 1);
  finish(reader);
  fclose(stream);
  close(ends[1]);
}
#endif

/* A memory stream is the child's own copy, with what its parent has written. */
static int appends_to_memory(void *argument) {
  FILE *memory = (FILE *)argument;
  return fprintf(memory, "child") == 5 && fflush(memory) == 0 && ftell(memory) == 11 ? 0 : 1;
}

static void a_memory_stream_is_copied(void) {
  char *text = NULL;
  size_t len = 0;
  polyproc_process *process = NULL;
  FILE *memory = open_memstream(&text, &len);
  CHECK(memory != NULL && fprintf(memory, "parent") == 6);
  ANSWERS(OK, polyproc_process_fork(NULL, appends_to_memory, memory, &process));
  CHECK(code_of(process) == 0);
  fclose(memory);
  CHECK(len == 6 && strcmp(text, "parent") == 0);
  free(text);
}

static void open_log(void) {
  /* Each write goes to the end, whichever process makes it. */
  log_stream = fopen(log_file, "w");
  fclose(log_stream);
  log_stream = fopen(log_file, "a");
  CHECK(log_stream != NULL);
  fprintf(log_stream, "parent ");
}

/* Only with glibc can a child discard what its parent has buffered. Elsewhere every stream is written
 * before a fork. */
#ifdef __GLIBC__
#define BEFORE ""
#else
#define BEFORE "parent "
#endif

static void close_log(const char *expected) {
  fclose(log_stream);
  log_says(expected);
}

int main(void) {
  snprintf(cleaned_up, sizeof cleaned_up, "/tmp/polyproc-fork-exit.%ld.x", (long)getpid());
  snprintf(log_file, sizeof log_file, "/tmp/polyproc-fork-exit.%ld.log", (long)getpid());
  CHECK(atexit(clean_up) == 0);
  ANSWERS(OK, polyproc_worker_register("writes", writes_in_worker, NULL));
  ANSWERS(OK, polyproc_worker_register("exits", exits_in_worker, NULL));

  open_log();
  CHECK(code_of_fork(returns) == 3);
  CHECK(code_of_fork(forks_once_more) == 4);
  log_says(BEFORE);
  CHECK(code_of_fork(writes) == 0);
  log_says(BEFORE "child ");
#ifdef __GLIBC__
  CHECK(code_of_fork(exits) == 5);
  log_says("child handler exit ");
  close_log("child handler exit parent ");
#else
  close_log("parent child ");
#endif

  open_log();
  worker_does("writes", POLYPROC_OK);
  log_says(BEFORE "worker ");
#ifdef __GLIBC__
  worker_does("exits", POLYPROC_E_WORKER_DIED);
  log_says("worker gone ");
  close_log("worker gone parent ");
#else
  close_log("parent worker ");
#endif
  CHECK(clean_ups() == 0);

#ifdef __GLIBC__
  nobody_waits_for_a_reader();
#endif
  a_memory_stream_is_copied();
  CHECK(clean_ups() == 0);
  CHECK(unlink(log_file) == 0);
  _exit(0);
}
