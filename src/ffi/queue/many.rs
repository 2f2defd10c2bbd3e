//! `polyproc_queue_*`, advanced: several messages in one call, the figures, the descriptor.

use std::ffi::{c_int, c_void};

use crate::ffi::abi::check::{array, array_mut, bytes, guard, room, Out};
use crate::ffi::abi::constants::POLYPROC_QUEUE_JOINABLE;
use crate::ffi::abi::growing::SizedOut;
use crate::ffi::abi::text::text;
use crate::ffi::cancel::polyproc_cancel;
use crate::ffi::handle::{enter, wait_of};
use crate::ffi::queue::message::{polyproc_message, settle_many};
use crate::ffi::queue::options::polyproc_queue_info;
use crate::ffi::queue::polyproc_queue;
use crate::queue::Loan;
use crate::status::detail::because;
use crate::status::Status;

/// Bytes of the caller, for polyproc_queue_put_many.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct polyproc_slice {
    /// The bytes; NULL when `len` is 0.
    pub data: *const c_void,
    /// How many.
    pub len: usize,
}

/// <!-- Queue, advanced: many messages in one call, figures, a descriptor -->
/// Put several messages, in order, with less work for each. Messages of other producers may come
/// between them. Waits while the queue is full.
///
/// ```text
/// queue       open handle.
/// items       the messages; NULL when n is 0.
/// n           how many.
/// out_put     how many of them are in the queue, counted from the first.
/// timeout_ns  nanoseconds from now for all of them, monotonic; <0 for ever, 0 try once.
/// cancel      NULL, or a token that ends this wait early.
///
/// Returns  OK           *out_put messages are in the queue: all of them, or only the first ones if
///                       the wait ended early. In that case the next call returns the reason.
///          E_FULL       the timeout passed and there was no room for the first.
///          E_TIMEOUT    the timeout passed, and a peer that is stopped inside a call hides whether
///                       there is room.
///          E_CANCELED, E_INTERRUPTED, E_CLOSED  none was put.
///          E_SHUTDOWN   the queue is shut down.
///          E_TOO_LARGE  one of them can never fit: none was put.
///          E_NO_MEMORY  shared memory is exhausted.
///          E_CORRUPT    the queue is damaged.
///          E_LIMIT      too many processes use it.
///          E_INVALID    not a handle of a queue, not a token, out_put is NULL, items is NULL and n
///                       is not 0, or in one of them data is NULL and len is not 0.
/// Blocks   yes. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_queue_put_many(
    queue: *mut polyproc_queue,
    items: *const polyproc_slice,
    n: usize,
    out_put: *mut usize,
    timeout_ns: i64,
    cancel: *mut polyproc_cancel,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let queue = unsafe { enter(queue) }?;
        // SAFETY: the caller passes a place for the count or NULL.
        let out_put = unsafe { Out::required(out_put, "out_put") }?;
        // SAFETY: the caller lends `n` items for the time of the call.
        let items = unsafe { array(items, n, "items") }?;
        // SAFETY: the caller lends the bytes of every item too.
        let message = |item: &polyproc_slice| unsafe { bytes(item.data, item.len, "an item") };
        for item in items {
            message(item)?;
        }
        let message_at = |at| {
            items
                .get(at)
                .and_then(|item| message(item).ok())
                .unwrap_or_default()
        };
        // SAFETY: the caller passes a token or NULL.
        let wait = unsafe { wait_of(&queue, timeout_ns, cancel) }?;
        let put = queue.put_many_raw(n, &message_at, wait)?;
        out_put.write(put);
        Ok(Status::OK)
    })
}

/// Take several messages without copying them: wait for the first, and take the others that are
/// there. Each is a loan of its own, to be settled like one from polyproc_queue_take.
///
/// ```text
/// queue       open handle.
/// out         room for max messages.
/// max         how many at most, 1 or more.
/// out_taken   how many there are in out.
/// timeout_ns  nanoseconds from now, monotonic; <0 for ever, 0 try once.
/// cancel      NULL, or a token that ends this wait early.
///
/// Returns  OK           *out_taken messages, at least one, are yours until you settle them.
///          E_EMPTY      the timeout passed and there was no message.
///          E_TIMEOUT    the timeout passed, and a peer that is stopped inside a call hides whether
///                       there is a message.
///          E_CANCELED, E_INTERRUPTED, E_CLOSED  nothing was taken.
///          E_SHUTDOWN   the queue is shut down and nothing is left in it.
///          E_CORRUPT    the queue is damaged.
///          E_LIMIT      too many processes use it.
///          E_INVALID    not a handle of a queue, not a token, out or out_taken is NULL, or max is 0.
/// Blocks   yes. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_queue_take_many(
    queue: *mut polyproc_queue,
    out: *mut polyproc_message,
    max: usize,
    out_taken: *mut usize,
    timeout_ns: i64,
    cancel: *mut polyproc_cancel,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let queue = unsafe { enter(queue) }?;
        // SAFETY: the caller passes a place for the count or NULL.
        let out_taken = unsafe { Out::required(out_taken, "out_taken") }?;
        // SAFETY: the caller lends room for `max` messages for the time of the call.
        let places = unsafe { room(out, max, "out") }?;
        if max == 0 {
            return Err(because!(E_INVALID, "max is 0"));
        }
        let mut each = |at: usize, loan: Loan| {
            if let Some(place) = places.get_mut(at) {
                place.write(polyproc_message::of(&queue, &loan));
            }
        };
        // SAFETY: the caller passes a token or NULL.
        let wait = unsafe { wait_of(&queue, timeout_ns, cancel) }?;
        let taken = queue.take_many_raw(max, &mut each, wait)?;
        out_taken.write(taken);
        Ok(Status::OK)
    })
}

/// Settle several messages, in order: as polyproc_message_done for each, with less work.
/// The messages may come from several queues.
///
/// ```text
/// messages  from polyproc_queue_take, _take_many or _take_dead; NULL when n is 0. The data of those
///           that are settled is invalid afterwards.
/// n         how many.
/// out_done  how many of them are settled, counted from the first; written after a failure too.
///           NULL if the caller does not need the number.
///
/// Returns  OK           all are settled.
///          E_TIMEOUT    a peer is stopped inside a call; the next message stays yours. Dead
///                       letters only.
///          E_NOT_OWNER  another process took the next message.
///          E_CORRUPT    the queue is damaged.
///          E_INVALID    messages is NULL and n is not 0, or the next message is settled already.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_message_done_many(
    messages: *mut polyproc_message,
    n: usize,
    out_done: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a place for the count or NULL.
        let out_done = unsafe { Out::required(out_done, "out_done") }.ok();
        // SAFETY: the caller passes `n` messages, and no other thread settles them now.
        let messages = unsafe { array_mut(messages, n, "messages") }?;
        let (mut done, mut answer) = (0, Ok(Status::OK));
        while let (true, Some(rest)) = (answer.is_ok() && done < n, messages.get_mut(done..)) {
            let settled;
            (settled, answer) = settle_many(rest);
            done += settled;
        }
        if let Some(out_done) = out_done {
            out_done.write(done);
        }
        answer
    })
}

/// The figures of the queue at one moment, for people and tools.
///
/// ```text
/// queue  open handle.
/// out    set its size first, as POLYPROC_QUEUE_INFO_INIT does.
///
/// Returns  OK
///          E_TIMEOUT  a peer is stopped inside a call and hides the state of the queue.
///          E_CORRUPT  the queue is damaged.
///          E_LIMIT    too many processes use it.
///          E_CLOSED   the handle is closed.
///          E_INVALID  not a handle of a queue, out is NULL or its size is not set.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_queue_get_info(
    queue: *mut polyproc_queue,
    out: *mut polyproc_queue_info,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let queue = unsafe { enter(queue) }?;
        // SAFETY: the caller passes a struct whose size is set, or NULL.
        let out = unsafe { SizedOut::required(out) }?;
        let info = queue.info()?;
        let options = queue.options()?;
        out.write(&polyproc_queue_info {
            size: size_of::<polyproc_queue_info>(),
            items: info.items,
            bytes: info.bytes,
            in_flight: info.in_flight,
            unfinished: info.unfinished,
            puts: info.puts,
            gets: info.gets,
            redelivered: info.redelivered,
            discarded: info.discarded,
            recoveries: info.recoveries,
            dead_letters: info.dead_letters,
            max_items: options.max_items,
            max_bytes: options.max_bytes,
            max_deliveries: options.max_deliveries,
            flags: if options.joinable {
                POLYPROC_QUEUE_JOINABLE
            } else {
                0
            },
            waiting: info.waiting,
            participants: info.participants,
            shutdown: info.shutdown.into(),
            spin_ns: options.spin_ns,
            format: text(&options.format),
            identity: info.identity,
        });
        Ok(Status::OK)
    })
}

/// A descriptor for poll, epoll, libuv, asyncio and the like: readable while a get would not wait,
/// because there is a message, or because the queue is shut down and drained. From the first call
/// on, a thread of this process keeps such descriptors up to date. They follow a change with a
/// short delay, so try the operation without waiting, and poll again if it would wait.
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
pub unsafe extern "C" fn polyproc_queue_fd(queue: *mut polyproc_queue, out_fd: *mut c_int) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let queue = unsafe { enter(queue) }?;
        // SAFETY: the caller passes a place for the answer or NULL.
        let out_fd = unsafe { Out::required(out_fd, "out_fd") }?;
        out_fd.write(queue.fd()?);
        Ok(Status::OK)
    })
}
