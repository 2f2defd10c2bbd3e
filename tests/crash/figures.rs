//! The results of one operation's kills, counted by its workers and printed as a line.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::case::Outcome;

/// One worker counts, and the process that waits for it reads.
#[derive(Default)]
#[repr(C)]
pub struct Figures {
    /// Sums.
    pub kills: AtomicU64,
    pub survivors: AtomicU64,
    pub lost: AtomicU64,
    pub duplicated: AtomicU64,
    pub wrongly_dead: AtomicU64,
    pub with_the_dead: AtomicU64,
    pub again: AtomicU64,
    /// Points with a breach.
    pub breaches: AtomicU64,
    /// Of stops: calls of others, instructions that were weighed, and those of them inside an
    /// internal lock.
    pub calls: AtomicU64,
    pub weighed: AtomicU64,
    pub inside: AtomicU64,
    /// Of stops: states of the memory.
    pub states: AtomicU64,
    /// Maxima.
    pub stall_ns: AtomicU64,
    /// Steps of the whole operation.
    pub length: AtomicU64,
    /// The point that this worker is trying.
    pub at: AtomicU64,
}

impl Figures {
    pub const HEAD: &'static str = "operation                              instructions  kill points  survivors   lost  duplicated  wrongly dead  with the dead  again  longest stall";

    pub fn count(&self, outcome: &Outcome) {
        let mut more = Figures::default();
        *more.kills.get_mut() = 1;
        *more.survivors.get_mut() = outcome.survivors;
        *more.with_the_dead.get_mut() = outcome.with_the_dead;
        *more.again.get_mut() = outcome.again;
        *more.stall_ns.get_mut() = outcome.stall_ns;
        if let Some(breach) = &outcome.breach {
            *more.breaches.get_mut() = 1;
            *more.lost.get_mut() = u64::from(breach.starts_with("lost"));
            *more.duplicated.get_mut() = u64::from(breach.starts_with("duplicated"));
            *more.wrongly_dead.get_mut() = u64::from(breach.starts_with("wrongly dead"));
        }
        self.add(&more);
    }

    /// Adds the counts of another worker.
    pub fn add(&self, other: &Figures) {
        for (sum, part) in self.sums().into_iter().zip(other.sums()) {
            sum.fetch_add(part.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        for (maximum, one) in self.maxima().into_iter().zip(other.maxima()) {
            maximum.fetch_max(one.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }

    fn sums(&self) -> [&AtomicU64; 12] {
        [
            &self.kills,
            &self.survivors,
            &self.lost,
            &self.duplicated,
            &self.wrongly_dead,
            &self.with_the_dead,
            &self.again,
            &self.breaches,
            &self.calls,
            &self.weighed,
            &self.inside,
            &self.states,
        ]
    }

    fn maxima(&self) -> [&AtomicU64; 2] {
        [&self.stall_ns, &self.length]
    }

    /// Returns the line of a table.
    pub fn line(&self, name: &str) -> String {
        let of = |figure: &AtomicU64| figure.load(Ordering::Relaxed);
        format!(
            "{name:<38} {:>12} {:>12} {:>10} {:>6} {:>11} {:>13} {:>14} {:>6} {:>11.3} ms",
            of(&self.length),
            of(&self.kills),
            of(&self.survivors),
            of(&self.lost),
            of(&self.duplicated),
            of(&self.wrongly_dead),
            of(&self.with_the_dead),
            of(&self.again),
            of(&self.stall_ns) as f64 / 1e6,
        )
    }
}
