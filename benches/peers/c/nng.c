/* nng, push to pull over ipc: every producer connects to every consumer. */
#include <nng/nng.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "peer.h"

static const struct setup *setup;
static nng_socket sockets[2][2]; /* by channel and role */
static char base[64];

static void ok(int result, const char *what) {
  if (result) die("%s: %s", what, nng_strerror(result));
}

static void create(const struct setup *given) {
  setup = given;
  snprintf(base, sizeof base, "%s", unique_name("nng"));
}

static void address(char *out, size_t size, int channel, int consumer) {
  snprintf(out, size, "ipc:///tmp/%s-%d-%d", base, channel, consumer);
}

static void join(int channel, enum role role, int index) {
  char name[128];
  nng_socket *socket = &sockets[channel][role];
  ok(role == PRODUCER ? nng_push0_open(socket) : nng_pull0_open(socket), "nng_open");
  /* Some versions of nng do not have these options for every socket, so a failure is ignored. */
  nng_setopt_int(*socket, role == PRODUCER ? NNG_OPT_SENDBUF : NNG_OPT_RECVBUF, (int)setup->capacity);
  nng_setopt_size(*socket, NNG_OPT_RECVMAXSZ, setup->size);
  if (role == CONSUMER) {
    address(name, sizeof name, channel, index);
    ok(nng_listen(*socket, name, NULL, 0), "nng_listen");
    return;
  }
  for (int i = 0; i < setup->consumers; i++) {
    address(name, sizeof name, channel, i);
    ok(nng_dial(*socket, name, NULL, NNG_FLAG_NONBLOCK), "nng_dial");
  }
}

static void put(int channel, const void *data, size_t len) {
  ok(nng_send(sockets[channel][PRODUCER], (void *)data, len, 0), "nng_send");
}

static size_t get(int channel, void *buf, size_t cap) {
  ok(nng_recv(sockets[channel][CONSUMER], buf, &cap, 0), "nng_recv");
  return cap;
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
    .name = "nng", .create = create, .join = join, .destroy = destroy, .put = put, .get = get};
