// A pool of four workers: two squares one after the other, then both at once.
#include "example.hpp"

// Runs in a worker.
static std::string square(polyproc::bytes_view data) {
  const int number = data.as<int>();
  std::printf("worker squares %d\n", number);
  example::nap(1);
  return std::string(polyproc::bytes_of(number * number).text());
}

static void print(const std::string &result) {
  std::printf("main got %d\n", polyproc::bytes_view(result).as<int>());
}

int main(int argc, char **argv) {
  return example::run(argc, argv, [] {
    polyproc::worker_register("square", square);
    polyproc::pool_options options;
    options.workers = 4;
    auto pool = polyproc::pool::create(options);

    std::puts("one after the other");
    print(pool.apply("square", polyproc::bytes_of(2)));
    print(pool.apply("square", polyproc::bytes_of(3)));

    std::puts("both at once");
    auto two = pool.submit("square", polyproc::bytes_of(2));
    auto three = pool.submit("square", polyproc::bytes_of(3));
    print(two.result());
    print(three.result());

    pool.shutdown();
    pool.join();
  });
}
