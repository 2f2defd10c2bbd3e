//! The look around of a process that is too busy to sleep.
//!
//! At one call in [`REAP_EVERY`], such a process looks for the dead, and notes in its account where
//! the object is and when. A look at the coarse clock takes 9 ns, a put with its take and done 47
//! together, so not every call has one.
//!
//! A process whose calls are far apart looks around at every call, since there it costs nothing. So
//! does the first call after one that slept or found nothing: then the process may have waited for
//! long, in that call or at a descriptor. After a look, the calls without one are at most as many
//! as the quick calls before it.

use std::sync::atomic::Ordering;

use super::{Segment, TakeNote};
use crate::pace::{FAR_APART_MS, REAP_EVERY};
use crate::status::Result;
use crate::sync::owner::Owner;
use crate::sys::clock;

impl Segment {
    /// As [`reap`](Self::reap), at one call in [`REAP_EVERY`], for callers that are too busy to
    /// sleep.
    #[inline]
    pub(crate) fn reap_now_and_then(&self, me: Owner) -> Result<()> {
        match self.calls_left.load(Ordering::Relaxed) {
            0 => self.look_around(me),
            left => {
                self.calls_left.store(left - 1, Ordering::Relaxed);
                Ok(())
            }
        }
    }

    /// As [`reap_now_and_then`](Self::reap_now_and_then), for a fast path: false if its call must
    /// take the slow path, where the same look fails again.
    #[inline(always)]
    pub(crate) fn may_go_on(&self, me: Owner) -> bool {
        match self.calls_left.load(Ordering::Relaxed).checked_sub(1) {
            Some(left) => {
                self.calls_left.store(left, Ordering::Relaxed);
                true
            }
            None => self.has_looked_around(me),
        }
    }

    #[cold]
    #[inline(never)]
    fn has_looked_around(&self, me: Owner) -> bool {
        let looked = self.look_around(me);
        if looked.is_err() {
            self.look_around_soon();
        }
        looked.is_ok()
    }

    /// Let the next call of [`reap_now_and_then`](Self::reap_now_and_then) look around, as if its
    /// last look were long ago.
    pub(crate) fn look_around_soon(&self) {
        self.looked_around.store(0, Ordering::Relaxed);
        self.quick_since.store(0, Ordering::Relaxed);
        self.calls_left.store(0, Ordering::Relaxed);
    }

    #[cold]
    fn look_around(&self, me: Owner) -> Result<()> {
        let mut next = REAP_EVERY - 1;
        if let Some(accounts) = &self.object.accounts {
            let now = clock::coarse_ms();
            if now != self.quick_since.load(Ordering::Relaxed) {
                next = self.note(accounts.take_note, now, me)?;
                if next != 0 && next < REAP_EVERY - 1 {
                    // One look for the dead in so many calls is enough.
                    self.calls_left.store(next, Ordering::Relaxed);
                    return Ok(());
                }
            }
        }
        self.calls_left.store(next, Ordering::Relaxed);
        self.reap(me)
    }

    /// Take a note, and return how many calls the next look around may be away: none after calls
    /// that are far apart, then at each look twice as many and one.
    #[cold]
    #[inline(never)]
    fn note(&self, take_note: TakeNote, now: u64, me: Owner) -> Result<u32> {
        let last = self.looked_around.load(Ordering::Relaxed);
        self.looked_around.store(now, Ordering::Relaxed);
        // A second note at the same moment says no more than the first.
        if now != last {
            take_note(self, now)?;
        }
        let is_far_apart = now.saturating_sub(last) >= FAR_APART_MS;
        let skipped = self.calls_skipped.load(Ordering::Relaxed);
        let asks = is_far_apart || skipped == 0;
        let next = match asks && (!self.has_got_since_the_last_look(me) || is_far_apart) {
            true => 0,
            false => (2 * skipped + 1).min(REAP_EVERY - 1),
        };
        self.calls_skipped.store(next, Ordering::Relaxed);
        let quick_since = if next == REAP_EVERY - 1 { now } else { 0 };
        self.quick_since.store(quick_since, Ordering::Relaxed);
        Ok(next)
    }

    /// Report whether this process has got a message since it last asked here. A call may look
    /// around twice, and two looks without a get between them say nothing about how far apart the
    /// gets are. A wrong count in shared memory can change how often a process looks around, but
    /// not to less than one call in [`REAP_EVERY`].
    fn has_got_since_the_last_look(&self, me: Owner) -> bool {
        let account = self.account(me.slot());
        let gets = account.map_or(0, |account| account.gets.load(Ordering::Relaxed));
        let then = self.gets_looked_at.load(Ordering::Relaxed);
        self.gets_looked_at.store(gets, Ordering::Relaxed);
        gets != then
    }
}
