// The common part of the C++ examples, so that each shows only its own subject: the length of a
// second, printing whole lines, and children.
#ifndef EXAMPLE_HPP
#define EXAMPLE_HPP

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <polyproc.hpp>
#include <string>
#include <thread>
#include <vector>

namespace example {

// The time that stands for a second; the first argument has it in milliseconds.
inline std::chrono::nanoseconds second = std::chrono::seconds(1);

inline std::chrono::nanoseconds seconds(double n) {
  return std::chrono::nanoseconds(static_cast<long long>(n * static_cast<double>(second.count())));
}

inline void nap(double n) {
  std::this_thread::sleep_for(seconds(n));
}

// A child that runs a function and exits with 0, or with 1 after an exception.
template <class Function>
polyproc::process start(Function function, polyproc::process_options options = {}) {
  return polyproc::process::fork(
      [function]() mutable {
        function();
        return 0;
      },
      options);
}

// The same for a child that ends with its parent.
template <class Function>
polyproc::process start_daemon(Function function) {
  polyproc::process_options options;
  options.daemon = true;
  return start(function, options);
}

// Waits for the end of children, all of which must exit with 0.
inline void join_all(std::vector<polyproc::process> &children) {
  for (auto &child : children)
    if (child.join() != 0) throw std::runtime_error("a child failed");
}

// Runs an example; an exception ends it with its text.
template <class Main>
int run(int argc, char **argv, Main main) {
  const long ms = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 1000;
  if (ms < 1 || ms > 1000000) {
    std::fprintf(stderr, "usage: %s [milliseconds that stand for a second]\n", argv[0]);
    return 2;
  }
  second = std::chrono::milliseconds(ms);
  // One write for each line, also into a pipe: lines of several processes do not mix.
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  try {
    main();
    return 0;
  } catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

}  // namespace example

#endif
