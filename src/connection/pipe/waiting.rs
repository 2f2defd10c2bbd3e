//! Waiting for the other end: for messages, for room, for its next step, or for its close.

use std::cell::RefCell;

use super::body::Waiters;
use super::ends::{End, Ends, Standing};
use super::lane::Lane;
use crate::pace::recheck::Recheck;
use crate::pace::spin::Spin;
use crate::status::Result;
use crate::sync::owner::Owner;
use crate::sync::wait::Patience;
use crate::sys::clock;

/// A pipe as one call at one of its ends uses it.
pub(super) struct At<'a> {
    ends: Ends<'a>,
    end: End,
    pub(super) me: Owner,
    spin: &'a Spin,
    /// Paces the looks while the other end is claimed and not used: no wake-up reports when such a
    /// claim goes.
    recheck: RefCell<Recheck>,
}

impl<'a> At<'a> {
    pub(super) fn new(ends: Ends<'a>, end: End, me: Owner, spin: &'a Spin) -> At<'a> {
        At {
            ends,
            end,
            me,
            spin,
            recheck: RefCell::new(Recheck::new()),
        }
    }

    /// Whether the other end is still open.
    #[inline]
    pub(super) fn peer(&self) -> Result<Standing> {
        self.ends.standing(self.end.other())
    }

    /// Wait until `is_ready` may be true or the other end may be closed; the caller checks both.
    ///
    /// # Errors
    /// The status that ends the wait.
    pub(super) fn wait_for(
        &self,
        lane: &Lane<'_>,
        waiters: &Waiters,
        is_ready: &dyn Fn() -> bool,
        patience: &mut Patience<'_>,
    ) -> Result<()> {
        patience.check()?;
        if self.spin.spin(0, 1, || u64::from(is_ready())) {
            return Ok(());
        }
        // A close of another handle of this process on this end may have cleared the record.
        self.ends.hold(self.me, self.end)?;
        let seen = waiters.count.announce();
        if is_ready() {
            return Ok(());
        }
        let peer = self.peer()?;
        if peer == Standing::Over {
            return Ok(());
        }
        let is_doubtful = peer == Standing::Claimed;
        patience.recheck(&mut self.recheck.borrow_mut(), is_doubtful);
        // A notification wakes all sleepers, so one that arrives together with an error is not lost
        // to another.
        let begin = clock::now_ns();
        waiters.count.sleep(lane.segment, seen, patience)?;
        self.spin.slept(0, clock::now_ns().saturating_sub(begin));
        Ok(())
    }
}
