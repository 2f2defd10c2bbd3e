// An event: clear at first; main waits until a child has set it.
#include "example.hpp"

int main(int argc, char **argv) {
  return example::run(argc, argv, [] {
    auto event = polyproc::event::create();
    const auto print_is_set = [&] { std::printf("is_set: %s\n", event.is_set() ? "true" : "false"); };

    print_is_set();
    std::puts("look here!");
    auto child = example::start([&] {
      example::nap(1);
      std::puts("child sets the event");
      event.set();
    });
    event.wait();
    std::puts("give me!!");
    print_is_set();
    child.join();
  });
}
