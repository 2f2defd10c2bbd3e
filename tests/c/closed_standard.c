/* A program whose descriptors 0, 1 and 2 are closed: no object may take one of these numbers,
 * because the program's output would go into the object's memory. */
#include <fcntl.h>
#include <stdarg.h>
#include <sys/socket.h>

#include "check.h"

/* The failures of this program go here when 2 is closed. */
static int said;

static void stay_closed(const char *after) {
  int fd;
  for (fd = 0; fd < 3; fd++) {
    if (fcntl(fd, F_GETFD) != -1) {
      dprintf(said, "after %s descriptor %d is taken\n", after, fd);
      _exit(1);
    }
  }
}

#define MAKES(call)                                                                         \
  do {                                                                                      \
    int32_t status = (call);                                                                \
    if (status != POLYPROC_OK) dprintf(said, "%s: %s\n", #call, polyproc_strerror(status)); \
    if (status != POLYPROC_OK) _exit(1);                                                    \
    stay_closed(#call);                                                                     \
  } while (0)

static void above(int fd) {
  if (fd > 2) return;
  dprintf(said, "a descriptor is %d\n", fd);
  _exit(1);
}

/* Passes a descriptor through a socket: the receiver gets the lowest free number. */
static int passed_on(int fd) {
  int ends[2];
  char byte = 'x', room[CMSG_SPACE(sizeof(int))];
  struct iovec part;
  struct msghdr message;
  struct cmsghdr *control;
  int got;

  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  part.iov_base = &byte;
  part.iov_len = 1;
  memset(&message, 0, sizeof message);
  memset(room, 0, sizeof room);
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = room;
  message.msg_controllen = sizeof room;
  control = CMSG_FIRSTHDR(&message);
  control->cmsg_level = SOL_SOCKET;
  control->cmsg_type = SCM_RIGHTS;
  control->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(control), &fd, sizeof fd);
  CHECK(sendmsg(ends[0], &message, 0) == 1);
  close(ends[0]);
  CHECK(recvmsg(ends[1], &message, 0) == 1);
  memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof got);
  close(ends[1]);
  CHECK(got < 3);
  return got;
}

static void small_objects(void) {
  polyproc_lock *lock;
  polyproc_rlock *rlock;
  polyproc_semaphore *semaphore;
  polyproc_event *event;
  polyproc_condition *condition;
  polyproc_barrier *barrier;
  polyproc_cancel *cancel;
  int fd;

  MAKES(polyproc_lock_create(NULL, NULL, &lock));
  MAKES(polyproc_lock_acquire(lock, 0, NULL));
  MAKES(polyproc_rlock_create(NULL, NULL, &rlock));
  MAKES(polyproc_semaphore_create(NULL, NULL, &semaphore));
  MAKES(polyproc_event_create(NULL, NULL, &event));
  MAKES(polyproc_event_fd(event, &fd));
  above(fd);
  MAKES(polyproc_condition_create(NULL, NULL, &condition));
  MAKES(polyproc_barrier_create(NULL, NULL, 1, &barrier));
  MAKES(polyproc_cancel_create(&cancel));
  polyproc_lock_close(lock);
  polyproc_rlock_close(rlock);
  polyproc_semaphore_close(semaphore);
  polyproc_event_close(event);
  polyproc_condition_close(condition);
  polyproc_barrier_close(barrier);
  polyproc_cancel_close(cancel);
}

static void queues(name_t name) {
  polyproc_queue *queue, *same, *shared;
  void *opened;
  int fd;

  MAKES(polyproc_queue_create(name.text, NULL, &queue));
  MAKES(polyproc_queue_put(queue, "job", 3, 0, NULL));
  MAKES(polyproc_queue_open(name.text, &same));
  MAKES(polyproc_queue_fd(queue, &fd));
  above(fd);
  MAKES(polyproc_share_fd(POLYPROC_KIND_QUEUE, queue, &fd));
  above(fd);
  polyproc_queue_close(queue);
  polyproc_queue_close(same);
  /* The caller owns the descriptor that came through the socket; the object keeps another one. */
  queue = NULL;
  {
    int got = passed_on(fd);
    CHECK(polyproc_open_fd(got, POLYPROC_KIND_QUEUE, &opened) == POLYPROC_OK);
    close(got);
    close(fd);
  }
  shared = (polyproc_queue *)opened;
  stay_closed("polyproc_open_fd");
  MAKES(polyproc_queue_put(shared, "job", 3, 0, NULL));
  polyproc_queue_close(shared);
  MAKES(polyproc_unlink(name.text));
}

static void connections(void) {
  polyproc_connection *one, *other, *accepted, *here;
  polyproc_listener *listener;
  polyproc_listener_options options = POLYPROC_LISTENER_OPTIONS_INIT;
  polyproc_cancel *cancel;
  char address[128];
  size_t len;
  int fd;

  MAKES(polyproc_pipe_create(1, &one, &other));
  MAKES(polyproc_connection_send(one, "x", 1, 0, NULL));
  MAKES(polyproc_connection_fd(other, &fd));
  above(fd);
  polyproc_connection_close(one);
  polyproc_connection_close(other);

  MAKES(polyproc_listener_create("tcp://127.0.0.1:0", &options, &listener));
  MAKES(polyproc_listener_address(listener, address, sizeof address, &len));
  MAKES(polyproc_connect(address, NULL, &here, PATIENCE, NULL));
  MAKES(polyproc_cancel_create(&cancel));
  MAKES(polyproc_listener_accept(listener, &accepted, PATIENCE, cancel));
  polyproc_connection_close(here);
  polyproc_connection_close(accepted);
  polyproc_listener_close(listener);
  polyproc_cancel_close(cancel);
}

/* The side of `connect` that runs while the other end is accepted. */
static char address[128];

static void *connect_with_key(void *argument) {
  polyproc_connection **out = (polyproc_connection **)argument;
  polyproc_listener_options options = POLYPROC_LISTENER_OPTIONS_INIT;
  options.authkey = "key";
  options.authkey_len = 3;
  MAKES(polyproc_connect(address, &options, out, PATIENCE, NULL));
  return NULL;
}

static void listener_with_key(void) {
  polyproc_listener *listener;
  polyproc_connection *accepted, *here;
  polyproc_listener_options options = POLYPROC_LISTENER_OPTIONS_INIT;
  pthread_t thread;
  size_t len;
  int fd;

  options.authkey = "key";
  options.authkey_len = 3;
  MAKES(polyproc_listener_create("tcp://127.0.0.1:0", &options, &listener));
  MAKES(polyproc_listener_address(listener, address, sizeof address, &len));
  MAKES(polyproc_listener_fd(listener, &fd));
  above(fd);
  thread = start(connect_with_key, &here);
  MAKES(polyproc_listener_accept(listener, &accepted, PATIENCE, NULL));
  finish(thread);
  polyproc_connection_close(here);
  polyproc_connection_close(accepted);
  polyproc_listener_close(listener);
}

static int nothing(void *argument) {
  (void)argument;
  return 0;
}

static void processes(void) {
  polyproc_process *process;
  polyproc_process_options options = POLYPROC_PROCESS_OPTIONS_INIT;
  const char *const argv[] = {"/bin/true", NULL};
  int fd;

  options.argv = argv;
  MAKES(polyproc_process_spawn(&options, &process));
  MAKES(polyproc_process_fd(process, &fd));
  above(fd);
  MAKES(polyproc_process_join(process, PATIENCE, NULL));
  polyproc_process_close(process);
  MAKES(polyproc_process_fork(NULL, nothing, NULL, &process));
  MAKES(polyproc_process_join(process, PATIENCE, NULL));
  polyproc_process_close(process);
}

static int32_t echo(const void *data, size_t len, polyproc_reply *reply, void *user) {
  (void)user;
  return polyproc_reply_write(reply, data, len);
}

static void pools(void) {
  polyproc_pool *pool;
  polyproc_pool_options options = POLYPROC_POOL_OPTIONS_INIT;
  char result[4];
  size_t len;
  int fd;

  options.workers = 1;
  MAKES(polyproc_worker_register("echo", echo, NULL));
  MAKES(polyproc_pool_create(&options, &pool));
  MAKES(polyproc_pool_fd(pool, &fd));
  above(fd);
  MAKES(polyproc_pool_apply(pool, "echo", "x", 1, result, sizeof result, &len, PATIENCE, NULL));
  MAKES(polyproc_pool_shutdown(pool));
  MAKES(polyproc_pool_join(pool, PATIENCE, NULL));
  polyproc_pool_close(pool);
}

int main(void) {
  name_t name = unique("closed-standard");
  pid_t child;

  said = fcntl(2, F_DUPFD_CLOEXEC, 20);
  child = forked();
  if (child == 0) {
    close(0);
    close(1);
    close(2);
    small_objects();
    queues(name);
    connections();
    listener_with_key();
    processes();
    pools();
    _exit(0);
  }
  went_well(child);
  return 0;
}
