// Queues of bytes and queues of values.
#ifndef POLYPROC_QUEUE_HPP
#define POLYPROC_QUEUE_HPP

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <vector>

#include "handle.hpp"
#include "message.hpp"

namespace polyproc {

/// Options of a queue. The default has no limit, is not joinable, and carries bytes.
struct queue_options : options {
  /// A message stays unfinished until it is settled. If its consumer dies it is delivered again.
  bool joinable = false;
  /// How many messages the queue holds; 0: no limit.
  std::uint64_t max_items = 0;
  /// How many bytes messages and their headers may take; 0: no limit.
  std::uint64_t max_bytes = 0;
  /// How often a message of a joinable queue is delivered before it becomes a dead letter; 0: no
  /// limit.
  std::uint32_t max_deliveries = 0;
  /// How long a wait spins before it sleeps; 0: about the cost of a wake-up.
  std::chrono::nanoseconds spin{0};
  /// A label for the encoding of the messages, at most 31 characters; empty: bytes.
  std::string format;
};

/// A queue of messages between processes.
class queue : public detail::handle<polyproc_queue, POLYPROC_KIND_QUEUE, polyproc_queue_close> {
 public:
  using handle::handle;

  /// Creates a queue, anonymous without a name; with `open_or_create` opens one that has the name
  /// already.
  [[nodiscard]] static queue create(const std::string &name = {}, const queue_options &how = {}) {
    polyproc_queue_options raw = POLYPROC_QUEUE_OPTIONS_INIT;
    if (how.format.size() >= sizeof raw.format || how.spin.count() < 0) throw invalid("create queue");
    raw.flags = detail::raw(how).flags | (how.joinable ? POLYPROC_QUEUE_JOINABLE : 0);
    raw.mode = how.mode;
    raw.max_items = how.max_items;
    raw.max_bytes = how.max_bytes;
    raw.max_deliveries = how.max_deliveries;
    raw.spin_ns = static_cast<std::uint32_t>(
        std::min<std::int64_t>(how.spin.count(), std::numeric_limits<std::uint32_t>::max()));
    std::copy(how.format.begin(), how.format.end(), raw.format);
    polyproc_queue *out = nullptr;
    detail::check(polyproc_queue_create(detail::name_or_null(name), &raw, &out), "create queue", name);
    return queue(out);
  }
  [[nodiscard]] static queue open(const std::string &name) {
    polyproc_queue *out = nullptr;
    detail::check(polyproc_queue_open(name.c_str(), &out), "open queue", name);
    return queue(out);
  }

  /// Puts a message, waiting for room. Throws `full` at the end of the time, `shutdown_error` after
  /// a shutdown.
  void put(bytes_view data, const wait_options &wait = forever) {
    detail::check(put_status(data, wait), "put");
  }
  /// Puts a message; returns false at the end of the time.
  [[nodiscard]] bool try_put(bytes_view data, const wait_options &wait = no_wait) {
    return detail::check_try(put_status(data, wait), "put");
  }

  /// Gets a message, waiting for one. Throws `empty` at the end of the time, `shutdown_error` after
  /// a shutdown.
  [[nodiscard]] std::string get(const wait_options &wait = forever) {
    std::string out;
    detail::check(get_status(out, wait), "get");
    return out;
  }
  /// Gets a message; returns nothing at the end of the time.
  [[nodiscard]] std::optional<std::string> try_get(const wait_options &wait = no_wait) {
    std::string out;
    if (!detail::check_try(get_status(out, wait), "get")) return std::nullopt;
    return out;
  }

  /// Takes a message without copying it. See `message`.
  [[nodiscard]] message take(const wait_options &wait = forever) {
    polyproc_message raw;
    detail::check(take_status(raw, wait), "take");
    return message(raw);
  }
  [[nodiscard]] std::optional<message> try_take(const wait_options &wait = no_wait) {
    polyproc_message raw;
    if (!detail::check_try(take_status(raw, wait), "take")) return std::nullopt;
    return message(raw);
  }
  /// Takes up to `most` messages, waiting for the first.
  [[nodiscard]] std::vector<message> take_many(std::size_t most, const wait_options &wait = forever) {
    std::vector<polyproc_message> raw(most);
    std::vector<message> messages;
    messages.reserve(most);
    std::size_t taken = 0;
    detail::check(
        polyproc_queue_take_many(native_handle(), raw.data(), most, &taken, wait.timeout_ns(), wait.token()),
        "take many");
    for (std::size_t i = 0; i < taken; i++) messages.emplace_back(raw[i]);
    return messages;
  }

  /// Returns room for a message of `size` bytes, to be written in place. See `slot`.
  [[nodiscard]] slot reserve(std::size_t size, const wait_options &wait = forever) {
    polyproc_slot raw;
    detail::check(polyproc_queue_reserve(native_handle(), size, &raw, wait.timeout_ns(), wait.token()),
                  "reserve");
    return slot(raw);
  }
  [[nodiscard]] std::optional<slot> try_reserve(std::size_t size, const wait_options &wait = no_wait) {
    polyproc_slot raw;
    const auto status = polyproc_queue_reserve(native_handle(), size, &raw, wait.timeout_ns(), wait.token());
    if (!detail::check_try(status, "reserve")) return std::nullopt;
    return slot(raw);
  }

  /// Puts several messages, and returns how many it put until the end of the time.
  std::size_t put_many(const std::vector<bytes_view> &messages, const wait_options &wait = forever) {
    std::vector<polyproc_slice> slices;
    slices.reserve(messages.size());
    for (const auto &data : messages) slices.push_back({data.data(), data.size()});
    std::size_t put = 0;
    const auto status = polyproc_queue_put_many(native_handle(), slices.data(), slices.size(), &put,
                                                wait.timeout_ns(), wait.token());
    if (!detail::check_try(status, "put many")) return 0;
    return put;
  }

  /// Settles the oldest message that this process got and has not settled.
  void task_done() {
    detail::check(polyproc_queue_task_done(native_handle()), "task_done");
  }
  /// Waits until no message is unfinished.
  void join(const wait_options &wait = forever) {
    detail::check(polyproc_queue_join(native_handle(), wait.timeout_ns(), wait.token()), "join");
  }
  [[nodiscard]] bool try_join(const wait_options &wait) {
    return detail::check_try(polyproc_queue_join(native_handle(), wait.timeout_ns(), wait.token()), "join");
  }
  /// Refuses puts. Gets fail once the queue is drained, or at once with `immediate`.
  void shutdown(bool immediate = false) {
    detail::check(polyproc_queue_shutdown(native_handle(), immediate), "shutdown");
  }
  /// Takes a dead letter; returns nothing if there is none.
  [[nodiscard]] std::optional<message> take_dead() {
    polyproc_message raw;
    if (!detail::check_try(polyproc_queue_take_dead(native_handle(), &raw), "take dead letter"))
      return std::nullopt;
    return message(raw);
  }

  /// Puts a message, waiting for room, and returns its id: that of the message that is taken, for
  /// `settled`. A `put` is faster.
  std::uint64_t put_id(bytes_view data, const wait_options &wait = forever) {
    std::uint64_t id = 0;
    detail::check(polyproc_queue_put_id(native_handle(), data.data(), data.size(), &id, wait.timeout_ns(),
                                        wait.token()),
                  "put");
    return id;
  }
  /// How the message with this id stands: `POLYPROC_MESSAGE_*`. Ids are valid for one creation of a
  /// queue: compare `info().identity`.
  [[nodiscard]] std::int32_t settled(std::uint64_t id) const {
    std::int32_t state = 0;
    detail::check(polyproc_queue_settled(native_handle(), id, &state), "settled");
    return state;
  }
  /// A number that grows with every message that is settled; the descriptor becomes unreadable
  /// until it has grown again.
  std::uint64_t settled_count() {
    std::uint64_t count = 0;
    detail::check(polyproc_queue_settled_count(native_handle(), &count), "settled count");
    return count;
  }
  /// A descriptor that is readable while messages were settled since the last `settled_count`. The
  /// queue owns it.
  [[nodiscard]] int settled_fd() {
    int fd = -1;
    detail::check(polyproc_queue_settled_fd(native_handle(), &fd), "settled descriptor");
    return fd;
  }

  /// How many messages can be got. The number can be stale by the time the call returns.
  [[nodiscard]] std::uint64_t size() const {
    std::uint64_t length = 0;
    detail::check(polyproc_queue_length(native_handle(), &length), "length");
    return length;
  }
  [[nodiscard]] bool empty() const {
    return look(polyproc_queue_is_empty);
  }
  [[nodiscard]] bool full() const {
    return look(polyproc_queue_is_full);
  }
  /// The figures of the queue.
  [[nodiscard]] polyproc_queue_info info() const {
    polyproc_queue_info info = POLYPROC_QUEUE_INFO_INIT;
    detail::check(polyproc_queue_get_info(native_handle(), &info), "info");
    return info;
  }

  /// The messages until the queue is shut down and drained, for a loop:
  ///
  ///     for (const polyproc::message &job : jobs.messages())
  ///       work(job.text());
  ///
  /// The next round finishes the message of the last one; leaving the loop in any way gives it
  /// back.
  class range {
   public:
    class iterator {
     public:
      using iterator_category = std::input_iterator_tag;
      using value_type = message;
      using difference_type = std::ptrdiff_t;
      using pointer = message *;
      using reference = message &;

      iterator() noexcept = default;
      explicit iterator(range *range) : range_(range) {
        next();
      }
      reference operator*() const noexcept {
        return range_->current_;
      }
      pointer operator->() const noexcept {
        return &range_->current_;
      }
      iterator &operator++() {
        if (range_->current_) range_->current_.done();
        next();
        return *this;
      }
      void operator++(int) {
        ++*this;
      }
      friend bool operator==(const iterator &a, const iterator &b) noexcept {
        return a.range_ == b.range_;
      }
      friend bool operator!=(const iterator &a, const iterator &b) noexcept {
        return !(a == b);
      }

     private:
      void next() {
        if (!range_->take()) range_ = nullptr;
      }
      range *range_ = nullptr;
    };

    [[nodiscard]] iterator begin() {
      return iterator(this);
    }
    [[nodiscard]] iterator end() noexcept {
      return iterator();
    }

   private:
    friend class queue;
    range(polyproc_queue *queue, polyproc_cancel *token) noexcept : queue_(queue), token_(token) {}
    bool take() {
      polyproc_message raw;
      const auto status = polyproc_queue_take(queue_, &raw, POLYPROC_FOREVER, token_);
      if (status == POLYPROC_E_SHUTDOWN) return false;
      detail::check(status, "take");
      current_ = message(raw);
      return true;
    }

    polyproc_queue *queue_;
    polyproc_cancel *token_;
    message current_;
  };
  [[nodiscard]] range messages() noexcept {
    return {native_handle(), nullptr};
  }
  [[nodiscard]] range messages(cancel_token &token) noexcept {
    return {native_handle(), token.native_handle()};
  }

 private:
  std::int32_t put_status(bytes_view data, const wait_options &wait) {
    return polyproc_queue_put(native_handle(), data.data(), data.size(), wait.timeout_ns(), wait.token());
  }

  std::int32_t take_status(polyproc_message &out, const wait_options &wait) {
    return polyproc_queue_take(native_handle(), &out, wait.timeout_ns(), wait.token());
  }

  std::int32_t get_status(std::string &out, const wait_options &wait) {
    std::array<char, 512> small;
    std::size_t size = 0;
    auto status = polyproc_queue_get(native_handle(), small.data(), small.size(), &size, wait.timeout_ns(),
                                     wait.token());
    if (status >= 0) out.assign(small.data(), size);
    // The message stays first in line, but another consumer may take it first, and the next may be
    // longer.
    while (status == POLYPROC_E_TOO_SMALL) {
      out.resize(size);
      status =
          polyproc_queue_get(native_handle(), out.data(), out.size(), &size, wait.timeout_ns(), wait.token());
      if (status >= 0) out.resize(size);
    }
    return status;
  }

  bool look(std::int32_t (*read)(polyproc_queue *, std::int32_t *)) const {
    std::int32_t is = 0;
    detail::check(read(native_handle(), &is), "look at queue");
    return is != 0;
  }
};

/// A queue of values without pointers to other memory, such as a struct of numbers.
template <class T>
class typed_queue {
  static_assert(std::is_trivially_copyable_v<T> && !std::is_pointer_v<T>,
                "only a value without pointers to elsewhere means the same in another process");

 public:
  static constexpr std::int32_t kind = queue::kind;

  explicit typed_queue(queue bytes) noexcept : bytes_(std::move(bytes)) {}
  [[nodiscard]] static typed_queue create(const std::string &name = {}, const queue_options &how = {}) {
    return typed_queue(queue::create(name, how));
  }
  [[nodiscard]] static typed_queue open(const std::string &name) {
    return typed_queue(queue::open(name));
  }

  void put(const T &value, const wait_options &wait = forever) {
    bytes_.put(bytes_of(value), wait);
  }
  [[nodiscard]] bool try_put(const T &value, const wait_options &wait = no_wait) {
    return bytes_.try_put(bytes_of(value), wait);
  }
  /// Gets a value. Throws `mismatch` for a message of another size, and that message is lost.
  [[nodiscard]] T get(const wait_options &wait = forever) {
    return as_value(bytes_.get(wait));
  }
  [[nodiscard]] std::optional<T> try_get(const wait_options &wait = no_wait) {
    const auto data = bytes_.try_get(wait);
    if (!data) return std::nullopt;
    return as_value(*data);
  }

  /// The queue of bytes that carries the values.
  [[nodiscard]] queue &bytes() noexcept {
    return bytes_;
  }
  [[nodiscard]] polyproc_queue *native_handle() const noexcept {
    return bytes_.native_handle();
  }

 private:
  static T as_value(const std::string &data) {
    return bytes_view(data).template as<T>();
  }
  queue bytes_;
};

}  // namespace polyproc

#endif
