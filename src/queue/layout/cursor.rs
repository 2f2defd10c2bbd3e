//! The two ends of a chain: producers append at the tail, consumers read at the head.
//!
//! A side's lock guards it; its `cursor` is the one word whose store commits a step. The totals
//! that belong to the cursor exist twice. The next pair is written to the copy to which the
//! cursor's parity bit does not point, and the store of the cursor with the other parity makes
//! cursor and totals valid at once. If the process is killed before that store, nothing has
//! happened. So the totals never disagree with the cursor, and recovery has nothing to repair here.
//!
//! A record's position is its ring, and its place in the one sequence of all records of a chain:
//!
//! ```text
//! ring 6 | place in units of 16 bytes 57 | parity 1
//! ```
//!
//! Places only grow, across all rings. So they order the records and identify them: a message's id
//! is its place. At 10 GB/s they last for seven years. The parity bit belongs to the cursor of a
//! side.

use crate::sync::atomic::{fence, AtomicU32, AtomicU64, Ordering};
use crate::sync::mutex::RobustMutex;
use crate::sync::shared::shared;

/// Bits of the place. The parity bit lies below them.
const PLACE_BITS: u32 = 57;
const RING_SHIFT: u32 = PLACE_BITS + 1;
const UNIT_SHIFT: u32 = 4;

/// A ring and a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Position {
    pub(crate) ring: usize,
    /// The place in bytes, a multiple of 16. The offset within the ring is the place modulo the
    /// ring's size.
    pub(crate) at: u64,
}

impl Position {
    pub(crate) fn from_bits(bits: u64) -> Position {
        let units = bits >> 1 & ((1 << PLACE_BITS) - 1);
        Position {
            ring: (bits >> RING_SHIFT) as usize,
            at: units << UNIT_SHIFT,
        }
    }

    /// The bits of a position, with parity 0.
    pub(crate) fn bits(self) -> u64 {
        (self.ring as u64) << RING_SHIFT | (self.at >> UNIT_SHIFT & ((1 << PLACE_BITS) - 1)) << 1
    }

    /// The id of the message, which users see.
    pub(crate) fn id(self) -> u64 {
        self.at >> UNIT_SHIFT
    }
}

/// Totals of a side since the queue was made.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Totals {
    /// Number of records.
    pub(crate) count: u64,
    /// Sum of their extents in bytes, without padding.
    pub(crate) bytes: u64,
    /// Dead letters only: identifies the message that was moved there last.
    pub(crate) mark: u64,
}

shared! {
    pub(super) struct SharedTotals {
        count: AtomicU64,
        bytes: AtomicU64,
        mark: AtomicU64,
    }
}

impl SharedTotals {
    fn load(&self) -> Totals {
        Totals {
            count: self.count.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            mark: self.mark.load(Ordering::Relaxed),
        }
    }

    fn store(&self, totals: Totals) {
        self.count.store(totals.count, Ordering::Relaxed);
        self.bytes.store(totals.bytes, Ordering::Relaxed);
        self.mark.store(totals.mark, Ordering::Relaxed);
    }
}

shared! {
    /// One side of a chain. The words that only this side's users write and the words that the
    /// other side reads lie on separate cache lines, so that a look at the other side does not take
    /// the line of its lock away.
    #[repr(align(128))]
    pub(crate) struct Side {
        pub(crate) mutex: RobustMutex,
        /// Head only: what was settled without the lock, for the next holder to count; see
        /// `unlocked`.
        pub(crate) owed: AtomicU32,
        /// This side's last look at the other side. It may be older than the truth, never newer;
        /// 0 if unknown.
        pub(crate) seen: Seen,
        /// Tail: one more than the place of the last reservation. Head: no reservation is left
        /// before this place.
        pub(crate) reservations: AtomicU64,
        _to_the_next_line: [AtomicU64; 11],
        pub(crate) cursor: AtomicU64,
        pub(super) totals: [SharedTotals; 2],
    }
}

#[cfg(not(loom))]
const _: () = assert!(std::mem::offset_of!(Side, cursor) == 128);

shared! {
    /// A side's copy of the other side's progress, so that most calls do not touch the other side's
    /// cache lines.
    pub(crate) struct Seen {
        /// Tail: number of records that no longer wait. Head: the tail's cursor.
        pub(crate) count: AtomicU64,
        /// Tail: bytes of records that are over.
        pub(crate) bytes: AtomicU64,
        /// Tail: the place before which its ring is free.
        pub(crate) free: AtomicU64,
    }
}

/// A cursor with the totals that belong to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Cursor {
    pub(crate) position: Position,
    pub(crate) totals: Totals,
    parity: u64,
}

impl Side {
    /// The side's position. Acquire, pairs with the Release in `commit`: the records before it are
    /// complete.
    #[inline]
    pub(crate) fn position(&self) -> Position {
        Position::from_bits(self.cursor.load(Ordering::Acquire))
    }

    /// Under the side's lock: the cursor and its totals.
    #[inline]
    pub(crate) fn cursor(&self) -> Cursor {
        let bits = self.cursor.load(Ordering::Acquire);
        self.cursor_of(bits)
    }

    #[inline]
    fn cursor_of(&self, bits: u64) -> Cursor {
        let parity = bits & 1;
        Cursor {
            position: Position::from_bits(bits),
            totals: self.totals_of(parity).load(),
            parity,
        }
    }

    /// Without the lock: a cursor and totals that belonged together at some moment during this
    /// call.
    pub(crate) fn snapshot(&self) -> Cursor {
        loop {
            let bits = self.cursor.load(Ordering::Acquire);
            let cursor = self.cursor_of(bits);
            fence(Ordering::Acquire);
            if self.cursor.load(Ordering::Relaxed) == bits {
                return cursor;
            }
        }
    }

    /// Commit a step and return the new cursor. The last store makes the step valid.
    #[inline]
    pub(crate) fn commit(&self, from: &Cursor, to: Position, totals: Totals) -> Cursor {
        let parity = from.parity ^ 1;
        // Pairs with the fence in `snapshot`: a reader that sees any of these totals also sees that
        // the cursor has left the totals that were there before.
        fence(Ordering::Release);
        self.totals_of(parity).store(totals);
        self.cursor.store(to.bits() | parity, Ordering::Release);
        Cursor {
            position: to,
            totals,
            parity,
        }
    }

    #[inline]
    fn totals_of(&self, parity: u64) -> &SharedTotals {
        let [even, odd] = &self.totals;
        match parity & 1 {
            0 => even,
            _ => odd,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_survives_its_bits() {
        let position = Position {
            ring: 63,
            at: (1 << 60) - 16,
        };
        assert_eq!(Position::from_bits(position.bits()), position);
        assert_eq!(Position::from_bits(position.bits() | 1), position);
    }
}
