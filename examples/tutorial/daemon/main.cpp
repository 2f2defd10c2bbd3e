// A daemonic child ends with its parent, in whatever way that ends, and may not have children of
// its own.
#include "example.hpp"

int main(int argc, char **argv) {
  return example::run(argc, argv, [] {
    auto has_spoken = polyproc::event::create();
    const auto child = example::start_daemon([&] {
      try {
        (void)example::start([] {});
      } catch (const polyproc::daemonic &) {
        std::puts("daemon may not have children: E_DAEMONIC");
      }
      std::puts("daemon sleeps for 3 s");
      has_spoken.set();
      example::nap(3);
      std::puts("daemon woke up");
    });
    has_spoken.wait();
    std::puts("main ends");
  });
}
