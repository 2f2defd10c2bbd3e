// Pipes, and connections in the protocol of CPython's multiprocessing.connection.
#ifndef POLYPROC_CONNECTION_HPP
#define POLYPROC_CONNECTION_HPP

#include <optional>
#include <utility>

#include "bytes.hpp"
#include "handle.hpp"

namespace polyproc {

/// One end of a pipe or a socket: whole messages.
class connection
    : public detail::handle<polyproc_connection, POLYPROC_KIND_CONNECTION, polyproc_connection_close> {
 public:
  using handle::handle;

  void send(bytes_view data, const wait_options &wait = forever) {
    detail::check(
        polyproc_connection_send(native_handle(), data.data(), data.size(), wait.timeout_ns(), wait.token()),
        "send");
  }
  /// Receives the next message; throws `end_of_file` if the other end is closed and nothing is
  /// left.
  [[nodiscard]] std::string recv(const wait_options &wait = forever) {
    std::string out;
    detail::check(recv_status(out, wait), "recv");
    return out;
  }
  [[nodiscard]] std::optional<std::string> try_recv(const wait_options &wait = no_wait) {
    std::string out;
    if (!detail::check_try(recv_status(out, wait), "recv")) return std::nullopt;
    return out;
  }
  /// Returns whether a recv would not wait: there is a message, or the end of file.
  [[nodiscard]] bool poll(const wait_options &wait = no_wait) {
    return detail::check_try(polyproc_connection_poll(native_handle(), wait.timeout_ns(), wait.token()),
                             "poll");
  }

 private:
  std::int32_t recv_status(std::string &out, const wait_options &wait) {
    std::size_t size = 512;
    std::int32_t status;
    do {
      out.resize(size);
      status = polyproc_connection_recv(native_handle(), out.data(), out.size(), &size, wait.timeout_ns(),
                                        wait.token());
    } while (status == POLYPROC_E_TOO_SMALL);
    if (status >= 0) out.resize(size);
    return status;
  }
};

/// Makes a pipe and returns its two ends. Without `duplex` the first reads and the second writes.
[[nodiscard]] inline std::pair<connection, connection> pipe(bool duplex = true) {
  polyproc_connection *a = nullptr, *b = nullptr;
  detail::check(polyproc_pipe_create(duplex, &a, &b), "create pipe");
  return {connection(a), connection(b)};
}

/// Options of a listener and of `connect`.
struct listener_options {
  /// The secret that both sides must have; empty: every peer is accepted.
  std::string authkey;
  /// The limit for connections in the kernel's queue, for handshakes in progress, and for
  /// connections that wait to be accepted; 0: 128.
  std::uint32_t backlog = 0;
  /// The longest time for a handshake; 0: ten seconds.
  std::chrono::nanoseconds handshake_timeout{0};
  /// The longest message that is received, in bytes; 0: see the C API.
  std::uint64_t max_message = 0;
  /// Accept HMAC-MD5, the only hash that Python up to 3.11 knows.
  bool allow_md5 = true;
  /// Let the listener be reached from other machines without a key.
  bool is_public = false;
};

namespace detail {
inline polyproc_listener_options raw(const listener_options &from) {
  polyproc_listener_options to = POLYPROC_LISTENER_OPTIONS_INIT;
  to.flags = from.is_public ? POLYPROC_LISTENER_PUBLIC : 0;
  to.backlog = from.backlog;
  to.authkey = from.authkey.empty() ? nullptr : from.authkey.data();
  to.authkey_len = from.authkey.size();
  to.handshake_timeout_ns = from.handshake_timeout.count();
  to.max_message = from.max_message;
  to.allow_md5 = from.allow_md5;
  return to;
}
}  // namespace detail

/// Accepts connections at an address: "tcp://127.0.0.1:0", "unix:/path", "unix:@abstract".
class listener : public detail::handle<polyproc_listener, 0, polyproc_listener_close> {
 public:
  using handle::handle;

  [[nodiscard]] static listener create(const std::string &address, const listener_options &how = {}) {
    const auto raw = detail::raw(how);
    polyproc_listener *out = nullptr;
    detail::check(polyproc_listener_create(address.c_str(), &raw, &out), "listen", address);
    return listener(out);
  }
  [[nodiscard]] connection accept(const wait_options &wait = forever) {
    polyproc_connection *out = nullptr;
    detail::check(polyproc_listener_accept(native_handle(), &out, wait.timeout_ns(), wait.token()), "accept");
    return connection(out);
  }
  /// Its address, with the port that the system chose.
  [[nodiscard]] std::string address() const {
    std::string out(256, '\0');
    std::size_t size = 0;
    detail::check(polyproc_listener_address(native_handle(), out.data(), out.size(), &size), "address");
    out.resize(size);
    return out;
  }
};

/// Connect to a listener.
[[nodiscard]] inline connection connect(const std::string &address, const listener_options &how = {},
                                        const wait_options &wait = forever) {
  const auto raw = detail::raw(how);
  polyproc_connection *out = nullptr;
  detail::check(polyproc_connect(address.c_str(), &raw, &out, wait.timeout_ns(), wait.token()), "connect",
                address);
  return connection(out);
}

}  // namespace polyproc

#endif
