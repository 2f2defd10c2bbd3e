//! Keeping a distance from the other side.
//!
//! A producer that finds room for one message each time it looks at the consumers is close behind them, and so
//! is a consumer that finds one message each time it looks at the producers. Every look takes a cache line away from the
//! other side, and both are slow. It is better to let a moment pass before the look, and to find several.
//!
//! Whether it is so close, or there simply are no more, cannot be seen. So one look in many is delayed for
//! trial; as long as delayed ones find several, the next are delayed too.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicU32, Ordering};

use super::position::Position;
use super::side::Totals;
use super::At;

/// One look in so many that find little is delayed for trial, ...
const TRIAL_EVERY: u32 = 1024;
/// ... by so many pauses; ...
const TRIAL: u32 = 16;
/// ... and none by more.
const FARTHEST: u32 = 128;
/// So many messages, or room for as many, are worth a look.
const ENOUGH: u64 = 32;
/// As many bytes are: a longer backlog leaves the cache that is nearest to a core.
const ENOUGH_BYTES: u64 = 8 * 1024;
/// No more than this part of a queue: the other side is not to run out of work.
pub(super) const PART: u64 = 8;

/// What one process has learnt about one of the sides.
pub(super) struct Distance {
    pauses: AtomicU32,
    /// Looks that found little.
    little: AtomicU32,
}

impl Distance {
    pub(super) const fn new() -> Distance {
        Distance {
            pauses: AtomicU32::new(0),
            little: AtomicU32::new(0),
        }
    }

    /// Before a look, if there will be one. Not under a lock.
    #[inline]
    fn keep(&self, looks: impl FnOnce() -> bool) {
        let pauses = self.pauses.load(Ordering::Relaxed);
        if pauses != 0 {
            pass(pauses, looks);
        }
    }

    /// A look found `bytes`, of messages or of room, for records of `extent` bytes.
    #[inline]
    fn learn(&self, bytes: u64, extent: u64, capacity: impl FnOnce() -> u64) {
        let pauses = self.pauses.load(Ordering::Relaxed);
        if pauses == 0 {
            if bytes >= (ENOUGH * extent).min(ENOUGH_BYTES) {
                return;
            }
            let little = self.little.load(Ordering::Relaxed).wrapping_add(1);
            self.little.store(little, Ordering::Relaxed);
            if !little.is_multiple_of(TRIAL_EVERY) {
                return;
            }
        }
        self.adapt(pauses, bytes, extent, capacity() / PART);
    }

    #[cold]
    fn adapt(&self, pauses: u32, bytes: u64, extent: u64, part: u64) {
        let enough = (ENOUGH.min(part) * extent).min(ENOUGH_BYTES);
        let next = match pauses {
            0 if 2 * extent < enough => TRIAL,
            0 => 0,
            _ if bytes <= 2 * extent => 0,
            _ if bytes < enough => (2 * pauses).min(FARTHEST),
            _ if bytes > 4 * enough => pauses / 2,
            _ => pauses,
        };
        self.pauses.store(next, Ordering::Relaxed);
    }
}

impl At<'_> {
    /// Before a put of a record of `extent` bytes.
    #[inline]
    pub(super) fn keep_distance_from_consumers(&self, extent: u64) {
        let tail = &self.body.messages.tail;
        self.spins.from_consumers.keep(|| {
            let seen = &tail.seen;
            let count = seen.count.load(Ordering::Relaxed);
            let bytes = seen.bytes.load(Ordering::Relaxed);
            self.body.room(&tail.cursor().totals, extent, count, bytes) == 0
        });
    }

    /// A producer has looked at the head, and has room for so many bytes.
    #[inline]
    pub(super) fn saw_room(&self, bytes: u64, extent: u64) {
        let capacity = || self.capacity(extent);
        self.spins.from_consumers.learn(bytes, extent, capacity);
    }

    /// Before a get.
    #[inline]
    pub(super) fn keep_distance_from_producers(&self) {
        let head = &self.body.messages.head;
        self.spins.from_producers.keep(|| {
            let tail = Position::from_bits(head.seen.count.load(Ordering::Relaxed));
            let at = head.position();
            tail.ring != at.ring || tail.at <= at.at
        });
    }

    /// A consumer has looked at the tail, and there are so many bytes of messages.
    #[inline]
    pub(super) fn saw_messages(&self, bytes: u64, extent: u64) {
        let capacity = || self.capacity(extent);
        self.spins.from_producers.learn(bytes, extent, capacity);
    }

    /// How many records of `extent` bytes the queue may hold.
    pub(super) fn capacity(&self, extent: u64) -> u64 {
        self.body.room(&Totals::default(), extent, 0, 0)
    }
}

#[cold]
fn pass(pauses: u32, looks: impl FnOnce() -> bool) {
    if looks() {
        for _ in 0..pauses {
            spin_loop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(distance: &Distance, messages: u64) -> u32 {
        distance.learn(16 * messages, 16, || 1024);
        distance.pauses.load(Ordering::Relaxed)
    }

    #[test]
    fn a_trial_that_finds_one_is_the_last_for_long() {
        let distance = Distance::new();
        let trials = (0..10 * TRIAL_EVERY).filter(|_| look(&distance, 1) != 0);
        assert_eq!(trials.count(), 9);
    }

    #[test]
    fn one_that_finds_several_is_followed_by_slower_ones() {
        let distance = Distance::new();
        while look(&distance, 1) == 0 {}
        for expected in [2 * TRIAL, 4 * TRIAL, FARTHEST, FARTHEST] {
            assert_eq!(look(&distance, 5), expected);
        }
        assert_eq!(look(&distance, ENOUGH), FARTHEST);
        assert_eq!(look(&distance, 5 * ENOUGH), FARTHEST / 2);
        assert_eq!(look(&distance, 2), 0);
    }

    #[test]
    fn who_finds_enough_or_has_a_short_queue_is_not_delayed() {
        let distance = Distance::new();
        for _ in 0..2 * TRIAL_EVERY {
            assert_eq!(look(&distance, ENOUGH), 0);
        }
        for _ in 0..2 * TRIAL_EVERY {
            distance.learn(16, 16, || 2 * PART);
            assert_eq!(distance.pauses.load(Ordering::Relaxed), 0);
        }
    }
}
