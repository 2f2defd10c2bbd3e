// The system's part of the pipeline: arguments, the walk through a directory, signals, messages.
#ifndef HEADERS_SUPPORT_HPP
#define HEADERS_SUPPORT_HPP

#include <getopt.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <polyproc.hpp>
#include <string>
#include <thread>
#include <vector>

namespace headers {

/// The run cannot go on. The reason is on stderr already.
struct stopped {};

/// "headers: " and a message, on stderr.
inline void complain(const std::string &message) {
  // On a terminal the reporter's progress bar may stand on this line.
  std::cerr << (isatty(STDERR_FILENO) ? "\r\033[Kheaders: " : "headers: ") << message << std::endl;
}

// --- arguments

struct settings {
  std::string directory = "/usr/include", worker, reporter, check, html = "headers.html",
              json = "headers.json";
  std::size_t workers = std::max(2u, std::thread::hardware_concurrency());
  std::size_t kills = 0;
};

/// Wrong arguments.
struct usage_error {};

inline std::size_t parse_count(std::string_view text, std::size_t least) {
  constexpr std::size_t most = 1000;
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value >= least && value <= most)
    return value;
  complain("\"" + std::string(text) + "\" is not a number from " + std::to_string(least) + " to " +
           std::to_string(most));
  throw usage_error();
}

inline settings parse_arguments(int argc, char **argv) {
  static const option options[] = {
      {"worker", required_argument, nullptr, 'W'}, {"reporter", required_argument, nullptr, 'R'},
      {"check", required_argument, nullptr, 'C'},  {"html", required_argument, nullptr, 'H'},
      {"json", required_argument, nullptr, 'J'},   {"workers", required_argument, nullptr, 'w'},
      {"kill", required_argument, nullptr, 'k'},   {nullptr, 0, nullptr, 0},
  };
  settings out;
  for (int option; (option = getopt_long(argc, argv, "w:k:", options, nullptr)) != -1;) {
    if (option == 'W') out.worker = optarg;
    if (option == 'R') out.reporter = optarg;
    if (option == 'C') out.check = optarg;
    if (option == 'H') out.html = optarg;
    if (option == 'J') out.json = optarg;
    if (option == 'w') out.workers = parse_count(optarg, 1);
    if (option == 'k') out.kills = parse_count(optarg, 0);
    if (option == '?') throw usage_error();
  }
  if (optind < argc) out.directory = argv[optind++];
  if (optind < argc || out.worker.empty() || out.reporter.empty()) {
    complain("give --worker=FILE and --reporter=FILE, and at most one directory");
    throw usage_error();
  }
  std::error_code error;
  const std::filesystem::directory_iterator readable(out.directory, error);
  if (!error) return out;
  complain("cannot read " + out.directory + ": " + error.message());
  throw usage_error();
}

// --- walk

inline bool is_header(const std::filesystem::path &path) {
  static const std::string_view endings[] = {".h", ".hh", ".hpp", ".hxx"};
  const auto name = path.filename().native();
  const auto dot = name.rfind('.');
  return dot != name.npos &&
         std::count(std::begin(endings), std::end(endings), std::string_view(name).substr(dot));
}

/// Calls `visit` with the path of everything below `directory` that is named like a C or C++ header, and of
/// every directory that cannot be read: a worker that opens the path reports the reason.
/// Links to directories are not followed, since links can form circles.
template <class Visit>
void walk(const std::string &directory, Visit visit) {
  std::vector<std::filesystem::path> pending{directory};
  while (!pending.empty()) {
    const auto folder = std::move(pending.back());
    pending.pop_back();
    std::error_code error;
    std::filesystem::directory_iterator entry(folder, error);
    for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
      if (entry->symlink_status().type() == std::filesystem::file_type::directory) {
        pending.push_back(entry->path());
      } else if (is_header(entry->path())) {
        visit(entry->path().native());
      }
    }
    if (error) visit(folder.native());
  }
}

// --- signals

/// A token that ends every wait that uses it. A signal that asks the program to stop fires it, and
/// so does the end of a child. It lives until the process ends, since a signal may come until then.
inline polyproc::cancel_token &wake() {
  static auto &token = *new polyproc::cancel_token;
  return token;
}

/// The signal that asked the program to stop, or 0.
inline volatile sig_atomic_t stopped_by = 0;

inline void install_signals() {
  wake();
  struct sigaction action = {}, before = {};
  action.sa_flags = SA_RESTART;
  action.sa_handler = [](int number) {
    const int saved = errno;
    if (number != SIGCHLD && stopped_by == 0) stopped_by = number;
    wake().fire();
    errno = saved;
  };
  sigset_t all;
  sigemptyset(&all);
  for (const int number : {SIGCHLD, SIGINT, SIGTERM, SIGHUP}) {
    sigaddset(&all, number);
    // A program that was started with nohup, or in the background, ignores the signal on purpose.
    sigaction(number, nullptr, &before);
    if (before.sa_handler == SIG_IGN && (number == SIGINT || number == SIGHUP)) continue;
    sigaction(number, &action, nullptr);
  }
  sigprocmask(SIG_UNBLOCK, &all, nullptr);
}

}  // namespace headers

#endif
