// A joinable queue: join returns when every message was not only got but finished. The consumers
// are daemonic: they wait for ever, and go with main.
#include "example.hpp"

int main(int argc, char **argv) {
  return example::run(argc, argv, [] {
    polyproc::queue_options options;
    options.joinable = true;
    auto queue = polyproc::queue::create({}, options);
    std::vector<polyproc::process> producers, consumers;
    for (int producer = 0; producer < 3; producer++)
      producers.push_back(example::start([&, producer] {
        for (int k = 0; k < 10; k++) queue.put("包子 " + std::to_string(producer) + "." + std::to_string(k));
        std::printf("producer %d: 生产结束\n", producer);
        queue.join();
        std::printf("producer %d: 生产结束~~~~~~\n", producer);
      }));
    for (int consumer = 0; consumer < 2; consumer++)
      consumers.push_back(example::start_daemon([&, consumer] {
        // Going on to the next message finishes this one.
        for (const auto &bun : queue.messages()) {
          example::nap(0.1);
          std::printf("consumer %d gets %s\n", consumer, std::string(bun.text()).c_str());
        }
      }));
    example::join_all(producers);
    std::puts("main ends");
  });
}
