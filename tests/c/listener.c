/* Listeners and connect: each kind of address, with and without a key, each function and each
 * fault. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "check.h"

static polyproc_listener_options keyed(const char *key) {
  polyproc_listener_options options = POLYPROC_LISTENER_OPTIONS_INIT;
  options.authkey = key;
  options.authkey_len = strlen(key);
  return options;
}

static const char *address_of(polyproc_listener *listener) {
  static char address[128];
  size_t len = 0;
  ANSWERS(OK, polyproc_listener_address(listener, address, sizeof address, &len));
  CHECK(len == strlen(address));
  return address;
}

static void send_text(polyproc_connection *connection, const char *text) {
  ANSWERS(OK, polyproc_connection_send(connection, text, strlen(text), POLYPROC_FOREVER, NULL));
}

static void recv_text(polyproc_connection *connection, const char *text) {
  char buf[64];
  size_t len = 0;
  ANSWERS(OK, polyproc_connection_recv(connection, buf, sizeof buf, &len, 10 * SECOND, NULL));
  CHECK(len == strlen(text) && memcmp(buf, text, len) == 0);
}

typedef struct {
  polyproc_listener *listener;
  polyproc_connection *accepted;
} acceptor;

static void *accept_one(void *argument) {
  acceptor *it = (acceptor *)argument;
  ANSWERS(OK, polyproc_listener_accept(it->listener, &it->accepted, 10 * SECOND, NULL));
  return NULL;
}

/* Connects to it and accepts the other end. */
static void meet(polyproc_listener *listener, const polyproc_listener_options *options,
                 polyproc_connection **here, polyproc_connection **there) {
  acceptor it;
  pthread_t thread;
  it.listener = listener;
  it.accepted = NULL;
  thread = start(accept_one, &it);
  ANSWERS(OK, polyproc_connect(address_of(listener), options, here, 10 * SECOND, NULL));
  finish(thread);
  *there = it.accepted;
}

static void talk(const char *address, const polyproc_listener_options *options) {
  polyproc_listener *listener;
  polyproc_connection *here, *there;
  char byte;
  size_t len = 0;
  ANSWERS(OK, polyproc_listener_create(address, options, &listener));
  meet(listener, options, &here, &there);
  ANSWERS(E_TIMEOUT, polyproc_connection_recv(here, &byte, 1, &len, 0, NULL));
  ANSWERS(E_TIMEOUT, polyproc_connection_poll(here, 0, NULL));
  send_text(here, "ping");
  ANSWERS(OK, polyproc_connection_poll(there, 10 * SECOND, NULL));
  recv_text(there, "ping");
  send_text(there, "");
  send_text(there, "pong");
  recv_text(here, "");
  ANSWERS(E_TOO_SMALL, polyproc_connection_recv(here, &byte, 1, &len, 10 * SECOND, NULL));
  CHECK(len == 4);
  recv_text(here, "pong");
  polyproc_listener_close(listener);
  send_text(here, "last");
  polyproc_connection_close(here);
  recv_text(there, "last");
  ANSWERS(OK, polyproc_connection_poll(there, 10 * SECOND, NULL));
  ANSWERS(E_EOF, polyproc_connection_recv(there, &byte, 1, &len, 10 * SECOND, NULL));
  ANSWERS(E_EOF, polyproc_connection_recv(there, &byte, 1, &len, 0, NULL));
  polyproc_connection_close(there);
}

static void each_kind_of_address(void) {
  polyproc_listener_options key = keyed("Hello World!");
  char path[64], abstract[64];
  struct stat file;
  snprintf(path, sizeof path, "unix:/tmp/polyproc-test-c.%ld", (long)getpid());
  snprintf(abstract, sizeof abstract, "unix:@polyproc-test-c.%ld", (long)getpid());
  talk("tcp://127.0.0.1:0", NULL);
  talk("tcp://127.0.0.1:0", &key);
  talk("tcp://localhost:0", NULL);
  talk(path, NULL);
  CHECK(stat(path + 5, &file) == -1 && errno == ENOENT);
  talk(path, &key);
  talk(abstract, NULL);
  talk(abstract, &key);
}

static void version_six(void) {
  polyproc_listener *listener;
  int32_t status = polyproc_listener_create("tcp://[::1]:0", NULL, &listener);
  if (status == -(1000 + EADDRNOTAVAIL) || status == -(1000 + EAFNOSUPPORT)) {
    return; /* this machine has none */
  }
  ANSWERS(OK, status);
  CHECK(strncmp(address_of(listener), "tcp://[::1]:", 12) == 0);
  polyproc_listener_close(listener);
  talk("tcp://[::1]:0", NULL);
}

static void addresses_that_are_none(void) {
  const char *none[] = {"",          "127.0.0.1:1",         "tcp://127.0.0.1", "tcp://a.example:1",
                        "udp://1:1", "tcp://[::1]:65536",   "unix:",           "unix:@",
                        "/path",     "tcp://127.0.0.1:1/p", "unix:\xff"};
  char too_long[400];
  polyproc_listener *listener = NULL;
  polyproc_connection *connection = NULL;
  size_t i;
  for (i = 0; i < sizeof none / sizeof *none; i++) {
    ANSWERS(E_INVALID, polyproc_listener_create(none[i], NULL, &listener));
    ANSWERS(E_INVALID, polyproc_connect(none[i], NULL, &connection, 0, NULL));
  }
  for (i = 108; i < sizeof too_long; i += 100) {
    memset(too_long, 'x', sizeof too_long);
    memcpy(too_long, "unix:", 5);
    too_long[5 + i < sizeof too_long ? 5 + i : sizeof too_long - 1] = '\0';
    ANSWERS(E_INVALID, polyproc_listener_create(too_long, NULL, &listener));
  }
  ANSWERS(E_INVALID, polyproc_listener_create(NULL, NULL, &listener));
  ANSWERS(E_INVALID, polyproc_listener_create("tcp://127.0.0.1:0", NULL, NULL));
  ANSWERS(E_INVALID, polyproc_connect("tcp://127.0.0.1:1", NULL, NULL, 0, NULL));
  ANSWERS(E_NOT_FOUND, polyproc_listener_create("unix:/nowhere/at/all", NULL, &listener));
  ANSWERS(E_NOT_FOUND, polyproc_connect("unix:/nowhere/at/all", NULL, &connection, 0, NULL));
  CHECK(listener == NULL && connection == NULL);
}

static void options_that_are_none(void) {
  polyproc_listener_options options = POLYPROC_LISTENER_OPTIONS_INIT;
  polyproc_listener *listener = NULL;
#define REFUSED ANSWERS(E_INVALID, polyproc_listener_create("tcp://127.0.0.1:0", &options, &listener))
  options.flags = 2;
  REFUSED;
  options.flags = 0;
  options.backlog = 4097;
  REFUSED;
  options.backlog = 0;
  options.authkey_len = 1;
  REFUSED;
  options.authkey = "k";
  options.authkey_len = 0;
  REFUSED;
  options.authkey = NULL;
  options.handshake_timeout_ns = -1;
  REFUSED;
  options.handshake_timeout_ns = 0;
  options.allow_md5 = 2;
  REFUSED;
  options.allow_md5 = 0;
  options.reserved = 1;
  REFUSED;
  options.reserved = 0;
  options.size = 8;
  REFUSED;
#undef REFUSED
  CHECK(listener == NULL);
}

static void strangers_are_kept_out(void) {
  polyproc_listener_options options = POLYPROC_LISTENER_OPTIONS_INIT;
  polyproc_listener *listener;
  ANSWERS(E_PERMISSION, polyproc_listener_create("tcp://0.0.0.0:0", NULL, &listener));
  options.flags = POLYPROC_LISTENER_PUBLIC;
  ANSWERS(OK, polyproc_listener_create("tcp://0.0.0.0:0", &options, &listener));
  polyproc_listener_close(listener);
  options = keyed("k");
  ANSWERS(OK, polyproc_listener_create("tcp://0.0.0.0:0", &options, &listener));
  polyproc_listener_close(listener);
}

static void an_address_is_somebodys(void) {
  polyproc_listener *listener, *other = NULL;
  polyproc_connection *connection = NULL;
  char address[128], buf[8];
  size_t len = 0;
  ANSWERS(OK, polyproc_listener_create("tcp://127.0.0.1:0", NULL, &listener));
  snprintf(address, sizeof address, "%s", address_of(listener));
  ANSWERS(E_EXISTS, polyproc_listener_create(address, NULL, &other));
  ANSWERS(E_TOO_SMALL, polyproc_listener_address(listener, buf, sizeof buf, &len));
  CHECK(len == strlen(address) + 1);
  ANSWERS(E_TOO_SMALL, polyproc_listener_address(listener, NULL, 0, &len));
  ANSWERS(E_INVALID, polyproc_listener_address(listener, address, sizeof address, NULL));
  polyproc_listener_close(listener);
  CHECK(polyproc_connect(address, NULL, &connection, SECOND, NULL) == -(1000 + ECONNREFUSED));
  /* It is free at once. */
  ANSWERS(OK, polyproc_listener_create(address, NULL, &listener));
  polyproc_listener_close(listener);
  CHECK(other == NULL && connection == NULL);
}

static void a_file_of_somebody_else_stays(void) {
  polyproc_listener *listener, *other;
  char address[64];
  struct stat file;
  snprintf(address, sizeof address, "unix:/tmp/polyproc-test-c.%ld", (long)getpid());
  ANSWERS(OK, polyproc_listener_create(address, NULL, &listener));
  ANSWERS(E_EXISTS, polyproc_listener_create(address, NULL, &other));
  CHECK(unlink(address + 5) == 0);
  ANSWERS(OK, polyproc_listener_create(address, NULL, &other));
  polyproc_listener_close(listener);
  CHECK(stat(address + 5, &file) == 0);
  polyproc_listener_close(other);
  CHECK(stat(address + 5, &file) == -1);
}

static void *connect_with_wrong_key(void *address) {
  polyproc_listener_options wrong = keyed("another");
  polyproc_connection *connection = NULL;
  ANSWERS(E_AUTH, polyproc_connect((const char *)address, &wrong, &connection, 10 * SECOND, NULL));
  CHECK(connection == NULL);
  return NULL;
}

static void a_wrong_key_and_none(void) {
  polyproc_listener_options key = keyed("Hello World!");
  polyproc_listener *listener;
  polyproc_connection *here, *there = NULL;
  char buf[64];
  size_t len = 0;
  pthread_t thread;
  ANSWERS(OK, polyproc_listener_create("tcp://127.0.0.1:0", &key, &listener));
  thread = start(connect_with_wrong_key, (void *)(size_t)address_of(listener));
  ANSWERS(E_TIMEOUT, polyproc_listener_accept(listener, &there, SECOND / 5, NULL));
  CHECK(there == NULL);
  finish(thread);
  /* Without a key: the first receive fails. */
  ANSWERS(OK, polyproc_connect(address_of(listener), NULL, &here, 10 * SECOND, NULL));
  ANSWERS(E_AUTH, polyproc_connection_recv(here, buf, sizeof buf, &len, 10 * SECOND, NULL));
  ANSWERS(E_AUTH, polyproc_connection_recv(here, buf, sizeof buf, &len, 0, NULL));
  polyproc_connection_close(here);
  meet(listener, &key, &here, &there);
  polyproc_connection_close(here);
  polyproc_connection_close(there);
  polyproc_listener_close(listener);
  /* With a key, to a listener that wants none. */
  ANSWERS(OK, polyproc_listener_create("tcp://127.0.0.1:0", NULL, &listener));
  key.handshake_timeout_ns = SECOND / 20;
  ANSWERS(E_TIMEOUT, polyproc_connect(address_of(listener), &key, &here, POLYPROC_FOREVER, NULL));
  polyproc_listener_close(listener);
}

static void *accept_closed(void *listener) {
  polyproc_connection *none = NULL;
  ANSWERS(E_CLOSED, polyproc_listener_accept((polyproc_listener *)listener, &none, POLYPROC_FOREVER, NULL));
  CHECK(none == NULL);
  return NULL;
}

static void waiting_for_it(void) {
  polyproc_listener_options key = keyed("k");
  const polyproc_listener_options *with[2];
  size_t i;
  with[0] = NULL;
  with[1] = &key;
  for (i = 0; i < 2; i++) {
    polyproc_listener *listener;
    polyproc_connection *here, *there;
    polyproc_waitable item;
    struct pollfd readable;
    size_t ready = 0;
    acceptor it;
    pthread_t thread;
    ANSWERS(OK, polyproc_listener_create("tcp://127.0.0.1:0", with[i], &listener));
    item.kind = POLYPROC_WAIT_LISTENER;
    item.ready = 7;
    item.object = listener;
    ANSWERS(E_TIMEOUT, polyproc_wait_any(&item, 1, &ready, 0, NULL));
    ANSWERS(OK, polyproc_listener_fd(listener, &readable.fd));
    readable.events = POLLIN;
    CHECK(poll(&readable, 1, 0) == 0);
    it.listener = listener;
    it.accepted = NULL;
    ANSWERS(OK, polyproc_connect(address_of(listener), with[i], &here, 10 * SECOND, NULL));
    ANSWERS(OK, polyproc_wait_any(&item, 1, &ready, 10 * SECOND, NULL));
    CHECK(ready == 1 && item.ready == 1);
    CHECK(poll(&readable, 1, 0) == 1);
    ANSWERS(OK, polyproc_listener_accept(listener, &there, 0, NULL));
    ANSWERS(E_TIMEOUT, polyproc_listener_accept(listener, &it.accepted, 0, NULL));
    ANSWERS(E_TIMEOUT, polyproc_wait_any(&item, 1, &ready, 0, NULL));
    CHECK(poll(&readable, 1, 0) == 0);
    polyproc_connection_close(here);
    polyproc_connection_close(there);
    /* A close ends the waits. */
    thread = start(accept_closed, listener);
    polyproc_listener_close(listener);
    finish(thread);
  }
}

int main(void) {
  each_kind_of_address();
  version_six();
  addresses_that_are_none();
  options_that_are_none();
  strangers_are_kept_out();
  an_address_is_somebodys();
  a_file_of_somebody_else_stays();
  a_wrong_key_and_none();
  waiting_for_it();
  return 0;
}
