// The C program of the pipeline once more, in C++: the same arguments, children and messages.
//
//   main.cpp     the pipeline from the first put to the last join
//   crew.hpp     the children: start, watch, stop
//   support.hpp  arguments, the walk, signals
#include <random>
#include <set>

#include "crew.hpp"

namespace headers {
namespace {

polyproc::queue create_jobs() {
  polyproc::queue_options options;
  options.joinable = true;
  options.max_items = 1024;  // so that nothing piles up where one side is slower
  return polyproc::queue::create({}, options);
}

polyproc::queue create_results() {
  polyproc::queue_options options;
  options.format = "msgpack";
  options.max_items = 1024;
  return polyproc::queue::create({}, options);
}

class pipeline {
 public:
  explicit pipeline(const settings &settings) : settings_(settings) {}

  void run() {
    const auto started = std::chrono::steady_clock::now().time_since_epoch();
    // A first walk counts: for the progress bar, and for the moments of the kills.
    std::size_t files = 0;
    walk(settings_.directory, [&](const std::string &) { files++; });
    plan_kills(files);
    crew_.start_reporter({"node", settings_.reporter, "--directory", settings_.directory, "--total",
                          std::to_string(files), "--since",
                          std::to_string(std::chrono::nanoseconds(started).count()), "--html", settings_.html,
                          "--json", settings_.json});
    crew_.start_workers(settings_.worker, settings_.workers);

    std::size_t put = 0;
    walk(settings_.directory, [&](const std::string &path) {
      crew_.attended([&] { jobs_.put(path, wake()); });
      put++;
      for (; !moments_.empty() && *moments_.begin() <= put; moments_.erase(moments_.begin())) kill_one();
    });
    crew_.attended([&] { jobs_.join(wake()); });
    const auto redelivered = jobs_.info().redelivered;

    crew_.work_is_over();
    jobs_.shutdown();
    crew_.join_workers();
    // Nobody puts any more: the reporter drains what is there, and sees the end.
    results_.shutdown();
    crew_.join_reporter();
    report_kills(redelivered);
  }

 private:
  void plan_kills(std::size_t files) {
    if (files == 0) return;
    // At least one file before each, and where there are two, one after it.
    std::uniform_int_distribution<std::size_t> moment(1, files > 1 ? files - 1 : 1);
    while (moments_.size() < settings_.kills) moments_.insert(moment(random_));
  }

  /// Kills a worker while the workers are at work on the last files that were put: a moment counted in files
  /// is in the middle of the run on a machine of any speed. Workers that are done with everything are killed
  /// idle.
  void kill_one() {
    for (;;) {
      const auto info = jobs_.info();
      const bool at_work = info.in_flight > 0 && info.unfinished <= 2 * crew_.size();
      if (at_work || info.unfinished == 0) break;
      // A join that gives up soon is a sleep that ends early when there is nothing left to wait for.
      crew_.attended([&] { return jobs_.try_join({std::chrono::microseconds(100), wake()}); });
    }
    std::uniform_int_distribution<std::size_t> place(0, crew_.size() - 1);
    const auto dead = crew_.replace(place(random_));
    killed_.push_back("  " + dead.name + " (pid " + std::to_string(dead.pid) + ")");
  }

  void report_kills(std::uint64_t redelivered) const {
    if (settings_.kills == 0) return;
    std::cout << "\nkilled in the middle of the work (SIGKILL), and replaced: " << killed_.size() << '\n';
    for (const auto &line : killed_) std::cout << line << '\n';
    std::cout << "files redelivered to another worker: " << redelivered << std::endl;
  }

  const settings &settings_;
  polyproc::queue jobs_ = create_jobs(), results_ = create_results();
  crew crew_{jobs_, results_};
  std::mt19937_64 random_{std::random_device()()};
  std::multiset<std::size_t> moments_;  // how many files are put before each kill
  std::vector<std::string> killed_;
};

/// A recount is one plain process, so it takes the place of this one.
int recount(const settings &settings) {
  const char *const command[] = {"node", settings.check.c_str(), settings.directory.c_str(),
                                 settings.json.c_str(), nullptr};
  execvp(command[0], const_cast<char *const *>(command));
  complain(std::string("cannot start the recount: ") + std::strerror(errno));
  return 1;
}

int run(int argc, char **argv) {
  try {
    const auto settings = parse_arguments(argc, argv);
    install_signals();
    pipeline(settings).run();
    return settings.check.empty() ? 0 : recount(settings);
  } catch (const usage_error &) {
    return 2;
  } catch (const stopped &) {
    if (stopped_by == 0) return 1;
    complain(std::string("stopped: ") + strsignal(stopped_by));
    return 128 + stopped_by;
  } catch (const std::exception &error) {
    complain(error.what());
    return 1;
  }
}

}  // namespace
}  // namespace headers

int main(int argc, char **argv) {
  return headers::run(argc, argv);
}
