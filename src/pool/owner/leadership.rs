//! The leadership: one thread at a time, the leader, reads the reports.

use std::sync::atomic::{fence, AtomicBool, AtomicU32, Ordering};

use crate::pool::protocol::message::ReportHead;
use crate::segment::WaitSet;
use crate::status::Result;
use crate::sync::eventcount::EventCount;
use crate::sync::local_lock::LocalLock;
use crate::sync::owner::Owner;
use crate::sync::wait::Patience;
use crate::sync::world::World;
use crate::sync::Cancel;
use crate::sys::futex;

/// The `World` of words that only this process uses.
pub(crate) struct Local;

impl World for Local {
    fn sleep(&self, word: &AtomicU32, value: u32, patience: &mut Patience<'_>) -> Result<()> {
        WaitSet::beside(&[(word.as_ptr().cast_const(), value)], &[])?.sleep(patience)
    }

    fn wake(&self, word: &AtomicU32, count: u32) -> usize {
        futex::wake(word, count)
    }

    fn is_dead(&self, _: Owner) -> bool {
        false
    }
}

/// Whether a thread is the leader, and the followers that wait for it.
pub(crate) struct Leadership {
    pub(crate) is_taken: AtomicBool,
    pub(crate) followers: EventCount,
    /// A thread of the pool stays the leader.
    pub(crate) in_background: AtomicBool,
    /// The leader's buffer for a report.
    pub(crate) buffer: LocalLock<Vec<u8>>,
    /// The pool's own reports that the queue did not accept.
    pub(crate) late: LocalLock<Vec<ReportHead>>,
    /// Ends the leader's sleep when something changed without a report in the queue.
    pub(crate) nudge: Cancel,
}

impl Leadership {
    pub(crate) const fn new() -> Leadership {
        Leadership {
            is_taken: AtomicBool::new(false),
            followers: EventCount::new(),
            in_background: AtomicBool::new(false),
            buffer: LocalLock::new(Vec::new()),
            late: LocalLock::new(Vec::new()),
            nudge: Cancel::new(),
        }
    }

    pub(crate) fn try_take(&self) -> Option<LeadershipGuard<'_>> {
        let taken =
            !self.is_taken.load(Ordering::Relaxed) && !self.is_taken.swap(true, Ordering::SeqCst);
        // Pairs with the fence in `wake_leader`: a change made there without a report is seen by
        // the new leader, or `wake_leader` sees that there is a leader.
        fence(Ordering::SeqCst);
        taken.then(|| LeadershipGuard { leadership: self })
    }

    pub(crate) fn is_taken(&self) -> bool {
        self.is_taken.load(Ordering::SeqCst)
    }

    /// Wake a follower, which becomes the leader if there is none.
    pub(crate) fn offer(&self) {
        self.followers.notify(&Local, 1);
    }
}

/// Makes this thread the leader until it is dropped.
pub(crate) struct LeadershipGuard<'a> {
    leadership: &'a Leadership,
}

impl Drop for LeadershipGuard<'_> {
    fn drop(&mut self) {
        self.leadership.is_taken.swap(false, Ordering::AcqRel);
        self.leadership.offer();
    }
}
