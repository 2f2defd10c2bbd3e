// The writer is gone before the reader starts, and the queue still has all that it wrote. With no
// writer left, empty tells the reader exactly when it has everything.
#include "example.hpp"

int main(int argc, char **argv) {
  return example::run(argc, argv, [] {
    auto queue = polyproc::queue::create();
    auto writer = example::start([&] {
      for (const char *letter : {"A", "B", "C"}) {
        std::printf("writer puts %s\n", letter);
        queue.put(letter);
        example::nap(0.1);
      }
    });
    std::printf("writer exited with %d\n", writer.join());
    auto reader = example::start([&] {
      while (!queue.empty()) std::printf("reader gets %s\n", queue.get().c_str());
    });
    std::printf("reader exited with %d\n", reader.join());
  });
}
