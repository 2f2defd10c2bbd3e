//! A condition: threads wait until another thread notifies them.
//!
//! Each waiting thread has a place of its own and sleeps on the word of that place. A notification
//! is one compare-and-swap of the word of the thread that has waited longest. So a notifier needs
//! no reply from a waiter, and no waiter can delay a notifier. Without a waiter the notification is
//! lost. A notification reaches only threads that waited before it.
//!
//! A thread frees its place after it has taken its lock again. If a process is killed after one of
//! its threads was notified and before that thread freed its place, the notification was not used,
//! so recovery passes it on to another waiter. If the recoverer is also killed, at one certain
//! instruction, the notification is passed on twice: then one waiter too many wakes, and none is
//! missed.

use super::atomic::{AtomicU32, Ordering};
use super::owner::Owner;
use super::shared::shared;
use super::wait::Patience;
use super::waiters::{Answer, Seen, Waiter, Waiters};
use super::world::World;
use crate::status::{Result, Status};

shared! {
    /// The words of a condition.
    pub(crate) struct ConditionWord {
        /// Number of arrivals so far, which is the number of the next waiter. The number may wrap;
        /// differences between numbers stay correct.
        arrivals: AtomicU32,
        _pad: AtomicU32,
        waiters: Waiters,
    }
}

/// A place at the condition, for a thread that will sleep or that will take its lock again.
pub(crate) struct Place<'a> {
    waiter: &'a Waiter,
    me: Owner,
}

impl ConditionWord {
    /// Begin to wait: every later notification finds the caller, asleep or not.
    pub(crate) fn enter(&self, me: Owner) -> Result<Place<'_>> {
        let waiter = self.waiters.claim(me)?;
        waiter.wait_as(me, self.arrivals.fetch_add(1, Ordering::Relaxed));
        Ok(Place { waiter, me })
    }

    /// Notify the `count` threads that have waited longest, or all if there are fewer.
    pub(crate) fn notify(&self, world: &impl World, count: u32) {
        let now = self.arrivals.load(Ordering::Relaxed);
        let waiting = self.waiters.waiting();
        let mut waiting: Vec<(&Waiter, Seen)> = waiting
            .filter(|(_, seen)| !world.is_dead(seen.owner))
            .collect();
        waiting.sort_by_key(|(waiter, _)| u32::MAX - now.wrapping_sub(waiter.number()));
        let mut left = count;
        for (waiter, seen) in waiting {
            if left == 0 {
                return;
            }
            // This fails if another process has notified the thread, or if the thread gave up.
            if waiter.change(seen, seen.owner, Answer::LetGo) {
                // If the process is killed before this, the sleepers watch its life word, and
                // recovery wakes the notified thread.
                waiter.wake(world);
                left -= 1;
            }
        }
    }

    /// The participants whose threads wait, one for each thread.
    pub(crate) fn waiting(&self) -> Vec<Owner> {
        self.waiters.waiting().map(|(_, seen)| seen.owner).collect()
    }

    /// Recovery: a thread of a dead process no longer waits, and its unused notification is passed
    /// on.
    pub(crate) fn recover(&self, world: &impl World, me: Owner, is_gone: &dyn Fn(Owner) -> bool) {
        for (waiter, mut seen) in self.waiters.taken() {
            // The word has changed meanwhile, by another recoverer or by a notifier that took the
            // dead process for alive.
            while !self.recover_place(waiter, seen, world, me, is_gone) {
                match waiter.seen() {
                    Some(now) => seen = now,
                    None => break,
                }
            }
        }
    }

    /// Recover one place. Return false if the place is no longer as in `seen`.
    fn recover_place(
        &self,
        waiter: &Waiter,
        seen: Seen,
        world: &impl World,
        me: Owner,
        is_gone: &dyn Fn(Owner) -> bool,
    ) -> bool {
        let let_go = seen.answer == Answer::LetGo;
        if !is_gone(seen.owner) {
            if let_go {
                // The notifier may have been killed before it woke this thread.
                waiter.wake(world);
            }
            return true;
        }
        if !let_go {
            return waiter.free(seen);
        }
        if !waiter.change(seen, me, Answer::LetGo) {
            return false;
        }
        // The place now carries this process's name, so one of several recoverers passes the
        // notification on.
        self.notify(world, 1);
        waiter.free(Seen { owner: me, ..seen });
        true
    }
}

impl Place<'_> {
    /// Sleep until notified.
    ///
    /// # Errors
    /// The status that ended the wait before a notification. The place then no longer waits.
    pub(crate) fn sleep(&self, world: &impl World, patience: &mut Patience<'_>) -> Result<()> {
        let waits = self.seen(Answer::Waits);
        loop {
            match self.waiter.seen() {
                Some(seen) if seen == waits => {}
                Some(seen) if seen == self.seen(Answer::LetGo) => return Ok(()),
                _ => return Err(Status::E_CORRUPT),
            }
            let (word, value) = self.waiter.word(self.me);
            if let Err(status) = world.sleep(word, value, patience) {
                if self.waiter.free(waits) {
                    return Err(status);
                }
                // A notification came at the same moment. It must not be lost, so look again.
            }
        }
    }

    /// After an `Ok` of `sleep`: the thread has taken its lock again, and the notification is used.
    pub(crate) fn leave(self) {
        self.waiter.free(self.seen(Answer::LetGo));
    }

    /// After an `Ok` of `sleep`, or before any sleep: the caller cannot use a notification, so pass
    /// it on if there was one.
    pub(crate) fn pass_on(self, condition: &ConditionWord, world: &impl World) {
        if !self.waiter.free(self.seen(Answer::Waits)) {
            condition.notify(world, 1);
            self.leave();
        }
    }

    fn seen(&self, answer: Answer) -> Seen {
        Seen {
            owner: self.me,
            answer,
        }
    }
}
