//! Keeping a queue small: a producer that is ahead of consumers who are at work waits for them a little, rather
//! than take a further ring.
//!
//! A short backlog stays in the cores' caches, and fresh memory costs more than a short wait. How long is
//! worth it is learnt from the waits themselves: consumers who make room quickly earn *credit*, and are
//! waited for longer when the system takes them off their core for a moment. Slow consumers earn none: for them the
//! queue grows as soon as its ring is full.

use std::sync::atomic::{AtomicU32, Ordering};

use super::position::Position;
use super::ring;
use super::At;
use crate::pace::spin::Spin;
use crate::pace::wake_cost::wake_cost_ns;
use crate::status::Result;
use crate::sync::owner::Owner;
use crate::sys::clock;

/// A consumer copies a message at this rate at least.
const BYTES_PER_NS: u64 = 8;
/// What a quick consumer earns by making room once.
const EARNED_NS: u64 = 1_000;
/// Nobody is waited for longer because of what was earned.
const MOST_NS: u64 = 2_000_000;
/// So much earned, and it is worth while to let a ring that has grown run empty.
const WORTH_NS: u64 = 100_000;
/// A ring that does not run empty in this time does not do so soon.
const DRAIN_NS: u64 = 10_000_000;

/// What the producers of this process have learnt about the consumers.
pub(super) struct Pressure {
    spin: Spin,
    credit_ns: AtomicU32,
}

impl Pressure {
    pub(super) const fn new() -> Pressure {
        Pressure {
            spin: Spin::new(0, 0),
            credit_ns: AtomicU32::new(0),
        }
    }

    fn credit(&self) -> u64 {
        u64::from(self.credit_ns.load(Ordering::Relaxed))
    }

    fn set_credit(&self, credit_ns: u64) {
        self.credit_ns
            .store(credit_ns.min(MOST_NS) as u32, Ordering::Relaxed);
    }

    /// Wait until `found`, for `expected_ns` and what was earned, but for `most_ns` at most.
    fn wait(&self, expected_ns: u64, most_ns: u64, found: impl Fn() -> bool) -> bool {
        if most_ns < expected_ns {
            return found();
        }
        let credit = self.credit();
        let wanted = expected_ns + credit;
        let limit = u32::try_from(wanted.min(most_ns)).unwrap_or(u32::MAX);
        let begin = clock::now_ns();
        if !self.spin.spin(limit, 1, || u64::from(found())) {
            if most_ns >= wanted {
                self.set_credit(0);
            }
            return false;
        }
        let over = clock::now_ns()
            .saturating_sub(begin)
            .saturating_sub(expected_ns);
        self.set_credit(match over {
            0 => credit + EARNED_NS,
            over => credit.saturating_sub(over),
        });
        self.spin.has_paid(limit);
        true
    }
}

/// How long a put may be held up for the sake of a small ring.
#[derive(Clone, Copy)]
pub(super) enum Hurry {
    /// It is a try: a wake-up's time, which a further ring costs as well.
    Try,
    /// Not past the end of its wait, if there is one.
    Until(Option<u64>),
}

impl Hurry {
    fn most_ns(self, expected_ns: u64) -> u64 {
        match self {
            Hurry::Try => expected_ns,
            Hurry::Until(None) => u64::MAX,
            Hurry::Until(Some(end)) => end.saturating_sub(clock::now_ns()),
        }
    }
}

impl At<'_> {
    /// The ring is full: whether consumers who are at work make room in it for a record of `extent` bytes,
    /// sooner than a further ring would be had. There is nothing to sleep for: it may grow.
    #[cold]
    #[inline(never)]
    pub(super) fn consumers_make_room(&self, extent: u64, hurry: Hurry) -> bool {
        let chain = self.messages();
        let Position { ring, at } = chain.words.tail.position();
        let size = ring::size(ring);
        let Ok(state) = chain.state(ring) else {
            return false;
        };
        // It may not fit into what is left before the ring's end.
        let left = size - (at & (size - 1));
        let padding = if extent > left { left } else { 0 };
        let enough = (at + padding + extent).saturating_sub(size);
        let expected = expected_ns(extent);
        let found = || state.free.load(Ordering::Acquire) >= enough;
        let pressure = &self.spins.pressure;
        2 * extent <= size && pressure.wait(expected, hurry.most_ns(expected), found)
    }

    /// The ring or the queue is full, and the ring larger than it need be: let quick consumers drain it, and
    /// go back to a small one. Whether they have.
    #[cold]
    #[inline(never)]
    pub(super) fn let_a_large_ring_drain(
        &self,
        extent: u64,
        hurry: Hurry,
        me: Owner,
    ) -> Result<bool> {
        let Hurry::Until(deadline) = hurry else {
            return Ok(false);
        };
        let chain = self.messages();
        let pressure = &self.spins.pressure;
        if pressure.credit() < WORTH_NS || !chain.is_larger_than_needed()? {
            return Ok(false);
        }
        let end = clock::now_ns() + DRAIN_NS;
        let end = deadline.map_or(end, |deadline| deadline.min(end));
        let expected = expected_ns(extent);
        while !chain.is_drained() {
            let seen = chain.words.head.position();
            let goes_on = || chain.words.head.position() != seen || chain.is_drained();
            let left = end.saturating_sub(clock::now_ns());
            if left == 0 || !pressure.wait(expected, left, goes_on) {
                pressure.set_credit(0);
                return Ok(false);
            }
        }
        self.shrink(me)?;
        Ok(true)
    }
}

/// How long a quick consumer takes for a record of `extent` bytes.
fn expected_ns(extent: u64) -> u64 {
    u64::from(wake_cost_ns()) + extent / BYTES_PER_NS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_try_waits_as_long_as_expected_and_no_longer() {
        assert_eq!(Hurry::Try.most_ns(1_000), 1_000);
        assert_eq!(Hurry::Until(Some(1)).most_ns(1_000), 0);
    }

    #[test]
    fn only_a_wait_of_full_length_tells_that_consumers_are_slow() {
        let pressure = Pressure::new();
        pressure.set_credit(EARNED_NS);
        assert!(!pressure.wait(1_000, 500, || false));
        assert!(!pressure.wait(1_000, 1_000, || false));
        assert_eq!(pressure.credit(), EARNED_NS);
        assert!(!pressure.wait(1_000, u64::MAX, || false));
        assert_eq!(pressure.credit(), 0);
    }
}
