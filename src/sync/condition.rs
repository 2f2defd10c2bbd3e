//! Waiting until another says that something has changed.
//!
//! Each thread that waits has a place of its own and sleeps on the word of that place. A notification is
//! one compare-and-swap of the word of who has waited longest, so nobody answers a notifier and nobody
//! holds him up; without a waiter it is lost. It reaches who was there before it and nobody else.
//!
//! A place is freed when its thread has the lock back. Whoever is killed between being notified and that
//! has not used what he was told, so recovery passes it on to another who waits. Should the recoverer be
//! killed too, at one certain instruction, it is passed on twice: one waiter too many looks, none is missed.

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
        /// How many have come: the number of the next one. It may wrap, ages do not.
        arrivals: AtomicU32,
        _pad: AtomicU32,
        waiters: Waiters,
    }
}

/// A place at the condition, for a thread that is still to sleep or to get its lock back.
pub(crate) struct Place<'a> {
    waiter: &'a Waiter,
    me: Owner,
}

impl ConditionWord {
    /// Wait from now on: a notification after this finds the caller, asleep or not.
    pub(crate) fn enter(&self, me: Owner) -> Result<Place<'_>> {
        let waiter = self.waiters.claim(me)?;
        waiter.wait_as(me, self.arrivals.fetch_add(1, Ordering::Relaxed));
        Ok(Place { waiter, me })
    }

    /// Let the `count` go who have waited longest, or as many as there are.
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
            // Fails when it was notified by another, or gave up.
            if waiter.change(seen, seen.owner, Answer::LetGo) {
                // Killed before this: the sleepers watch this process's life word, and recovery wakes it.
                waiter.wake(world);
                left -= 1;
            }
        }
    }

    /// Recovery: who is gone waits no longer, and passes on what it was told.
    pub(crate) fn recover(&self, world: &impl World, me: Owner, is_gone: &dyn Fn(Owner) -> bool) {
        for (waiter, mut seen) in self.waiters.taken() {
            // Changed meanwhile: by another recoverer, or by a notifier who took the dead one for alive.
            while !self.recover_place(waiter, seen, world, me, is_gone) {
                match waiter.seen() {
                    Some(now) => seen = now,
                    None => break,
                }
            }
        }
    }

    /// False when it is not as `seen` any more.
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
                // Its notifier may have been killed before it woke it.
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
        // In this process's name now: of several recoverers one passes it on.
        self.notify(world, 1);
        waiter.free(Seen { owner: me, ..seen });
        true
    }
}

impl Place<'_> {
    /// Sleep until notified.
    ///
    /// # Errors
    /// What ended the wait before: then the place waits no longer.
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
                // Notified in the same moment: it must not be lost.
            }
        }
    }

    /// After an `Ok`: the thread has its lock back, and what it was told is used.
    pub(crate) fn leave(self) {
        self.waiter.free(self.seen(Answer::LetGo));
    }

    /// After an `Ok` or before any sleep: it cannot use what it was told, if it was.
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
