/* The mechanisms of the kernel. Modes: pipe, socketpair (SOCK_SEQPACKET), mq (POSIX message queue); spawn
 * is posix_spawn + waitid. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sockios.h>
#include <mqueue.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer.h"

enum kind { PIPE, SOCKETPAIR, MQ };
static enum kind kind;
static int ends[2][2]; /* of each channel: the one to read from, the one to write to */
static mqd_t queues[2];
static size_t message_size;

static void ok(ssize_t result, const char *what) {
  if (result < 0) die("%s: %s", what, strerror(errno));
}

static void create_mq(int channel, const struct setup *setup) {
  struct mq_attr attributes = {.mq_maxmsg = (long)setup->capacity, .mq_msgsize = (long)setup->size};
  char name[80];
  snprintf(name, sizeof name, "/%s", unique_name("mq"));
  /* Only the machine's administrator may raise these limits. */
  do {
    queues[channel] = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
  } while (queues[channel] < 0 && --attributes.mq_maxmsg > 0);
  ok(queues[channel], "mq_open");
  ways.capacity = (size_t)attributes.mq_maxmsg;
  mq_unlink(name);
}

static void set_room(int fd, size_t bytes) {
  int room = (int)bytes;
  ok(setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room), "SO_SNDBUFFORCE");
}

/* A socket counts the memory that its messages take, so measure what one takes. More than 8 MiB of
 * the kernel's memory, which cannot be swapped, would only make it slower. */
static void create_socketpair(int channel, const struct setup *setup) {
  size_t most = 8 << 20, room;
  int *pair = ends[channel], taken;
  char *message = calloc(1, setup->size);
  if (!message) die("no memory");
  ok(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), "socketpair");
  set_room(pair[1], most / 2); /* the kernel doubles the number */
  ok(send(pair[1], message, setup->size, 0), "send");
  ok(ioctl(pair[1], SIOCOUTQ, &taken), "SIOCOUTQ");
  ok(recv(pair[0], message, setup->size, 0), "recv");
  free(message);
  room = (size_t)taken * setup->capacity;
  if (room > most) room = most;
  set_room(pair[1], room / 2);
  /* The last message may go beyond the room. */
  ways.capacity = (room + (size_t)taken - 1) / (size_t)taken;
}

/* A pipe's room is in bytes, and the administrator sets the most that it may be. */
static void create_pipe(int channel, const struct setup *setup) {
  size_t room = setup->size * setup->capacity, most = 1 << 20;
  ok(pipe(ends[channel]), "pipe");
  int given = fcntl(ends[channel][1], F_SETPIPE_SZ, (int)(room < most ? room : most));
  ok(given, "F_SETPIPE_SZ");
  ways.capacity = (size_t)given / setup->size;
}

static void create(const struct setup *setup) {
  message_size = setup->size;
  kind = has_mode(setup, "mq") ? MQ : has_mode(setup, "socketpair") ? SOCKETPAIR : PIPE;
  for (int i = 0; i < setup->channels; i++) {
    switch (kind) {
      case MQ:
        create_mq(i, setup);
        break;
      case SOCKETPAIR:
        create_socketpair(i, setup);
        break;
      case PIPE:
        create_pipe(i, setup);
        break;
    }
  }
}

static void join(int channel, enum role role, int index) {
  (void)channel;
  (void)role;
  (void)index;
}

static void put(int channel, const void *data, size_t len) {
  switch (kind) {
    case MQ:
      ok(mq_send(queues[channel], data, len, 0), "mq_send");
      break;
    case SOCKETPAIR:
      ok(send(ends[channel][1], data, len, 0), "send");
      break;
    case PIPE:
      for (size_t sent = 0; sent < len;) {
        ssize_t n = write(ends[channel][1], (const char *)data + sent, len - sent);
        ok(n, "write");
        sent += (size_t)n;
      }
      break;
  }
}

static size_t get(int channel, void *buf, size_t cap) {
  ssize_t n = 0;
  switch (kind) {
    case MQ:
      n = mq_receive(queues[channel], buf, cap, NULL);
      ok(n, "mq_receive");
      return (size_t)n;
    case SOCKETPAIR:
      n = recv(ends[channel][0], buf, cap, 0);
      ok(n, "recv");
      return (size_t)n;
    case PIPE:
      break;
  }
  /* A pipe has no messages: read as many bytes as one message has. */
  for (size_t got = 0; got < message_size; got += (size_t)n) {
    n = read(ends[channel][0], (char *)buf + got, message_size - got);
    ok(n, "read");
  }
  return message_size;
}

static void spawn(void) {
  char *argv[] = {"/bin/true", NULL};
  pid_t pid;
  siginfo_t info;
  if (posix_spawn(&pid, argv[0], NULL, NULL, argv, environ)) die("posix_spawn");
  ok(waitid(P_PID, (id_t)pid, &info, WEXITED), "waitid");
}

const struct peer peer = {
    .name = "kernel",
    .create = create,
    .join = join,
    .put = put,
    .get = get,
    .spawn = spawn,
};
