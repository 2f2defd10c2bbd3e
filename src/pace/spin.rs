//! Spinning before a sleep: for about as long as a wake-up costs, and only while that pays.
//!
//! A sleep costs the price of a wake-up, so a wait that ends sooner is cheaper as a spin. A spin
//! is:
//!
//! - **Paced.** A look at a word that the other side writes takes its cache line away. If a
//!   consumer chases a producer message by message, each message pays for that. So a waiter that
//!   keeps finding single messages at its first look lets a few pauses pass before it looks, and
//!   then finds a batch.
//! - **Giving way.** After the first moments a spin gives its core to any other thread that can
//!   run: with more processes than cores, the peer may be among them. If the core comes back only
//!   after a whole slice of the scheduler's, spins keep their core for a while. In that case other
//!   threads run that never give way, and against those a sleeper is woken sooner than a spinner
//!   gets its turn.
//! - **Learning.** A spin that ended in a sleep was in vain: the next one is a little shorter. A
//!   spin that would have paid makes the next one twice as long: two peers that both sleep for each
//!   other's messages must find that out.
//!
//! The state belongs to one handle of one process. If several threads use it at once, only its
//! accuracy suffers.

use super::{
    ALONE_NS, HOGGED_NS, LEAST_SPIN, SHORT_SLEEP, SPIN_LOOKS, SPIN_PAUSE_NS, TURN_NS, WARY_WAITS,
};
use std::hint::spin_loop;
use std::sync::atomic::{AtomicU32, Ordering};

use super::wake_cost::wake_cost_ns;
use crate::sys::{clock, thread};

/// What one kind of waits of a handle has learned.
pub(crate) struct Spin {
    /// How long a spin may last; 0 means as long as the limit.
    budget_ns: AtomicU32,
    /// Number of pauses before the first look.
    pace: AtomicU32,
    /// Number of further waits that keep their core.
    wary: AtomicU32,
    /// Upper limit of `pace`.
    slowest: u32,
    /// Upper limit of `pace` while the looks find one message at a time.
    single: u32,
}

/// The limit that a caller gave, or else the cost of a wake-up.
fn limit_of(limit_ns: u32) -> u32 {
    match limit_ns {
        0 => wake_cost_ns(),
        limit_ns => limit_ns,
    }
}

impl Spin {
    /// `slowest` is the largest number of pauses before the first look of a wait. `single` is the
    /// largest number while such a look finds one message at a time.
    pub(crate) const fn new(slowest: u32, single: u32) -> Spin {
        Spin {
            slowest,
            single,
            budget_ns: AtomicU32::new(0),
            pace: AtomicU32::new(0),
            wary: AtomicU32::new(0),
        }
    }

    /// Spin until `found` returns how much was found (0: go on), for at most `limit_ns` (0: the
    /// cost of a wake-up). Return whether something was found.
    ///
    /// A look that finds `enough` has cost little per message, so the pace stays as it is.
    pub(crate) fn spin(&self, limit_ns: u32, enough: u64, found: impl Fn() -> u64) -> bool {
        // A caller that asks for a short spin gets one, however slow the pace has become.
        let pace = self.pace.load(Ordering::Relaxed);
        let pace = pace.min(limit_of(limit_ns) / SPIN_PAUSE_NS);
        for _ in 0..pace {
            spin_loop();
        }
        let first = found();
        if first > 0 {
            self.adapt(pace, first, enough);
            return true;
        }
        if pace > 0 {
            self.pace.store(pace / 2, Ordering::Relaxed);
        }
        self.go_on(limit_ns, found)
    }

    /// Adapt the pace after a first look that found `amount`.
    fn adapt(&self, pace: u32, amount: u64, enough: u64) {
        let next = if amount > 4 * enough {
            pace / 2
        } else if amount >= enough {
            pace
        } else if amount > 1 || pace < self.single {
            (2 * pace + 1).min(self.slowest)
        } else {
            (pace / 2).max(self.single)
        };
        if next != pace {
            self.pace.store(next, Ordering::Relaxed);
        }
    }

    fn go_on(&self, limit_ns: u32, found: impl Fn() -> u64) -> bool {
        let limit = limit_of(limit_ns);
        let budget = match self.budget_ns.load(Ordering::Relaxed) {
            0 => limit,
            learnt => learnt.min(limit),
        };
        let wary = self.wary.load(Ordering::Relaxed);
        if wary > 0 {
            self.wary.store(wary - 1, Ordering::Relaxed);
        }
        let begin = clock::now_ns();
        let (mut last, mut spent) = (begin, 0);
        while spent < u64::from(budget) {
            for _ in 0..SPIN_LOOKS {
                spin_loop();
                if found() > 0 {
                    return true;
                }
            }
            let gives_way = wary == 0 && spent >= ALONE_NS;
            if gives_way {
                thread::give_way();
            }
            let now = clock::now_ns();
            let step = now.saturating_sub(last);
            spent += if gives_way { step.min(TURN_NS) } else { step };
            last = now;
            if gives_way && step >= HOGGED_NS {
                self.wary.store(WARY_WAITS, Ordering::Relaxed);
                return found() > 0;
            }
        }
        let less = (budget - budget / 8).max(limit / LEAST_SPIN);
        self.budget_ns.store(less, Ordering::Relaxed);
        false
    }

    /// Learn that the sleep after a spin lasted `slept_ns`.
    pub(crate) fn slept(&self, limit_ns: u32, slept_ns: u64) {
        if slept_ns < SHORT_SLEEP * u64::from(limit_of(limit_ns)) {
            self.has_paid(limit_ns);
        }
    }

    /// Allow a longer spin the next time.
    pub(crate) fn has_paid(&self, limit_ns: u32) {
        let budget = self.budget_ns.load(Ordering::Relaxed);
        if budget != 0 {
            let more = budget.saturating_mul(2).min(limit_of(limit_ns));
            self.budget_ns.store(more, Ordering::Relaxed);
        }
    }
}
