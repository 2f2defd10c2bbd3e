/* Objects as descriptors: passed on by other means and opened again. */
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "check.h"

static void every_kind(void) {
  polyproc_lock *lock = NULL;
  polyproc_semaphore *semaphore = NULL;
  polyproc_event *event = NULL;
  polyproc_queue *queue = NULL;
  void *objects[5];
  int kind;
  int other;

  ANSWERS(OK, polyproc_lock_create(NULL, NULL, &lock));
  ANSWERS(OK, polyproc_semaphore_create(NULL, NULL, &semaphore));
  ANSWERS(OK, polyproc_event_create(NULL, NULL, &event));
  ANSWERS(OK, polyproc_queue_create(NULL, NULL, &queue));
  objects[POLYPROC_KIND_LOCK] = lock;
  objects[POLYPROC_KIND_SEMAPHORE] = semaphore;
  objects[POLYPROC_KIND_EVENT] = event;
  objects[POLYPROC_KIND_QUEUE] = queue;
  for (kind = POLYPROC_KIND_LOCK; kind <= POLYPROC_KIND_QUEUE; kind++) {
    for (other = POLYPROC_KIND_LOCK; other <= POLYPROC_KIND_QUEUE; other++) {
      void *opened = NULL;
      int fd = -7;
      if (other != kind) {
        ANSWERS(E_INVALID, polyproc_share_fd(other, objects[kind], &fd));
        CHECK(fd == -7);
        ANSWERS(OK, polyproc_share_fd(kind, objects[kind], &fd));
        ANSWERS(E_MISMATCH, polyproc_open_fd(fd, other, &opened));
        CHECK(opened == NULL && close(fd) == 0);
        continue;
      }
      ANSWERS(OK, polyproc_share_fd(kind, objects[kind], &fd));
      CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
      ANSWERS(OK, polyproc_open_fd(fd, kind, &opened));
      CHECK(opened != NULL && close(fd) == 0); /* it stayed ours */
      if (kind == POLYPROC_KIND_LOCK) {
        ANSWERS(OK, polyproc_lock_acquire((polyproc_lock *)opened, 0, NULL));
        ANSWERS(E_TIMEOUT, polyproc_lock_acquire(lock, 0, NULL));
        ANSWERS(OK, polyproc_lock_release(lock));
        polyproc_lock_close((polyproc_lock *)opened);
      } else if (kind == POLYPROC_KIND_SEMAPHORE) {
        ANSWERS(OK, polyproc_semaphore_release((polyproc_semaphore *)opened, 1));
        ANSWERS(OK, polyproc_semaphore_acquire(semaphore, 0, NULL));
        polyproc_semaphore_close((polyproc_semaphore *)opened);
      } else if (kind == POLYPROC_KIND_EVENT) {
        ANSWERS(OK, polyproc_event_set((polyproc_event *)opened));
        ANSWERS(OK, polyproc_event_wait(event, 0, NULL));
        polyproc_event_close((polyproc_event *)opened);
      } else {
        uint64_t length = 0;
        ANSWERS(OK, polyproc_queue_put((polyproc_queue *)opened, "x", 1, 0, NULL));
        ANSWERS(OK, polyproc_queue_length(queue, &length));
        CHECK(length == 1);
        polyproc_queue_close((polyproc_queue *)opened);
      }
    }
  }
  polyproc_lock_close(lock);
  polyproc_semaphore_close(semaphore);
  polyproc_event_close(event);
  polyproc_queue_close(queue);
}

static void what_is_no_object(void) {
  int ends[2];
  int null = open("/dev/null", O_RDWR);
  FILE *file = tmpfile();
  void *opened = NULL;
  int kind;

  CHECK(null >= 0 && file != NULL && pipe(ends) == 0);
  CHECK(ftruncate(fileno(file), 1 << 16) == 0);
  for (kind = POLYPROC_KIND_LOCK; kind <= POLYPROC_KIND_QUEUE; kind++) {
    ANSWERS(E_MISMATCH, polyproc_open_fd(null, kind, &opened));
    ANSWERS(E_MISMATCH, polyproc_open_fd(ends[0], kind, &opened));
    ANSWERS(E_MISMATCH, polyproc_open_fd(fileno(file), kind, &opened));
  }
  CHECK(opened == NULL);
  close(null);
  close(ends[0]);
  close(ends[1]);
  fclose(file);
}

/* An object cannot be truncated while others have it mapped. */
static void it_cannot_be_cut(void) {
  polyproc_queue *queue = NULL;
  int fd = -1;
  ANSWERS(OK, polyproc_queue_create(NULL, NULL, &queue));
  ANSWERS(OK, polyproc_share_fd(POLYPROC_KIND_QUEUE, queue, &fd));
  CHECK(ftruncate(fd, 0) == -1 && errno == EPERM);
  close(fd);
  polyproc_queue_close(queue);
}

static void send_fd(int socket, int fd) {
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control;
  struct msghdr message;
  struct iovec part;
  char byte = 0;
  memset(&message, 0, sizeof message);
  memset(&control, 0, sizeof control);
  part.iov_base = &byte;
  part.iov_len = 1;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = sizeof control.bytes;
  control.header.cmsg_level = SOL_SOCKET;
  control.header.cmsg_type = SCM_RIGHTS;
  control.header.cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
  CHECK(sendmsg(socket, &message, 0) == 1);
}

static int receive_fd(int socket) {
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control;
  struct msghdr message;
  struct iovec part;
  char byte = 0;
  int fd = -1;
  memset(&message, 0, sizeof message);
  part.iov_base = &byte;
  part.iov_len = 1;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = sizeof control.bytes;
  CHECK(recvmsg(socket, &message, 0) == 1);
  CHECK(control.header.cmsg_type == SCM_RIGHTS);
  memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);
  return fd;
}

/* To a process that existed before the object, over a socket. */
static void over_a_socket(void) {
  polyproc_queue *queue = NULL;
  void *received = NULL;
  int sockets[2];
  char buf[8];
  size_t len = 0;
  int fd = -1;
  pid_t child;

  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
  child = forked();
  if (child == 0) {
    fd = receive_fd(sockets[1]);
    ANSWERS(OK, polyproc_open_fd(fd, POLYPROC_KIND_QUEUE, &received));
    close(fd);
    ANSWERS(OK, polyproc_queue_put((polyproc_queue *)received, "thanks", 6, PATIENCE, NULL));
    polyproc_queue_close((polyproc_queue *)received);
    _exit(0);
  }
  ANSWERS(OK, polyproc_queue_create(NULL, NULL, &queue));
  ANSWERS(OK, polyproc_share_fd(POLYPROC_KIND_QUEUE, queue, &fd));
  send_fd(sockets[0], fd);
  close(fd);
  ANSWERS(OK, polyproc_queue_get(queue, buf, sizeof buf, &len, PATIENCE, NULL));
  CHECK(len == 6 && memcmp(buf, "thanks", 6) == 0);
  went_well(child);
  close(sockets[0]);
  close(sockets[1]);
  polyproc_queue_close(queue);
}

int main(void) {
  every_kind();
  what_is_no_object();
  it_cannot_be_cut();
  over_a_socket();
  return 0;
}
