//! `polyproc_pipe_create` and `polyproc_connection_*`

use std::ffi::{c_int, c_void};

use crate::connection::{pipe, Connection};
use crate::ffi::abi::check::{bytes, guard, guard_close, room, switch, Out};
use crate::ffi::cancel::polyproc_cancel;
use crate::ffi::handle::{self, enter, token, wait_of, Opaque};
use crate::queue::Got;
use crate::status::Status;

/// One end of a pipe or of a socket: whole messages, to and from the other end.
pub struct polyproc_connection {
    _private: [u8; 0],
}

impl Opaque for polyproc_connection {
    type Object = Connection;
    const MAGIC: u32 = u32::from_be_bytes(*b"conn");
    const NAME: &'static str = "connection";
}

/// <!-- Pipe and connection -->
/// Create a pipe: two ends between which whole messages go, each of 0 to 4 GiB - 1 bytes. It is
/// anonymous; another process gets an end by inheritance or with polyproc_share_fd.
///
/// An end stays open until every process that has it has closed it or ended, in whatever way. A
/// process has an end through a handle, a descriptor of polyproc_share_fd, or inheritance. A child
/// has an inherited end from its start until it closes the handle that polyproc_inherited returned,
/// or ends. So the parent may close its own handle at once. A forked child also has a copy of every
/// handle of its parent. As with pipe(2) it must close the ends that it does not use; otherwise
/// they stay open when the parent ends.
///
/// ```text
/// duplex  1: both ends send and receive. 0: a only receives, b only sends.
/// out_a   the one end, to be closed with polyproc_connection_close.
/// out_b   the other end, likewise.
///
/// Returns  OK
///          E_NO_MEMORY    memory or shared memory is exhausted.
///          E_LIMIT        too many descriptors are open: a pipe takes three.
///          E_UNSUPPORTED  /proc is not there.
///          E_PERMISSION   the system refuses to open the pipe's memory through /proc.
///          E_INVALID      duplex is neither 0 nor 1, or an out is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_pipe_create(
    duplex: i32,
    out_a: *mut *mut polyproc_connection,
    out_b: *mut *mut polyproc_connection,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes places for the handles or NULL.
        let (out_a, out_b) = unsafe {
            (
                Out::required(out_a, "out_a")?,
                Out::required(out_b, "out_b")?,
            )
        };
        let (a, b) = pipe(switch(duplex, "duplex")?)?;
        let a = handle::new::<polyproc_connection>(a)?;
        match handle::new(b) {
            Ok(b) => {
                out_a.write(a);
                out_b.write(b);
                Ok(Status::OK)
            }
            Err(status) => {
                // SAFETY: made above, and nobody else has seen it.
                unsafe { handle::close(a) };
                Err(status)
            }
        }
    })
}

/// Send a message, waiting while there is no room for it. It is sent as a whole or not at all,
/// also when this process is killed, and separate from messages that other threads and processes
/// send from the same end.
///
/// A message of up to 1 MiB - 8 bytes goes into the pipe, where it stays when this process ends. A
/// longer message is handed over through 1 MiB of shared memory: the call returns OK when a
/// receiver has all of it. The call waits at most timeout_ns for a receiver. Then it waits for each
/// step of the receiver at most timeout_ns or 0.03 s, whichever is longer. With timeout_ns 0 such a
/// message is not sent.
///
/// Over a socket OK means that the system has all of the message, not that the peer has received
/// it. The call waits at most timeout_ns for room for the first bytes. Then it waits each time for
/// more room at most timeout_ns or 0.1 s, whichever is longer. Bytes that were sent cannot be taken
/// back, so a call that gives up in the middle of a message ends this direction: later sends return
/// E_BROKEN_PIPE, and the other end finds the stream cut, never a wrong message. With timeout_ns 0
/// a message of more than 32 KiB is not sent.
///
/// ```text
/// connection  open handle.
/// data        the message; NULL when len is 0.
/// len         its length in bytes; 0 is a message too.
/// timeout_ns  nanoseconds from now, monotonic; <0 for ever, 0 try once.
/// cancel      NULL, or a token that ends this wait early.
///
/// Returns  OK             it was sent.
///          E_TIMEOUT, E_CANCELED, E_INTERRUPTED  nothing of it was sent.
///          E_CLOSED       the handle is closed: nothing of it was sent.
///          E_BROKEN_PIPE  the other end is closed: nobody will receive it.
///          E_UNSUPPORTED  this end only receives.
///          E_TOO_LARGE    it is longer than 4 GiB - 1.
///          E_NO_MEMORY    shared memory is exhausted.
///          E_CORRUPT      the pipe is damaged.
///          E_LIMIT        too many processes use it.
///          E_INVALID      not a handle of a connection, not a token, or data is NULL and len is
///                         not 0.
/// Blocks   yes. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_connection_send(
    connection: *mut polyproc_connection,
    data: *const c_void,
    len: usize,
    timeout_ns: i64,
    cancel: *mut polyproc_cancel,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let connection = unsafe { enter(connection) }?;
        // SAFETY: the caller lends `len` bytes for the time of the call.
        let data = unsafe { bytes(data, len, "data") }?;
        // SAFETY: the caller passes a token or NULL.
        let wait = unsafe { wait_of(&connection, timeout_ns, cancel) }?;
        connection.send_raw(data, wait)?;
        Ok(Status::OK)
    })
}

/// Receive the first message, waiting while there is none. With several receivers at one end each
/// message goes to one of them, whole.
///
/// When the other end is closed, the messages that it sent are received first, then E_EOF is
/// returned. A message that a process was sending when it was killed is never seen. Once the
/// transfer of a message that is handed over (see polyproc_connection_send) has begun, the call
/// finishes the transfer, even past timeout_ns. If the sender makes no step for timeout_ns (at
/// least 0.03 s), the call ends, and the message stays first in line.
///
/// When a call on a socket ends early, the part of a message that has arrived is kept, and the next
/// call continues it. A message that can never be received ends this direction: each later call
/// returns the same status.
///
/// ```text
/// connection  open handle.
/// buf         where the message goes; NULL when cap is 0. A call that fails may have overwritten
///             it too.
/// cap         how many bytes fit there.
/// out_len     the length of the message; with E_TOO_SMALL the cap that is needed.
/// timeout_ns  nanoseconds from now, monotonic; <0 for ever, 0 try once.
/// cancel      NULL, or a token that ends this wait early.
///
/// Returns  OK             buf holds the message.
///          E_TIMEOUT, E_CANCELED, E_INTERRUPTED, E_CLOSED  nothing was received.
///          E_EOF          the other end is closed, and all that it sent was received.
///          E_TOO_SMALL    the message stays first in line; *out_len bytes are needed.
///          E_UNSUPPORTED  this end only sends.
///          E_CORRUPT      the pipe is damaged; what came from the socket is no message.
///          E_LIMIT        too many processes use it.
///          E_BROKEN_PIPE  socket: closed in the middle of a message.
///          E_TOO_LARGE    socket: a message that is longer than max_message.
///          E_AUTH         socket: the listener wants a key, and none was given to connect.
///          E_NO_MEMORY    socket: memory is exhausted.
///          E_INVALID      not a handle of a connection, not a token, out_len is NULL, or buf is
///                         NULL and cap is not 0.
/// Blocks   yes. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_connection_recv(
    connection: *mut polyproc_connection,
    buf: *mut c_void,
    cap: usize,
    out_len: *mut usize,
    timeout_ns: i64,
    cancel: *mut polyproc_cancel,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let connection = unsafe { enter(connection) }?;
        // SAFETY: the caller passes a place for the length or NULL.
        let out_len = unsafe { Out::required(out_len, "out_len") }?;
        // SAFETY: the caller lends `cap` bytes for the time of the call.
        let buf = unsafe { room(buf.cast::<u8>(), cap, "buf") }?;
        // SAFETY: the caller passes a token or NULL.
        let wait = unsafe { wait_of(&connection, timeout_ns, cancel) }?;
        match connection.recv_raw(buf, wait)? {
            Got::Message(len) => {
                out_len.write(len);
                Ok(Status::OK)
            }
            Got::TooSmall(needed) => {
                out_len.write(needed);
                Err(Status::E_TOO_SMALL)
            }
        }
    })
}

/// Wait until a receive would not wait: until there is a message, or the end of file. On a socket,
/// wait until part of a message has arrived: if the sender stops in the middle of a message, the
/// receive waits for the rest.
///
/// ```text
/// connection  open handle.
/// timeout_ns  nanoseconds from now, monotonic; <0 for ever, 0 try once.
/// cancel      NULL, or a token that ends this wait early.
///
/// Returns  OK             there is a message, or the other end is closed.
///          E_TIMEOUT, E_CANCELED, E_INTERRUPTED, E_CLOSED  there is nothing.
///          E_UNSUPPORTED  this end only sends.
///          E_LIMIT        too many processes use it.
///          E_NO_MEMORY    memory is exhausted.
///          E_INVALID      not a handle of a connection, or not a token.
/// Blocks   yes. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_connection_poll(
    connection: *mut polyproc_connection,
    timeout_ns: i64,
    cancel: *mut polyproc_cancel,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let connection = unsafe { enter(connection) }?;
        // SAFETY: the caller passes a token or NULL.
        let cancel = unsafe { token(cancel) }?;
        connection.poll_timeout(connection.wait_for(timeout_ns, &cancel))?;
        Ok(Status::OK)
    })
}

/// A descriptor for poll, epoll, libuv, asyncio and the like: readable while a receive would not
/// wait, because there is a message or the other end is closed. From the first call on, a thread of
/// this process keeps such descriptors up to date. They follow a change with a short delay, so try
/// the receive without waiting, and poll again if it would wait. For a socket the descriptor is the
/// socket itself, without a thread; it is writable when a send can begin.
///
/// ```text
/// connection  open handle.
/// out_fd      the descriptor. It belongs to the handle: do not read it, close it, or use it after
///             the handle is closed. A forked child asks for its own.
///
/// Returns  OK
///          E_UNSUPPORTED  this end only sends.
///          E_LIMIT        too many descriptors or threads are there, or too many processes use it.
///          E_CLOSED       the handle is closed.
///          E_INVALID      not a handle of a connection, or out_fd is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_connection_fd(
    connection: *mut polyproc_connection,
    out_fd: *mut c_int,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let connection = unsafe { enter(connection) }?;
        // SAFETY: the caller passes a place for the answer or NULL.
        let out_fd = unsafe { Out::required(out_fd, "out_fd") }?;
        out_fd.write(connection.fd()?);
        Ok(Status::OK)
    })
}

/// Close this handle. Calls that wait on it in other threads return E_CLOSED. When no process has
/// this end any more, the other one receives what was sent, then E_EOF, and its sends return
/// E_BROKEN_PIPE. A process that ends closes its handles too.
///
/// ```text
/// connection  handle, or NULL: nothing happens.
///
/// Returns  nothing.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_connection_close(connection: *mut polyproc_connection) {
    // SAFETY: the caller passes a handle or NULL.
    guard_close(|| unsafe { handle::close(connection) });
}
