/* One process of the random soak.
 *
 *     random SEED STEPS GENERATION WORD=VALUE...
 *
 * A word names an object, its name or descriptor, and the allowed steps: see the table `words`
 * below. The worker takes random steps until PREFIX.stop is set or its steps are used up, then
 * settles what it holds or leaves with it. It exits with 0, or with another code and a sentence if
 * something was wrong. */
#define _GNU_SOURCE
#include "random.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct worker me;

static uint64_t steps;
static int depth;
static polyproc_process *child;

static const struct word {
  const char *name;
  const char **value;
} words[] = {
    {"stop", &me.stop_name},       {"lock", &me.lock_name},    {"rlock", &me.rlock_name},
    {"permits", &me.permits_name}, {"event", &me.event_name},  {"condition", &me.condition_name},
    {"barrier", &me.barrier_name}, {"recv", &me.pipe_name[0]}, {"send", &me.pipe_name[1]},
    {"q0", &me.queue[0].spec},     {"q1", &me.queue[1].spec},  {"q2", &me.queue[2].spec},
};

/* "fd:N", "inherit:NAME", or a name. */
static void *open_object(const char *spec, int32_t kind, int32_t (*open)(const char *, void **)) {
  void *object = NULL;
  int32_t status;

  if (strncmp(spec, "fd:", 3) == 0)
    status = polyproc_open_fd(atoi(spec + 3), kind, &object);
  else if (strncmp(spec, "inherit:", 8) == 0)
    status = polyproc_inherited(spec + 8, kind, &object);
  else
    status = open(spec, &object);
  if (status == POLYPROC_E_NO_MEMORY && me.features & MAY_LACK_MEMORY) {
    note(OP_LEAVE, 0, 0, 0, 0);
    _exit(0);
  }
  if (status != POLYPROC_OK) wrong(spec, status);
  return object;
}

#define OPENER(type)                                         \
  static int32_t open_##type(const char *name, void **out) { \
    polyproc_##type *object = NULL;                          \
    int32_t status = polyproc_##type##_open(name, &object);  \
    *out = object;                                           \
    return status;                                           \
  }
OPENER(event)
OPENER(lock)
OPENER(rlock)
OPENER(semaphore)
OPENER(condition)
OPENER(barrier)

static polyproc_queue_options made;

/* If the queue's name has just been removed, makes it anew. */
static int32_t open_or_create(const char *name, void **out) {
  polyproc_queue *queue = NULL;
  int32_t status = polyproc_queue_create(name, &made, &queue);
  *out = queue;
  return status;
}

void open_queue(struct queue *queue) {
  made = queue->options;
  queue->handle = open_object(queue->spec, POLYPROC_KIND_QUEUE, open_or_create);
  queue->is_shut = false;
}

static int32_t open_none(const char *name, void **out) {
  (void)name, (void)out;
  return POLYPROC_E_NOT_FOUND;
}

static void open_all(void) {
  me.stop = open_object(me.stop_name, POLYPROC_KIND_EVENT, open_event);
  for (; me.queues < QUEUES && me.queue[me.queues].spec != NULL; me.queues++)
    open_queue(&me.queue[me.queues]);
  if (me.lock_name) me.lock = open_object(me.lock_name, POLYPROC_KIND_LOCK, open_lock);
  if (me.rlock_name) me.rlock = open_object(me.rlock_name, POLYPROC_KIND_RLOCK, open_rlock);
  if (me.permits_name) me.permits = open_object(me.permits_name, POLYPROC_KIND_SEMAPHORE, open_semaphore);
  if (me.event_name) me.event = open_object(me.event_name, POLYPROC_KIND_EVENT, open_event);
  if (me.condition_name)
    me.condition = open_object(me.condition_name, POLYPROC_KIND_CONDITION, open_condition);
  if (me.barrier_name) me.barrier = open_object(me.barrier_name, POLYPROC_KIND_BARRIER, open_barrier);
  for (int end = 0; end < 2; end++) {
    if (me.pipe_name[end] != NULL)
      me.pipe[end] = open_object(me.pipe_name[end], POLYPROC_KIND_CONNECTION, open_none);
  }
}

bool is_over(void) {
  int32_t set = 0;
  EXPECT("is_set", polyproc_event_is_set(me.stop, &set), POLYPROC_OK);
  return set != 0;
}

/* A child that does not exit with 0 or die by SIGKILL fails the soak through its parent. */
static void reap(int flags) {
  int status;

  for (;;) {
    pid_t ended = waitpid(-1, &status, flags);
    if (ended < 0 && errno == EINTR) continue;
    if (ended <= 0) return;
    if (WIFEXITED(status) ? WEXITSTATUS(status) == 0 : WTERMSIG(status) == SIGKILL) continue;
    fprintf(stderr, "worker %u: its child %u ended: %#x\n", (unsigned)getpid(), (unsigned)ended,
            (unsigned)status);
    _exit(4);
  }
}

/* The end of a process that was not killed. */
static void leave(void) {
  if (me.features & MAY_LEAVE_FULL && any(2) == 0) {
    note(OP_LEAVE, 0, 0, 0, 0);
    _exit(0);
  }
  settle_all();
  reap(0);
  note(OP_LEAVE, 0, 0, 0, 0);
  if (any(2) == 0) {
    for (int place = 0; place < me.queues; place++) polyproc_queue_close(me.queue[place].handle);
    polyproc_lock_close(me.lock);
    polyproc_event_close(me.stop);
  }
  _exit(0);
}

static void fork_step(void) {
  pid_t parent = getpid(), forked = fork();

  if (forked != 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(0);
  me.random ^= (uint64_t)getpid() << 20;
  depth++;
  steps = 1 + any(300);
  begin_actor();
  disown_all();
}

/* Starts the same program in the same process, which then holds nothing. */
static void exec_step(void) {
  char seed[24];

  snprintf(seed, sizeof seed, "%llu", (unsigned long long)(any(1 << 30) + 1));
  me.argv[1] = seed;
  note(OP_LEAVE, 0, 0, 0, 0);
  execv("/proc/self/exe", me.argv);
  _exit(6);
}

/* A daemonic child that inherits the first queue. */
static void spawn_step(void) {
  polyproc_process_options options = POLYPROC_PROCESS_OPTIONS_INIT;
  polyproc_handle handle = {"q0", POLYPROC_KIND_QUEUE, me.queue[0].handle};
  const char *argv[40] = {"/proc/self/exe", "", "200", "9"};
  static char seed[24];
  int count = 4;

  if (child != NULL) {
    int32_t status = polyproc_process_join(child, 0, NULL);
    EXPECT("join of a child", status, POLYPROC_OK, POLYPROC_E_TIMEOUT);
    if (status == POLYPROC_E_TIMEOUT) return;
    polyproc_process_close(child);
    child = NULL;
  }
  snprintf(seed, sizeof seed, "%llu", (unsigned long long)(any(1 << 30) + 1));
  argv[1] = seed;
  for (int at = 4; at < me.argc && count < 38; at++) {
    bool is_first = strncmp(me.argv[at], "q0=", 3) == 0;
    argv[count++] = is_first ? "q0=inherit:q0" : me.argv[at];
  }
  static char program[200];
  if (readlink("/proc/self/exe", program, sizeof program - 1) < 0) return;
  argv[0] = program;
  options.flags = POLYPROC_PROCESS_DAEMON;
  options.argv = argv;
  options.handles = &handle;
  options.handle_count = 1;
  EXPECT("spawn", polyproc_process_spawn(&options, &child), POLYPROC_OK);
}

static void step(void) {
  uint64_t kind = any(1000);
  if (kind < 4) reap(WNOHANG);
  if (kind == 0 && me.features & MAY_FORK && depth < 2)
    fork_step();
  else if (kind == 1 && me.features & MAY_EXEC && depth == 0)
    exec_step();
  else if (kind == 2 && me.features & MAY_SPAWN && depth == 0)
    spawn_step();
  else if (kind < 30 || me.queues == 0)
    object_step();
  else
    queue_step((int)any((uint64_t)me.queues));
}

static void set_word(const char *word) {
  size_t length = strcspn(word, "=");
  unsigned long long value[7];

  for (size_t at = 0; at < sizeof words / sizeof *words; at++) {
    if (strlen(words[at].name) == length && strncmp(word, words[at].name, length) == 0) {
      *words[at].value = word + length + 1;
      return;
    }
  }
  if (sscanf(word, "puts=%d", &me.puts_in_ten) == 1) return;
  if (sscanf(word, "may=%u", &me.features) == 1) return;
  if (sscanf(word, "o%llu=%llu,%llu,%llu,%llu,%llu,%llu", &value[0], &value[1], &value[2], &value[3],
             &value[4], &value[5], &value[6]) == 7) {
    polyproc_queue_options *options = &me.queue[value[0] % QUEUES].options;
    *options = (polyproc_queue_options)POLYPROC_QUEUE_OPTIONS_INIT;
    options->flags = (uint32_t)value[1] | POLYPROC_OPEN_OR_CREATE;
    options->max_items = value[2];
    options->max_bytes = value[3];
    options->max_deliveries = (uint32_t)value[4];
    options->spin_ns = (uint32_t)value[5];
    me.queue[value[0] % QUEUES].largest = (size_t)value[6];
    return;
  }
  fprintf(stderr, "random: unknown word %s\n", word);
  exit(2);
}

int main(int argc, char **argv) {
  if (argc < 5) {
    fprintf(stderr, "usage: random SEED STEPS GENERATION WORD=VALUE...\n");
    return 2;
  }
  me.argc = argc;
  me.argv = argv;
  me.random = strtoull(argv[1], NULL, 10) * 0x9e3779b97f4a7c15 | 1;
  steps = strtoull(argv[2], NULL, 10);
  depth = atoi(argv[3]);
  for (int at = 4; at < argc; at++) set_word(argv[at]);
  begin_actor();
  open_all();
  for (; steps > 0 && !is_over(); steps--) step();
  leave();
}
