/* One side of a connection over a socket, with a key:
 *
 *     listener listen ADDRESS     prints the address, and gives one client its messages back
 *     listener connect ADDRESS    sends messages, and compares what comes back
 *
 * A message of n bytes has the bytes n, n + 1, ... */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "polyproc.h"

#define LONGEST 1000000

static const size_t lengths[] = {0, 1, 1000, 65536, LONGEST};
static unsigned char sent[LONGEST], received[LONGEST];

static int fail(const char *what, int32_t status) {
  fprintf(stderr, "listener: %s: %s\n", what, polyproc_strerror(status));
  return EXIT_FAILURE;
}

static int listen_at(const char *where, const polyproc_listener_options *options) {
  polyproc_listener *listener;
  polyproc_connection *client;
  char address[256];
  size_t length;
  int32_t status = polyproc_listener_create(where, options, &listener);

  if (status < 0) return fail("cannot listen", status);
  status = polyproc_listener_address(listener, address, sizeof address, &length);
  if (status < 0) return fail("address", status);
  puts(address);
  fflush(stdout);
  status = polyproc_listener_accept(listener, &client, POLYPROC_FOREVER, NULL);
  if (status < 0) return fail("accept", status);
  while ((status = polyproc_connection_recv(client, received, sizeof received, &length, POLYPROC_FOREVER,
                                            NULL)) == POLYPROC_OK) {
    status = polyproc_connection_send(client, received, length, POLYPROC_FOREVER, NULL);
    if (status < 0) return fail("send", status);
  }
  if (status != POLYPROC_E_EOF) return fail("recv", status);
  polyproc_connection_close(client);
  polyproc_listener_close(listener);
  return EXIT_SUCCESS;
}

static int connect_to(const char *address, const polyproc_listener_options *options) {
  polyproc_connection *connection;
  int32_t status = polyproc_connect(address, options, &connection, POLYPROC_FOREVER, NULL);

  if (status < 0) return fail("cannot connect", status);
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    size_t length, at;
    for (at = 0; at < lengths[i]; at++) sent[at] = (unsigned char)(lengths[i] + at);
    status = polyproc_connection_send(connection, sent, lengths[i], POLYPROC_FOREVER, NULL);
    if (status < 0) return fail("send", status);
    status = polyproc_connection_recv(connection, received, sizeof received, &length, POLYPROC_FOREVER, NULL);
    if (status < 0) return fail("recv", status);
    if (length != lengths[i] || memcmp(sent, received, length) != 0) {
      fprintf(stderr, "listener: %zu bytes came back otherwise\n", lengths[i]);
      return EXIT_FAILURE;
    }
  }
  polyproc_connection_close(connection);
  puts("ok");
  return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
  polyproc_listener_options options = POLYPROC_LISTENER_OPTIONS_INIT;

  options.authkey = "secret";
  options.authkey_len = 6;
  if (argc == 3 && strcmp(argv[1], "listen") == 0) return listen_at(argv[2], &options);
  if (argc == 3 && strcmp(argv[1], "connect") == 0) return connect_to(argv[2], &options);
  fprintf(stderr, "usage: listener listen|connect ADDRESS\n");
  return 2;
}
