// The exceptions: one for each status of the library, all of them `polyproc::error`.
#ifndef POLYPROC_ERROR_HPP
#define POLYPROC_ERROR_HPP

#include <polyproc.h>

#include <cstdint>
#include <stdexcept>
#include <string>

namespace polyproc {

namespace detail {

/// Whether `polyproc_detail` may have a sentence about this status of the last call.
inline bool is_explained(std::int32_t status) noexcept {
  switch (status) {
    case POLYPROC_E_INVALID:
    case POLYPROC_E_MISMATCH:
    case POLYPROC_E_NO_MEMORY:
    case POLYPROC_E_PERMISSION:
    case POLYPROC_E_LIMIT:
    case POLYPROC_E_UNSUPPORTED:
      return true;
    default:
      return status <= -1000;
  }
}

/// The operation, its object if that has a name, and the reason of the failure:
/// `polyproc: open queue "jobs": not found`.
inline std::string text_of(std::int32_t status, const char *operation, const std::string &name = {}) {
  std::string text = std::string("polyproc: ") + operation;
  if (!name.empty()) text.append(" \"").append(name).append("\"");
  return text.append(": ").append(polyproc_strerror(status));
}

/// As `text_of`, with the cause of this thread's last failure, if there is one.
inline std::string explained_text_of(std::int32_t status, const char *operation, const std::string &name) {
  std::string text = text_of(status, operation, name);
  char sentence[512];
  if (is_explained(status) && polyproc_detail(sentence, sizeof sentence) == POLYPROC_OK) {
    text.append(": ").append(sentence);
  }
  return text;
}

}  // namespace detail

/// A call that failed. It has changed nothing. `what()` names the operation, the object, the reason
/// of the failure, and its cause if the reason leaves that open.
class error : public std::runtime_error {
 public:
  error(std::int32_t status, const char *operation)
      : std::runtime_error(detail::text_of(status, operation)), status_(status) {}
  error(std::int32_t status, const std::string &text) : std::runtime_error(text), status_(status) {}

  /// The status of the C API, `POLYPROC_E_*` or -(1000 + errno).
  [[nodiscard]] std::int32_t status() const noexcept {
    return status_;
  }

  /// The errno of an operating-system error that has no status of its own, else 0.
  [[nodiscard]] int system_errno() const noexcept {
    return status_ < -1000 ? -1000 - status_ : 0;
  }

 private:
  std::int32_t status_;
};

/// A wait ran into its time limit.
class timeout : public error {
 public:
  explicit timeout(const char *operation, std::int32_t status = POLYPROC_E_TIMEOUT)
      : error(status, operation) {}
};

/// A get or take ran into its time limit: the queue was empty.
class empty : public timeout {
 public:
  explicit empty(const char *operation) : timeout(operation, POLYPROC_E_EMPTY) {}
};

/// A put or reserve ran into its time limit: the queue was full.
class full : public timeout {
 public:
  explicit full(const char *operation) : timeout(operation, POLYPROC_E_FULL) {}
};

/// The exception of one status.
template <std::int32_t Status>
class status_error : public error {
 public:
  explicit status_error(const char *operation) : error(Status, operation) {}
  /// The text is complete, as the library's own calls make it.
  explicit status_error(const std::string &text) : error(Status, text) {}
};

using invalid = status_error<POLYPROC_E_INVALID>;
using canceled = status_error<POLYPROC_E_CANCELED>;
using interrupted = status_error<POLYPROC_E_INTERRUPTED>;
using closed = status_error<POLYPROC_E_CLOSED>;
using shutdown_error = status_error<POLYPROC_E_SHUTDOWN>;
using end_of_file = status_error<POLYPROC_E_EOF>;
using broken_pipe = status_error<POLYPROC_E_BROKEN_PIPE>;
using too_small = status_error<POLYPROC_E_TOO_SMALL>;
using too_large = status_error<POLYPROC_E_TOO_LARGE>;
using no_memory = status_error<POLYPROC_E_NO_MEMORY>;
using not_found = status_error<POLYPROC_E_NOT_FOUND>;
using exists = status_error<POLYPROC_E_EXISTS>;
using mismatch = status_error<POLYPROC_E_MISMATCH>;
using permission = status_error<POLYPROC_E_PERMISSION>;
using corrupt = status_error<POLYPROC_E_CORRUPT>;
using limit_reached = status_error<POLYPROC_E_LIMIT>;
using not_owner = status_error<POLYPROC_E_NOT_OWNER>;
using over_release = status_error<POLYPROC_E_OVER_RELEASE>;
using broken_barrier = status_error<POLYPROC_E_BROKEN_BARRIER>;
using daemonic = status_error<POLYPROC_E_DAEMONIC>;
using auth = status_error<POLYPROC_E_AUTH>;
using unsupported = status_error<POLYPROC_E_UNSUPPORTED>;
using worker_died = status_error<POLYPROC_E_WORKER_DIED>;
using internal_error = status_error<POLYPROC_E_INTERNAL>;

/// A task whose function failed. `what()` ends with the message of the function.
class task_failed : public error {
 public:
  task_failed(const char *operation, const std::string &message)
      : error(POLYPROC_E_TASK_FAILED, std::string("polyproc: ") + operation + " failed: " + message),
        message_(message) {}

  /// The message of the function.
  [[nodiscard]] const std::string &message() const noexcept {
    return message_;
  }

 private:
  std::string message_;
};

namespace detail {

template <std::int32_t... Statuses>
[[noreturn]] void raise_among(std::int32_t status, const char *operation, const std::string &name) {
  const std::string text = explained_text_of(status, operation, name);
  ((status == Statuses ? throw status_error<Statuses>(text) : void()), ...);
  throw error(status, text);
}

[[noreturn]] inline void raise(std::int32_t status, const char *operation, const std::string &name) {
  switch (status) {
    case POLYPROC_E_TIMEOUT:
      throw timeout(operation);
    case POLYPROC_E_EMPTY:
      throw empty(operation);
    case POLYPROC_E_FULL:
      throw full(operation);
    case POLYPROC_E_TASK_FAILED:
      throw task_failed(operation, polyproc_strerror(status));
    default:
      raise_among<POLYPROC_E_INVALID, POLYPROC_E_CANCELED, POLYPROC_E_INTERRUPTED, POLYPROC_E_CLOSED,
                  POLYPROC_E_SHUTDOWN, POLYPROC_E_EOF, POLYPROC_E_BROKEN_PIPE, POLYPROC_E_TOO_SMALL,
                  POLYPROC_E_TOO_LARGE, POLYPROC_E_NO_MEMORY, POLYPROC_E_NOT_FOUND, POLYPROC_E_EXISTS,
                  POLYPROC_E_MISMATCH, POLYPROC_E_PERMISSION, POLYPROC_E_CORRUPT, POLYPROC_E_LIMIT,
                  POLYPROC_E_NOT_OWNER, POLYPROC_E_OVER_RELEASE, POLYPROC_E_BROKEN_BARRIER,
                  POLYPROC_E_DAEMONIC, POLYPROC_E_AUTH, POLYPROC_E_UNSUPPORTED, POLYPROC_E_WORKER_DIED,
                  POLYPROC_E_INTERNAL>(status, operation, name);
  }
}

/// Throws the exception of a negative status; returns any other status. `name`: the object's.
inline std::int32_t check(std::int32_t status, const char *operation, const std::string &name) {
  if (status < 0) raise(status, operation, name);
  return status;
}
inline std::int32_t check(std::int32_t status, const char *operation) {
  if (status < 0) raise(status, operation, {});
  return status;
}

/// Returns whether a call succeeded: false for a timeout of any kind; throws for any other failure.
inline bool check_try(std::int32_t status, const char *operation) {
  if (status == POLYPROC_E_TIMEOUT || status == POLYPROC_E_EMPTY || status == POLYPROC_E_FULL) return false;
  check(status, operation);
  return true;
}

}  // namespace detail
}  // namespace polyproc

#endif
