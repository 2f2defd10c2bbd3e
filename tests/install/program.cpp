// A C++ user's first program.
#include <polyproc.hpp>

int main() {
  auto queue = polyproc::queue::create();
  queue.put("bao");
  return queue.get() != "bao";
}
