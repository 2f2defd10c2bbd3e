#include <chrono>
#include <iostream>
#include <polyproc.hpp>
#include <string>
#include <thread>

int main(int argc, char **argv) {
  const std::chrono::duration<double> seconds(argc > 1 ? std::stod(argv[1]) : 1);  // that a job takes
  polyproc::queue_options options;
  options.open_or_create = true;
  options.joinable = true;
  auto jobs = polyproc::queue::create("book.jobs", options);
  for (const auto &job : jobs.messages()) {
    std::cout << "begins " << job.text() << std::endl;
    std::this_thread::sleep_for(seconds);
    std::cout << "ends " << job.text() << std::endl;
  }  // the next round finishes the job; killed before that: another worker gets it
}
