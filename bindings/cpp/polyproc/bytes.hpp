// A view of bytes that another object owns.
#ifndef POLYPROC_BYTES_HPP
#define POLYPROC_BYTES_HPP

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "error.hpp"

namespace polyproc {

/// Bytes to be read: a pointer and a length, as `std::span<const std::byte>` of C++20.
class bytes_view {
 public:
  using value_type = std::byte;
  using const_iterator = const std::byte *;
  using iterator = const_iterator;

  constexpr bytes_view() noexcept = default;
  bytes_view(const void *data, std::size_t size) noexcept
      : data_(static_cast<const std::byte *>(data)), size_(size) {}
  /// Text, without the NUL.
  bytes_view(const char *text) noexcept : bytes_view(text, std::strlen(text)) {}
  bytes_view(std::string_view text) noexcept : bytes_view(text.data(), text.size()) {}
  bytes_view(const std::string &text) noexcept : bytes_view(text.data(), text.size()) {}
  /// A container of bytes in one piece: `std::vector<std::byte>`, `std::array<unsigned char, 4>`, a
  /// span.
  template <class Container,
            class Element = std::remove_pointer_t<decltype(std::data(std::declval<Container &>()))>,
            class = std::enable_if_t<sizeof(Element) == 1 && !std::is_array_v<Container>>>
  bytes_view(const Container &container) noexcept : bytes_view(std::data(container), std::size(container)) {}

  [[nodiscard]] const std::byte *data() const noexcept {
    return data_;
  }
  [[nodiscard]] std::size_t size() const noexcept {
    return size_;
  }
  [[nodiscard]] bool empty() const noexcept {
    return size_ == 0;
  }
  [[nodiscard]] const_iterator begin() const noexcept {
    return data_;
  }
  [[nodiscard]] const_iterator end() const noexcept {
    return data_ + size_;
  }
  [[nodiscard]] const std::byte &operator[](std::size_t at) const noexcept {
    return data_[at];
  }

  /// Returns the same bytes as text.
  [[nodiscard]] std::string_view text() const noexcept {
    return {reinterpret_cast<const char *>(data_), size_};
  }

  /// Returns the value that the bytes are; throws `mismatch` if their number differs from its size.
  template <class T>
  [[nodiscard]] T as() const {
    static_assert(std::is_trivially_copyable_v<T>, "only a value without pointers to elsewhere");
    if (size_ != sizeof(T)) throw mismatch("message of another size");
    T value;
    std::memcpy(&value, data_, sizeof value);
    return value;
  }

 private:
  const std::byte *data_ = nullptr;
  std::size_t size_ = 0;
};

/// Returns the bytes of a value. Its type must not have pointers to other memory.
template <class T>
[[nodiscard]] bytes_view bytes_of(const T &value) noexcept {
  static_assert(std::is_trivially_copyable_v<T> && !std::is_pointer_v<T>,
                "only a value without pointers to elsewhere");
  return {&value, sizeof value};
}

}  // namespace polyproc

#endif
