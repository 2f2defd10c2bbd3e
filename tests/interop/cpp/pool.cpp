// A pool and its workers, as pool.c is: what they do is said there.
//
//     pool main WORKER [ARGUMENT...]
//     pool worker
#include <iostream>
#include <polyproc.hpp>

namespace {

constexpr std::size_t tasks = 300, longest = 200000;

void must(bool holds, const std::string &what) {
  if (!holds) throw std::runtime_error(what);
}

/// Task n has the bytes n, n + 1, ...; its length is longer from task to task.
std::string data_of(std::size_t n) {
  std::string data(n * n * longest / (tasks * tasks), '\0');
  for (std::size_t i = 0; i < data.size(); i++) data[i] = char(n + i);
  return data;
}

std::string reversed(polyproc::bytes_view data) {
  const auto text = data.text();
  return {text.rbegin(), text.rend()};
}

void worker() {
  polyproc::worker_register("reverse", reversed);
  polyproc::worker_register("fail", [](polyproc::bytes_view data) -> std::string {
    throw std::runtime_error("failed: " + std::string(data.text()));
  });
  polyproc::worker_run();
}

void check_failures(polyproc::pool &pool) {
  try {
    (void)pool.apply("fail", "because");
    must(false, "a failure that was none");
  } catch (const polyproc::task_failed &failure) {
    // After a NUL there may be a stack.
    must(std::string(failure.message().c_str()) == "failed: because",
         "another message: " + failure.message());
  }
  try {
    (void)pool.apply("nothing", {});
    must(false, "a function that is not there was found");
  } catch (const polyproc::not_found &) {
  }
}

void pool_of(std::vector<std::string> command) {
  polyproc::pool_options options;
  options.workers = 2;
  options.args = std::move(command);
  auto pool = polyproc::pool::create(options);
  std::vector<polyproc::task> submitted;
  for (std::size_t n = 0; n < tasks; n++) submitted.push_back(pool.submit("reverse", data_of(n)));
  for (std::size_t n = 0; n < tasks; n++) {
    must(submitted[n].result() == reversed(data_of(n)), "a wrong result of task " + std::to_string(n));
  }
  check_failures(pool);
  pool.shutdown();
  pool.join();
  std::cout << "ok" << std::endl;
}

}  // namespace

int main(int argc, char **argv) {
  try {
    const std::string role = argc > 1 ? argv[1] : "";
    if (role == "worker" && argc == 2) {
      worker();
    } else if (role == "main" && argc > 2) {
      pool_of({argv + 2, argv + argc});
    } else {
      std::cerr << "usage: pool worker | pool main WORKER [ARGUMENT...]\n";
      return 2;
    }
    return 0;
  } catch (const std::exception &error) {
    std::cerr << "pool: " << error.what() << '\n';
    return 1;
  }
}
