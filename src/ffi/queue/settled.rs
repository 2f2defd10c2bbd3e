//! `polyproc_queue_*`, advanced: the ids of messages, and how a message stands.

use std::ffi::{c_int, c_void};

use crate::ffi::abi::check::{bytes, guard, Out};
use crate::ffi::cancel::polyproc_cancel;
use crate::ffi::handle::{enter, wait_of};
use crate::ffi::queue::polyproc_queue;
use crate::status::Status;

/// <!-- Queue, advanced: how a message stands, by its id -->
/// Put a message, as polyproc_queue_put, and learn its id: the id that its consumer sees. A put
/// without the id is faster. The message may be got, and even settled, before this call returns.
///
/// ```text
/// queue       open handle.
/// data        the message; NULL when len is 0.
/// len         its length in bytes; 0 is a message too.
/// out_id      the id of the message, for polyproc_queue_settled.
/// timeout_ns  nanoseconds from now, monotonic; <0 for ever, 0 try once.
/// cancel      NULL, or a token that ends this wait early.
///
/// Returns  OK           it is in the queue.
///          E_FULL       the timeout passed and there was no room.
///          E_TIMEOUT    the timeout passed, and a peer that is stopped inside a call hides whether
///                       there is room.
///          E_CANCELED, E_INTERRUPTED, E_CLOSED  it is not in the queue.
///          E_SHUTDOWN   the queue is shut down.
///          E_TOO_LARGE  it can never fit: longer than max_bytes allows, or than 4 GiB - 1.
///          E_NO_MEMORY  shared memory is exhausted; nothing is changed for others.
///          E_CORRUPT    the queue is damaged.
///          E_LIMIT      too many processes use it.
///          E_INVALID    not a handle of a queue, not a token, out_id is NULL, or data is NULL and
///                       len is not 0.
/// Blocks   yes. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_queue_put_id(
    queue: *mut polyproc_queue,
    data: *const c_void,
    len: usize,
    out_id: *mut u64,
    timeout_ns: i64,
    cancel: *mut polyproc_cancel,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let queue = unsafe { enter(queue) }?;
        // SAFETY: the caller passes a place for the id or NULL.
        let out_id = unsafe { Out::required(out_id, "out_id") }?;
        // SAFETY: the caller lends `len` bytes for the time of the call.
        let message = unsafe { bytes(data, len, "data") }?;
        // SAFETY: the caller passes a token or NULL.
        let wait = unsafe { wait_of(&queue, timeout_ns, cancel) }?;
        out_id.write(queue.put_id_raw(message, wait)?);
        Ok(Status::OK)
    })
}

/// Report how a message stands that was put into this queue. The answer can be stale by the time
/// the call returns; DONE, DEAD and DISCARDED are final.
///
/// The queue remembers the last 1,024 messages that became dead letters or were discarded, and all
/// that an immediate shutdown discarded when it was called. When the queue forgets one of the
/// 1,024, that message and every older one that is over become POLYPROC_MESSAGE_UNKNOWN. A message
/// that was not done is never POLYPROC_MESSAGE_DONE. Ids are valid for one creation of a queue:
/// compare the identity in polyproc_queue_info.
///
/// ```text
/// queue      open handle.
/// id         of polyproc_queue_put_id, or of a polyproc_message.
/// out_state  POLYPROC_MESSAGE_*.
///
/// Returns  OK
///          E_TIMEOUT  a peer is stopped inside a call and hides the state of the queue.
///          E_CORRUPT  the queue is damaged.
///          E_LIMIT    too many processes use it.
///          E_CLOSED   the handle is closed.
///          E_INVALID  not a handle of a queue, out_state is NULL, or no message with that id was
///                     put. (The call does not recognise every number that is no id.)
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_queue_settled(
    queue: *mut polyproc_queue,
    id: u64,
    out_state: *mut i32,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let queue = unsafe { enter(queue) }?;
        // SAFETY: the caller passes a place for the answer or NULL.
        let out_state = unsafe { Out::required(out_state, "out_state") }?;
        out_state.write(queue.settled(id)? as i32);
        Ok(Status::OK)
    })
}

/// Report a number that grows with every message that is settled, and make the descriptor of
/// polyproc_queue_settled_fd unreadable until it has grown again. Ask for this number first, and
/// then for the messages: then no message that is settled meanwhile is missed.
///
/// ```text
/// queue      open handle.
/// out_count  the number. A slot that was given up counts too.
///
/// Returns  OK
///          E_TIMEOUT  a peer is stopped inside a call and hides the state of the queue.
///          E_CORRUPT  the queue is damaged.
///          E_LIMIT    too many processes use it.
///          E_CLOSED   the handle is closed.
///          E_INVALID  not a handle of a queue, or out_count is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_queue_settled_count(
    queue: *mut polyproc_queue,
    out_count: *mut u64,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let queue = unsafe { enter(queue) }?;
        // SAFETY: the caller passes a place for the answer or NULL.
        let out_count = unsafe { Out::required(out_count, "out_count") }?;
        out_count.write(queue.settled_count()?);
        Ok(Status::OK)
    })
}

/// A descriptor for poll, epoll, libuv, asyncio and the like: readable if a message was settled
/// since polyproc_queue_settled_count was last called with this handle. From the first call on, a
/// thread of this process keeps such descriptors up to date. They follow a change with a short
/// delay, so the descriptor may be readable although the count has not grown.
///
/// ```text
/// queue   open handle.
/// out_fd  the descriptor. It belongs to the handle: do not read it, close it, or use it after the
///         handle is closed. A forked child asks for its own.
///
/// Returns  OK
///          E_LIMIT    too many descriptors or threads are there.
///          E_CLOSED   the handle is closed.
///          E_INVALID  not a handle of a queue, or out_fd is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_queue_settled_fd(
    queue: *mut polyproc_queue,
    out_fd: *mut c_int,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let queue = unsafe { enter(queue) }?;
        // SAFETY: the caller passes a place for the answer or NULL.
        let out_fd = unsafe { Out::required(out_fd, "out_fd") }?;
        out_fd.write(queue.settled_fd()?);
        Ok(Status::OK)
    })
}
