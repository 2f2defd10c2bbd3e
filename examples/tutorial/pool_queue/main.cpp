// A queue with a name that main makes and the tasks of a pool open: one writes into it, the other
// reads. In Python it takes a Manager, another process; here a name is enough.
#include "example.hpp"

static std::string writer(polyproc::bytes_view name) {
  auto queue = polyproc::queue::open(std::string(name.text()));
  for (const char letter : std::string("dongGe")) {
    std::printf("writer puts %c\n", letter);
    queue.put({&letter, 1});
  }
  return {};
}

static std::string reader(polyproc::bytes_view name) {
  auto queue = polyproc::queue::open(std::string(name.text()));
  while (const auto letter = queue.try_get()) std::printf("reader gets %s\n", letter->c_str());
  return {};
}

int main(int argc, char **argv) {
  return example::run(argc, argv, [] {
    const auto name = "pool_queue." + std::to_string(polyproc::current_process().pid);
    const auto queue = polyproc::queue::create(name);
    polyproc::worker_register("writer", writer);
    polyproc::worker_register("reader", reader);
    auto pool = polyproc::pool::create();
    (void)pool.apply("writer", name);
    (void)pool.apply("reader", name);
    polyproc::unlink(name);
  });
}
