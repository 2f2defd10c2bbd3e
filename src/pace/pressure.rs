//! Keeping a queue small: a producer that is ahead of active consumers waits for them a little
//! instead of linking another ring.
//!
//! A short backlog stays in the cores' caches, and fresh memory costs more than a short wait. A
//! producer learns from its waits how long a wait is worthwhile. When consumers make room quickly,
//! they earn *credit*: the producer then waits for them longer, in case they have lost their core
//! for a moment. Slow consumers earn no credit, and the queue grows as soon as its ring is full.
//! A producer that finds room for few records at each look delays its looks, as `delay` says: else
//! it would follow the consumers record by record.

use std::sync::atomic::{AtomicU32, Ordering};

use super::spin::Spin;
use super::switches::{Heuristic, Switches};
use super::wake_cost::wake_cost_ns;
use super::{BYTES_PER_NS, EARNED_NS, MOST_CREDIT_NS};
use crate::sys::clock;

/// The credit of the consumers, as the producers of this process have learned it.
pub(crate) struct Pressure {
    spin: Spin,
    credit_ns: AtomicU32,
    earned_ns: u64,
}

impl Pressure {
    pub(super) const fn new(switches: Switches) -> Pressure {
        Pressure {
            spin: Spin::for_pressure(switches),
            credit_ns: AtomicU32::new(0),
            earned_ns: match switches.has(Heuristic::Credit) {
                true => EARNED_NS,
                false => 0,
            },
        }
    }

    fn credit(&self) -> u64 {
        u64::from(self.credit_ns.load(Ordering::Relaxed))
    }

    fn set_credit(&self, credit_ns: u64) {
        self.credit_ns
            .store(credit_ns.min(MOST_CREDIT_NS) as u32, Ordering::Relaxed);
    }

    /// Wait until `found`, the number of records that have room, is not 0; for `expected_ns` and the
    /// credit, but for at most `most_ns`. A wait that finds less than `enough` lets the next one look
    /// later.
    pub(crate) fn wait(
        &self,
        expected_ns: u64,
        most_ns: u64,
        enough: u64,
        found: impl Fn() -> u64,
    ) -> bool {
        if most_ns < expected_ns {
            return found() > 0;
        }
        let credit = self.credit();
        let wanted = expected_ns + credit;
        let limit = u32::try_from(wanted.min(most_ns)).unwrap_or(u32::MAX);
        let begin = clock::now_ns();
        if !self.spin.spin(limit, enough, found) {
            if most_ns >= wanted {
                self.set_credit(0);
            }
            return false;
        }
        let over = clock::now_ns()
            .saturating_sub(begin)
            .saturating_sub(expected_ns);
        self.set_credit(match over {
            0 => credit + self.earned_ns,
            over => credit.saturating_sub(over),
        });
        self.spin.has_paid(limit);
        true
    }
}

/// How long a put may be delayed in order to keep the ring small.
#[derive(Clone, Copy)]
pub(crate) enum Hurry {
    /// The put only tries: it waits for at most the time that a fast consumer takes for one record.
    Try,
    /// The put waits for at most the rest of its own wait; `None` if that has no end.
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

/// The time that a fast consumer takes for a record of `extent` bytes.
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

    /// A queue without limits ran at a third of the speed of a bounded one: the producer was always
    /// at the full ring, and took each record's room as soon as it was free.
    #[test]
    fn who_finds_little_room_at_a_full_ring_waits_for_more() {
        let pressure = Pressure::new(Switches::ALL_ON);
        let pauses_after = |records| {
            assert!(pressure.wait(1_000, u64::MAX, 16, || records));
            pressure.spin.pauses()
        };
        assert_eq!([1, 1, 1].map(pauses_after), [1, 2, 4]);
        assert_eq!(pauses_after(16), 4);
        assert_eq!(pauses_after(65), 2);
    }

    #[test]
    fn only_a_wait_of_full_length_tells_that_consumers_are_slow() {
        let pressure = Pressure::new(Switches::ALL_ON);
        pressure.set_credit(EARNED_NS);
        assert!(!pressure.wait(1_000, 500, 1, || 0));
        assert!(!pressure.wait(1_000, 1_000, 1, || 0));
        assert_eq!(pressure.credit(), EARNED_NS);
        assert!(!pressure.wait(1_000, u64::MAX, 1, || 0));
        assert_eq!(pressure.credit(), 0);
    }
}
