// A pool of worker processes, in any language, that run tasks: functions by name.
#ifndef POLYPROC_POOL_HPP
#define POLYPROC_POOL_HPP

#include "bytes.hpp"
#include "process.hpp"

namespace polyproc {

/// A task of a pool.
class task : public detail::handle<polyproc_task, 0, polyproc_task_close> {
 public:
  using handle::handle;

  /// Waits until the task is over, however it ends; throws `timeout` at the end of the time.
  void wait(const wait_options &limit = forever) {
    detail::check(polyproc_task_wait(native_handle(), limit.timeout_ns(), limit.token()), "wait for task");
  }
  [[nodiscard]] bool try_wait(const wait_options &limit = no_wait) {
    return detail::check_try(polyproc_task_wait(native_handle(), limit.timeout_ns(), limit.token()),
                             "wait for task");
  }
  /// Waits for the result. Throws `task_failed` with the message of the function, `worker_died` or
  /// another error if there is none.
  [[nodiscard]] std::string result(const wait_options &limit = forever) {
    wait(limit);
    polyproc_message out{};
    const auto status = polyproc_task_result(native_handle(), &out);
    const bytes_view data(out.data, out.len);
    if (status == POLYPROC_E_TASK_FAILED) throw task_failed("task", std::string(data.text()));
    detail::check(status, "task");
    return std::string(data.text());
  }
  /// Cancels the task if no worker has begun it, and returns whether it did.
  bool cancel() {
    std::int32_t was = 0;
    detail::check(polyproc_task_cancel(native_handle(), &was), "cancel task");
    return was != 0;
  }
};

/// Options of a pool.
struct pool_options {
  /// How many workers; 0: one for each CPU that this process may use.
  std::uint32_t workers = 0;
  /// The worker program and its arguments; empty: forks of this process.
  std::vector<std::string> args;
  /// "NAME=value" strings, added to the workers' environment.
  std::vector<std::string> env;
  /// A worker is replaced after this many tasks; 0: never.
  std::uint32_t max_tasks_per_worker = 0;
  /// How often a task is begun if its worker dies each time; 0 and 1: once.
  std::uint32_t max_attempts = 0;
  /// A function that each worker calls first, and its data; empty: none.
  std::string initialiser, initialiser_data;
  /// The objects that the workers inherit.
  std::vector<inheritance> handles;
  /// Each worker leads a process group of its own: a Ctrl-C at the terminal reaches this process
  /// only.
  bool group = false;
};

/// A pool of workers. Its destructor kills them; `shutdown` and `join` let them complete their
/// tasks first.
class pool : public detail::handle<polyproc_pool, 0, polyproc_pool_close> {
 public:
  using handle::handle;

  [[nodiscard]] static pool create(const pool_options &how = {}) {
    const detail::pointers args(how.args), env(how.env);
    const auto handles = detail::raw(how.handles);
    polyproc_pool_options raw = POLYPROC_POOL_OPTIONS_INIT;
    raw.flags = how.group ? POLYPROC_POOL_GROUP : 0;
    raw.workers = how.workers;
    raw.argv = how.args.empty() ? nullptr : args.get();
    raw.env = env.get();
    raw.max_tasks_per_worker = how.max_tasks_per_worker;
    raw.max_attempts = how.max_attempts;
    if (!how.initialiser.empty()) {
      raw.initialiser = how.initialiser.c_str();
      raw.initialiser_data = how.initialiser_data.data();
      raw.initialiser_len = how.initialiser_data.size();
    }
    raw.handles = handles.data();
    raw.handle_count = handles.size();
    polyproc_pool *out = nullptr;
    detail::check(polyproc_pool_create(&raw, &out), "create pool");
    return pool(out);
  }

  /// Submits a task. Does not wait.
  [[nodiscard]] task submit(const std::string &function, bytes_view data) {
    polyproc_task *out = nullptr;
    detail::check(polyproc_pool_submit(native_handle(), function.c_str(), data.data(), data.size(), &out),
                  "submit task", function);
    return task(out);
  }
  /// Submits a task and waits for its result.
  [[nodiscard]] std::string apply(const std::string &function, bytes_view data,
                                  const wait_options &limit = forever) {
    return submit(function, data).result(limit);
  }
  /// Stops the pool from taking tasks; the workers complete the tasks that are there.
  void shutdown() {
    detail::check(polyproc_pool_shutdown(native_handle()), "shut down pool");
  }
  /// Ends the workers; tasks that are not over throw `shutdown_error`.
  void terminate() {
    detail::check(polyproc_pool_terminate(native_handle()), "terminate pool");
  }
  /// Waits until every worker has ended. Call `shutdown` or `terminate` first.
  void join(const wait_options &limit = forever) {
    detail::check(polyproc_pool_join(native_handle(), limit.timeout_ns(), limit.token()), "join pool");
  }
  [[nodiscard]] polyproc_pool_info info() const {
    polyproc_pool_info info = POLYPROC_POOL_INFO_INIT;
    detail::check(polyproc_pool_get_info(native_handle(), &info), "pool info");
    return info;
  }
};

/// The function of a task: it takes the task's data and returns the result. An exception is its
/// failure.
using task_function = std::function<std::string(bytes_view)>;

/// Registers the function for tasks of a name. Call it before the pool is created, or in the worker
/// program before `worker_run`.
inline void worker_register(const std::string &name, task_function function) {
  // Never deleted: a worker may be running an earlier function of the name.
  auto *kept = new task_function(std::move(function));
  const auto call = [](const void *data, std::size_t size, polyproc_reply *reply,
                       void *user) noexcept -> std::int32_t {
    std::string text;
    std::int32_t status = POLYPROC_OK;
    try {
      text = (*static_cast<task_function *>(user))(bytes_view(data, size));
    } catch (const std::exception &error) {
      text = error.what();
      status = POLYPROC_E_TASK_FAILED;
    } catch (...) {
      text = "an exception that is no std::exception";
      status = POLYPROC_E_TASK_FAILED;
    }
    const auto written = polyproc_reply_write(reply, text.data(), text.size());
    return status == POLYPROC_OK ? written : status;
  };
  const auto status = polyproc_worker_register(name.c_str(), call, kept);
  if (status < 0) delete kept;
  detail::check(status, "register function", name);
}

/// Runs tasks until the pool closes. For worker programs, which exit afterwards.
inline void worker_run() {
  detail::check(polyproc_worker_run(), "run worker");
}

}  // namespace polyproc

#endif
