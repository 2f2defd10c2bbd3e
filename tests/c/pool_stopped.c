/* The process that forks a pool's workers is stopped while one is needed: this delays no other
 * process. */
#include "check.h"

static int32_t echo(const void *data, size_t len, polyproc_reply *reply, void *user) {
  (void)user;
  return polyproc_reply_write(reply, data, len);
}

static int parent_of(int32_t pid) {
  char path[64], line[512] = "";
  int parent = 0;
  FILE *file;

  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  file = fopen(path, "r");
  CHECK(file != NULL);
  CHECK(fgets(line, sizeof line, file) != NULL);
  fclose(file);
  CHECK(sscanf(strrchr(line, ')'), ") %*c %d", &parent) == 1);
  return parent;
}

static polyproc_pool_info info_of(polyproc_pool *pool) {
  polyproc_pool_info info = POLYPROC_POOL_INFO_INIT;
  ANSWERS(OK, polyproc_pool_get_info(pool, &info));
  return info;
}

static void apply(polyproc_pool *pool) {
  char answer[8];
  size_t len;
  ANSWERS(OK,
          polyproc_pool_apply(pool, "echo", "bun", 3, answer, sizeof answer, &len, POLYPROC_FOREVER, NULL));
  CHECK(len == 3);
}

int main(void) {
  polyproc_pool_options options = POLYPROC_POOL_OPTIONS_INIT;
  polyproc_pool *pool;
  int32_t pids[2];
  size_t count;
  int fork_server;

  ANSWERS(OK, polyproc_worker_register("echo", echo, NULL));
  options.workers = 2;
  ANSWERS(OK, polyproc_pool_create(&options, &pool));
  apply(pool);
  while (info_of(pool).alive < 2) nap(MILLISECOND);
  ANSWERS(OK, polyproc_pool_worker_pids(pool, pids, 2, &count));
  fork_server = parent_of(pids[0]);
  if (fork_server == getpid()) {
    /* Where the kernel has no process descriptors, as under valgrind, the pool's own process forks.
     */
    polyproc_pool_close(pool);
    return 0;
  }

  CHECK(kill(fork_server, SIGSTOP) == 0);
  CHECK(kill(pids[0], SIGKILL) == 0);
  while (info_of(pool).alive == 2) nap(MILLISECOND);
  apply(pool);
  ANSWERS(OK, polyproc_pool_worker_pids(pool, pids, 2, &count));
  CHECK(count == 1);

  /* It goes on where it was stopped. */
  CHECK(kill(fork_server, SIGCONT) == 0);
  while (info_of(pool).alive < 2) nap(MILLISECOND);
  apply(pool);

  /* The pool ends without it. */
  CHECK(kill(fork_server, SIGSTOP) == 0);
  ANSWERS(OK, polyproc_pool_worker_pids(pool, pids, 2, &count));
  CHECK(kill(pids[0], SIGKILL) == 0);
  polyproc_pool_close(pool);
  return 0;
}
