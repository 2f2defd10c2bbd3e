/* Lists of a Redis server over a unix socket: LPUSH and BRPOP. A producer reads the length that
 * LPUSH returns. */
#define _GNU_SOURCE
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer.h"

static const struct setup *setup;
static char path[96];
static pid_t server;
static redisContext *connection;

static redisContext *connect_to(void) {
  redisContext *made = redisConnectUnix(path);
  if (made && !made->err) return made;
  if (made) redisFree(made);
  return NULL;
}

static void create(const struct setup *given) {
  setup = given;
  snprintf(path, sizeof path, "/tmp/%s", unique_name("redis"));
  server = fork();
  if (server == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!freopen("/dev/null", "w", stdout)) _exit(1);
    execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--appendonly",
           "no", (char *)NULL);
    _exit(127);
  }
  for (int tries = 0; !(connection = connect_to()); tries++) {
    if (waitpid(server, NULL, WNOHANG) || tries > 2000) die("redis-server does not start");
    usleep(5000);
  }
  redisFree(connection);
  connection = NULL;
}

static void join(int channel, enum role role, int index) {
  (void)channel;
  (void)role;
  (void)index;
  if (!connection && !(connection = connect_to())) die("no connection");
}

static redisReply *ok(void *reply, int type) {
  redisReply *checked = reply;
  if (!checked || checked->type != type) die("%s", checked ? checked->str : connection->errstr);
  return checked;
}

static size_t length_after(redisReply *reply) {
  size_t length = (size_t)reply->integer;
  freeReplyObject(reply);
  return length;
}

static void put(int channel, const void *data, size_t len) {
  size_t length = length_after(
      ok(redisCommand(connection, "LPUSH messages%d %b", channel, data, len), REDIS_REPLY_INTEGER));
  while (length >= setup->capacity) {
    usleep(100);
    length = length_after(ok(redisCommand(connection, "LLEN messages%d", channel), REDIS_REPLY_INTEGER));
  }
}

static size_t get(int channel, void *buf, size_t cap) {
  redisReply *reply = ok(redisCommand(connection, "BRPOP messages%d 0", channel), REDIS_REPLY_ARRAY);
  size_t len = (size_t)reply->element[1]->len;
  if (len > cap) die("too long");
  memcpy(buf, reply->element[1]->str, len);
  freeReplyObject(reply);
  return len;
}

static void destroy(void) {
  kill(server, SIGKILL);
  waitpid(server, NULL, 0);
  unlink(path);
}

const struct peer peer = {
    .name = "redis", .create = create, .join = join, .destroy = destroy, .put = put, .get = get};
