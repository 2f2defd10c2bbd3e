// The first program of a C++ user.
#include <polyproc.hpp>

int main() {
  auto queue = polyproc::queue::create();
  queue.put("bao");
  return queue.get() != "bao";
}
