/*
 * A server that echoes. A client with the key is served until it leaves, then the next one; a
 * client without the key is refused and delays no other. Its clients are the programs of
 * echo_client, and any of Python:
 *
 *     from multiprocessing.connection import Client
 *     conn = Client(('127.0.0.1', port), authkey=b'Hello World!')
 *
 *     echo_server [milliseconds of a second] [address] [how many clients, 0: for ever]
 */
#include "example.h"

/* Sends back each message, until the client leaves. */
static void echo(polyproc_connection *client) {
  size_t cap = 1024, len;
  char *message = malloc(cap);

  while (message != NULL) {
    int32_t status = polyproc_connection_recv(client, message, cap, &len, POLYPROC_FOREVER, NULL);

    if (status == POLYPROC_E_EOF) break;
    if (status == POLYPROC_E_TOO_SMALL) {
      /* It is still there: make room for it. */
      free(message);
      message = malloc(cap = len);
      continue;
    }
    CHECK(status);
    CHECK(polyproc_connection_send(client, message, len, POLYPROC_FOREVER, NULL));
  }
  free(message);
}

int main(int argc, char **argv) {
  const char *where = argc > 2 ? argv[2] : "tcp://127.0.0.1:0";
  long clients = argc > 3 ? strtol(argv[3], NULL, 10) : 0;
  polyproc_listener_options options = POLYPROC_LISTENER_OPTIONS_INIT;
  polyproc_listener *listener;
  char address[128];
  size_t len;

  begin(argc, argv);
  options.authkey = "Hello World!";
  options.authkey_len = strlen("Hello World!");
  CHECK(polyproc_listener_create(where, &options, &listener));
  CHECK(polyproc_listener_address(listener, address, sizeof address, &len));
  printf("listening at %s\n", address);

  for (long n = 1; clients == 0 || n <= clients; n++) {
    polyproc_connection *client;

    CHECK(polyproc_listener_accept(listener, &client, POLYPROC_FOREVER, NULL));
    printf("client %ld comes\n", n);
    echo(client);
    printf("client %ld leaves\n", n);
    polyproc_connection_close(client);
  }
  polyproc_listener_close(listener);
  return 0;
}
