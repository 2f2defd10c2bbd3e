//! Spinning before a sleep: for about as long as a wake-up costs, and only while that pays.
//!
//! A sleep costs the price of a wake-up, so a wait that ends sooner is cheaper as a spin. A spin
//! is:
//!
//! - **Delayed**, as in `delay`: a waiter that keeps finding single messages at its first look lets
//!   a few pauses pass before it looks, and then finds a batch.
//! - **Giving way.** After the first moments a spin gives its core to any other thread that can
//!   run: with more processes than cores, the peer may be among them. If the spin gets its core
//!   back only after a whole time slice of the scheduler, threads run that never give way. Next to
//!   such threads a sleeper is woken sooner than a spinner gets its core back, so the next spins
//!   keep their core.
//! - **Learning.** A spin that ended in a sleep was in vain: the next one is a little shorter. A
//!   spin that would have paid makes the next one twice as long, so that two peers that sleep for
//!   each other's messages begin to spin again.
//!
//! The state belongs to one handle of one process. If several threads use it at once, only its
//! accuracy suffers.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicU32, Ordering};

use super::delay::{self, Delay, Limits};
use super::switches::{Heuristic, Switches};
use super::wake_cost::wake_cost_ns;
use super::{
    ALONE_NS, HOGGED_NS, LEAST_SPIN, SHORT_SLEEP, SPIN_LOOKS, SPIN_PAUSE_NS, TURN_NS, WARY_WAITS,
};
use crate::sys::{clock, thread};

/// The spin that one kind of waits of a handle has learned.
pub(crate) struct Spin {
    /// Before the first look.
    delay: Delay,
    /// How long a spin may last; 0 means as long as the limit.
    budget_ns: AtomicU32,
    /// Number of further waits that keep their core.
    wary: AtomicU32,
    rules: Rules,
}

/// The numbers of a spin, after the switches.
struct Rules {
    /// No spin is longer than this; 0 means that there is no spin.
    most_ns: u32,
    /// The shortest spin is this part of the limit.
    least_part: u32,
    /// A spin keeps its core for this long.
    alone_ns: u64,
    /// Number of waits that keep their core after a turn that took long.
    wary_waits: u32,
}

/// The limit that a caller gave, or else the cost of a wake-up.
fn limit_of(limit_ns: u32) -> u32 {
    match limit_ns {
        0 => wake_cost_ns(),
        limit_ns => limit_ns,
    }
}

impl Rules {
    const fn of(switches: Switches, spins: Heuristic) -> Rules {
        Rules {
            most_ns: if switches.has(spins) { u32::MAX } else { 0 },
            least_part: match switches.has(Heuristic::Budget) {
                true => LEAST_SPIN,
                false => 1,
            },
            alone_ns: match switches.has(Heuristic::GiveWay) {
                true => ALONE_NS,
                false => u64::MAX,
            },
            wary_waits: match switches.has(Heuristic::Wary) {
                true => WARY_WAITS,
                false => 0,
            },
        }
    }
}

impl Spin {
    const fn new(delay: Limits, rules: Rules) -> Spin {
        Spin {
            delay: Delay::new(delay),
            budget_ns: AtomicU32::new(0),
            wary: AtomicU32::new(0),
            rules,
        }
    }

    /// For the waits of a queue's consumers.
    pub(super) const fn for_items(switches: Switches) -> Spin {
        let rules = Rules::of(switches, Heuristic::Spin);
        Spin::new(Limits::of_items(switches), rules)
    }

    /// For the waits of a queue's producers.
    pub(super) const fn for_space(switches: Switches) -> Spin {
        let rules = Rules::of(switches, Heuristic::Spin);
        Spin::new(Limits::of_space(switches), rules)
    }

    /// For waits at a full ring.
    pub(super) const fn for_pressure(switches: Switches) -> Spin {
        let rules = Rules::of(switches, Heuristic::Pressure);
        Spin::new(Limits::of_space(switches), rules)
    }

    /// For waits that look for one change.
    pub(crate) fn plain() -> Spin {
        let rules = Rules::of(Switches::of_process(), Heuristic::Spin);
        Spin::new(Limits::NONE, rules)
    }

    /// Spin until `found` returns how much was found (0: go on), for at most `limit_ns` (0: the
    /// cost of a wake-up). Return whether something was found.
    ///
    /// A look that finds `enough` has cost little per message, so the delay stays as it is.
    pub(crate) fn spin(&self, limit_ns: u32, enough: u64, found: impl Fn() -> u64) -> bool {
        // The delay is part of the spin, so it is no longer than the spin's limit.
        let pauses = self.delay.pauses();
        let pauses = pauses.min(limit_of(limit_ns) / SPIN_PAUSE_NS);
        delay::pass(pauses);
        let first = found();
        if first > 0 {
            self.delay.adapt(pauses, first, 1, enough);
            return true;
        }
        self.delay.shorten(pauses);
        self.go_on(limit_ns, found)
    }

    fn go_on(&self, limit_ns: u32, found: impl Fn() -> u64) -> bool {
        let limit = limit_of(limit_ns);
        let budget = match self.budget_ns.load(Ordering::Relaxed) {
            0 => limit,
            learnt => learnt.min(limit),
        };
        let budget = budget.min(self.rules.most_ns);
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
            let gives_way = wary == 0 && spent >= self.rules.alone_ns;
            if gives_way {
                thread::give_way();
            }
            let now = clock::now_ns();
            let step = now.saturating_sub(last);
            spent += if gives_way { step.min(TURN_NS) } else { step };
            last = now;
            if gives_way && step >= HOGGED_NS {
                self.wary.store(self.rules.wary_waits, Ordering::Relaxed);
                return found() > 0;
            }
        }
        let less = (budget - budget / 8).max(limit / self.rules.least_part);
        self.budget_ns.store(less, Ordering::Relaxed);
        false
    }

    /// Number of pauses before the first look of the next spin.
    #[cfg(test)]
    pub(super) fn pauses(&self) -> u32 {
        self.delay.pauses()
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
