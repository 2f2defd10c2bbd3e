// First in, first out, with any producers and consumers: main's message goes to f2, f's message to
// main.
#include "example.hpp"

int main(int argc, char **argv) {
  return example::run(argc, argv, [] {
    auto queue = polyproc::queue::create();
    const auto say = [&](const char *who, const char *text) {
      std::printf("%s puts %s\n", who, text);
      queue.put(text);
    };
    const auto hear = [&](const char *who) { std::printf("%s gets %s\n", who, queue.get().c_str()); };

    say("main", "小鬼");
    example::start([&] { say("f", "姑娘,多少钱~"); }).join();
    example::start([&] { hear("f2"); }).join();
    hear("main");
  });
}
