// Five processes print two lines each with a pause between: mixed without the lock, in pairs with
// it.
#include <mutex>

#include "example.hpp"

static void work(int number) {
  std::printf("process %d is running\n", number);
  example::nap(0.2);
  std::printf("process %d is done\n", number);
}

template <class Work>
static void five(Work work_of) {
  std::vector<polyproc::process> children;
  for (int i = 0; i < 5; i++) children.push_back(example::start([=] { work_of(i); }));
  example::join_all(children);
}

int main(int argc, char **argv) {
  return example::run(argc, argv, [] {
    auto lock = polyproc::mutex::create();
    std::puts("without the lock");
    five(work);
    std::puts("with the lock");
    five([&lock](int number) {
      const std::lock_guard<polyproc::mutex> held(lock);
      work(number);
    });
  });
}
