//! How long a call waits for the internal locks that it needs.
//!
//! A thread holds an internal lock for a few steps only, unless its process is stopped in the
//! middle of them. So a call waits for its locks as long as the call itself may wait. A call that
//! does not block waits for a bounded moment, in which a running holder releases the lock. All
//! locks of a call share that moment.
//!
//! A holder that only waits for a core is not stopped; for such a holder the moment is longer.

use std::cell::Cell;

use super::owner::Owner;
use super::wait::{Patience, Wait};
use crate::pace::{BRIEF_BUSY_NS, BRIEF_NS, MOMENT_NS, RECOVERY_BUSY_NS, RECOVERY_NS};
use crate::sys::clock;

/// How long a call waits for its locks, if the call itself does not wait or waits for a shorter
/// time.
struct Limits {
    ns: u64,
    /// The limit while the holder is runnable and only lacks a core.
    busy_ns: u64,
}

/// For a call that does not block.
static BRIEF: Limits = Limits {
    ns: BRIEF_NS,
    busy_ns: BRIEF_BUSY_NS,
};
/// For the recovery of the dead by a call that found them.
static RECOVERY: Limits = Limits {
    ns: RECOVERY_NS,
    busy_ns: RECOVERY_BUSY_NS,
};
static NONE: Limits = Limits { ns: 0, busy_ns: 0 };

/// The time that one call has for waiting for its internal locks.
pub(crate) struct LockWait<'a> {
    wait: Wait<'a>,
    /// The end of the call's own wait; `None` if it waits for ever.
    call_end: Option<u64>,
    limits: &'static Limits,
    /// The time of the first wait for a lock; 0 until then.
    begin: Cell<u64>,
}

impl<'a> LockWait<'a> {
    #[inline]
    fn new(wait: Wait<'a>, call_end: Option<u64>, limits: &'static Limits) -> LockWait<'a> {
        LockWait {
            wait,
            call_end,
            limits,
            begin: Cell::new(0),
        }
    }

    /// For a call that waits as `patience` does.
    #[inline]
    pub(crate) fn until(patience: &mut Patience<'a>) -> LockWait<'a> {
        let wait = patience.wait();
        let end = match wait.is_try() {
            true => Some(0),
            false => patience.deadline(),
        };
        LockWait::new(wait, end, &BRIEF)
    }

    /// For a call that does not block.
    #[inline]
    pub(crate) fn brief() -> LockWait<'static> {
        LockWait::new(Wait::TRY, Some(0), &BRIEF)
    }

    /// For work that can be left to a later call: no wait at all.
    pub(crate) fn at_once() -> LockWait<'static> {
        LockWait::new(Wait::TRY, Some(0), &NONE)
    }

    /// For the recovery of the dead.
    pub(crate) fn of_recovery() -> LockWait<'static> {
        LockWait::new(Wait::TRY, Some(0), &RECOVERY)
    }

    /// Report whether this may have waited, which `at_once` never does.
    pub(crate) fn has_waited(&self) -> bool {
        self.limits.ns != 0
    }

    fn begin(&self) -> u64 {
        if self.begin.get() == 0 {
            self.begin.set(clock::now_ns());
        }
        self.begin.get()
    }

    fn brief_end(&self) -> u64 {
        self.begin().saturating_add(self.limits.ns)
    }

    /// The end of the time for locks; `None` if there is none.
    fn end(&self) -> Option<u64> {
        let brief_end = self.brief_end();
        self.call_end.map(|end| end.max(brief_end))
    }

    /// The wait of a caller that holds no lock.
    #[cold]
    pub(crate) fn patience(&self) -> Patience<'a> {
        let end = self.end();
        // A call that may wait for longer than the moment ends at its own end, also if the holder
        // is busy.
        let is_brief = end == Some(self.brief_end());
        let busy_end = if is_brief {
            self.begin().saturating_add(self.limits.busy_ns)
        } else {
            0
        };
        Patience::until(&self.wait, end, busy_end, is_brief)
    }

    /// The wait of a caller that holds another lock.
    #[cold]
    pub(crate) fn moment(&self) -> Patience<'a> {
        let end = clock::now_ns().saturating_add(MOMENT_NS);
        let end = self.end().map_or(end, |whole| whole.min(end));
        Patience::until(&self.wait, Some(end), 0, true)
    }

    /// Report whether the time for locks is over.
    #[cold]
    pub(crate) fn is_over(&self) -> bool {
        self.end().is_some_and(|end| clock::now_ns() >= end)
    }
}

/// The owner that makes a call, and how long the call waits for internal locks.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'w> {
    pub(crate) owner: Owner,
    pub(crate) locks: &'w LockWait<'w>,
}

impl<'w> Caller<'w> {
    #[inline]
    pub(crate) fn new(owner: Owner, locks: &'w LockWait<'w>) -> Caller<'w> {
        Caller { owner, locks }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::Status;

    #[test]
    fn all_locks_of_a_call_share_one_moment() {
        let locks = LockWait::brief();
        let first = locks.patience().deadline();
        assert!(first.is_some() && !locks.is_over());
        assert_eq!(locks.patience().deadline(), first);
        assert!(locks.moment().deadline() < first);
    }

    #[test]
    fn a_call_waits_for_locks_as_long_as_for_anything_else() {
        let for_ever = LockWait::until(&mut Patience::new(&Wait::FOREVER));
        assert_eq!(for_ever.patience().deadline(), None);
        let mut patience = Patience::new(&Wait::for_ns(2 * BRIEF.ns as i64));
        let locks = LockWait::until(&mut patience);
        assert_eq!(locks.patience().deadline(), patience.deadline());
        assert!(
            !locks.patience().goes_on(|| true),
            "it has an end of its own"
        );
    }

    #[test]
    fn what_can_be_left_is_not_waited_for() {
        let locks = LockWait::at_once();
        assert_eq!(locks.patience().check(), Err(Status::E_TIMEOUT));
        assert!(locks.is_over() && !locks.patience().goes_on(|| true));
    }

    #[test]
    fn a_holder_that_lacks_a_core_gets_more_time() {
        let locks = LockWait::brief();
        let mut patience = locks.patience();
        let first = patience.deadline();
        assert!(!patience.goes_on(|| false));
        assert!(patience.goes_on(|| true));
        assert_ne!(patience.deadline(), first);
    }
}
