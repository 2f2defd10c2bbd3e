/* A client of echo_server, or of any Listener of Python that echoes: sends a list and prints what
 * comes back.
 *
 *     echo_client [milliseconds of a second] [address] [key] */
#include "example.h"

int main(int argc, char **argv) {
  const char *address = argc > 2 ? argv[2] : "tcp://127.0.0.1:6000";
  const char *key = argc > 3 ? argv[3] : "Hello World!";
  const char *list = "[\"hello\", 88, \"World!\"]";
  polyproc_listener_options options = POLYPROC_LISTENER_OPTIONS_INIT;
  polyproc_connection *server;
  char echo[64];
  size_t len;
  int32_t status;

  begin(argc, argv);
  options.authkey = key;
  options.authkey_len = strlen(key);
  status = polyproc_connect(address, &options, &server, seconds(60), NULL);
  if (status == POLYPROC_E_AUTH) {
    printf("refused: the key is wrong\n");
    return 0;
  }
  CHECK(status);

  printf("sends %s\n", list);
  CHECK(polyproc_connection_send(server, list, strlen(list), POLYPROC_FOREVER, NULL));
  CHECK(polyproc_connection_recv(server, echo, sizeof echo, &len, POLYPROC_FOREVER, NULL));
  printf("gets %.*s\n", (int)len, echo);
  polyproc_connection_close(server);
  return 0;
}
