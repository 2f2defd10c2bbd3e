//! The two ends of a chain: where producers append and where consumers are.
//!
//! A side's lock guards it; its `cursor` is the one word whose store commits a step. The totals that
//! belong to the cursor lie twice: the next pair is written where the cursor's parity does not point, and
//! the store of the cursor with the other parity makes both true at once. Killed before that store:
//! nothing has happened. So the totals never disagree with the cursor, and recovery has nothing to mend here.

use super::position::Position;
use crate::sync::atomic::{fence, AtomicU32, AtomicU64, Ordering};
use crate::sync::mutex::RobustMutex;
use crate::sync::shared::shared;

/// What has gone through a side since the queue was made.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Totals {
    /// Records.
    pub(crate) count: u64,
    /// Their extents in bytes, without padding.
    pub(crate) bytes: u64,
    /// Dead letters: which message was moved there last.
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
    /// One side. What only its own users touch and what the other side reads lie on cache lines of their
    /// own, so that who looks across does not take the lock's line away.
    #[repr(align(128))]
    pub(crate) struct Side {
        pub(crate) mutex: RobustMutex,
        /// Head: what was done without its lock, for the next holder to count, see `unlocked`.
        pub(crate) owed: AtomicU32,
        /// What this side last saw of the other: only ever behind the truth, 0 when unknown.
        pub(crate) seen: Seen,
        /// Tail: one more than the place of the last reservation. Head: no reservation is left before this place.
        pub(crate) reservations: AtomicU64,
        _to_the_next_line: [AtomicU64; 11],
        pub(super) cursor: AtomicU64,
        pub(super) totals: [SharedTotals; 2],
    }
}

#[cfg(not(loom))]
const _: () = assert!(std::mem::offset_of!(Side, cursor) == 128);

shared! {
    /// A side's view of the other side, so that it need not touch its cache lines each time.
    pub(crate) struct Seen {
        /// Tail: records that are no longer waiting. Head: the tail's cursor.
        pub(crate) count: AtomicU64,
        /// Tail: bytes of records that are over.
        pub(crate) bytes: AtomicU64,
        /// Tail: how far its ring is free.
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
    /// Where the side is. Acquire, pairs with the Release in `commit`: what lies before it is whole.
    #[inline]
    pub(crate) fn position(&self) -> Position {
        Position::from_bits(self.cursor.load(Ordering::Acquire))
    }

    /// Under the side's lock: all of it.
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

    /// Without the lock: a cursor and totals that belonged together at some moment of this call.
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

    /// Move on, and what is there then. The last store is the one that counts.
    #[inline]
    pub(crate) fn commit(&self, from: &Cursor, to: Position, totals: Totals) -> Cursor {
        let parity = from.parity ^ 1;
        // Pairs with the fence in `snapshot`: who sees any of these totals also sees that the cursor has left
        // the ones that were there.
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
