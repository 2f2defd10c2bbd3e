// A pipe: the child sends a list and closes its end, the parent receives it, then finds the end of
// the file.
#include "example.hpp"

int main(int argc, char **argv) {
  return example::run(argc, argv, [] {
    auto [parents, childs] = polyproc::pipe();
    auto child = example::start([&parents = parents, &childs = childs] {
      const std::string list = R"([42,null,"hello"])";
      parents.close();
      std::printf("child sends %s\n", list.c_str());
      childs.send(list);
      childs.close();
    });
    // The end of file comes when no process has the child's end any more, and this process has a
    // copy.
    childs.close();
    std::printf("parent gets %s\n", parents.recv().c_str());
    try {
      (void)parents.recv();
    } catch (const polyproc::end_of_file &) {
      std::puts("parent finds the end of the file");
    }
    std::printf("child exited with %d\n", child.join());
  });
}
