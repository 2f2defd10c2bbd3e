// The producer says itself that it is finished: it puts an end mark, here the empty message, and
// the consumer leaves when it gets that.
#include "example.hpp"

int main(int argc, char **argv) {
  return example::run(argc, argv, [] {
    auto queue = polyproc::queue::create();
    auto producer = example::start([&] {
      for (int k = 0; k < 10; k++) {
        std::printf("producer puts 包子 %d\n", k);
        queue.put("包子 " + std::to_string(k));
        example::nap(0.1);
      }
      std::puts("producer puts the end mark");
      queue.put("");
    });
    auto consumer = example::start([&] {
      for (auto bun = queue.get(); !bun.empty(); bun = queue.get()) {
        std::printf("consumer gets %s\n", bun.c_str());
        example::nap(0.1);
      }
      std::puts("consumer gets the end mark");
    });
    const int producer_code = producer.join(), consumer_code = consumer.join();
    std::printf("producer exited with %d\n", producer_code);
    std::printf("consumer exited with %d\n", consumer_code);
  });
}
