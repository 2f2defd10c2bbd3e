//! Keeping a queue small: a producer that is ahead of consumers who are at work waits for them a little, rather
//! than take a further ring.
//!
//! A short backlog stays in the cores' caches, and fresh memory costs more than a short wait. How long is
//! worth it is learnt from the waits themselves: consumers who make room quickly earn *credit*, and are
//! waited for longer when the system takes them off their core for a moment. Slow consumers earn none: for them the
//! queue grows as soon as its ring is full.

use super::{BYTES_PER_NS, EARNED_NS, MOST_CREDIT_NS};
use std::sync::atomic::{AtomicU32, Ordering};

use super::spin::Spin;
use super::wake_cost::wake_cost_ns;
use crate::sys::clock;

/// What the producers of this process have learnt about the consumers.
pub(crate) struct Pressure {
    spin: Spin,
    credit_ns: AtomicU32,
}

impl Pressure {
    pub(crate) const fn new() -> Pressure {
        Pressure {
            spin: Spin::new(0, 0),
            credit_ns: AtomicU32::new(0),
        }
    }

    pub(crate) fn credit(&self) -> u64 {
        u64::from(self.credit_ns.load(Ordering::Relaxed))
    }

    pub(crate) fn set_credit(&self, credit_ns: u64) {
        self.credit_ns
            .store(credit_ns.min(MOST_CREDIT_NS) as u32, Ordering::Relaxed);
    }

    /// Wait until `found`, for `expected_ns` and what was earned, but for `most_ns` at most.
    pub(crate) fn wait(&self, expected_ns: u64, most_ns: u64, found: impl Fn() -> bool) -> bool {
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
pub(crate) enum Hurry {
    /// It is a try: a wake-up's time, which a further ring costs as well.
    Try,
    /// Not past the end of its wait, if there is one.
    Until(Option<u64>),
}

impl Hurry {
    pub(crate) fn most_ns(self, expected_ns: u64) -> u64 {
        match self {
            Hurry::Try => expected_ns,
            Hurry::Until(None) => u64::MAX,
            Hurry::Until(Some(end)) => end.saturating_sub(clock::now_ns()),
        }
    }
}

/// How long a quick consumer takes for a record of `extent` bytes.
pub(crate) fn expected_ns(extent: u64) -> u64 {
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
