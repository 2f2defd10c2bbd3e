//! `polyproc_queue_*`: messages by copy.

pub mod options;

pub mod message;

pub mod many;

pub mod settled;

use std::ffi::{c_char, c_void};

use crate::ffi::abi::check::{bytes, guard, guard_close, name, required_name, room, switch, Out};
use crate::ffi::cancel::polyproc_cancel;
use crate::ffi::handle::{self, enter, token, wait_of, Opaque};
use crate::ffi::queue::options::polyproc_queue_options;
use crate::ffi::queue::options::queue_options;
use crate::queue::{Got, Queue};
use crate::status::Status;

/// A queue of messages between processes, first in, first out, plain or joinable, with any number
/// of producers and consumers. A message has 0 bytes or more. When a put has returned, every
/// process can get its message, and the message survives the death of its producer.
pub struct polyproc_queue {
    _private: [u8; 0],
}

impl Opaque for polyproc_queue {
    type Object = Queue;
    const MAGIC: u32 = u32::from_be_bytes(*b"queu");
    const NAME: &'static str = "queue";
    const LOANS_AT: Option<usize> = Some(Queue::LOANS_AT);
}

/// <!-- Queue -->
/// Create a queue.
///
/// With POLYPROC_OPEN_OR_CREATE a queue that is shut down and that no process has open is created
/// again under its name, as if it had been unlinked. Its remaining messages and dead letters are
/// lost, and the new queue has the options of this call, format included. So a program that is
/// killed after its shutdown does not leave an unusable queue to its next run. A consumer that may
/// start after the producers have ended must use polyproc_queue_open to read the rest of the
/// stream: if it calls this function, it can get a new queue, into which nobody puts. A process has
/// a queue open from its create or open until it has closed its handles and settled what it has
/// taken. Each child that inherited the queue has it open too.
///
/// ```text
/// name     its name, or NULL for an anonymous one.
/// options  NULL for the defaults: no limit, not joinable, bytes.
/// out      the handle, to be closed with polyproc_queue_close.
///
/// Returns  OK
///          E_EXISTS      the name is taken.
///          E_MISMATCH    POLYPROC_OPEN_OR_CREATE, and the name is no queue or one of another
///                        shape: joinable, limits or format differ.
///          E_NO_MEMORY   memory or shared memory is exhausted.
///          E_PERMISSION  no right to create it, or to open the object that has the name.
///          E_CORRUPT     POLYPROC_OPEN_OR_CREATE, and the object of that name is damaged.
///          E_UNSUPPORTED a name, and /dev/shm is missing: there are anonymous objects only.
///          E_TIMEOUT     POLYPROC_OPEN_OR_CREATE, and a process was stopped while it created the
///                        queue again.
///          E_LIMIT       too many descriptors are open.
///          E_INVALID     out is NULL, a bad name or bad options.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_queue_create(
    name: *const c_char,
    options: *const polyproc_queue_options,
    out: *mut *mut polyproc_queue,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a place for the handle or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        // SAFETY: the caller passes a C string or NULL.
        let name = unsafe { self::name(name) }?;
        // SAFETY: the caller passes an option struct or NULL.
        let options = unsafe { queue_options(options) }?;
        out.write(handle::new(Queue::create(name, &options)?)?);
        Ok(Status::OK)
    })
}

/// Open the queue that has a name.
///
/// ```text
/// name  its name.
/// out   the handle, to be closed with polyproc_queue_close.
///
/// Returns  OK
///          E_NOT_FOUND   no object has that name.
///          E_MISMATCH    it is no queue.
///          E_PERMISSION  its mode keeps this user out.
///          E_CORRUPT     it is damaged, or a process was killed while it created the queue again,
///                        which a create with POLYPROC_OPEN_OR_CREATE repairs.
///          E_TIMEOUT     a process was stopped while it created the queue again.
///          E_LIMIT       too many descriptors are open.
///          E_NO_MEMORY   memory or shared memory is exhausted.
///          E_INVALID     out is NULL, or not a name.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_queue_open(
    name: *const c_char,
    out: *mut *mut polyproc_queue,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a place for the handle or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        // SAFETY: the caller passes a C string or NULL.
        let name = unsafe { required_name(name) }?;
        out.write(handle::new(Queue::open(name)?)?);
        Ok(Status::OK)
    })
}

/// Close this handle. Calls that wait on it in other threads return E_CLOSED. Messages in the queue
/// stay, and a message or slot on loan to this process stays valid until it is settled.
///
/// ```text
/// queue  handle, or NULL: nothing happens.
///
/// Returns  nothing.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_queue_close(queue: *mut polyproc_queue) {
    // SAFETY: the caller passes a handle or NULL.
    guard_close(|| unsafe { handle::close(queue) });
}

/// Put a message, waiting while the queue is full. When the call returns OK, every process can get
/// the message, and the message survives the death of this process.
///
/// A full /dev/shm is E_NO_MEMORY at once, whatever the timeout: the put does not wait for memory.
/// But it reuses memory of the queue that no message occupies any more. So the same put succeeds
/// once consumers have made room, and an empty queue takes every message that a new queue takes. An
/// anonymous queue does not lie in /dev/shm: the memory of the system or of its control group is
/// its limit.
///
/// ```text
/// queue       open handle.
/// data        the message; NULL when len is 0.
/// len         its length in bytes; 0 is a message too.
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
///          E_INVALID    not a handle of a queue, not a token, or data is NULL and len is not 0.
/// Blocks   yes. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_queue_put(
    queue: *mut polyproc_queue,
    data: *const c_void,
    len: usize,
    timeout_ns: i64,
    cancel: *mut polyproc_cancel,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let queue = unsafe { enter(queue) }?;
        // SAFETY: the caller lends `len` bytes for the time of the call.
        let message = unsafe { bytes(data, len, "data") }?;
        // SAFETY: the caller passes a token or NULL.
        let wait = unsafe { wait_of(&queue, timeout_ns, cancel) }?;
        queue.put_raw(message, wait)?;
        Ok(Status::OK)
    })
}

/// Get the first message, waiting while the queue is empty. On a joinable queue the message then
/// counts as unfinished until polyproc_queue_task_done, and comes back if the process dies before.
/// On any other queue it is lost if the process dies with it; see polyproc_queue_take.
///
/// ```text
/// queue       open handle.
/// buf         where the message goes; NULL when cap is 0.
/// cap         how many bytes fit there.
/// out_len     the length of the message; with E_TOO_SMALL too.
/// timeout_ns  nanoseconds from now, monotonic; <0 for ever, 0 try once.
/// cancel      NULL, or a token that ends this wait early.
///
/// Returns  OK           the message is in buf.
///          E_EMPTY      the timeout passed and there was no message.
///          E_TIMEOUT    the timeout passed, and a peer that is stopped inside a call hides whether
///                       there is a message.
///          E_TOO_SMALL  the message stays first in line; *out_len is what it needs.
///          E_CANCELED, E_INTERRUPTED, E_CLOSED  nothing was got.
///          E_SHUTDOWN   the queue is shut down and nothing is left in it.
///          E_CORRUPT    the queue is damaged.
///          E_LIMIT      too many processes use it.
///          E_INVALID    not a handle of a queue, not a token, out_len is NULL, or buf is NULL and
///                       cap is not 0.
/// Blocks   yes. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_queue_get(
    queue: *mut polyproc_queue,
    buf: *mut c_void,
    cap: usize,
    out_len: *mut usize,
    timeout_ns: i64,
    cancel: *mut polyproc_cancel,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let queue = unsafe { enter(queue) }?;
        // SAFETY: the caller passes a place for the length or NULL.
        let out_len = unsafe { Out::required(out_len, "out_len") }?;
        // SAFETY: the caller lends `cap` bytes for the time of the call.
        let buf = unsafe { room(buf.cast::<u8>(), cap, "buf") }?;
        // SAFETY: the caller passes a token or NULL.
        let wait = unsafe { wait_of(&queue, timeout_ns, cancel) }?;
        match queue.get_raw(buf, wait)? {
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

/// Finish a task of a joinable queue: settles the oldest message that this process got and has not
/// finished. When all are finished, polyproc_queue_join returns.
///
/// ```text
/// queue  open handle.
///
/// Returns  OK
///          E_OVER_RELEASE  this process has no message to finish.
///          E_TIMEOUT       a peer is stopped inside a call; nothing was finished.
///          E_CORRUPT       the queue is damaged.
///          E_LIMIT         too many processes use it.
///          E_CLOSED        the handle is closed.
///          E_INVALID       not a handle of a queue, or the queue is not joinable.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_queue_task_done(queue: *mut polyproc_queue) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let queue = unsafe { enter(queue) }?;
        queue.task_done()?;
        Ok(Status::OK)
    })
}

/// Wait until every message that was put is finished. The unfinished messages of a consumer that
/// dies are delivered to others, so those messages count until another consumer finishes them.
///
/// ```text
/// queue       open handle.
/// timeout_ns  nanoseconds from now, monotonic; <0 for ever, 0 try once.
/// cancel      NULL, or a token that ends this wait early.
///
/// Returns  OK             nothing is unfinished.
///          E_TIMEOUT, E_CANCELED, E_INTERRUPTED, E_CLOSED  something still is.
///          E_CORRUPT      the queue is damaged.
///          E_LIMIT        too many processes use it.
///          E_INVALID      not a handle of a queue, the queue is not joinable, or not a token.
/// Blocks   yes. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_queue_join(
    queue: *mut polyproc_queue,
    timeout_ns: i64,
    cancel: *mut polyproc_cancel,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let queue = unsafe { enter(queue) }?;
        // SAFETY: the caller passes a token or NULL.
        let cancel = unsafe { token(cancel) }?;
        queue.join_timeout(queue.wait_for(timeout_ns, &cancel))?;
        Ok(Status::OK)
    })
}

/// End the stream, once, for any number of consumers: from now on puts return E_SHUTDOWN, gets
/// return the remaining messages and then E_SHUTDOWN, and waiting calls are woken. A shutdown is
/// permanent, except for a named queue that no process has open any more (see
/// polyproc_queue_create).
///
/// ```text
/// queue      open handle.
/// immediate  0: consumers drain the queue. 1: messages that wait are discarded, and on a
///            joinable queue count as finished; messages in flight are not touched.
///
/// Returns  OK         also when it was shut down before.
///          E_TIMEOUT  a peer is stopped inside a call; nothing has changed.
///          E_CORRUPT  the queue is damaged.
///          E_LIMIT    too many processes use it.
///          E_CLOSED   the handle is closed.
///          E_INVALID  not a handle of a queue, or immediate is neither 0 nor 1.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_queue_shutdown(
    queue: *mut polyproc_queue,
    immediate: i32,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let queue = unsafe { enter(queue) }?;
        queue.shutdown(switch(immediate, "immediate")?)?;
        Ok(Status::OK)
    })
}

/// Report how many messages wait in the queue. The answer can be stale by the time the call
/// returns.
///
/// ```text
/// queue  open handle.
/// out    the number of messages; those in flight are not among them.
///
/// Returns  OK
///          E_TIMEOUT  a peer is stopped inside a call and hides the state of the queue.
///          E_CORRUPT  the queue is damaged.
///          E_LIMIT    too many processes use it.
///          E_CLOSED   the handle is closed.
///          E_INVALID  not a handle of a queue, or out is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_queue_length(queue: *mut polyproc_queue, out: *mut u64) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let queue = unsafe { enter(queue) }?;
        // SAFETY: the caller passes a place for the answer or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        out.write(queue.len()?);
        Ok(Status::OK)
    })
}

/// Report whether no message waits in the queue. The answer can be stale by the time the call
/// returns.
///
/// ```text
/// queue  open handle.
/// out    1 when it is empty, else 0.
///
/// Returns  OK
///          E_TIMEOUT  a peer is stopped inside a call and hides the state of the queue.
///          E_CORRUPT  the queue is damaged.
///          E_LIMIT    too many processes use it.
///          E_CLOSED   the handle is closed.
///          E_INVALID  not a handle of a queue, or out is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_queue_is_empty(queue: *mut polyproc_queue, out: *mut i32) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let queue = unsafe { enter(queue) }?;
        // SAFETY: the caller passes a place for the answer or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        out.write(queue.is_empty()?.into());
        Ok(Status::OK)
    })
}

/// Report whether a put of one byte would have to wait, by max_items or max_bytes. The answer can
/// be stale by the time the call returns. A queue without limits is never full.
///
/// ```text
/// queue  open handle.
/// out    1 when it is full, else 0.
///
/// Returns  OK
///          E_TIMEOUT  a peer is stopped inside a call and hides the state of the queue.
///          E_CORRUPT  the queue is damaged.
///          E_LIMIT    too many processes use it.
///          E_CLOSED   the handle is closed.
///          E_INVALID  not a handle of a queue, or out is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_queue_is_full(queue: *mut polyproc_queue, out: *mut i32) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let queue = unsafe { enter(queue) }?;
        // SAFETY: the caller passes a place for the answer or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        out.write(queue.is_full()?.into());
        Ok(Status::OK)
    })
}
