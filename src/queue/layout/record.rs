//! The layout of a record in a ring: a header of 16 bytes, then the payload.
//!
//! ```text
//!         0  state 4 bits, deliveries 16, leave lines 1, unused 11, owner 30, unused 2
//!         8  length of the payload 32 bits, extent in units of 16 bytes 32
//!        16  payload, up to the next multiple of 16
//! ```
//!
//! ```text
//!          put ------------------------+
//!                                      v
//! reserve: WRITING(owner) --commit--> READY --get-------------> DONE
//!             |  |                     |
//!             |  abort, or owner died  take, get of a joinable queue
//!             |  v                     v
//!             | VOID               TAKEN/GOT(owner) --done--> DONE
//!             v                        |  ^
//!     PASSED(owner) --commit--> RETURNED -+     returned, or owner died
//! ```
//!
//! PASSED is a WRITING record that the consumers have gone past. PAD fills the end of a ring. A get
//! moves the cursor first and stores DONE afterwards, so behind the cursor READY means the same.
//! `leave lines` is set in some READY records, see [`Word::leaving_lines`].

use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::owner::{Owner, OWNER_MASK};
use crate::sync::shared::shared;

/// Records begin and end at multiples of this number of bytes.
pub(crate) const ALIGN: u64 = 16;
/// Size of the header, which precedes the payload.
pub(crate) const HEADER: u64 = 16;
/// The longest payload: its length is stored in 32 bits, and the largest ring must hold it.
pub(crate) const MAX_PAYLOAD: u64 = u32::MAX as u64;

/// Longer messages are copied outside of the lock of their side.
pub(crate) const LARGE: usize = 16 * 1024;

/// The state of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum State {
    /// Reserved; its owner writes the payload.
    Writing = 1,
    /// Reserved, and the consumers have gone past it.
    Passed = 2,
    /// A message. Behind the cursor this state means: consumed.
    Ready = 3,
    /// Lent to its owner by `take`.
    Taken = 4,
    /// Got by its owner from a joinable queue and not settled yet.
    Got = 5,
    /// Available again, behind the cursor.
    Returned = 6,
    /// Finished.
    Done = 7,
    /// Padding at the end of a ring where the next record did not fit.
    Pad = 8,
    /// A reservation that was given up before it became a message.
    Void = 9,
}

impl State {
    fn from_bits(bits: u64) -> Option<State> {
        Some(match bits {
            1 => State::Writing,
            2 => State::Passed,
            3 => State::Ready,
            4 => State::Taken,
            5 => State::Got,
            6 => State::Returned,
            7 => State::Done,
            8 => State::Pad,
            9 => State::Void,
            _ => return None,
        })
    }

    /// For a record behind the cursor: report whether it is consumed or given up.
    pub(crate) fn is_over(self) -> bool {
        matches!(self, State::Ready | State::Done | State::Pad | State::Void)
    }

    /// Report whether the message is in flight.
    pub(crate) fn is_in_flight(self) -> bool {
        matches!(self, State::Taken | State::Got)
    }
}

/// The value of a record's word as it was read once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word(u64);

const DELIVERIES_SHIFT: u32 = 4;
const LEAVE_LINES: u64 = 1 << 20;
const OWNER_SHIFT: u32 = 32;

impl Word {
    pub(crate) fn new(state: State, deliveries: u16, owner: Option<Owner>) -> Word {
        let owner = owner.map_or(0, Owner::bits);
        Word(
            state as u64
                | u64::from(deliveries) << DELIVERIES_SHIFT
                | u64::from(owner) << OWNER_SHIFT,
        )
    }

    /// The state; `None` if no version of this library writes such a word.
    pub(crate) fn state(self) -> Option<State> {
        State::from_bits(self.0 & 0xf)
    }

    /// How often the message was delivered and came back.
    pub(crate) fn deliveries(self) -> u16 {
        (self.0 >> DELIVERIES_SHIFT) as u16
    }

    pub(crate) fn owner(self) -> Option<Owner> {
        Owner::from_bits((self.0 >> OWNER_SHIFT) as u32 & OWNER_MASK)
    }

    /// Report whether the message belongs to `owner`.
    #[inline]
    pub(crate) fn is_of(self, owner: Owner) -> bool {
        self.0 >> OWNER_SHIFT == u64::from(owner.bits())
    }

    /// The same word, which tells a consumer that copies the payload to leave the cache lines
    /// alone: no core has them, and the copies to come go past the caches too.
    pub(crate) fn leaving_lines(self) -> Word {
        Word(self.0 | LEAVE_LINES)
    }

    pub(crate) fn leaves_lines(self) -> bool {
        self.0 & LEAVE_LINES != 0
    }

    /// The same message with another state and owner.
    pub(crate) fn with(self, state: State, owner: Option<Owner>) -> Word {
        Word::new(state, self.deliveries(), owner)
    }
}

shared! {
    /// The header of a record.
    #[repr(align(16))]
    pub(crate) struct Record {
        pub(super) word: AtomicU64,
        pub(super) size: AtomicU64,
    }
}

#[cfg(not(loom))]
const _: () = assert!(size_of::<Record>() as u64 == HEADER);

/// The extent of a record whose payload has `len` bytes.
#[inline]
pub(crate) fn extent_of(len: u64) -> u64 {
    (HEADER + len + ALIGN - 1) & !(ALIGN - 1)
}

impl Record {
    /// Write a header that no other process sees yet: the tail's commit publishes it.
    #[inline]
    pub(crate) fn write(&self, word: Word, len: u64, extent: u64) {
        self.size.store(
            len & u64::from(u32::MAX) | (extent / ALIGN) << 32,
            Ordering::Relaxed,
        );
        self.word.store(word.0, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn word(&self) -> Word {
        Word(self.word.load(Ordering::Acquire))
    }

    /// Store a word. The caller holds the lock of the side to which this state belongs.
    #[inline]
    pub(crate) fn set(&self, word: Word) {
        self.word.store(word.0, Ordering::Release);
    }

    /// Store `next` without a lock, if the word still is `seen`.
    pub(crate) fn change(&self, seen: Word, next: Word) -> bool {
        self.word
            .compare_exchange(seen.0, next.0, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }

    /// Payload length and extent as they are stored. The caller must check them against the ring.
    #[inline]
    pub(crate) fn size(&self) -> (u64, u64) {
        let size = self.size.load(Ordering::Relaxed);
        (size & u64::from(u32::MAX), (size >> 32) * ALIGN)
    }

    /// Store the final length of a reservation, which may be shorter than the reserved length.
    pub(crate) fn shorten(&self, len: u64) {
        let extent = self.size.load(Ordering::Relaxed) >> 32;
        self.size
            .store(len & u64::from(u32::MAX) | extent << 32, Ordering::Relaxed);
    }
}
