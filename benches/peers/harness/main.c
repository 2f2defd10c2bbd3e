#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

static const char usage[] =
    "WORKLOAD [mode=copy] [size=64] [capacity=1024] [producers=1] [consumers=1] [warm=50] [ms=250] [gap=0]\n"
    "workloads: stream pingpong pair lock event spawn create open";

static void parse(struct run *run, int argc, char **argv) {
  if (argc < 2) die("usage: %s", usage);
  run->workload = argv[1];
  for (int i = 2; i < argc; i++) {
    char *value = strchr(argv[i], '=');
    if (!value) die("usage: %s", usage);
    *value++ = 0;
    long number = atol(value);
    if (!strcmp(argv[i], "mode"))
      run->setup.mode = value;
    else if (!strcmp(argv[i], "size") && number >= 8 && number <= 1 << 20 && number % 8 == 0)
      run->setup.size = (size_t)number;
    else if (!strcmp(argv[i], "capacity") && number > 0)
      run->setup.capacity = (size_t)number;
    else if (!strcmp(argv[i], "producers") && number > 0 && number <= MAX_PROCESSES)
      run->setup.producers = (int)number;
    else if (!strcmp(argv[i], "consumers") && number > 0 && number <= MAX_PROCESSES)
      run->setup.consumers = (int)number;
    else if (!strcmp(argv[i], "warm") && number >= 0)
      run->warm_ms = (int)number;
    else if (!strcmp(argv[i], "ms") && number > 0)
      run->measure_ms = (int)number;
    else if (!strcmp(argv[i], "gap") && number >= 0)
      run->gap_us = (int)number;
    else
      die("%s=%s? usage: %s", argv[i], value, usage);
  }
}

int harness_main(int argc, char **argv) {
  struct run run = {{"copy", 64, 1024, 1, 1, 1}, "", 50, 250, 0};
  parse(&run, argc, argv);
  int ping_pong = !strcmp(run.workload, "pingpong");
  run.setup.channels = ping_pong ? 2 : 1;
  state = shared_memory(sizeof *state);
  state->latency = shared_memory(sizeof *state->latency);
  unique_name("");
  if (peer.create) peer.create(&run.setup);
  printf(
      "{\"peer\": \"%s\", \"mode\": \"%s\", \"workload\": \"%s\", \"size\": %zu, \"producers\": %d, "
      "\"consumers\": %d",
      peer.name, run.setup.mode, run.workload, run.setup.size, run.setup.producers, run.setup.consumers);
  if (ways.capacity && ways.capacity != run.setup.capacity) printf(", \"capacity\": %zu", ways.capacity);
  fflush(stdout);
  if (!strcmp(run.workload, "stream"))
    run_stream(&run);
  else if (ping_pong)
    run_ping_pong(&run);
  else if (!strcmp(run.workload, "pair"))
    run_pair(&run);
  else if (!strcmp(run.workload, "lock"))
    run_lock(&run);
  else if (!strcmp(run.workload, "event"))
    run_event(&run);
  else if (!strcmp(run.workload, "spawn"))
    run_calls(&run, peer.spawn);
  else if (!strcmp(run.workload, "create"))
    run_calls(&run, peer.create_close);
  else if (!strcmp(run.workload, "open"))
    run_calls(&run, peer.open_close);
  else
    die("usage: %s", usage);
  if (peer.destroy) peer.destroy();
  puts("}");
  return 0;
}
