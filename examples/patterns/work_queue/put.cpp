#include <iostream>
#include <polyproc.hpp>
#include <string>

int main() {
  polyproc::queue_options options;
  options.open_or_create = true;
  options.joinable = true;
  auto jobs = polyproc::queue::create("book.jobs", options);
  for (int number = 1; number <= 10; number++) jobs.put("page " + std::to_string(number));
  jobs.join();  // until each job is done, whoever does it
  std::cout << "10 jobs are done, " << jobs.info().redelivered << " of them were delivered again\n";
  jobs.shutdown();  // the workers' loops end
  polyproc::unlink("book.jobs");
}
