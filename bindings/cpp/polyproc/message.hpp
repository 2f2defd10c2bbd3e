// Messages, and room for messages, in shared memory. Each is settled at the end of its scope.
#ifndef POLYPROC_MESSAGE_HPP
#define POLYPROC_MESSAGE_HPP

#include <utility>

#include "bytes.hpp"

namespace polyproc {

/// A message that this process has taken and reads in place. `done()` finishes it. The destructor
/// of an unfinished one, during an exception for example, gives it back, and it is delivered again.
class message {
 public:
  message() noexcept = default;
  /// Takes over a message of the C API.
  explicit message(const polyproc_message &raw) noexcept : raw_(raw), is_held_(true) {}
  message(message &&other) noexcept : raw_(other.raw_), is_held_(std::exchange(other.is_held_, false)) {}
  message &operator=(message &&other) noexcept {
    if (this != &other) {
      settle();
      raw_ = other.raw_;
      is_held_ = std::exchange(other.is_held_, false);
    }
    return *this;
  }
  ~message() {
    settle();
  }

  /// The bytes, in shared memory. They are valid until the message is settled.
  [[nodiscard]] bytes_view data() const noexcept {
    return {raw_.data, raw_.len};
  }
  operator bytes_view() const noexcept {
    return data();
  }
  [[nodiscard]] std::string_view text() const noexcept {
    return data().text();
  }
  template <class T>
  [[nodiscard]] T as() const {
    return data().as<T>();
  }
  [[nodiscard]] std::size_t size() const noexcept {
    return raw_.len;
  }
  /// Its number in the queue, the same at each delivery.
  [[nodiscard]] std::uint64_t id() const noexcept {
    return raw_.id;
  }
  /// How often it has been delivered, this time included.
  [[nodiscard]] std::uint32_t deliveries() const noexcept {
    return raw_.deliveries;
  }
  /// Whether the message is not settled yet.
  [[nodiscard]] explicit operator bool() const noexcept {
    return is_held_;
  }

  /// Finishes the message. On a joinable queue this is its `task_done`.
  void done() {
    detail::check(polyproc_message_done(&raw_), "finish message");
    is_held_ = false;
  }
  /// Gives the message back: it is first in line again, with one more delivery.
  void give_back() {
    detail::check(polyproc_message_return(&raw_), "give message back");
    is_held_ = false;
  }

 private:
  void settle() noexcept {
    if (std::exchange(is_held_, false)) polyproc_message_return(&raw_);
  }

  polyproc_message raw_{};
  bool is_held_ = false;
};

/// Room for a message in shared memory. `commit()` puts it; the destructor of a slot that is not
/// settled puts nothing.
class slot {
 public:
  explicit slot(const polyproc_slot &raw) noexcept : raw_(raw), is_held_(true) {}
  slot(slot &&other) noexcept : raw_(other.raw_), is_held_(std::exchange(other.is_held_, false)) {}
  slot &operator=(slot &&other) noexcept {
    if (this != &other) {
      abort_if_held();
      raw_ = other.raw_;
      is_held_ = std::exchange(other.is_held_, false);
    }
    return *this;
  }
  ~slot() {
    abort_if_held();
  }

  /// The room for the message.
  [[nodiscard]] void *data() const noexcept {
    return raw_.data;
  }
  /// The size of the room.
  [[nodiscard]] std::size_t size() const noexcept {
    return raw_.len;
  }

  /// Puts the first `size` bytes.
  void commit(std::size_t size) {
    detail::check(polyproc_slot_commit(&raw_, size), "commit slot");
    is_held_ = false;
  }
  /// Puts all of it.
  void commit() {
    commit(raw_.len);
  }
  /// Puts nothing, and gives the room back.
  void abort() {
    detail::check(polyproc_slot_abort(&raw_), "abort slot");
    is_held_ = false;
  }

 private:
  void abort_if_held() noexcept {
    if (std::exchange(is_held_, false)) polyproc_slot_abort(&raw_);
  }

  polyproc_slot raw_{};
  bool is_held_ = false;
};

}  // namespace polyproc

#endif
