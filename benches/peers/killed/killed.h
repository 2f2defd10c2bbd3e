/* The common part of this folder's programs: one process of a peer that is killed, or one that
 * survives.
 *
 * PROGRAM MODE NAME COUNTS. Messages are of 1 KiB and begin with their number, PROBE for the last
 * one.
 *
 *   create            make the object, and end
 *   hold              take the lock, say so, and stay
 *   wait              take the lock, say so, and end
 *   produce           put until it is killed            after-producer    get what it put, then the probe
 *   consume           get until it is killed            after-consumer    put, then get all up to the probe
 */
#ifndef KILLED_H
#define KILLED_H

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MESSAGE = 1024, CAPACITY = 64 };
#define PROBE UINT64_MAX

/* In a file, so the counts survive a kill. */
struct counts {
  volatile uint64_t puts;   /* that returned */
  volatile uint64_t gets;   /* of the victim, that returned */
  volatile uint64_t killed; /* the driver's word that the other is gone */
  volatile uint64_t left;   /* messages that the survivor got after or before that */
};

static inline struct counts *counts_of(const char *path) {
  int fd = open(path, O_RDWR);
  void *at =
      fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(struct counts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) {
    perror(path);
    exit(2);
  }
  close(fd);
  return (struct counts *)at;
}

static inline void say(const char *word) {
  puts(word);
  fflush(stdout);
}

static inline void stay(void) {
  for (;;) pause();
}

/* The calls of each peer. `try_put` and `try_get` return 0 if they failed. */
struct ways {
  void (*create)(const char *name);
  void (*open)(const char *name);
  void (*lock)(void);
  int (*try_put)(const void *message);
  int (*try_get)(void *message);
};

static inline void put_number(const struct ways *peer, uint64_t number) {
  uint64_t message[MESSAGE / sizeof(uint64_t)] = {number};
  while (!peer->try_put(message)) usleep(50);
}

/* 1: a message, 0: none. */
static inline int get_number(const struct ways *peer, uint64_t *number) {
  uint64_t message[MESSAGE / sizeof(uint64_t)];
  if (!peer->try_get(message)) return 0;
  *number = message[0];
  return 1;
}

/* The survivor's test: put one more message, and get all up to it. */
static inline void go_on(const struct ways *peer, struct counts *counts) {
  const uint64_t probe[MESSAGE / sizeof(uint64_t)] = {PROBE};
  int is_put = 0;
  for (uint64_t number;;) {
    is_put = is_put || peer->try_put(probe);
    if (!get_number(peer, &number)) {
      usleep(50);
      continue;
    }
    if (number == PROBE) break;
    counts->left++;
  }
}

static inline void hold(const struct ways *peer, struct counts *counts) {
  (void)counts;
  peer->lock();
  say("ready");
  stay();
}

static inline void wait_for_lock(const struct ways *peer, struct counts *counts) {
  (void)counts;
  say("ready");
  peer->lock();
  say("done");
}

static inline void produce(const struct ways *peer, struct counts *counts) {
  say("ready");
  for (uint64_t number = 0;; number++) {
    put_number(peer, number);
    counts->puts = number + 1;
  }
}

static inline void consume(const struct ways *peer, struct counts *counts) {
  say("ready");
  for (uint64_t number;;)
    if (get_number(peer, &number)) counts->gets++;
}

static inline void after_producer(const struct ways *peer, struct counts *counts) {
  uint64_t number;
  say("ready");
  while (!counts->killed)
    if (get_number(peer, &number)) counts->left++;
  go_on(peer, counts);
  say("done");
}

static inline void after_consumer(const struct ways *peer, struct counts *counts) {
  uint64_t message[MESSAGE / sizeof(uint64_t)] = {0};
  say("ready");
  while (!counts->killed)
    if (peer->try_put(message)) counts->puts++;
  go_on(peer, counts);
  say("done");
}

static inline int play(const struct ways *peer, int argc, char **argv) {
  static const struct {
    const char *mode;
    void (*run)(const struct ways *, struct counts *);
  } modes[] = {
      {"hold", hold},       {"wait", wait_for_lock},
      {"produce", produce}, {"after-producer", after_producer},
      {"consume", consume}, {"after-consumer", after_consumer},
  };
  if (argc != 4) return 2;
  if (strcmp(argv[1], "create") == 0) {
    peer->create(argv[2]);
    return 0;
  }
  for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
    if (strcmp(argv[1], modes[i].mode) != 0) continue;
    peer->open(argv[2]);
    modes[i].run(peer, counts_of(argv[3]));
    return 0;
  }
  return 2;
}

#endif
