/* polyproc_detail: what is wrong with each option of a create, and in what an object differs from
 * the options. */
#include "check.h"

static void queues(void) {
  const name_t name = unique("queue");
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  polyproc_queue *queue, *second;
  polyproc_lock *lock;
  polyproc_message message;
  size_t len;

  options.max_bytes = 15;
  ANSWERS(E_INVALID, polyproc_queue_create(NULL, &options, &queue));
  TELLS("max_bytes is 15, less than the 16 that a message of no bytes takes");
  options.max_bytes = 0;
  options.max_deliveries = 65535;
  ANSWERS(E_INVALID, polyproc_queue_create(NULL, &options, &queue));
  TELLS("max_deliveries is 65535, over 65534");
  options.max_deliveries = 3;
  options.flags = 1u << 31;
  ANSWERS(E_INVALID, polyproc_queue_create(NULL, &options, &queue));
  TELLS("options.flags has an unknown flag: 0x80000000");
  options.flags = 0;
  options.mode = 0777;
  ANSWERS(E_INVALID, polyproc_queue_create(NULL, &options, &queue));
  TELLS("mode is 0o777: it has 0600, and nothing over 0666");
  options.mode = 0;
  memset(options.format, 'x', sizeof options.format);
  ANSWERS(E_INVALID, polyproc_queue_create(NULL, &options, &queue));
  TELLS("options.format has no NUL: a label has at most 31 bytes");
  memset(options.format, 0, sizeof options.format);
  options.size = 8;
  ANSWERS(E_INVALID, polyproc_queue_create(NULL, &options, &queue));
  TELLS("options.size is 8, not the size of the struct: start from its initialiser");
  options.size = sizeof options;
  ANSWERS(E_INVALID, polyproc_queue_create(".jobs", &options, &queue));
  TELLS("name is \".jobs\": it has 1 to 200 bytes of A-Z a-z 0-9 . _ - and no dot first");
  ANSWERS(E_INVALID, polyproc_queue_create(NULL, &options, NULL));
  TELLS("out is NULL");

  options.max_items = 10;
  options.flags = POLYPROC_OPEN_OR_CREATE;
  strcpy(options.format, "msgpack");
  ANSWERS(OK, polyproc_queue_create(name.text, &options, &queue));
  options.max_items = 20;
  ANSWERS(E_MISMATCH, polyproc_queue_create(name.text, &options, &second));
  TELLS("max_items of the queue is 10, asked for as 20");
  options.max_items = 10;
  options.max_bytes = 4096;
  ANSWERS(E_MISMATCH, polyproc_queue_create(name.text, &options, &second));
  TELLS("max_bytes of the queue is 0, asked for as 4096");
  options.max_bytes = 0;
  options.max_deliveries = 4;
  ANSWERS(E_MISMATCH, polyproc_queue_create(name.text, &options, &second));
  TELLS("max_deliveries of the queue is 3, asked for as 4");
  options.max_deliveries = 3;
  strcpy(options.format, "json");
  ANSWERS(E_MISMATCH, polyproc_queue_create(name.text, &options, &second));
  TELLS("format of the queue is \"msgpack\", asked for as \"json\"");
  options.flags |= POLYPROC_QUEUE_JOINABLE;
  ANSWERS(E_MISMATCH, polyproc_queue_create(name.text, &options, &second));
  TELLS("the queue is not joinable, asked for as one that is");
  ANSWERS(E_MISMATCH, polyproc_lock_open(name.text, &lock));
  TELLS("the object is a queue, asked for as a lock");

  ANSWERS(E_INVALID, polyproc_queue_put(NULL, "x", 1, 0, NULL));
  TELLS("the handle of the queue is NULL");
  ANSWERS(E_INVALID, polyproc_queue_put(queue, NULL, 1, 0, NULL));
  TELLS("data is NULL and its length is not 0");
  ANSWERS(E_INVALID, polyproc_queue_put(queue, "x", 1, 0, (polyproc_cancel *)(void *)queue));
  TELLS("cancel is not an open token");
  ANSWERS(E_INVALID, polyproc_queue_get(queue, NULL, 1, &len, 0, NULL));
  TELLS("buf is NULL and its length is not 0");
  ANSWERS(E_INVALID, polyproc_queue_get(queue, NULL, 0, NULL, 0, NULL));
  TELLS("out_len is NULL");
  ANSWERS(E_INVALID, polyproc_queue_shutdown(queue, 2));
  TELLS("immediate is 2, not 0 or 1");
  ANSWERS(E_INVALID, polyproc_queue_join(queue, 0, NULL));
  TELLS("the queue is not joinable");
  ANSWERS(OK, polyproc_queue_put(queue, "x", 1, 0, NULL));
  ANSWERS(OK, polyproc_queue_take(queue, &message, 0, NULL));
  ANSWERS(OK, polyproc_message_done(&message));
  ANSWERS(E_INVALID, polyproc_message_done(&message));
  TELLS("the loan is settled already");
  polyproc_queue_close(queue);
  ANSWERS(OK, polyproc_unlink(name.text));
}

static void synchronization(void) {
  const name_t semaphore_name = unique("semaphore"), barrier_name = unique("barrier");
  polyproc_semaphore_options options = POLYPROC_SEMAPHORE_OPTIONS_INIT;
  polyproc_options plain = POLYPROC_OPTIONS_INIT;
  polyproc_semaphore *semaphore, *second;
  polyproc_barrier *barrier;

  options.initial = -1;
  ANSWERS(E_INVALID, polyproc_semaphore_create(NULL, &options, &semaphore));
  TELLS("initial is -1 and maximum 0: neither is below 0");
  options.initial = 3;
  options.maximum = 2;
  ANSWERS(E_INVALID, polyproc_semaphore_create(NULL, &options, &semaphore));
  TELLS("initial is 3, over maximum, 2");
  options.initial = 1;
  options.flags = POLYPROC_OPEN_OR_CREATE;
  ANSWERS(OK, polyproc_semaphore_create(semaphore_name.text, &options, &semaphore));
  ANSWERS(E_INVALID, polyproc_semaphore_release(semaphore, 0));
  TELLS("n is 0, below 1");
  options.maximum = 5;
  ANSWERS(E_MISMATCH, polyproc_semaphore_create(semaphore_name.text, &options, &second));
  TELLS("maximum of the semaphore is 2, asked for as 5");
  options.maximum = 2;
  options.flags |= POLYPROC_SEMAPHORE_OWNED;
  ANSWERS(E_MISMATCH, polyproc_semaphore_create(semaphore_name.text, &options, &second));
  TELLS("the permits of the semaphore are not owned, asked for as owned");
  polyproc_semaphore_close(semaphore);
  ANSWERS(OK, polyproc_unlink(semaphore_name.text));

  ANSWERS(E_INVALID, polyproc_barrier_create(NULL, NULL, 0, &barrier));
  TELLS("parties is 0, not from 1 to 1024");
  plain.flags = POLYPROC_OPEN_OR_CREATE;
  ANSWERS(OK, polyproc_barrier_create(barrier_name.text, &plain, 2, &barrier));
  polyproc_barrier_close(barrier);
  ANSWERS(E_MISMATCH, polyproc_barrier_create(barrier_name.text, &plain, 3, &barrier));
  TELLS("the barrier is one of 2 parties, asked for as one of 3");
  ANSWERS(OK, polyproc_unlink(barrier_name.text));
}

static void processes(void) {
  static const char *const argv[] = {"true", NULL}, *const nothing[] = {NULL};
  static const char *const env[] = {"KEY", NULL};
  polyproc_process_options options = POLYPROC_PROCESS_OPTIONS_INIT;
  polyproc_pool_options pool_options = POLYPROC_POOL_OPTIONS_INIT;
  polyproc_handle handles[2];
  polyproc_process *process;
  polyproc_pool *pool;
  polyproc_lock *lock;

  options.argv = nothing;
  ANSWERS(E_INVALID, polyproc_process_spawn(&options, &process));
  TELLS("argv is NULL or empty");
  options.argv = argv;
  options.stdout_fd = -7;
  ANSWERS(E_INVALID, polyproc_process_spawn(&options, &process));
  TELLS("options.stdout_fd is -7: a descriptor, -1 or POLYPROC_FD_NULL is meant");
  options.stdout_fd = 777;
  ANSWERS(E_INVALID, polyproc_process_spawn(&options, &process));
  TELLS("stdout is 777, no open descriptor");
  options.stdout_fd = -1;
  options.env = env;
  ANSWERS(E_INVALID, polyproc_process_spawn(&options, &process));
  TELLS("env has an entry that is not KEY=value, or POLYPROC_PROCESS, which is the library's");
  options.env = NULL;
  options.name = "a\nb";
  ANSWERS(E_INVALID, polyproc_process_spawn(&options, &process));
  TELLS("name has 1 to 63 bytes of text, and no control character");
  options.name = NULL;
  options.flags = 1u << 31;
  ANSWERS(E_INVALID, polyproc_process_spawn(&options, &process));
  TELLS("options.flags has an unknown flag: 0x80000000");
  options.flags = 0;
  ANSWERS(OK, polyproc_lock_create(NULL, NULL, &lock));
  handles[0].name = handles[1].name = "the.lock";
  handles[0].kind = handles[1].kind = POLYPROC_KIND_LOCK;
  handles[0].object = handles[1].object = lock;
  options.handles = handles;
  options.handle_count = 2;
  ANSWERS(E_INVALID, polyproc_process_spawn(&options, &process));
  TELLS("two handles have the name the.lock");
  handles[1].name = "a/b";
  ANSWERS(E_INVALID, polyproc_process_spawn(&options, &process));
  TELLS("a handle's name is \"a/b\", which none can have");
  handles[1].kind = 77;
  ANSWERS(E_INVALID, polyproc_process_spawn(&options, &process));
  TELLS("kind is 77, which no object has");
  polyproc_lock_close(lock);
  ANSWERS(E_INVALID, polyproc_process_adopt(0, &process));
  TELLS("pid is 0: it is above 0, and not this process's own");

  pool_options.workers = 1001;
  ANSWERS(E_INVALID, polyproc_pool_create(&pool_options, &pool));
  TELLS("workers is 1001, over 1000");
  pool_options.workers = 1;
  pool_options.argv = nothing;
  ANSWERS(E_INVALID, polyproc_pool_create(&pool_options, &pool));
  TELLS("options.argv is empty");
  pool_options.argv = NULL;
  pool_options.initialiser_len = 1;
  pool_options.initialiser_data = "x";
  ANSWERS(E_INVALID, polyproc_pool_create(&pool_options, &pool));
  TELLS("options.initialiser is NULL and options.initialiser_len is not 0");
}

static void sockets(void) {
  polyproc_listener_options options = POLYPROC_LISTENER_OPTIONS_INIT;
  polyproc_listener *listener;

  ANSWERS(E_INVALID, polyproc_listener_create("udp://127.0.0.1:1", NULL, &listener));
  TELLS("address is \"udp://127.0.0.1:1\": it begins with tcp:// or unix:");
  ANSWERS(E_INVALID, polyproc_listener_create("tcp://a.example:1", NULL, &listener));
  TELLS("address is \"tcp://a.example:1\": tcp:// is followed by an IP address or localhost, and a port");
  options.backlog = 5000;
  ANSWERS(E_INVALID, polyproc_listener_create("tcp://127.0.0.1:0", &options, &listener));
  TELLS("backlog is 5000, over 4096");
  options.backlog = 0;
  options.handshake_timeout_ns = -1;
  ANSWERS(E_INVALID, polyproc_listener_create("tcp://127.0.0.1:0", &options, &listener));
  TELLS("options.handshake_timeout_ns is below 0");
  options.handshake_timeout_ns = 0;
  options.allow_md5 = 2;
  ANSWERS(E_INVALID, polyproc_listener_create("tcp://127.0.0.1:0", &options, &listener));
  TELLS("options.allow_md5 is 2, not 0 or 1");
  options.allow_md5 = 1;
  options.authkey = "";
  ANSWERS(E_INVALID, polyproc_listener_create("tcp://127.0.0.1:0", &options, &listener));
  TELLS("authkey is empty");
}

/* A sentence stays until a call fails for another reason; each thread has its own; a short buffer
 * cuts it. */
static void *of_another_thread(void *unused) {
  char detail[16];
  (void)unused;
  ANSWERS(E_NOT_FOUND, polyproc_detail(detail, sizeof detail));
  CHECK(detail[0] == '\0');
  return NULL;
}

static void one_for_each_thread(void) {
  polyproc_queue *queue;
  size_t len;
  char small[8], all[256];

  ANSWERS(OK, polyproc_queue_create(NULL, NULL, &queue));
  ANSWERS(E_INVALID, polyproc_queue_take_many(queue, NULL, 0, NULL, 0, NULL));
  TELLS("out_taken is NULL");
  ANSWERS(OK, polyproc_queue_put(queue, "x", 1, 0, NULL));
  ANSWERS(OK, polyproc_queue_get(queue, all, sizeof all, &len, 0, NULL));
  ANSWERS(E_EMPTY, polyproc_queue_get(queue, all, sizeof all, &len, 0, NULL));
  TELLS("out_taken is NULL");
  ANSWERS(OK, polyproc_detail(small, sizeof small));
  CHECK(strcmp(small, "out_tak") == 0);
  finish(start(of_another_thread, NULL));
  ANSWERS(E_INVALID, polyproc_detail(NULL, 8));
  ANSWERS(E_INVALID, polyproc_detail(all, 0));
  ANSWERS(E_NOT_FOUND, polyproc_queue_open("test-c.nobody", &queue));
  TELLS("open failed: No such file or directory (os error 2)");
  polyproc_queue_close(queue);
}

int main(void) {
  one_for_each_thread();
  queues();
  synchronization();
  processes();
  sockets();
  return 0;
}
