// Waits for several things at once.
#ifndef POLYPROC_WAIT_ANY_HPP
#define POLYPROC_WAIT_ANY_HPP

#include "connection.hpp"
#include "pool.hpp"
#include "process.hpp"
#include "queue.hpp"
#include "synchronization.hpp"

namespace polyproc {

/// A thing that `wait_any` waits for: an object, which must outlive the call.
class waitable {
 public:
  /// Ready when a get would not wait.
  waitable(const queue &object) noexcept : raw_{POLYPROC_WAIT_QUEUE_GET, 0, object.native_handle()} {}
  waitable(const event &object) noexcept : raw_{POLYPROC_WAIT_EVENT, 0, object.native_handle()} {}
  waitable(const connection &object) noexcept : raw_{POLYPROC_WAIT_CONNECTION, 0, object.native_handle()} {}
  waitable(const listener &object) noexcept : raw_{POLYPROC_WAIT_LISTENER, 0, object.native_handle()} {}
  waitable(const process &object) noexcept : raw_{POLYPROC_WAIT_PROCESS, 0, object.native_handle()} {}
  waitable(const task &object) noexcept : raw_{POLYPROC_WAIT_TASK, 0, object.native_handle()} {}

  /// Ready when a put would not wait.
  [[nodiscard]] static waitable room(const queue &object) noexcept {
    waitable out(object);
    out.raw_.kind = POLYPROC_WAIT_QUEUE_PUT;
    return out;
  }
  /// Ready when messages were settled since the last `queue::settled_count`.
  [[nodiscard]] static waitable settled(const queue &object) noexcept {
    waitable out(object);
    out.raw_.kind = POLYPROC_WAIT_QUEUE_SETTLED;
    return out;
  }
  [[nodiscard]] const polyproc_waitable &raw() const noexcept {
    return raw_;
  }

 private:
  polyproc_waitable raw_;
};

/// Waits until at least one item is ready, and returns the positions of the ready ones: none at the
/// end of the time.
[[nodiscard]] inline std::vector<std::size_t> wait_any(const std::vector<waitable> &items,
                                                       const wait_options &wait = forever) {
  std::vector<polyproc_waitable> raw;
  raw.reserve(items.size());
  for (const auto &item : items) raw.push_back(item.raw());
  std::size_t count = 0;
  std::vector<std::size_t> ready;
  const auto status = polyproc_wait_any(raw.data(), raw.size(), &count, wait.timeout_ns(), wait.token());
  if (!detail::check_try(status, "wait_any")) return ready;
  for (std::size_t i = 0; i < raw.size(); i++)
    if (raw[i].ready != 0) ready.push_back(i);
  return ready;
}

}  // namespace polyproc

#endif
