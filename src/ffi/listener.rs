//! `polyproc_listener_*` and `polyproc_connect`: connections over sockets.

use std::ffi::{c_char, c_int, c_void};
use std::time::Duration;

use crate::connection::{connect_timeout, Listener, ListenerOptions};
use crate::ffi::abi::check::{address_text, bytes, guard, guard_close, room, switch, Out};
use crate::ffi::abi::constants::POLYPROC_LISTENER_PUBLIC;
use crate::ffi::abi::growing;
use crate::ffi::abi::growing::growing;
use crate::ffi::cancel::polyproc_cancel;
use crate::ffi::connection::polyproc_connection;
use crate::ffi::handle::{self, enter, token, Opaque};
use crate::status::detail::because;
use crate::status::{Result, Status};
use crate::sync::Wait;

/// An address at which others connect.
pub struct polyproc_listener {
    _private: [u8; 0],
}

impl Opaque for polyproc_listener {
    type Object = Listener;
    const MAGIC: u32 = u32::from_be_bytes(*b"list");
    const NAME: &'static str = "listener";
}

/// Options of a listener, and of polyproc_connect. NULL means the defaults: no key.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct polyproc_listener_options {
    /// `sizeof(polyproc_listener_options)`, as `POLYPROC_LISTENER_OPTIONS_INIT` sets it.
    pub size: usize,
    /// 0 or `POLYPROC_LISTENER_PUBLIC`.
    pub flags: u32,
    /// The limit for each of three numbers: connections in the kernel's queue, handshakes in
    /// progress, and connections that wait to be accepted. At most 4,096; 0: 128. Unused by
    /// polyproc_connect.
    pub backlog: u32,
    /// The secret that both sides must have: any bytes, one at least; NULL: every peer is accepted.
    pub authkey: *const c_void,
    /// Its length in bytes.
    pub authkey_len: usize,
    /// How long a handshake may take in nanoseconds, 0: ten seconds.
    pub handshake_timeout_ns: i64,
    /// The longest message that the other side may send, in bytes; 0: 256 MiB for a listener
    /// without a key, else 4 GiB - 1. A longer message is refused when its length has been read.
    pub max_message: u64,
    /// 1: accept HMAC-MD5, the only hash that Python up to 3.11 knows. 0: the other side must use a
    /// better hash, as Python does since 3.12.
    pub allow_md5: i32,
    /// Always 0.
    pub reserved: u32,
}

growing! { polyproc_listener_options: 56 }

/// # Safety
/// As for [`growing::read`], and `authkey` is `authkey_len` readable bytes.
unsafe fn options_of(theirs: *const polyproc_listener_options) -> Result<ListenerOptions> {
    if theirs.is_null() {
        return Ok(ListenerOptions::default());
    }
    // SAFETY: as the caller promises.
    let theirs = unsafe { growing::read(theirs) }?;
    growing::known_flags(theirs.flags, POLYPROC_LISTENER_PUBLIC)?;
    if theirs.reserved != 0 {
        return Err(because!(E_INVALID, "options.reserved is not 0"));
    }
    let authkey = match theirs.authkey.is_null() {
        true if theirs.authkey_len == 0 => None,
        true => {
            return Err(because!(
                E_INVALID,
                "options.authkey is NULL and options.authkey_len is not 0"
            ))
        }
        false => {
            let (key, len) = (theirs.authkey, theirs.authkey_len);
            // SAFETY: as the caller promises.
            Some(unsafe { bytes(key, len, "options.authkey") }?.to_vec())
        }
    };
    Ok(ListenerOptions {
        authkey,
        backlog: theirs.backlog,
        handshake_timeout: match u64::try_from(theirs.handshake_timeout_ns) {
            Ok(0) => None,
            Ok(ns) => Some(Duration::from_nanos(ns)),
            Err(_) => {
                return Err(because!(
                    E_INVALID,
                    "options.handshake_timeout_ns is below 0"
                ))
            }
        },
        max_message: theirs.max_message,
        allow_md5: switch(theirs.allow_md5, "options.allow_md5")?,
        public: theirs.flags & POLYPROC_LISTENER_PUBLIC != 0,
    })
}

/// <!-- Listener and connect: connections over sockets -->
/// Listen for connections over TCP or a unix socket. The connections speak the protocol of Python's
/// `multiprocessing.connection`: a Client or Listener of CPython can be the peer.
///
/// With a key each side proves that it has the key, without sending it; the messages that follow
/// are neither encrypted nor signed. From the first accept on, a thread of the library serves all
/// handshakes concurrently, so a silent, slow or invalid peer delays nobody. Without a key there is
/// no handshake, and every peer that reaches the address is accepted. On the same machine every
/// user reaches a TCP or abstract address, and every user that may write the file reaches a path.
///
/// ```text
/// address  "tcp://127.0.0.1:5000", "tcp://[::1]:5000", port 0 for a free one; "unix:/path", whose
///          file is removed when the listener is closed; "unix:@name", an abstract address, which
///          has no file. "tcp://localhost:5000" is 127.0.0.1; no other host name is looked up.
/// options  NULL for no key.
/// out      the listener, to be closed with polyproc_listener_close.
///
/// Returns  OK
///          E_EXISTS      a process listens there, or the file exists. A killed listener leaves its
///                        file behind: remove it, or use an abstract address.
///          E_PERMISSION  this user may not use the address; or other machines could reach it, and
///                        there is neither a key nor POLYPROC_LISTENER_PUBLIC.
///          E_NOT_FOUND   the folder of the path is not there.
///          E_LIMIT       too many descriptors are open.
///          E_NO_MEMORY   memory is exhausted.
///          E_UNSUPPORTED the system has no such sockets.
///          E_INVALID     not an address, a path of more than 107 bytes, a bad option, or out is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_listener_create(
    address: *const c_char,
    options: *const polyproc_listener_options,
    out: *mut *mut polyproc_listener,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a place for the handle or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        // SAFETY: the caller passes a C string and options or NULL.
        let (address, options) = unsafe { (address_text(address)?, options_of(options)?) };
        out.write(handle::new(Listener::new(address, &options)?)?);
        Ok(Status::OK)
    })
}

/// Accept the next connection, waiting while there is none. With a key, only a connection whose
/// other side has proved that it has the key is accepted; other connections are closed and not
/// reported.
///
/// ```text
/// listener    open handle.
/// out         the connection, to be closed with polyproc_connection_close.
/// timeout_ns  nanoseconds from now, monotonic; <0 for ever, 0 try once.
/// cancel      NULL, or a token that ends this wait early.
///
/// Returns  OK
///          E_TIMEOUT, E_CANCELED, E_INTERRUPTED, E_CLOSED  nothing was accepted.
///          E_LIMIT      a connection waits, but no descriptor or thread is left for it.
///          E_NO_MEMORY  memory is exhausted.
///          E_PERMISSION the system refuses to accept.
///          E_INVALID    not a listener, not a token, or out is NULL.
/// Blocks   yes. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_listener_accept(
    listener: *mut polyproc_listener,
    out: *mut *mut polyproc_connection,
    timeout_ns: i64,
    cancel: *mut polyproc_cancel,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let listener = unsafe { enter(listener) }?;
        // SAFETY: the caller passes a token or NULL.
        let cancel = unsafe { token(cancel) }?;
        // SAFETY: the caller passes a place for the handle or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        let connection = listener.accept_timeout(listener.wait_for(timeout_ns, &cancel))?;
        out.write(handle::new::<polyproc_connection>(connection)?);
        Ok(Status::OK)
    })
}

/// The address of a listener, as polyproc_connect takes it: with the port that was chosen for port
/// 0.
///
/// ```text
/// listener  open handle.
/// buf       where the address goes, with a NUL; NULL when cap is 0.
/// cap       how many bytes fit there; 128 are always enough.
/// out_len   the length of the address without its NUL; with E_TOO_SMALL the cap that is needed.
///
/// Returns  OK
///          E_TOO_SMALL  *out_len bytes are needed.
///          E_CLOSED     the handle is closed.
///          E_INVALID    not a listener, out_len is NULL, or buf is NULL and cap is not 0.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_listener_address(
    listener: *mut polyproc_listener,
    buf: *mut c_char,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let listener = unsafe { enter(listener) }?;
        // SAFETY: the caller passes a place for the length or NULL.
        let out_len = unsafe { Out::required(out_len, "out_len") }?;
        // SAFETY: the caller lends `cap` bytes for the time of the call.
        let buf = unsafe { room(buf.cast::<u8>(), cap, "buf") }?;
        let text = Listener::address(&listener);
        let Some(place) = buf.get_mut(..=text.len()) else {
            out_len.write(text.len() + 1);
            return Err(Status::E_TOO_SMALL);
        };
        for (to, from) in place.iter_mut().zip(text.bytes().chain([0])) {
            to.write(from);
        }
        out_len.write(text.len());
        Ok(Status::OK)
    })
}

/// A descriptor for poll, epoll, libuv, asyncio and the like: readable while an accept would not
/// wait. Another thread may be faster: try the accept without waiting, and poll again if it would
/// wait.
///
/// ```text
/// listener  open handle.
/// out_fd    the descriptor. It belongs to the handle: do not read it, close it, or use it after the
///           handle is closed. A forked child asks for its own.
///
/// Returns  OK
///          E_LIMIT    too many descriptors or threads are there.
///          E_CLOSED   the handle is closed.
///          E_INVALID  not a listener, or out_fd is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_listener_fd(
    listener: *mut polyproc_listener,
    out_fd: *mut c_int,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let listener = unsafe { enter(listener) }?;
        // SAFETY: the caller passes a place for the descriptor or NULL.
        let out_fd = unsafe { Out::required(out_fd, "out_fd") }?;
        out_fd.write(listener.fd()?);
        Ok(Status::OK)
    })
}

/// Close this handle: no peer can connect any more, connections that were not accepted are closed,
/// and the file of a path is removed. Accepts that wait in other threads return E_CLOSED;
/// connections that were accepted stay. A forked child has a copy of its own; when it closes that,
/// its parent goes on listening.
///
/// ```text
/// listener  handle, or NULL: nothing happens.
///
/// Returns  nothing.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_listener_close(listener: *mut polyproc_listener) {
    // SAFETY: the caller passes a handle or NULL.
    guard_close(|| unsafe { handle::close(listener) });
}

/// Connect to a listener, of polyproc or of CPython. With a key, each side proves to the other that
/// it has the key.
///
/// A connector without a key cannot know whether the listener wants one: if it does, the first
/// receive returns E_AUTH. A listener without a key sends no challenge, so a connector with a key
/// gets E_TIMEOUT after the handshake's time limit.
///
/// ```text
/// address     as for polyproc_listener_create.
/// options     NULL for no key; the key, allow_md5, handshake_timeout_ns and max_message are used.
/// out         the connection, to be closed with polyproc_connection_close.
/// timeout_ns  nanoseconds from now, monotonic, for the whole call; <0 for ever, 0 try once, which
///             leaves no time for a handshake.
/// cancel      NULL, or a token that ends this wait early.
///
/// Returns  OK
///          E_AUTH       the keys differ, or one side knows no hash that the other allows.
///          E_TIMEOUT    also when the handshake exceeded its own time limit.
///          E_CANCELED, E_INTERRUPTED  there is no connection.
///          E_EOF        the listener has ended the connection before the handshake was over.
///          E_CORRUPT, E_TOO_LARGE  something else is listening there.
///          E_NOT_FOUND, E_PERMISSION  there is no such path, or it is not for this user.
///          E_LIMIT      too many descriptors are open.
///          E_NO_MEMORY  memory is exhausted.
///          E_UNSUPPORTED the system has no such sockets.
///          E_INVALID    not an address, a bad option, not a token, or out is NULL.
///          -(1000 + ECONNREFUSED)  nobody listens there.
/// Blocks   yes. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_connect(
    address: *const c_char,
    options: *const polyproc_listener_options,
    out: *mut *mut polyproc_connection,
    timeout_ns: i64,
    cancel: *mut polyproc_cancel,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a place for the handle or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        // SAFETY: the caller passes a token or NULL.
        let cancel = unsafe { token(cancel) }?;
        // SAFETY: the caller passes a C string and options or NULL.
        let (address, options) = unsafe { (address_text(address)?, options_of(options)?) };
        let wait = Wait::for_ns(timeout_ns).or_canceled_by(cancel.as_deref());
        out.write(handle::new(connect_timeout(address, &options, wait)?)?);
        Ok(Status::OK)
    })
}
