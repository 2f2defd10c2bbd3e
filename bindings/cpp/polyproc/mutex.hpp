// multiprocessing.Lock and RLock, for std::lock_guard, std::unique_lock and std::scoped_lock.
#ifndef POLYPROC_MUTEX_HPP
#define POLYPROC_MUTEX_HPP

#include <optional>

#include "handle.hpp"

namespace polyproc {

/// The result of an acquire. `owner_died`: the last holder died while it held the lock, so check
/// the state that the lock guards.
enum class acquired { clean, owner_died };

namespace detail {

inline acquired outcome(std::int32_t status) noexcept {
  return status == POLYPROC_OWNER_DIED ? acquired::owner_died : acquired::clean;
}

inline std::optional<acquired> try_outcome(std::int32_t status, const char *operation) {
  if (!check_try(status, operation)) return std::nullopt;
  return outcome(status);
}

/// The functions that std::unique_lock calls, made of acquire, try_acquire and release of `Mutex`.
template <class Mutex>
class lockable {
 public:
  /// Acquires the lock, waiting without a limit.
  acquired lock() {
    return self().acquire(forever);
  }
  [[nodiscard]] bool try_lock() {
    return self().try_acquire(no_wait).has_value();
  }
  template <class Duration>
  [[nodiscard]] bool try_lock_for(Duration duration) {
    return self().try_acquire(duration).has_value();
  }
  template <class Time>
  [[nodiscard]] bool try_lock_until(Time deadline) {
    return self().try_acquire(deadline).has_value();
  }
  void unlock() {
    self().release();
  }

 private:
  Mutex &self() noexcept {
    return static_cast<Mutex &>(*this);
  }
};

}  // namespace detail

/// A lock between processes, `multiprocessing.Lock`: not recursive, and any thread may release it.
class mutex : public detail::handle<polyproc_lock, POLYPROC_KIND_LOCK, polyproc_lock_close>,
              public detail::lockable<mutex> {
 public:
  using handle::handle;

  /// Creates a lock, anonymous without a name; with `open_or_create` opens one that has the name
  /// already.
  [[nodiscard]] static mutex create(const std::string &name = {}, const options &how = {}) {
    const auto raw = detail::raw(how);
    polyproc_lock *out = nullptr;
    detail::check(polyproc_lock_create(detail::name_or_null(name), &raw, &out), "create lock", name);
    return mutex(out);
  }
  [[nodiscard]] static mutex open(const std::string &name) {
    polyproc_lock *out = nullptr;
    detail::check(polyproc_lock_open(name.c_str(), &out), "open lock", name);
    return mutex(out);
  }

  /// Acquires the lock; throws `timeout` at the end of the time.
  acquired acquire(const wait_options &wait = forever) {
    return detail::outcome(detail::check(
        polyproc_lock_acquire(native_handle(), wait.timeout_ns(), wait.token()), "acquire lock"));
  }
  /// Acquires the lock; returns nothing at the end of the time.
  [[nodiscard]] std::optional<acquired> try_acquire(const wait_options &wait = no_wait) {
    return detail::try_outcome(polyproc_lock_acquire(native_handle(), wait.timeout_ns(), wait.token()),
                               "acquire lock");
  }
  void release() {
    detail::check(polyproc_lock_release(native_handle()), "release lock");
  }

  /// Whether the lock is held. The answer can be stale by the time the call returns.
  [[nodiscard]] bool is_locked() const {
    std::int32_t is = 0;
    detail::check(polyproc_lock_is_locked(native_handle(), &is), "look at lock");
    return is != 0;
  }
};

/// A lock that its owner, a thread of a process, may take again: `multiprocessing.RLock`.
class recursive_mutex : public detail::handle<polyproc_rlock, POLYPROC_KIND_RLOCK, polyproc_rlock_close>,
                        public detail::lockable<recursive_mutex> {
 public:
  using handle::handle;

  [[nodiscard]] static recursive_mutex create(const std::string &name = {}, const options &how = {}) {
    const auto raw = detail::raw(how);
    polyproc_rlock *out = nullptr;
    detail::check(polyproc_rlock_create(detail::name_or_null(name), &raw, &out), "create rlock", name);
    return recursive_mutex(out);
  }
  [[nodiscard]] static recursive_mutex open(const std::string &name) {
    polyproc_rlock *out = nullptr;
    detail::check(polyproc_rlock_open(name.c_str(), &out), "open rlock", name);
    return recursive_mutex(out);
  }

  acquired acquire(const wait_options &wait = forever) {
    return detail::outcome(
        detail::check(polyproc_rlock_acquire(native_handle(), own_thread, wait.timeout_ns(), wait.token()),
                      "acquire rlock"));
  }
  [[nodiscard]] std::optional<acquired> try_acquire(const wait_options &wait = no_wait) {
    return detail::try_outcome(
        polyproc_rlock_acquire(native_handle(), own_thread, wait.timeout_ns(), wait.token()),
        "acquire rlock");
  }
  void release() {
    detail::check(polyproc_rlock_release(native_handle(), own_thread), "release rlock");
  }

  /// How often the present owner has taken the lock; 0 if it is free.
  [[nodiscard]] std::uint32_t depth() const {
    std::uint32_t depth = 0;
    detail::check(polyproc_rlock_depth(native_handle(), &depth), "look at rlock");
    return depth;
  }

  /// The owner that stands for the calling thread.
  static constexpr std::uint64_t own_thread = 0;
};

}  // namespace polyproc

#endif
