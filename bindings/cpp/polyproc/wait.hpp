// How long a call waits, and how to end it early.
#ifndef POLYPROC_WAIT_HPP
#define POLYPROC_WAIT_HPP

#include <chrono>
#include <cstdint>
#include <limits>

#include "error.hpp"

namespace polyproc {

/// Ends waits of this process early, from any thread or from a signal handler.
class cancel_token {
 public:
  cancel_token() {
    detail::check(polyproc_cancel_create(&token_), "cancel token");
  }
  ~cancel_token() {
    polyproc_cancel_close(token_);
  }
  cancel_token(const cancel_token &) = delete;
  cancel_token &operator=(const cancel_token &) = delete;

  /// Ends all waits with this token, present and future. Safe in a signal handler.
  void fire() noexcept {
    polyproc_cancel_fire(token_);
  }
  /// Makes the token usable again.
  void reset() {
    detail::check(polyproc_cancel_reset(token_), "reset of a cancel token");
  }
  [[nodiscard]] polyproc_cancel *native_handle() const noexcept {
    return token_;
  }

 private:
  polyproc_cancel *token_ = nullptr;
};

/// How long a call may wait: for ever, a `std::chrono` duration, until a `cancel_token` is fired,
/// or both.
class wait_options {
 public:
  wait_options() noexcept = default;
  wait_options(cancel_token &token) noexcept : token_(token.native_handle()) {}
  /// A duration of 0 or less tries once.
  template <class Rep, class Period>
  wait_options(std::chrono::duration<Rep, Period> duration) noexcept : timeout_ns_(nanoseconds(duration)) {}
  template <class Rep, class Period>
  wait_options(std::chrono::duration<Rep, Period> duration, cancel_token &token) noexcept
      : timeout_ns_(nanoseconds(duration)), token_(token.native_handle()) {}
  template <class Clock, class Duration>
  wait_options(std::chrono::time_point<Clock, Duration> deadline) noexcept
      : wait_options(deadline - Clock::now()) {}

  [[nodiscard]] std::int64_t timeout_ns() const noexcept {
    return timeout_ns_;
  }
  [[nodiscard]] polyproc_cancel *token() const noexcept {
    return token_;
  }

 private:
  template <class Rep, class Period>
  static std::int64_t nanoseconds(std::chrono::duration<Rep, Period> duration) noexcept {
    using longest = std::chrono::duration<double>;
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    if (duration <= std::chrono::duration<Rep, Period>::zero()) return 0;
    if (std::chrono::duration_cast<longest>(duration).count() >= double(most) / 1e9) return most;
    return std::chrono::ceil<std::chrono::nanoseconds>(duration).count();
  }

  std::int64_t timeout_ns_ = POLYPROC_FOREVER;
  polyproc_cancel *token_ = nullptr;
};

/// Waits without a limit, until the object is closed or shut down.
inline const wait_options forever{};
/// Does not wait.
inline const wait_options no_wait{std::chrono::seconds(0)};

}  // namespace polyproc

#endif
