// Messages that nobody reads delay no process: the producer exits and main exits, although the
// queue is not empty.
#include "example.hpp"

int main(int argc, char **argv) {
  return example::run(argc, argv, [] {
    auto queue = polyproc::queue::create();
    auto producer = example::start([&] {
      for (int i = 0; i < 10; i++) queue.put("包子");
      std::puts("producer put 10 messages");
    });
    std::printf("producer exited with %d\n", producer.join());
    std::printf("main ends, %d messages are unread\n", static_cast<int>(queue.size()));
  });
}
