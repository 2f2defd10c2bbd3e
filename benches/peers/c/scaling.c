/*
 * W9: what a put and a get cost in one process, against the size of what is around them.
 *   scaling scaling mode=participants:64   that many other processes have the queue open
 *   scaling scaling mode=items:10000000    an unlimited queue holds that many messages
 *   scaling scaling mode=depth:1000        a queue of 1,024 messages holds that many
 */
#define _GNU_SOURCE
#include <polyproc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

const struct peer peer = {.name = "scaling"};

enum { ROUNDS = 200000, BATCHES = 9 };

static polyproc_queue *queue;

static void ok(int32_t status) {
  if (status != POLYPROC_OK) die("%s", polyproc_strerror(status));
}

static void put(void) {
  static const char message[8];
  ok(polyproc_queue_put(queue, message, sizeof message, POLYPROC_FOREVER, NULL));
}

static void get(void) {
  char message[8];
  size_t len;
  ok(polyproc_queue_get(queue, message, sizeof message, &len, POLYPROC_FOREVER, NULL));
}

static void take_part(const struct run *run, int index) {
  (void)run;
  (void)index;
  put();
  get();
  atomic_fetch_add(&state->joined, 1);
}

static int by_value(const void *a, const void *b) {
  double difference = *(const double *)a - *(const double *)b;
  return (difference > 0) - (difference < 0);
}

int main(int argc, char **argv) {
  polyproc_queue_options options = POLYPROC_QUEUE_OPTIONS_INIT;
  double ns[BATCHES];
  char *what = argc > 2 ? strchr(argv[2], '=') : NULL, *number = what ? strchr(what, ':') : NULL;
  if (!number) die("usage: scaling scaling mode=participants|items|depth:N");
  *number++ = 0;
  what++;
  long n = atol(number);

  state = shared_memory(sizeof *state);
  if (strcmp(what, "items")) options.max_items = 1024;
  ok(polyproc_queue_create(NULL, &options, &queue));
  if (!strcmp(what, "participants")) {
    for (long i = 1; i < n; i++) start_process(-1, take_part, NULL, 0);
    start_all();
  } else {
    for (long i = 0; i < n; i++) put();
  }
  pin(core_of(0));
  for (int batch = 0; batch < BATCHES; batch++) {
    uint64_t start = now_ns();
    for (int i = 0; i < ROUNDS; i++) {
      /* A full queue has no room, so the get comes first. */
      if (n == 1024) get();
      put();
      if (n != 1024) get();
    }
    ns[batch] = (double)(now_ns() - start) / ROUNDS;
  }
  end_all();
  qsort(ns, BATCHES, sizeof ns[0], by_value);
  printf("{\"peer\": \"polyproc\", \"mode\": \"%s:%ld\", \"ns\": %.1f}\n", what, n, ns[BATCHES / 2]);
  return 0;
}
