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
use crate::status::Result;
use crate::sync::owner::Owner;
use crate::sync::spin::Spin;
use crate::sys::clock;
use crate::sys::wake_cost::wake_cost_ns;

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

    /// Wait until `found`, for `expected_ns` and what was earned.
    fn wait(&self, expected_ns: u64, found: impl Fn() -> bool) -> bool {
        let credit = self.credit();
        let limit = u32::try_from(expected_ns + credit).unwrap_or(u32::MAX);
        let begin = clock::now_ns();
        if !self.spin.spin(limit, 1, || u64::from(found())) {
            self.set_credit(0);
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

impl At<'_> {
    /// The ring is full: whether consumers who are at work make room in it for a record of `extent` bytes,
    /// sooner than a further ring would be had. There is nothing to sleep for: it may grow.
    pub(super) fn consumers_make_room(&self, extent: u64) -> bool {
        let chain = self.messages();
        let Position { ring, at } = chain.words.tail.position();
        let size = ring::size(ring);
        let Ok(state) = chain.state(ring) else {
            return false;
        };
        let enough = (at + 2 * extent).saturating_sub(size);
        2 * extent <= size
            && self.spins.pressure.wait(expected_ns(extent), || {
                state.free.load(Ordering::Acquire) >= enough
            })
    }

    /// The ring or the queue is full, and the ring larger than it need be: let quick consumers drain it, and
    /// go back to a small one. Whether they have.
    pub(super) fn let_a_large_ring_drain(&self, extent: u64, me: Owner) -> Result<bool> {
        let chain = self.messages();
        let pressure = &self.spins.pressure;
        if pressure.credit() < WORTH_NS || !chain.is_larger_than_needed()? {
            return Ok(false);
        }
        let end = clock::now_ns() + DRAIN_NS;
        while !chain.is_drained() {
            let seen = chain.words.head.position();
            let goes_on = || chain.words.head.position() != seen || chain.is_drained();
            if clock::now_ns() >= end || !pressure.wait(expected_ns(extent), goes_on) {
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
