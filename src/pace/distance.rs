//! Keeping a distance from the other side.
//!
//! A producer that finds room for one message each time it looks at the consumers is close behind
//! them. A consumer that finds one message each time it looks at the producers is close behind
//! those. Every look takes a cache line away from the other side, and both sides are slow. It is
//! better to wait a moment before the look and to find several messages.
//!
//! A look cannot tell a close distance from a lack of messages. So one look in many is delayed for
//! trial; as long as delayed looks find several messages, the next looks are delayed too.

use super::{ENOUGH, ENOUGH_BYTES, FARTHEST, PART, TRIAL, TRIAL_EVERY};
use std::hint::spin_loop;
use std::sync::atomic::{AtomicU32, Ordering};

/// What one process has learned about one of the sides.
pub(crate) struct Distance {
    pauses: AtomicU32,
    /// Number of looks that found little.
    little: AtomicU32,
}

impl Distance {
    pub(crate) const fn new() -> Distance {
        Distance {
            pauses: AtomicU32::new(0),
            little: AtomicU32::new(0),
        }
    }

    /// Delay before a look, if `looks` says that there will be one. The caller must hold no lock.
    #[inline]
    pub(crate) fn keep(&self, looks: impl FnOnce() -> bool) {
        let pauses = self.pauses.load(Ordering::Relaxed);
        if pauses != 0 {
            pass(pauses, looks);
        }
    }

    /// Learn that a look found `bytes` bytes of messages or of room, for records of `extent` bytes.
    #[inline]
    pub(crate) fn learn(&self, bytes: u64, extent: u64, capacity: impl FnOnce() -> u64) {
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
