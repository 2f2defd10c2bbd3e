// The children of the pipeline: the workers and the reporter.
#ifndef HEADERS_CREW_HPP
#define HEADERS_CREW_HPP

#include <optional>

#include "support.hpp"

namespace headers {

/// A child that runs, and its name.
struct member {
  std::string name;
  int pid;
  polyproc::process process;
};

class crew {
 public:
  crew(polyproc::queue &jobs, polyproc::queue &results) : jobs_(jobs), results_(results) {}
  crew(const crew &) = delete;
  crew &operator=(const crew &) = delete;
  /// Ends every child that still runs: SIGTERM, and SIGKILL after two seconds.
  ~crew() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(2);
    const auto each = [this](auto act) {
      for (auto &worker : workers_) act(worker);
      if (reporter_) act(*reporter_);
    };
    try {
      each([](member &one) { one.process.terminate(); });
      each([&](member &one) {
        if (one.process.try_join(polyproc::wait_options(deadline))) return;
        one.process.kill();
        one.process.join();
      });
    } catch (const polyproc::error &error) {
      complain(error.what());
    }
  }

  void start_reporter(std::vector<std::string> command) {
    reporter_.emplace(start("reporter", std::move(command)));
  }
  void start_workers(const std::string &program, std::size_t count) {
    program_ = program;
    while (workers_.size() < count) workers_.push_back(start_worker());
  }

  /// Kills a worker and replaces it. Returns the killed worker.
  member replace(std::size_t place) {
    member dead = std::move(workers_[place]);
    workers_.erase(workers_.begin() + std::ptrdiff_t(place));
    dead.process.kill();
    dead.process.join();
    workers_.push_back(start_worker());
    return dead;
  }
  [[nodiscard]] std::size_t size() const {
    return workers_.size();
  }

  /// Repeats a call that waits with `wake()` until it succeeds. When a child has ended, checks the
  /// children.
  template <class Call>
  auto attended(Call call) {
    for (;;) {
      try {
        return call();
      } catch (const polyproc::canceled &) {
        attend();
      }
    }
  }

  /// From here on children may end, with exit code 0.
  void work_is_over() {
    may_end_ = true;
  }
  void join_workers() {
    for (; !workers_.empty(); workers_.pop_back()) join(workers_.back());
  }
  void join_reporter() {
    join(*reporter_);
    reporter_.reset();
  }

 private:
  member start(const std::string &name, std::vector<std::string> command) {
    polyproc::process_options options;
    options.name = name;
    // The child ends when this process does, even by SIGKILL.
    options.daemon = true;
    // The queues are anonymous: a child inherits them here, and asks for them by these names.
    options.handles = {{"jobs", jobs_}, {"results", results_}};
    auto process = polyproc::process::spawn(command, options);
    const int pid = process.pid();
    return {name, pid, std::move(process)};
  }
  member start_worker() {
    return start("worker-" + std::to_string(++started_), {program_});
  }

  /// Finds out what fired `wake()`; throws when it is a reason to stop.
  void attend() {
    // Reset the token first and look afterwards: an event in between fires it again.
    wake().reset();
    if (stopped_by != 0) throw stopped();
    for (const auto &worker : workers_) check(worker);
    if (reporter_) check(*reporter_);
  }
  void check(const member &one) const {
    const auto code = one.process.exit_code();
    if (!code || (may_end_ && *code == 0)) return;
    const auto who = one.name + " (pid " + std::to_string(one.pid) + ")";
    if (*code < 0) {
      complain(who + " was ended by signal " + std::to_string(-*code));
    } else {
      complain(who + " ended with exit code " + std::to_string(*code) + " before its work was over");
    }
    throw stopped();
  }
  void join(member &one) {
    attended([&] { one.process.join(wake()); });
    check(one);
  }

  polyproc::queue &jobs_, &results_;
  std::string program_;
  std::vector<member> workers_;
  std::optional<member> reporter_;
  std::size_t started_ = 0;
  bool may_end_ = false;
};

}  // namespace headers

#endif
