/* A pipe: the child sends a list and closes its end, the parent receives it, then finds the end of
 * the file. */
#include "example.h"

static polyproc_connection *parents, *childs;

static int send_hello(void *arg) {
  const char *list = "[42,null,\"hello\"]";

  (void)arg;
  polyproc_connection_close(parents);
  printf("child sends %s\n", list);
  CHECK(polyproc_connection_send(childs, list, strlen(list), POLYPROC_FOREVER, NULL));
  polyproc_connection_close(childs);
  return 0;
}

int main(int argc, char **argv) {
  polyproc_process *child;
  char text[64];
  size_t len;

  begin(argc, argv);
  CHECK(polyproc_pipe_create(1, &parents, &childs));
  child = start(send_hello, NULL);
  /* The end of file comes when no process has the child's end any more, and this process has a
   * copy. */
  polyproc_connection_close(childs);
  CHECK(polyproc_connection_recv(parents, text, sizeof text, &len, POLYPROC_FOREVER, NULL));
  printf("parent gets %.*s\n", (int)len, text);
  if (polyproc_connection_recv(parents, text, sizeof text, &len, POLYPROC_FOREVER, NULL) == POLYPROC_E_EOF) {
    printf("parent finds the end of the file\n");
  }
  printf("child exited with %d\n", (int)finish(child));
  polyproc_connection_close(parents);
  return 0;
}
