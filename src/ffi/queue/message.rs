//! `polyproc_queue_*`, advanced: messages in place, without copying.
//!
//! A message or slot that a process borrowed is a loan. `opaque[0]` holds the handle, which the
//! loan keeps alive past its close, and `opaque[1]` the queue's ticket. Settling clears both.

use std::ffi::c_void;
use std::ptr;

use crate::ffi::abi::check::{guard, Out};
use crate::ffi::cancel::polyproc_cancel;
use crate::ffi::handle::{enter, enter_loan, wait_of, Call};
use crate::ffi::queue::polyproc_queue;
use crate::queue::{Loan, Queue, Reservation};
use crate::status::detail::because;
use crate::status::{Result, Status};

/// A message read in place, in shared memory. It is lent until polyproc_message_done or
/// polyproc_message_return; until then `data` stays as it is. When the process dies first, the
/// message goes to another consumer.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct polyproc_message {
    /// The message, to be read only. Aligned to 16 bytes, never NULL.
    pub data: *const c_void,
    /// Its length in bytes.
    pub len: usize,
    /// Its number, unique in this queue; the same when it is delivered again.
    pub id: u64,
    /// How often it has been delivered, this time included: 1 the first time.
    pub deliveries: u32,
    /// Always 0.
    pub reserved: u32,
    /// Belongs to the library.
    pub opaque: [*mut c_void; 2],
}

/// Room for a message in shared memory, to be written in place. It is lent until
/// polyproc_slot_commit or polyproc_slot_abort. When the process dies first, the slot is dropped.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct polyproc_slot {
    /// Where to write. Aligned to 16 bytes, never NULL.
    pub data: *mut c_void,
    /// How many bytes fit: what was asked for.
    pub len: usize,
    /// Belongs to the library.
    pub opaque: [*mut c_void; 2],
}

impl polyproc_message {
    /// The C struct for a loan of the handle that `call` is inside of.
    pub(crate) fn of(call: &Call<'_, Queue>, loan: &Loan) -> polyproc_message {
        polyproc_message {
            data: loan.data.cast(),
            len: loan.len,
            id: loan.id,
            deliveries: loan.deliveries,
            reserved: 0,
            opaque: [
                call.address(),
                ptr::without_provenance_mut(loan.ticket as usize),
            ],
        }
    }
}

impl polyproc_slot {
    fn of(call: &Call<'_, Queue>, reservation: &Reservation) -> polyproc_slot {
        polyproc_slot {
            data: reservation.data.cast(),
            len: reservation.len,
            opaque: [
                call.address(),
                ptr::without_provenance_mut(reservation.ticket as usize),
            ],
        }
    }

    fn reservation(&self) -> Reservation {
        Reservation {
            data: self.data.cast(),
            len: self.len,
            ticket: self.opaque[1].addr() as u64,
        }
    }
}

/// Settle a loan with `ask`. If the queue accepts, leave the handle and clear the ticket, so that a
/// second settle returns `E_INVALID`. If it refuses, the loan stays as it is.
fn settle(
    opaque: &mut [*mut c_void; 2],
    ask: impl FnOnce(&Queue, u64) -> Result<()>,
) -> Result<Status> {
    let [handle, ticket] = *opaque;
    // SAFETY: `handle` is what `lend` gave out, or NULL once it is settled.
    let call = unsafe { enter_loan::<polyproc_queue>(handle) }?;
    let answer = ask(&call, ticket.addr() as u64);
    // A queue that is shut down discards a slot instead of committing it, which settles it too.
    if matches!(answer, Ok(()) | Err(Status::E_SHUTDOWN)) {
        *opaque = [ptr::null_mut(); 2];
    }
    answer.map(|()| Status::OK)
}

/// Settle the messages at the beginning of `messages` that came from the same handle as the first.
/// Return how many were settled, and why the next one was refused, if it was.
pub(crate) fn settle_many(messages: &mut [polyproc_message]) -> (usize, Result<Status>) {
    let Some([handle, _]) = messages.first().map(|message| message.opaque) else {
        return (0, Ok(Status::OK));
    };
    // SAFETY: `handle` is what `of` gave out, or NULL once it is settled.
    let call = match unsafe { enter_loan::<polyproc_queue>(handle) } {
        Ok(call) => call,
        Err(status) => return (0, Err(status)),
    };
    let tickets = messages
        .iter()
        .map(|message| message.opaque)
        .take_while(|[theirs, _]| *theirs == handle)
        .map(|[_, ticket]| ticket.addr() as u64);
    let (settled, answer) = call.done_many_raw(tickets);
    for message in messages.iter_mut().take(settled) {
        message.opaque = [ptr::null_mut(); 2];
    }
    (settled, answer.map(|()| Status::OK))
}

/// <!-- Queue, advanced: read and write messages in place -->
/// Take the first message without copying it, waiting while the queue is empty. It is in flight
/// until it is done or returned.
///
/// ```text
/// queue       open handle.
/// out         the message.
/// timeout_ns  nanoseconds from now, monotonic; <0 for ever, 0 try once.
/// cancel      NULL, or a token that ends this wait early.
///
/// Returns  OK           out is yours until you settle it.
///          E_EMPTY      the timeout passed and there was no message.
///          E_TIMEOUT    the timeout passed, and a peer that is stopped inside a call hides whether
///                       there is a message.
///          E_CANCELED, E_INTERRUPTED, E_CLOSED  nothing was taken.
///          E_SHUTDOWN   the queue is shut down and nothing is left in it.
///          E_CORRUPT    the queue is damaged.
///          E_LIMIT      too many processes use it.
///          E_INVALID    not a handle of a queue, not a token, or out is NULL.
/// Blocks   yes. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_queue_take(
    queue: *mut polyproc_queue,
    out: *mut polyproc_message,
    timeout_ns: i64,
    cancel: *mut polyproc_cancel,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let queue = unsafe { enter(queue) }?;
        // SAFETY: the caller passes a place for the message or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        // SAFETY: the caller passes a token or NULL.
        let wait = unsafe { wait_of(&queue, timeout_ns, cancel) }?;
        queue.take_with(wait, |loan| out.write(polyproc_message::of(&queue, &loan)))?;
        Ok(Status::OK)
    })
}

/// Settle a message: its memory is free for the next one. On a joinable queue this is its
/// task_done. Works after the handle was closed too.
///
/// ```text
/// message  from polyproc_queue_take, _take_many or _take_dead. Its data is invalid afterwards.
///
/// Returns  OK
///          E_TIMEOUT    a peer is stopped inside a call; the message is yours as before. Dead
///                       letters only.
///          E_NOT_OWNER  another process took it (a forked child has no right to its parent's).
///          E_CORRUPT    the queue is damaged.
///          E_INVALID    message is NULL, or settled already.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_message_done(message: *mut polyproc_message) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a message or NULL, and no other thread settles it now.
        let message =
            unsafe { message.as_mut() }.ok_or_else(|| because!(E_INVALID, "message is NULL"))?;
        settle(&mut message.opaque, |queue, ticket| queue.done_raw(ticket))
    })
}

/// Return a message to the queue: it is first in line again, with one delivery more. If it has had
/// max_deliveries and shared memory has room for a dead letter, it goes to the dead letters
/// instead. Works after the handle was closed too.
///
/// ```text
/// message  from polyproc_queue_take or _take_many. Its data is invalid afterwards.
///
/// Returns  OK
///          E_TIMEOUT    a peer is stopped inside a call; the message is yours as before.
///          E_NOT_OWNER  another process took it (a forked child has no right to its parent's).
///          E_CORRUPT    the queue is damaged.
///          E_INVALID    message is NULL, or settled already.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_message_return(message: *mut polyproc_message) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a message or NULL, and no other thread settles it now.
        let message =
            unsafe { message.as_mut() }.ok_or_else(|| because!(E_INVALID, "message is NULL"))?;
        settle(&mut message.opaque, |queue, ticket| {
            queue.give_back_raw(ticket)
        })
    })
}

/// Take a dead letter: a message that was delivered max_deliveries times and never finished.
/// polyproc_message_done removes it, polyproc_message_return keeps it among the dead letters.
///
/// ```text
/// queue  open handle.
/// out    the message.
///
/// Returns  OK         out is yours until you settle it.
///          E_EMPTY    there is no dead letter.
///          E_TIMEOUT  a peer is stopped inside a call and hides the state of the queue.
///          E_CORRUPT  the queue is damaged.
///          E_LIMIT    too many processes use it.
///          E_CLOSED   the handle is closed.
///          E_INVALID  not a handle of a queue, or out is NULL.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_queue_take_dead(
    queue: *mut polyproc_queue,
    out: *mut polyproc_message,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let queue = unsafe { enter(queue) }?;
        // SAFETY: the caller passes a place for the message or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        let loan = queue.take_dead_raw()?;
        out.write(polyproc_message::of(&queue, &loan));
        Ok(Status::OK)
    })
}

/// Reserve room for a message, to write it in place, waiting while the queue is full. The message
/// keeps its place in line from the reservation. A consumer that reaches it before the commit goes
/// past it as soon as another message follows; after the commit it is first in line.
///
/// ```text
/// queue       open handle.
/// len         how many bytes; fewer may be committed.
/// out         the slot.
/// timeout_ns  nanoseconds from now, monotonic; <0 for ever, 0 try once.
/// cancel      NULL, or a token that ends this wait early.
///
/// Returns  OK           out is yours until you settle it.
///          E_FULL       the timeout passed and there was no room.
///          E_TIMEOUT    the timeout passed, and a peer that is stopped inside a call hides whether
///                       there is room.
///          E_CANCELED, E_INTERRUPTED, E_CLOSED  nothing is reserved.
///          E_SHUTDOWN   the queue is shut down.
///          E_TOO_LARGE  it can never fit: longer than max_bytes allows, or than 4 GiB - 1.
///          E_NO_MEMORY  shared memory is exhausted.
///          E_CORRUPT    the queue is damaged.
///          E_LIMIT      too many processes use it.
///          E_INVALID    not a handle of a queue, not a token, or out is NULL.
/// Blocks   yes. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_queue_reserve(
    queue: *mut polyproc_queue,
    len: usize,
    out: *mut polyproc_slot,
    timeout_ns: i64,
    cancel: *mut polyproc_cancel,
) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a handle or NULL.
        let queue = unsafe { enter(queue) }?;
        // SAFETY: the caller passes a place for the slot or NULL.
        let out = unsafe { Out::required(out, "out") }?;
        // SAFETY: the caller passes a token or NULL.
        let wait = unsafe { wait_of(&queue, timeout_ns, cancel) }?;
        queue.reserve_with(len, wait, |reservation| {
            out.write(polyproc_slot::of(&queue, &reservation));
        })?;
        Ok(Status::OK)
    })
}

/// Put the message that was written into a slot. Works after the handle was closed, and after the
/// queue was shut down, unless that was immediate.
///
/// ```text
/// slot  from polyproc_queue_reserve. Its data is invalid afterwards.
/// len   how many bytes of it are the message, at most what was reserved.
///
/// Returns  OK           the message is in the queue.
///          E_TIMEOUT    a peer is stopped inside a call; the slot is yours as before.
///          E_SHUTDOWN   the queue was shut down, immediate: the slot is given up.
///          E_TOO_LARGE  len is over what was reserved: the slot is as it was.
///          E_NOT_OWNER  another process reserved it (a forked child has no right to its parent's).
///          E_CORRUPT    the queue is damaged.
///          E_INVALID    slot is NULL, or settled already.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_slot_commit(slot: *mut polyproc_slot, len: usize) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a slot or NULL, and no other thread settles it now.
        let slot = unsafe { slot.as_mut() }.ok_or_else(|| because!(E_INVALID, "slot is NULL"))?;
        let reservation = slot.reservation();
        settle(&mut slot.opaque, |queue, _| {
            queue.commit_raw(&reservation, len)
        })
    })
}

/// Give a slot back unused. Works after the handle was closed too.
///
/// ```text
/// slot  from polyproc_queue_reserve. Its data is invalid afterwards.
///
/// Returns  OK           no message was put.
///          E_NOT_OWNER  another process reserved it (a forked child has no right to its parent's).
///          E_CORRUPT    the queue is damaged.
///          E_INVALID    slot is NULL or settled already.
/// Blocks   no. Threads: any. Signal-safe: no. Since: 0.1
/// ```
#[no_mangle]
pub unsafe extern "C" fn polyproc_slot_abort(slot: *mut polyproc_slot) -> i32 {
    guard(|| {
        // SAFETY: the caller passes a slot or NULL, and no other thread settles it now.
        let slot = unsafe { slot.as_mut() }.ok_or_else(|| because!(E_INVALID, "slot is NULL"))?;
        let reservation = slot.reservation();
        settle(&mut slot.opaque, |queue, _| queue.abort_raw(&reservation))
    })
}
