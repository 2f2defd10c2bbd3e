//! How long a call waits for the internal locks that it needs.
//!
//! A thread holds an internal lock for a few steps only, unless its process is stopped in the
//! middle of them. So a call waits for its locks as long as the call itself may wait. A call that
//! does not block waits for a bounded moment, in which a running holder releases the lock. All
//! locks of a call share that moment.
//!
//! A machine with too much to do stops nobody: until a holder is found stopped ([`Stops`]), the
//! moment is longer.

use std::cell::Cell;

use super::owner::Owner;
use super::stops::Stops;
use super::wait::{Patience, Wait};
use crate::pace::{BRIEF_BUSY_NS, BRIEF_NS, MOMENT_NS, RECOVERY_BUSY_NS, RECOVERY_NS};
use crate::sys::clock;

/// How long a call waits for its locks, if the call itself does not wait or waits for a shorter
/// time.
struct Limits {
    ns: u64,
    /// The limit while no holder is found stopped.
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
    stops: Stops,
}

impl<'a> LockWait<'a> {
    #[inline]
    fn new(wait: Wait<'a>, call_end: Option<u64>, limits: &'static Limits) -> LockWait<'a> {
        LockWait {
            wait,
            call_end,
            limits,
            begin: Cell::new(0),
            stops: Stops::new(),
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
            let now = clock::now_ns();
            self.begin.set(now);
            self.stops.begin_at(now.saturating_add(self.limits.ns));
        }
        self.begin.get()
    }

    fn brief_end(&self) -> u64 {
        self.begin().saturating_add(self.limits.ns)
    }

    /// The end of the time for locks, without regard to what the holders do; `None` if there is
    /// none.
    fn end(&self) -> Option<u64> {
        let brief_end = self.brief_end();
        self.call_end.map(|end| end.max(brief_end))
    }

    /// Report whether the time for locks is only the moment. A call that may wait for longer ends
    /// at its own end, whatever the holders do.
    fn is_brief(&self) -> bool {
        self.end() == Some(self.brief_end())
    }

    /// The end of the time for locks while no holder is found stopped.
    fn last_end(&self) -> Option<u64> {
        match self.is_brief() {
            true => Some(self.begin().saturating_add(self.limits.busy_ns)),
            false => self.end(),
        }
    }

    /// The wait of a caller that holds no lock.
    #[cold]
    pub(crate) fn patience(&self) -> Patience<'_> {
        self.patience_until(self.end(), self.last_end())
    }

    /// The wait of a caller that holds another lock.
    #[cold]
    pub(crate) fn moment(&self) -> Patience<'_> {
        let end = clock::now_ns().saturating_add(MOMENT_NS);
        let end = self.last_end().map_or(end, |whole| whole.min(end));
        self.patience_until(Some(end), None).brief()
    }

    /// Until `end`, and from then on until `last_end` while no holder is found stopped.
    fn patience_until(&self, end: Option<u64>, last_end: Option<u64>) -> Patience<'_> {
        let is_brief = self.is_brief();
        let patience = Patience::until(&self.wait, end, is_brief);
        match is_brief && self.has_waited() {
            true => patience.unless_stopped(&self.stops, last_end.unwrap_or(0)),
            false => patience,
        }
    }

    /// Report whether the time for locks is over. A call that holds a lock and does not get the
    /// next one in a [`moment`](Self::moment) starts again until then.
    #[cold]
    pub(crate) fn is_over(&self) -> bool {
        let is_late = |end| clock::now_ns() >= end;
        self.stops.has_found_one() || self.last_end().is_some_and(is_late)
    }

    /// The wait of a call that began to wait for its locks `ns` ago.
    #[cfg(test)]
    pub(crate) fn brief_since(ns: u64) -> LockWait<'static> {
        let locks = LockWait::brief();
        let begin = locks.begin() - ns;
        locks.begin.set(begin);
        locks.stops.begin_at(begin + BRIEF.ns);
        locks
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
    use crate::sys::procfs::Activity;

    const HOLDER: Option<Owner> = Some(Owner::new(1, 1));

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
            !locks.patience().goes_on(HOLDER, |_| Activity::Busy),
            "it has an end of its own"
        );
    }

    #[test]
    fn what_can_be_left_is_not_waited_for() {
        let locks = LockWait::at_once();
        assert_eq!(locks.patience().check(), Err(Status::E_TIMEOUT));
        assert!(locks.is_over());
        assert!(!locks.patience().goes_on(HOLDER, |_| Activity::Busy));
    }

    #[test]
    fn a_holder_that_is_not_stopped_gets_more_time() {
        let locks = LockWait::brief_since(2 * BRIEF.ns);
        assert_eq!(locks.patience().check(), Err(Status::E_TIMEOUT));
        let mut patience = locks.patience();
        assert!(patience.goes_on(HOLDER, |_| Activity::Busy));
        assert_eq!(patience.check(), Ok(()));
        assert!(!locks.is_over() && locks.moment().check() == Ok(()));

        let locks = LockWait::brief_since(2 * BRIEF.ns);
        let mut moment = locks.moment();
        assert!(!moment.goes_on(HOLDER, |_| Activity::Busy));
        assert!(!locks.is_over(), "it begins again");

        let locks = LockWait::brief_since(2 * BRIEF.ns);
        assert!(!locks.moment().goes_on(HOLDER, |_| Activity::Stopped));
        assert!(locks.is_over());
        assert!(!locks.patience().goes_on(HOLDER, |_| Activity::Busy));

        let locks = LockWait::brief_since(2 * BRIEF.busy_ns);
        assert!(!locks.patience().goes_on(HOLDER, |_| Activity::Busy));
        assert!(locks.is_over());
        assert_eq!(locks.moment().check(), Err(Status::E_TIMEOUT));
    }
}
