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
const PARITY: u64 = 1;

/// A ring and a place, in the form above with parity 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Position {
    bits: u64,
}

impl Position {
    pub(crate) fn new(ring: usize, at: u64) -> Position {
        let units = at >> UNIT_SHIFT & ((1 << PLACE_BITS) - 1);
        Position {
            bits: (ring as u64) << RING_SHIFT | units << 1,
        }
    }

    pub(crate) fn from_bits(bits: u64) -> Position {
        Position {
            bits: bits & !PARITY,
        }
    }

    /// The bits of a position, with parity 0.
    pub(crate) fn bits(self) -> u64 {
        self.bits
    }

    pub(crate) fn ring(self) -> usize {
        (self.bits >> RING_SHIFT) as usize
    }

    /// The place in bytes, a multiple of 16. The offset within the ring is the place modulo the
    /// ring's size.
    pub(crate) fn at(self) -> u64 {
        (self.bits << (u64::BITS - RING_SHIFT)) >> (u64::BITS - RING_SHIFT + 1) << UNIT_SHIFT
    }

    /// The place in bytes, with other bits above 2^61: enough to find it in a ring.
    pub(crate) fn at_and_more(self) -> u64 {
        self.bits << (UNIT_SHIFT - 1)
    }

    /// The number of bytes from here to a later position of the same ring; `None` if `other` is not
    /// later or in another ring.
    #[inline]
    pub(crate) fn bytes_to(self, other: Position) -> Option<u64> {
        if (self.bits ^ other.bits) >> RING_SHIFT != 0 {
            return None;
        }
        match other.bits.checked_sub(self.bits) {
            None | Some(0) => None,
            Some(bits) => Some(bits << (UNIT_SHIFT - 1)),
        }
    }

    pub(crate) fn parts(self) -> (usize, u64) {
        (self.ring(), self.at())
    }

    /// The position that is `extent` bytes, a multiple of 16, further in the same ring.
    pub(crate) fn forward(self, extent: u64) -> Position {
        debug_assert_eq!(extent % (1 << UNIT_SHIFT), 0);
        Position {
            bits: self.bits.wrapping_add(extent >> (UNIT_SHIFT - 1)),
        }
    }

    /// The id of the message, which users see.
    pub(crate) fn id(self) -> u64 {
        self.at() >> UNIT_SHIFT
    }
}

/// Totals of a side since the queue was made.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Totals {
    /// Number of records.
    pub(crate) count: u64,
    /// Sum of their extents in bytes, without padding.
    pub(crate) bytes: u64,
}

impl Totals {
    /// These and one more record of `extent` bytes.
    #[inline]
    fn and_record(self, extent: u64) -> Totals {
        Totals {
            count: self.count.wrapping_add(1),
            bytes: self.bytes.wrapping_add(extent),
        }
    }
}

shared! {
    pub(super) struct SharedTotals {
        count: AtomicU64,
        bytes: AtomicU64,
    }
}

impl SharedTotals {
    fn load(&self) -> Totals {
        Totals {
            count: self.count.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }

    fn store(&self, totals: Totals) {
        self.count.store(totals.count, Ordering::Relaxed);
        self.bytes.store(totals.bytes, Ordering::Relaxed);
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
        /// Tail only: how far records may go without another look.
        pub(crate) limits: SharedLimits,
        /// This side's last look at the other side. It may be older than the truth, never newer;
        /// 0 if unknown.
        pub(crate) seen: Seen,
        _to_the_next_pair_of_lines: [AtomicU64; 9],
        pub(crate) cursor: AtomicU64,
        pub(super) totals: [SharedTotals; 2],
        /// Tail of the dead letters only: identifies the message that was moved there last. Twice,
        /// as the totals.
        pub(super) marks: [AtomicU64; 2],
        /// Tail: one more than the place of the last reservation. Head: no reservation is left
        /// before this place.
        pub(crate) reservations: AtomicU64,
    }
}

#[cfg(not(loom))]
const _: () = {
    // A put reads the lock with the limits, and the cursor with the totals: one line each.
    assert!(std::mem::offset_of!(Side, seen) <= 64);
    assert!(std::mem::offset_of!(Side, cursor) == 128);
    // Consumers read the last reservation while they look for messages. It lies in the line of the
    // cursor, which they read anyway, and not in that of the producers' lock.
    assert!(std::mem::offset_of!(Side, reservations) == 128 + 56);
};

shared! {
    /// How far the tail may go by what it knows of the head, of its ring and of the queue's limits,
    /// so that a put looks at one line only. All are 0 while this is unknown, or while the queue is
    /// shut down. Guarded by the tail lock; a recovery and every step that takes room away forget
    /// them, and so does the next holder if a holder dies.
    pub(crate) struct SharedLimits {
        end: AtomicU64,
        count: AtomicU64,
        largest: AtomicU64,
    }
}

/// How far records may go. Limits of 0 admit no record.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Limits {
    /// The position that they may reach, in the tail's ring and in the ring's present round, as
    /// bits. In one round the total of bytes grows as the position does, so this is the limit of
    /// bytes too.
    pub(crate) end: u64,
    /// The total of records that they may reach, ...
    pub(crate) count: u64,
    /// ... and the largest extent of a record.
    pub(crate) largest: u64,
}

impl Limits {
    /// Report whether a record of `extent` bytes may follow at `position`, after `count` records.
    #[inline]
    fn admit(&self, position: Position, count: u64, extent: u64) -> bool {
        extent <= self.largest
            && position.forward(extent).bits() <= self.end
            && count.wrapping_add(1) <= self.count
    }
}

impl SharedLimits {
    #[inline]
    pub(crate) fn load(&self) -> Limits {
        Limits {
            end: self.end.load(Ordering::Relaxed),
            count: self.count.load(Ordering::Relaxed),
            largest: self.largest.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn store(&self, limits: Limits) {
        self.end.store(limits.end, Ordering::Relaxed);
        self.count.store(limits.count, Ordering::Relaxed);
        self.largest.store(limits.largest, Ordering::Relaxed);
    }
}

shared! {
    /// A side's copy of the other side's progress, so that most calls do not touch the other side's
    /// cache lines.
    pub(crate) struct Seen {
        /// Tail: number of records that no longer wait. Head: the position up to which there are
        /// records, which is the tail's cursor or the end of the head's ring.
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

/// A producer's private copy of the tail. Other processes see no change before the commit.
#[derive(Clone, Copy)]
pub(crate) struct Pen {
    from: Cursor,
    pub(crate) position: Position,
    pub(crate) totals: Totals,
    pub(crate) limits: Limits,
}

impl Pen {
    /// Report whether records were written and not published yet.
    pub(crate) fn is_wet(&self) -> bool {
        self.position != self.from.position
    }

    /// Go past a record of `extent` bytes, and return its position; `None` if that is beyond the
    /// limits.
    #[inline]
    pub(crate) fn step(&mut self, extent: u64) -> Option<Position> {
        let position = self.position;
        if !self.limits.admit(position, self.totals.count, extent) {
            return None;
        }
        self.position = position.forward(extent);
        self.totals = self.totals.and_record(extent);
        Some(position)
    }

    /// How many bytes of records of `extent` bytes the limit of records admits.
    pub(crate) fn bytes_of_items(&self, extent: u64) -> u64 {
        let items = self.limits.count.saturating_sub(self.totals.count);
        items.saturating_mul(extent)
    }
}

impl Side {
    /// Under the tail lock: the position for a record of `extent` bytes, if the limits admit it.
    #[inline]
    pub(crate) fn place_within(&self, extent: u64) -> Option<Position> {
        let bits = self.cursor.load(Ordering::Acquire);
        let position = Position::from_bits(bits);
        let count = self.totals_of(bits).count.load(Ordering::Relaxed);
        let limits = self.limits.load();
        limits.admit(position, count, extent).then_some(position)
    }

    /// Under the side's lock: commit a step over one record of `extent` bytes. Return the position
    /// before it.
    #[inline]
    pub(crate) fn step_over(&self, extent: u64) -> Position {
        let bits = self.cursor.load(Ordering::Acquire);
        let from = Position::from_bits(bits);
        let totals = self.totals_of(bits).load().and_record(extent);
        // As in `commit`. A step leaves the parity bit alone.
        fence(Ordering::Release);
        self.totals_of(bits ^ PARITY).store(totals);
        let to = Position { bits }.forward(extent).bits ^ PARITY;
        self.cursor.store(to, Ordering::Release);
        from
    }

    /// Under the tail lock, before the commit: note that the record at `position` will be a
    /// reservation.
    #[inline]
    pub(crate) fn note_reservation(&self, position: Position) {
        self.reservations
            .store(position.at() + 1, Ordering::Release);
    }

    /// Under the tail lock: a pen at the tail.
    #[inline]
    pub(crate) fn pen(&self) -> Pen {
        let from = self.cursor();
        Pen {
            from,
            position: from.position,
            totals: from.totals,
            limits: self.limits.load(),
        }
    }

    /// Under the tail lock: make everything that the pen has written visible, with one store. If
    /// the process is killed before that store, nothing was written.
    #[inline]
    pub(crate) fn commit_pen(&self, pen: &mut Pen) {
        pen.from = self.commit(&pen.from, pen.position, pen.totals);
    }

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
        let parity = bits & PARITY;
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
        let parity = from.parity ^ PARITY;
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

    /// Under the side's lock: the mark that the last step left.
    pub(crate) fn mark(&self) -> u64 {
        let parity = self.cursor.load(Ordering::Acquire) & PARITY;
        self.mark_of(parity).load(Ordering::Relaxed)
    }

    /// Under the side's lock: let the next commit leave `mark`.
    pub(crate) fn set_next_mark(&self, mark: u64) {
        let next = self.cursor.load(Ordering::Relaxed) & PARITY ^ PARITY;
        self.mark_of(next).store(mark, Ordering::Relaxed);
    }

    fn mark_of(&self, parity: u64) -> &AtomicU64 {
        let [even, odd] = &self.marks;
        match parity {
            0 => even,
            _ => odd,
        }
    }

    #[inline]
    fn totals_of(&self, parity: u64) -> &SharedTotals {
        let [even, _] = &self.totals;
        self.totals.get((parity & PARITY) as usize).unwrap_or(even)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_survives_its_bits() {
        let (ring, at) = (63, (1 << 60) - 32);
        let position = Position::new(ring, at);
        assert_eq!(position.parts(), (ring, at));
        assert_eq!(position.forward(16).parts(), (ring, at + 16));
        assert_eq!(Position::from_bits(position.bits()), position);
        assert_eq!(Position::from_bits(position.bits() | 1), position);
    }
}
