// Three producers, two consumers, and two ways to end: an end mark for each consumer, which main
// has to count, and shutdown, once, for any number of consumers.
#include "example.hpp"

static void produce(polyproc::queue &queue, int producer) {
  for (int k = 0; k < 4; k++) {
    const auto bun = "包子 " + std::to_string(producer) + "." + std::to_string(k);
    std::printf("producer %d puts %s\n", producer, bun.c_str());
    queue.put(bun);
    example::nap(0.1);
  }
}

static void consume(polyproc::queue &queue, int consumer) {
  try {
    for (;;) {
      const auto bun = queue.get();
      if (bun.empty()) {
        std::printf("consumer %d gets an end mark\n", consumer);
        return;
      }
      std::printf("consumer %d gets %s\n", consumer, bun.c_str());
      example::nap(0.1);
    }
  } catch (const polyproc::shutdown_error &) {
    std::printf("consumer %d sees the shutdown\n", consumer);
  }
}

static void half(bool with_shutdown) {
  auto queue = polyproc::queue::create();
  std::vector<polyproc::process> producers, consumers;
  for (int i = 0; i < 3; i++) producers.push_back(example::start([&, i] { produce(queue, i); }));
  for (int i = 0; i < 2; i++) consumers.push_back(example::start([&, i] { consume(queue, i); }));
  example::join_all(producers);
  if (with_shutdown) {
    std::puts("main shuts the queue down");
    queue.shutdown();
  } else {
    for (std::size_t i = 0; i < consumers.size(); i++) {
      std::puts("main puts an end mark");
      queue.put("");
    }
  }
  example::join_all(consumers);
  std::puts("all exited with 0");
}

int main(int argc, char **argv) {
  return example::run(argc, argv, [] {
    std::puts("with an end mark for each consumer");
    half(false);
    std::puts("with shutdown");
    half(true);
  });
}
