//! Delaying a look at words that the other side writes.
//!
//! A producer that finds room for only one message at each look follows the consumers closely; a
//! consumer that finds only one message at each look follows the producers closely. Every look
//! takes a cache line away from the other side and slows both sides. It is better to wait a moment
//! before the look, and then to find several messages.
//!
//! A look cannot tell whether the other side is close or whether there are few messages. So a call
//! that does not wait delays one look in many for trial, and as long as delayed looks find several
//! messages, the next looks are delayed too. The longest delay has to find more than no delay did:
//! where batches are put and taken in turn, each look finds the same, and a delay only loses time.
//! A call that waits has time, and delays the first look of each wait.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use super::switches::{Heuristic, Switches};
use super::{
    ENOUGH, ENOUGH_BYTES, FARTHEST, ITEMS_SINGLE, ITEMS_SLOWEST, PART, SLOW, SLOW_BYTES,
    SPACE_SLOWEST, TRIAL, TRIAL_EVERY,
};

/// Numbers of pauses, and when they change.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Number of pauses of a trial.
    trial: u32,
    /// A look that finds at most this many messages has found few.
    few: u64,
    /// Largest number of pauses after a look that found few, ...
    after_few: u32,
    /// ... and after any other look.
    most: u32,
    /// The other side is slow if it takes more pauses than this for a message; 0: it never is.
    slow: u32,
}

impl Limits {
    pub(super) const NONE: Limits = Limits {
        trial: 0,
        few: 0,
        after_few: 0,
        most: 0,
        slow: 0,
    };

    /// The limits for looks in calls that do not wait.
    pub(super) const fn of_calls(switches: Switches) -> Limits {
        match switches.has(Heuristic::Distance) {
            true => Limits {
                trial: TRIAL,
                few: 2,
                after_few: 0,
                most: FARTHEST,
                slow: SLOW,
            },
            false => Limits::NONE,
        }
    }

    /// The limits for looks of consumers that wait.
    pub(super) const fn of_items(switches: Switches) -> Limits {
        match switches.has(Heuristic::Batch) {
            true => Limits {
                trial: 0,
                few: 1,
                after_few: match switches.has(Heuristic::Single) {
                    true => ITEMS_SINGLE,
                    false => ITEMS_SLOWEST,
                },
                most: ITEMS_SLOWEST,
                slow: 0,
            },
            false => Limits::NONE,
        }
    }

    /// The limits for looks of producers that wait.
    pub(super) const fn of_space(switches: Switches) -> Limits {
        match switches.has(Heuristic::Batch) {
            true => Limits {
                most: SPACE_SLOWEST,
                ..Limits::NONE
            },
            false => Limits::NONE,
        }
    }
}

/// The delay that one process has learned for its looks at one side.
pub(crate) struct Delay {
    pauses: AtomicU32,
    /// Number of looks without a delay that found little.
    little: AtomicU32,
    /// How many bytes the last look before a trial found.
    undelayed: AtomicU64,
    /// Whether the last look found nothing.
    is_dry: AtomicBool,
    limits: Limits,
}

impl Delay {
    pub(super) const fn new(limits: Limits) -> Delay {
        Delay {
            pauses: AtomicU32::new(0),
            little: AtomicU32::new(0),
            undelayed: AtomicU64::new(0),
            is_dry: AtomicBool::new(false),
            limits,
        }
    }

    /// Number of pauses before the next look.
    #[inline]
    pub(super) fn pauses(&self) -> u32 {
        self.pauses.load(Ordering::Relaxed)
    }

    /// Report whether looks are delayed at present.
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.pauses() != 0
    }

    /// Delay before a look. The caller must hold no lock.
    pub(crate) fn pass(&self) {
        pass(self.pauses());
    }

    /// Learn that a look found `bytes` bytes of messages or of room, for records of `extent` bytes.
    #[inline]
    pub(crate) fn learn(&self, bytes: u64, extent: u64, capacity: impl FnOnce() -> u64) {
        let pauses = self.pauses();
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
        self.learn_slowly(pauses, bytes, extent, capacity() / PART);
    }

    #[cold]
    fn learn_slowly(&self, pauses: u32, bytes: u64, extent: u64, part: u64) {
        self.is_dry.store(false, Ordering::Relaxed);
        let enough = (ENOUGH.min(part) * extent).min(ENOUGH_BYTES);
        match pauses {
            0 if self.limits.few * extent < enough => {
                self.pauses.store(self.limits.trial, Ordering::Relaxed);
                self.undelayed.store(bytes, Ordering::Relaxed);
            }
            0 => {}
            _ => self.adapt(pauses, bytes, extent, enough),
        }
    }

    /// Choose the next delay after a look that was delayed by `pauses` and found `amount`, in which
    /// one message counts as `unit`. A look that finds `enough` is worth its cost.
    pub(super) fn adapt(&self, pauses: u32, amount: u64, unit: u64, enough: u64) {
        let longer = (2 * pauses).max(1);
        let is_slow = self.is_slow(pauses, amount, unit);
        let is_longest = is_slow || pauses == self.limits.most;
        let next = if amount <= self.limits.few * unit {
            longer.min(self.limits.after_few)
        } else if is_longest && self.is_in_vain(amount) {
            0
        } else if is_slow {
            pauses / 2
        } else if amount < enough {
            longer.min(self.limits.most)
        } else if amount > 4 * enough {
            pauses / 2
        } else {
            pauses
        };
        if next != pauses {
            self.pauses.store(next, Ordering::Relaxed);
        }
    }

    /// Report whether the other side is so slow that looks hardly hold it up.
    fn is_slow(&self, pauses: u32, amount: u64, unit: u64) -> bool {
        let slow = u64::from(self.limits.slow);
        slow != 0 && amount * (slow + unit / SLOW_BYTES) < u64::from(pauses) * unit
    }

    /// Learn that a look of a call that does not wait found nothing. If the look before found
    /// nothing either, the other side is slow. One such look alone is part of a stream, if its
    /// consumer goes on when there are messages again: then a shorter delay would let it run dry
    /// more often.
    pub(crate) fn saw_nothing(&self) {
        if self.is_dry.swap(true, Ordering::Relaxed) {
            self.shorten(self.pauses());
        }
    }

    /// Report whether a delayed look found about as much as the last one without a delay.
    fn is_in_vain(&self, amount: u64) -> bool {
        let undelayed = self.undelayed.load(Ordering::Relaxed);
        self.limits.trial != 0 && amount <= undelayed.saturating_add(undelayed / 4)
    }

    /// Shorten the delay after a look that found nothing, although a wait goes on.
    pub(super) fn shorten(&self, pauses: u32) {
        if pauses != 0 {
            self.pauses.store(pauses / 2, Ordering::Relaxed);
        }
    }
}

pub(super) fn pass(pauses: u32) {
    for _ in 0..pauses {
        spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distance() -> Delay {
        Delay::new(Limits::of_calls(Switches::ALL_ON))
    }

    fn look(distance: &Delay, messages: u64) -> u32 {
        distance.learn(16 * messages, 16, || 4096);
        distance.pauses()
    }

    #[test]
    fn a_trial_that_finds_one_is_the_last_for_long() {
        let distance = distance();
        let trials = (0..10 * TRIAL_EVERY).filter(|_| look(&distance, 1) != 0);
        assert_eq!(trials.count(), 9);
    }

    #[test]
    fn one_that_finds_several_is_followed_by_slower_ones() {
        let distance = distance();
        while look(&distance, 1) == 0 {}
        for times in [2, 4, 8, 16] {
            assert_eq!(look(&distance, 5 * times), times as u32 * TRIAL);
        }
        assert_eq!(distance.pauses(), FARTHEST);
        assert_eq!(look(&distance, 160), FARTHEST);
        assert_eq!(look(&distance, ENOUGH), FARTHEST);
        assert_eq!(look(&distance, 5 * ENOUGH), FARTHEST / 2);
        assert_eq!(look(&distance, 2), 0);
    }

    /// A producer that put a message each 300 ns after a burst had its messages got 2 us late.
    #[test]
    fn a_slow_other_side_ends_the_delays() {
        let distance = distance();
        while look(&distance, 1) == 0 {}
        while look(&distance, u64::from(distance.pauses() / 4)) != FARTHEST {}
        let per_message = 2 * SLOW;
        let mut delays = 0;
        while distance.is_on() {
            look(&distance, u64::from(distance.pauses() / per_message));
            delays += 1;
        }
        assert!(delays <= FARTHEST.ilog2(), "{delays}");
    }

    /// A process that put and took batches of 32 in turn, or two processes that did so, waited 6 us
    /// for each batch.
    #[test]
    fn batches_that_are_put_and_taken_in_turn_are_not_delayed() {
        for batch in [3, 32, ENOUGH - 1] {
            let distance = distance();
            let pauses = |_| {
                let before = distance.pauses();
                look(&distance, batch);
                before
            };
            let rounds = 16 * TRIAL_EVERY;
            let all: u32 = (0..rounds).map(pauses).sum();
            assert!(all < rounds, "{batch}: {all}");
        }
    }

    /// The copy of a long message takes time, too: far cores need 300 ns for 4 KiB.
    #[test]
    fn the_producer_of_long_messages_is_not_slow() {
        let distance = distance();
        assert!(distance.is_slow(256, 256 / 12 * 64, 64));
        assert!(!distance.is_slow(256, 256 / 12 * 4096, 4096));
    }

    #[test]
    fn who_finds_enough_or_has_a_short_queue_is_not_delayed() {
        let distance = distance();
        for _ in 0..2 * TRIAL_EVERY {
            assert_eq!(look(&distance, ENOUGH), 0);
        }
        for _ in 0..2 * TRIAL_EVERY {
            distance.learn(16, 16, || 2 * PART);
            assert_eq!(distance.pauses(), 0);
        }
    }

    #[test]
    fn a_waiting_consumer_is_delayed_a_little_by_single_messages_and_more_by_several() {
        let items = Delay::new(Limits::of_items(Switches::ALL_ON));
        let found = |amount| {
            items.adapt(items.pauses(), amount, 1, 16);
            items.pauses()
        };
        assert_eq!([1; 4].map(found), [1, 2, ITEMS_SINGLE, ITEMS_SINGLE]);
        for _ in 0..8 {
            found(5);
        }
        assert_eq!(found(16), ITEMS_SLOWEST);
        assert_eq!(found(1), ITEMS_SINGLE);
    }

    #[test]
    fn a_delay_that_is_switched_off_stays_0() {
        let delay = Delay::new(Limits::NONE);
        for _ in 0..2 * TRIAL_EVERY {
            assert_eq!(look(&delay, 1), 0);
        }
        for amount in 1..20 {
            delay.adapt(delay.pauses(), amount, 1, 16);
            assert_eq!(delay.pauses(), 0);
        }
    }
}
