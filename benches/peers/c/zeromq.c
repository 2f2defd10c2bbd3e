/* ZeroMQ, PUSH to PULL over ipc: every producer connects to every consumer. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "peer.h"

static const struct setup *setup;
static void *context, *sockets[2][2]; /* by channel and role */
static char base[64];

static void create(const struct setup *given) {
  setup = given;
  snprintf(base, sizeof base, "%s", unique_name("zmq"));
}

static void address(char *out, size_t size, int channel, int consumer) {
  snprintf(out, size, "ipc:///tmp/%s-%d-%d", base, channel, consumer);
}

static void ok(int result, const char *what) {
  if (result < 0) die("%s: %s", what, zmq_strerror(zmq_errno()));
}

static void join(int channel, enum role role, int index) {
  char name[128];
  int limit = (int)setup->capacity;
  if (!context) context = zmq_ctx_new();
  void *socket = sockets[channel][role] = zmq_socket(context, role == PRODUCER ? ZMQ_PUSH : ZMQ_PULL);
  ok(zmq_setsockopt(socket, role == PRODUCER ? ZMQ_SNDHWM : ZMQ_RCVHWM, &limit, sizeof limit),
     "zmq_setsockopt");
  if (role == CONSUMER) {
    address(name, sizeof name, channel, index);
    ok(zmq_bind(socket, name), "zmq_bind");
    return;
  }
  for (int i = 0; i < setup->consumers; i++) {
    address(name, sizeof name, channel, i);
    ok(zmq_connect(socket, name), "zmq_connect");
  }
}

static void put(int channel, const void *data, size_t len) {
  ok(zmq_send(sockets[channel][PRODUCER], data, len, 0), "zmq_send");
}

static size_t get(int channel, void *buf, size_t cap) {
  int n = zmq_recv(sockets[channel][CONSUMER], buf, cap, 0);
  ok(n, "zmq_recv");
  return (size_t)n;
}

static void destroy(void) {
  char name[128];
  for (int channel = 0; channel < setup->channels; channel++)
    for (int i = 0; i < setup->consumers; i++) {
      address(name, sizeof name, channel, i);
      unlink(name + strlen("ipc://"));
    }
}

const struct peer peer = {
    .name = "zeromq", .create = create, .join = join, .destroy = destroy, .put = put, .get = get};
