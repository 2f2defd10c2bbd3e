/* A thread that polls for runtimes without libuv: see poll_thread.c. */
#ifndef POLYPROC_NODE_POLL_THREAD_H
#define POLYPROC_NODE_POLL_THREAD_H

#include <node_api.h>
#include <stdbool.h>

struct poll_thread;

/* Calls `ready` on the environment's thread whenever fd is readable. Returns NULL on failure.
 * `callback`: any function. */
struct poll_thread *poll_thread_new(napi_env env, napi_value callback, int fd, void (*ready)(void *data),
                                    void *data);
/* Sets whether the thread keeps the program alive. */
void poll_thread_keep(struct poll_thread *poll_thread, napi_env env, bool is_kept);
/* Ends the thread. Runs on the environment's thread, at its end. */
void poll_thread_end(struct poll_thread *poll_thread);

#endif
