// A process starts and is joined: start does not wait for the child, join does. The event lets the
// child print only after the parent has, so that the lines are always in the same order.
#include "example.hpp"

int main(int argc, char **argv) {
  return example::run(argc, argv, [] {
    const int parent = polyproc::current_process().pid;
    auto started = polyproc::event::create();
    std::printf("parent %d\n", parent);

    auto child = example::start([&] {
      const auto me = polyproc::current_process();
      started.wait();
      std::printf("child %d of parent %d\n", static_cast<int>(me.pid), static_cast<int>(me.parent_pid));
      example::nap(1);
      std::printf("child %d ends\n", static_cast<int>(me.pid));
    });
    std::printf("parent %d has started child %d\n", parent, child.pid());
    started.set();
    const int code = child.join();
    std::printf("child %d exited with %d\n", child.pid(), code);
  });
}
