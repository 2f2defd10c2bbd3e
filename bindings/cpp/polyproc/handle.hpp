// The base of every handle. A handle is moved, not copied, and its destructor closes it.
#ifndef POLYPROC_HANDLE_HPP
#define POLYPROC_HANDLE_HPP

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "wait.hpp"

namespace polyproc {

/// Options of objects that have none of their own.
struct options {
  /// Open the object if the name exists.
  bool open_or_create = false;
  /// Permissions of a named object, for example 0660; 0: 0600.
  std::uint32_t mode = 0;
};

namespace detail {

template <class T, void (*Close)(T *)>
struct closer {
  void operator()(T *object) const noexcept {
    Close(object);
  }
};

/// A handle of the C API. A moved-from handle is empty, and its calls throw `invalid`.
template <class T, std::int32_t Kind, void (*Close)(T *)>
class handle {
 public:
  /// `POLYPROC_KIND_*`; 0 for a handle of no object in shared memory.
  static constexpr std::int32_t kind = Kind;

  handle() noexcept = default;
  /// Takes over a handle of the C API.
  explicit handle(T *object) noexcept : object_(object) {}

  /// Returns the handle of the C API.
  [[nodiscard]] T *native_handle() const noexcept {
    return object_.get();
  }
  [[nodiscard]] explicit operator bool() const noexcept {
    return object_ != nullptr;
  }
  /// Closes the handle. Calls that wait on it in other threads throw `closed`.
  void close() noexcept {
    object_.reset();
  }

 private:
  std::unique_ptr<T, closer<T, Close>> object_;
};

inline polyproc_options raw(const options &from) {
  polyproc_options to = POLYPROC_OPTIONS_INIT;
  to.flags = from.open_or_create ? POLYPROC_OPEN_OR_CREATE : 0;
  to.mode = from.mode;
  return to;
}

/// The name for the C API: NULL, for an anonymous object, if it is empty.
inline const char *name_or_null(const std::string &name) {
  return name.empty() ? nullptr : name.c_str();
}

}  // namespace detail

/// An object for a child, and the name by which the child asks for it. See `inherited`.
class inheritance {
 public:
  template <class Handle>
  inheritance(std::string name, const Handle &object)
      : name_(std::move(name)), object_(object.native_handle()), kind_(Handle::kind) {}

  [[nodiscard]] polyproc_handle raw() const noexcept {
    return {name_.c_str(), kind_, object_};
  }

 private:
  std::string name_;
  void *object_;
  std::int32_t kind_;
};

/// In a child: opens the object that the parent gave under a name.
/// `inherited<polyproc::queue>("jobs")`.
template <class Handle>
[[nodiscard]] Handle inherited(const std::string &name) {
  void *out = nullptr;
  detail::check(polyproc_inherited(name.c_str(), Handle::kind, &out), "inherit object", name);
  return Handle(static_cast<decltype(std::declval<Handle>().native_handle())>(out));
}

/// Removes a name. Processes that have the object open keep it.
inline void unlink(const std::string &name) {
  detail::check(polyproc_unlink(name.c_str()), "unlink", name);
}

}  // namespace polyproc

#endif
