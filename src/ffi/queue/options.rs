//! The structs of queues, and how their options are read.

use std::ffi::c_char;

use crate::ffi::abi::constants::POLYPROC_QUEUE_JOINABLE;
use crate::ffi::abi::growing::{self, growing};
use crate::ffi::options::create;
use crate::queue::QueueOptions;
use crate::status::detail::because;
use crate::status::Result;

/// Options of a queue. NULL means the defaults: no limit, not joinable, bytes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct polyproc_queue_options {
    /// `sizeof(polyproc_queue_options)`, as `POLYPROC_QUEUE_OPTIONS_INIT` sets it.
    pub size: usize,
    /// `POLYPROC_OPEN_OR_CREATE`, `POLYPROC_QUEUE_JOINABLE`, or both.
    pub flags: u32,
    /// Permissions of a named object: 0600, or 0600 with more bits for group and others, for
    /// example 0660. 0 means 0600.
    pub mode: u32,
    /// How many messages may wait in the queue; 0: no limit.
    pub max_items: u64,
    /// How many bytes of the queue messages may occupy; 0: as much as shared memory holds. A
    /// message occupies its length plus 16 bytes, rounded up to a multiple of 16.
    pub max_bytes: u64,
    /// Joinable: how often one message may be delivered before it goes to the dead letters, at most
    /// 65,534; 0: no limit. While shared memory has no room for the dead letter, the message is
    /// delivered again: it is never lost.
    pub max_deliveries: u32,
    /// How many nanoseconds a wait spins at most before it sleeps; 0: the environment variable
    /// POLYPROC_SPIN_NS, or without it the measured cost of a wake-up on this machine.
    pub spin_ns: u32,
    /// A label for bindings that says what a message is, at most 31 bytes and a NUL: "" is bytes,
    /// "msgpack" is MessagePack. The library never reads it.
    pub format: [c_char; 32],
}

/// The figures of a queue at one moment, from `polyproc_queue_get_info`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct polyproc_queue_info {
    /// `sizeof(polyproc_queue_info)`, as `POLYPROC_QUEUE_INFO_INIT` sets it.
    pub size: usize,
    /// Messages that wait to be got: the length.
    pub items: u64,
    /// Bytes that these and the messages in flight occupy, payload and headers together.
    pub bytes: u64,
    /// Messages that a process took and has not settled.
    pub in_flight: u64,
    /// Messages that wait or are in flight: what join waits for.
    pub unfinished: u64,
    /// Messages ever put.
    pub puts: u64,
    /// `puts` less the messages that wait: what was got, taken, or discarded by an immediate
    /// shutdown. It falls when a message comes back, and grows when that message is got again.
    pub gets: u64,
    /// How often a message came back, because its consumer died or returned it, to wait again.
    /// Counted when it comes back, not when it is delivered again.
    pub redelivered: u64,
    /// Messages that an immediate shutdown discarded, among them messages that came back after it,
    /// and messages whose producer died before they were put completely.
    pub discarded: u64,
    /// How often a process recovered what a dead process had held.
    pub recoveries: u64,
    /// Messages in the dead letters, see `polyproc_queue_take_dead`.
    pub dead_letters: u64,
    /// The limit that the queue was created with; 0: none.
    pub max_items: u64,
    /// The limit that the queue was created with; 0: none.
    pub max_bytes: u64,
    /// The limit that the queue was created with; 0: none.
    pub max_deliveries: u32,
    /// 0 or `POLYPROC_QUEUE_JOINABLE`.
    pub flags: u32,
    /// Threads of all processes that wait at the queue now.
    pub waiting: u32,
    /// Processes that use the queue now.
    pub participants: u32,
    /// 1 when the queue is shut down, else 0.
    pub shutdown: u32,
    /// How many nanoseconds a wait spins before it sleeps; 0: the default.
    pub spin_ns: u32,
    /// The label that the queue was created with, ended by a NUL.
    pub format: [c_char; 32],
    /// 128 random bits, which were chosen when the queue was created. A queue that is created again
    /// under the same name has different bits, so the bits and a message's id name one message.
    pub identity: [u8; 16],
}

growing! { polyproc_queue_options: 72, polyproc_queue_info: 160 }

/// # Safety
/// As for [`growing::read`].
pub(crate) unsafe fn queue_options(theirs: *const polyproc_queue_options) -> Result<QueueOptions> {
    if theirs.is_null() {
        return Ok(QueueOptions::default());
    }
    // SAFETY: as the caller promises.
    let theirs = unsafe { growing::read(theirs) }?;
    Ok(QueueOptions {
        create: create(theirs.flags, theirs.mode, POLYPROC_QUEUE_JOINABLE)?,
        joinable: theirs.flags & POLYPROC_QUEUE_JOINABLE != 0,
        max_items: theirs.max_items,
        max_bytes: theirs.max_bytes,
        max_deliveries: theirs.max_deliveries,
        spin_ns: theirs.spin_ns,
        format: label(&theirs.format)?,
    })
}

/// A label up to its NUL, which it must have; the bytes after that are ignored.
fn label(text: &[c_char; 32]) -> Result<[u8; 32]> {
    let mut label = [0; 32];
    for (ours, theirs) in label.iter_mut().zip(text) {
        if *theirs == 0 {
            return Ok(label);
        }
        *ours = *theirs as u8;
    }
    Err(because!(
        E_INVALID,
        "options.format has no NUL: a label has at most 31 bytes"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::abi::text::text;
    use crate::status::Status;

    #[test]
    fn a_label_ends() {
        assert_eq!(
            label(&text(b"msgpack")).map(|label| label.starts_with(b"msgpack\0")),
            Ok(true)
        );
        assert_eq!(label(&[b'x' as c_char; 32]), Err(Status::E_INVALID));
    }
}
