//! What a handle has lent: messages that were taken and slots that were reserved, and are not settled yet.
//!
//! As long as there is any, a handle that is closed keeps its queue. Where one of the queue's locks is held anyway,
//! counting takes no atomic read-modify-write: the lock keeps the other threads of this process away too.

use std::sync::atomic::{AtomicU64, Ordering};

/// The counts of one handle in one process. One alone may wrap below 0: only their sum means something.
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

    /// Under the head lock of the messages: so many were taken.
    #[inline]
    pub(super) fn took(&self, count: usize) {
        add(&self.under_head, count as u64);
    }

    /// Under the same lock: so many were settled.
    #[inline]
    pub(super) fn settled(&self, count: usize) {
        add(&self.under_head, (count as u64).wrapping_neg());
    }

    /// Under the tail lock of the messages: a slot was reserved.
    #[inline]
    pub(super) fn reserved(&self) {
        add(&self.under_tail, 1);
    }

    /// Without a lock: something was lent.
    pub(crate) fn lent_apart(&self) {
        self.apart.fetch_add(1, Ordering::Relaxed);
    }

    /// Without a lock: something was settled.
    pub(crate) fn settled_apart(&self) {
        self.apart.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether something is lent. For who knows that nobody lends any more.
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
