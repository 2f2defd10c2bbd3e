// One producer, one consumer: the queue is made before the fork, and both children have it.
#include "example.hpp"

int main(int argc, char **argv) {
  return example::run(argc, argv, [] {
    auto queue = polyproc::typed_queue<int>::create();
    auto producer = example::start([&] {
      std::puts("producer puts 1");
      queue.put(1);
    });
    auto consumer = example::start([&] { std::printf("consumer gets %d\n", queue.get()); });
    const int producer_code = producer.join(), consumer_code = consumer.join();
    std::printf("producer exited with %d\n", producer_code);
    std::printf("consumer exited with %d\n", consumer_code);
  });
}
