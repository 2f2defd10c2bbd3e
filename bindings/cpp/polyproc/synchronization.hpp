// Semaphore, event, condition and barrier between processes.
#ifndef POLYPROC_SYNCHRONIZATION_HPP
#define POLYPROC_SYNCHRONIZATION_HPP

#include <mutex>

#include "mutex.hpp"

namespace polyproc {

/// Options of a semaphore.
struct semaphore_options : options {
  /// The greatest number of permits that release allows; 0: no limit.
  std::int64_t maximum = 0;
  /// A permit belongs to the process that acquired it, and comes back when that process ends.
  bool owned = false;
};

/// A number of permits.
class semaphore
    : public detail::handle<polyproc_semaphore, POLYPROC_KIND_SEMAPHORE, polyproc_semaphore_close> {
 public:
  using handle::handle;

  /// Creates a semaphore with `initial` permits, anonymous without a name.
  [[nodiscard]] static semaphore create(std::int64_t initial, const std::string &name = {},
                                        const semaphore_options &how = {}) {
    polyproc_semaphore_options raw = POLYPROC_SEMAPHORE_OPTIONS_INIT;
    raw.flags = detail::raw(how).flags;
    if (how.owned) raw.flags |= POLYPROC_SEMAPHORE_OWNED;
    raw.mode = how.mode;
    raw.initial = initial;
    raw.maximum = how.maximum;
    polyproc_semaphore *out = nullptr;
    detail::check(polyproc_semaphore_create(detail::name_or_null(name), &raw, &out), "create semaphore",
                  name);
    return semaphore(out);
  }
  [[nodiscard]] static semaphore open(const std::string &name) {
    polyproc_semaphore *out = nullptr;
    detail::check(polyproc_semaphore_open(name.c_str(), &out), "open semaphore", name);
    return semaphore(out);
  }

  /// Acquires a permit; throws `timeout` at the end of the time.
  void acquire(const wait_options &wait = forever) {
    detail::check(polyproc_semaphore_acquire(native_handle(), wait.timeout_ns(), wait.token()),
                  "acquire semaphore");
  }
  /// Acquires a permit; returns false at the end of the time.
  [[nodiscard]] bool try_acquire(const wait_options &wait = no_wait) {
    return detail::check_try(polyproc_semaphore_acquire(native_handle(), wait.timeout_ns(), wait.token()),
                             "acquire semaphore");
  }
  /// Releases `n` permits; throws `over_release` if that would exceed the maximum.
  void release(std::int64_t n = 1) {
    detail::check(polyproc_semaphore_release(native_handle(), n), "release semaphore");
  }
  /// How many permits are free.
  [[nodiscard]] std::int64_t value() const {
    std::int64_t value = 0;
    detail::check(polyproc_semaphore_value(native_handle(), &value), "look at semaphore");
    return value;
  }
};

/// A flag that threads and processes can wait for.
class event : public detail::handle<polyproc_event, POLYPROC_KIND_EVENT, polyproc_event_close> {
 public:
  using handle::handle;

  [[nodiscard]] static event create(const std::string &name = {}, const options &how = {}) {
    const auto raw = detail::raw(how);
    polyproc_event *out = nullptr;
    detail::check(polyproc_event_create(detail::name_or_null(name), &raw, &out), "create event", name);
    return event(out);
  }
  [[nodiscard]] static event open(const std::string &name) {
    polyproc_event *out = nullptr;
    detail::check(polyproc_event_open(name.c_str(), &out), "open event", name);
    return event(out);
  }

  /// Sets the event: every present wait ends. Safe in a signal handler.
  void set() {
    detail::check(polyproc_event_set(native_handle()), "set event");
  }
  void clear() {
    detail::check(polyproc_event_clear(native_handle()), "clear event");
  }
  [[nodiscard]] bool is_set() const {
    std::int32_t is = 0;
    detail::check(polyproc_event_is_set(native_handle(), &is), "look at event");
    return is != 0;
  }
  /// Waits until the event is set; throws `timeout` at the end of the time.
  void wait(const wait_options &limit = forever) {
    detail::check(polyproc_event_wait(native_handle(), limit.timeout_ns(), limit.token()), "wait for event");
  }
  /// Waits until the event is set; returns false at the end of the time.
  [[nodiscard]] bool try_wait(const wait_options &limit) {
    return detail::check_try(polyproc_event_wait(native_handle(), limit.timeout_ns(), limit.token()),
                             "wait for event");
  }
};

/// Lets threads and processes wait until another one has changed the state that a lock guards, and
/// notifies them.
class condition
    : public detail::handle<polyproc_condition, POLYPROC_KIND_CONDITION, polyproc_condition_close> {
 public:
  using handle::handle;

  [[nodiscard]] static condition create(const std::string &name = {}, const options &how = {}) {
    const auto raw = detail::raw(how);
    polyproc_condition *out = nullptr;
    detail::check(polyproc_condition_create(detail::name_or_null(name), &raw, &out), "create condition",
                  name);
    return condition(out);
  }
  [[nodiscard]] static condition open(const std::string &name) {
    polyproc_condition *out = nullptr;
    detail::check(polyproc_condition_open(name.c_str(), &out), "open condition", name);
    return condition(out);
  }

  /// Releases the lock, waits for a notification, and takes the lock again. Throws `timeout` at the
  /// end of the time.
  acquired wait(mutex &held, const wait_options &limit = forever) {
    return detail::outcome(detail::check(wait_status(held, limit), "wait at condition"));
  }
  acquired wait(recursive_mutex &held, const wait_options &limit = forever) {
    return detail::outcome(detail::check(wait_status(held, limit), "wait at condition"));
  }
  template <class Mutex>
  acquired wait(std::unique_lock<Mutex> &held, const wait_options &limit = forever) {
    return wait(*held.mutex(), limit);
  }
  /// Waits until `predicate()`, called with the lock held, is true; returns false at the end of the
  /// time.
  template <class Lock, class Predicate, class = decltype(bool(std::declval<Predicate &>()()))>
  bool wait_until(Lock &held, Predicate predicate, std::chrono::nanoseconds time) {
    const auto deadline = std::chrono::steady_clock::now() + time;
    while (!predicate()) {
      try {
        wait(held, deadline);
      } catch (const timeout &) {
        return predicate();
      }
    }
    return true;
  }

  /// Wakes up to `n` of the waits that have begun, the oldest first.
  void notify(std::uint32_t n = 1) {
    detail::check(polyproc_condition_notify(native_handle(), n), "notify condition");
  }
  void notify_all() {
    detail::check(polyproc_condition_notify_all(native_handle()), "notify condition");
  }

 private:
  std::int32_t wait_status(mutex &held, const wait_options &limit) {
    return polyproc_condition_wait(native_handle(), held.native_handle(), limit.timeout_ns(), limit.token());
  }
  std::int32_t wait_status(recursive_mutex &held, const wait_options &limit) {
    return polyproc_condition_wait_rlock(native_handle(), held.native_handle(), recursive_mutex::own_thread,
                                         limit.timeout_ns(), limit.token());
  }
};

/// A fixed number of parties that wait for each other.
class barrier : public detail::handle<polyproc_barrier, POLYPROC_KIND_BARRIER, polyproc_barrier_close> {
 public:
  using handle::handle;

  [[nodiscard]] static barrier create(std::uint32_t parties, const std::string &name = {},
                                      const options &how = {}) {
    const auto raw = detail::raw(how);
    polyproc_barrier *out = nullptr;
    detail::check(polyproc_barrier_create(detail::name_or_null(name), &raw, parties, &out), "create barrier",
                  name);
    return barrier(out);
  }
  [[nodiscard]] static barrier open(const std::string &name) {
    polyproc_barrier *out = nullptr;
    detail::check(polyproc_barrier_open(name.c_str(), &out), "open barrier", name);
    return barrier(out);
  }

  /// Waits for the other parties and returns this party's number in the round: 0 to parties - 1.
  /// Throws `broken_barrier` if a party gave up or died. A `timeout` breaks the barrier for all.
  std::uint32_t wait(const wait_options &limit = forever) {
    std::uint32_t index = 0;
    detail::check(polyproc_barrier_wait(native_handle(), &index, limit.timeout_ns(), limit.token()),
                  "wait at barrier");
    return index;
  }
  /// Breaks the barrier until it is reset.
  void abort() {
    detail::check(polyproc_barrier_abort(native_handle()), "abort barrier");
  }
  void reset() {
    detail::check(polyproc_barrier_reset(native_handle()), "reset barrier");
  }
  [[nodiscard]] std::uint32_t parties() const {
    return number(polyproc_barrier_parties);
  }
  [[nodiscard]] std::uint32_t waiting() const {
    return number(polyproc_barrier_waiting);
  }
  [[nodiscard]] bool is_broken() const {
    std::int32_t is = 0;
    detail::check(polyproc_barrier_is_broken(native_handle(), &is), "look at barrier");
    return is != 0;
  }

 private:
  std::uint32_t number(std::int32_t (*read)(polyproc_barrier *, std::uint32_t *)) const {
    std::uint32_t out = 0;
    detail::check(read(native_handle(), &out), "look at barrier");
    return out;
  }
};

}  // namespace polyproc

#endif
