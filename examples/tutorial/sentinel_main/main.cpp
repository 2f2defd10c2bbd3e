// Main says that the producer is finished: it joins the producer and then puts the end mark, here
// the empty message. With shutdown (many_to_many) no end mark is needed.
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
    });
    auto consumer = example::start([&] {
      for (auto bun = queue.get(); !bun.empty(); bun = queue.get()) {
        std::printf("consumer gets %s\n", bun.c_str());
        example::nap(0.1);
      }
      std::puts("consumer gets the end mark");
    });
    std::printf("producer exited with %d\n", producer.join());
    std::puts("main puts the end mark");
    queue.put("");
    std::printf("consumer exited with %d\n", consumer.join());
  });
}
