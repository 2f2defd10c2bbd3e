// Child processes: programs, and functions in a forked child.
#ifndef POLYPROC_PROCESS_HPP
#define POLYPROC_PROCESS_HPP

#include <cstdio>
#include <exception>
#include <functional>
#include <optional>

#include "handle.hpp"

namespace polyproc {

/// Options of a process.
struct process_options {
  /// The name that `current_process` returns in the child; empty: a name is made.
  std::string name;
  /// Its working directory; empty: the parent's.
  std::string cwd;
  /// "NAME=value" strings, added to the environment of the parent.
  std::vector<std::string> env;
  /// Its environment is `env` alone.
  bool clear_env = false;
  /// The child dies with its parent, however that ends, and may not have children.
  bool daemon = false;
  /// The child leads a process group of its own: a Ctrl-C at the terminal reaches its parent only.
  bool group = false;
  /// Its standard descriptors; -1: the parent's, `POLYPROC_FD_NULL`: /dev/null.
  int stdin_fd = -1, stdout_fd = -1, stderr_fd = -1;
  /// The objects that the child inherits.
  std::vector<inheritance> handles;
};

namespace detail {

/// The strings of a vector for the C API: pointers, ended by NULL.
class pointers {
 public:
  explicit pointers(const std::vector<std::string> &strings) {
    for (const auto &string : strings) list_.push_back(string.c_str());
    list_.push_back(nullptr);
  }
  [[nodiscard]] const char *const *get() const noexcept {
    return list_.data();
  }

 private:
  std::vector<const char *> list_;
};

inline std::vector<polyproc_handle> raw(const std::vector<inheritance> &handles) {
  std::vector<polyproc_handle> list;
  for (const auto &handle : handles) list.push_back(handle.raw());
  return list;
}

/// Options for the C API. They point into the options and arguments from which they were made.
class raw_process_options {
 public:
  raw_process_options(const process_options &from, const std::vector<std::string> &args)
      : args_(args), env_(from.env), handles_(detail::raw(from.handles)) {
    raw_.flags = (from.daemon ? POLYPROC_PROCESS_DAEMON : 0) |
                 (from.clear_env ? POLYPROC_PROCESS_CLEAR_ENV : 0) |
                 (from.group ? POLYPROC_PROCESS_GROUP : 0);
    raw_.name = name_or_null(from.name);
    raw_.cwd = name_or_null(from.cwd);
    raw_.argv = args_.get();
    raw_.env = env_.get();
    raw_.stdin_fd = from.stdin_fd;
    raw_.stdout_fd = from.stdout_fd;
    raw_.stderr_fd = from.stderr_fd;
    raw_.handles = handles_.data();
    raw_.handle_count = handles_.size();
  }
  raw_process_options(const raw_process_options &) = delete;
  raw_process_options &operator=(const raw_process_options &) = delete;
  [[nodiscard]] const polyproc_process_options *get() const noexcept {
    return &raw_;
  }

 private:
  pointers args_, env_;
  std::vector<polyproc_handle> handles_;
  polyproc_process_options raw_ = POLYPROC_PROCESS_OPTIONS_INIT;
};

}  // namespace detail

/// A child process. Destroying the handle does not end the process.
class process : public detail::handle<polyproc_process, 0, polyproc_process_close> {
 public:
  using handle::handle;

  /// Starts a program: its name, looked up in PATH if it has no slash, and its arguments.
  [[nodiscard]] static process spawn(const std::vector<std::string> &args, const process_options &how = {}) {
    const detail::raw_process_options raw(how, args);
    polyproc_process *out = nullptr;
    detail::check(polyproc_process_spawn(raw.get(), &out), "spawn",
                  args.empty() ? std::string() : args.front());
    return process(out);
  }

  /// Forks this process and calls `function` in the child, which exits with the returned int. After
  /// an exception the child prints it to stderr and exits with 1.
  [[nodiscard]] static process fork(std::function<int()> function, const process_options &how = {}) {
    const detail::raw_process_options raw(how, {});
    polyproc_process *out = nullptr;
    detail::check(polyproc_process_fork(raw.get(), run, &function, &out), "fork process");
    return process(out);
  }

  /// Waits for the end and returns the exit code, or minus the number of the signal that killed the
  /// process.
  int join(const wait_options &wait = forever) {
    detail::check(polyproc_process_join(native_handle(), wait.timeout_ns(), wait.token()), "join process");
    return exit_code().value_or(0);
  }
  [[nodiscard]] bool try_join(const wait_options &wait = no_wait) {
    return detail::check_try(polyproc_process_join(native_handle(), wait.timeout_ns(), wait.token()),
                             "join process");
  }
  /// The exit code; nothing while the process runs.
  [[nodiscard]] std::optional<int> exit_code() const {
    std::int32_t code = 0;
    if (!detail::check_try(polyproc_process_exit_code(native_handle(), &code), "exit code"))
      return std::nullopt;
    return code;
  }
  [[nodiscard]] int pid() const {
    return number(polyproc_process_pid);
  }
  [[nodiscard]] bool is_alive() const {
    return number(polyproc_process_is_alive) != 0;
  }
  [[nodiscard]] bool is_daemon() const {
    return number(polyproc_process_is_daemon) != 0;
  }
  [[nodiscard]] std::string name() const {
    std::string out(64, '\0');
    std::size_t size = 0;
    detail::check(polyproc_process_name(native_handle(), out.data(), out.size(), &size), "name");
    out.resize(size);
    return out;
  }
  /// Sends SIGTERM.
  void terminate() {
    detail::check(polyproc_process_terminate(native_handle()), "terminate");
  }
  /// Sends SIGKILL.
  void kill() {
    detail::check(polyproc_process_kill(native_handle()), "kill");
  }
  void signal(int number) {
    detail::check(polyproc_process_signal(native_handle(), number), "signal");
  }

 private:
  static int run(void *function) noexcept {
    try {
      return (*static_cast<std::function<int()> *>(function))();
    } catch (const std::exception &error) {
      std::fprintf(stderr, "process %s\n", error.what());
    } catch (...) {
      std::fprintf(stderr, "process ended by an exception\n");
    }
    return 1;
  }

  std::int32_t number(std::int32_t (*read)(polyproc_process *, std::int32_t *)) const {
    std::int32_t out = 0;
    detail::check(read(native_handle(), &out), "look at process");
    return out;
  }
};

/// Describes this process: pid, parent, name, and whether it is daemonic.
[[nodiscard]] inline polyproc_process_info current_process() {
  polyproc_process_info info = POLYPROC_PROCESS_INFO_INIT;
  detail::check(polyproc_current_process(&info), "current process");
  return info;
}

}  // namespace polyproc

#endif
