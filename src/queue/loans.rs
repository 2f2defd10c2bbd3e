//! The loans of a handle: messages that were taken and reservations that were made and not settled
//! yet.
//!
//! While a handle has loans, closing it keeps its queue alive. If a lock of the queue is held
//! anyway, counting needs no atomic read-modify-write: the lock also excludes the other threads of
//! this process.

use std::sync::atomic::{AtomicU64, Ordering};

/// The counts of one handle in one process. A single count may wrap below 0; only the sum is
/// meaningful.
#[derive(Debug, Default)]
pub(crate) struct Loans {
    under_head: AtomicU64,
    under_tail: AtomicU64,
    apart: AtomicU64,
}

fn add(count: &AtomicU64, by: u64) {
    let now = count.load(Ordering::Relaxed).wrapping_add(by);
    count.store(now, Ordering::Relaxed);
}

impl Loans {
    pub(crate) const fn new() -> Loans {
        Loans {
            under_head: AtomicU64::new(0),
            under_tail: AtomicU64::new(0),
            apart: AtomicU64::new(0),
        }
    }

    /// Under the messages' head lock: `count` messages were taken.
    #[inline]
    pub(super) fn took(&self, count: usize) {
        add(&self.under_head, count as u64);
    }

    /// Under the messages' head lock: `count` messages were settled.
    #[inline]
    pub(super) fn settled(&self, count: usize) {
        add(&self.under_head, (count as u64).wrapping_neg());
    }

    /// Under the messages' tail lock: a reservation was made.
    #[inline]
    pub(super) fn reserved(&self) {
        add(&self.under_tail, 1);
    }

    /// Without a lock: a loan was made.
    pub(crate) fn lent_apart(&self) {
        self.apart.fetch_add(1, Ordering::Relaxed);
    }

    /// Without a lock: a loan was settled.
    pub(crate) fn settled_apart(&self) {
        self.apart.fetch_sub(1, Ordering::Relaxed);
    }

    /// Report whether there are loans. The caller knows that no thread makes a new one.
    pub(crate) fn is_any(&self) -> bool {
        let counts = [&self.under_head, &self.under_tail, &self.apart];
        let sum = counts.iter().fold(0u64, |sum, count| {
            sum.wrapping_add(count.load(Ordering::Relaxed))
        });
        sum != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lent_under_a_lock_may_be_settled_without() {
        let loans = Loans::new();
        loans.took(3);
        loans.reserved();
        loans.settled(2);
        loans.settled_apart();
        assert!(loans.is_any());
        loans.settled_apart();
        assert!(!loans.is_any());
        loans.lent_apart();
        assert!(loans.is_any());
        loans.settled_apart();
        assert!(!loans.is_any());
    }
}
