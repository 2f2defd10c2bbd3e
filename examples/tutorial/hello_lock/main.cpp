// A hundred processes share a lock and a terminal: each prints its line in pieces, and no line is
// torn, because only the holder of the lock prints.
#include <mutex>

#include "example.hpp"

int main(int argc, char **argv) {
  return example::run(argc, argv, [] {
    auto lock = polyproc::mutex::create();
    std::vector<polyproc::process> children;
    for (int i = 0; i < 100; i++)
      children.push_back(example::start([&, i] {
        const std::lock_guard<polyproc::mutex> held(lock);
        std::printf("hello from ");
        std::fflush(stdout);
        std::printf("process %d\n", i);
      }));
    example::join_all(children);
  });
}
