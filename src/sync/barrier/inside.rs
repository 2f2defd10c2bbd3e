//! The steps under the barrier's mutex: joining a round, ending it, giving up.

use std::cell::Cell;

use super::phase::Phase;
use super::{Arrival, Barrier};
use crate::status::{Result, Status};
use crate::sync::atomic::Ordering;
use crate::sync::owner::Owner;
use crate::sync::waiters::{Answer, Seen, Waiter, PLACES};
use crate::sync::world::World;

/// The result of an arrival.
pub(super) enum Joined<'a> {
    Last(Arrival),
    Waits(&'a Waiter, u32),
    /// The previous round is still held.
    Gate,
}

/// One participant that holds the mutex.
pub(super) struct Inside<'a, W> {
    pub(super) barrier: &'a Barrier,
    pub(super) world: &'a W,
    pub(super) me: Owner,
    /// Whether parties were answered, so that they have to be woken.
    pub(super) answered: Cell<bool>,
}

impl Barrier {
    /// Under the mutex: break the barrier for a party that is gone, and finish the transition that
    /// the phase announces. Return whether a party was answered. Each step may be repeated.
    pub(super) fn settle(&self, is_gone: &dyn Fn(Owner) -> bool) -> Result<bool> {
        let gone = || self.waiters.waiting().any(|(_, seen)| is_gone(seen.owner));
        let has_given_up = self.given_up.load(Ordering::SeqCst) != 0;
        let phase = self.phase()?;
        let lost = match phase {
            Phase::Filling => has_given_up || gone(),
            Phase::Held(leader) => has_given_up || is_gone(leader) || gone(),
            _ => false,
        };
        if lost {
            self.phase.store(Phase::Breaking.pack(), Ordering::SeqCst);
        }
        // The announced transition is finished first. Then the next round is broken.
        if has_given_up && phase != Phase::Releasing {
            // Reset the word only now: if this process is killed before the reset, the next one
            // breaks the barrier.
            self.given_up.store(0, Ordering::SeqCst);
            for (waiter, seen) in self.waiters.taken() {
                if seen.answer == Answer::Claimed {
                    waiter.free(seen);
                }
            }
        }
        let (answer, next) = match self.phase()? {
            Phase::Releasing => (Answer::LetGo, Phase::Filling),
            Phase::Breaking => (Answer::Refused, Phase::Broken),
            Phase::Resetting => (Answer::Refused, Phase::Filling),
            Phase::Filling | Phase::Held(_) | Phase::Broken => return Ok(false),
        };
        for (waiter, seen) in self.waiters.waiting() {
            waiter.change(seen, seen.owner, answer);
        }
        self.phase.store(next.pack(), Ordering::SeqCst);
        Ok(true)
    }
}

/// A place that `me` claimed, as the claiming thread must find it.
pub(super) fn own(waiter: &Waiter, me: Owner) -> Result<Seen> {
    let seen = waiter.seen().filter(|seen| seen.owner == me);
    seen.ok_or(Status::E_CORRUPT)
}

/// Take the answer from a place, and free the place.
pub(super) fn take_answer(waiter: &Waiter, me: Owner) -> Result<()> {
    let seen = own(waiter, me)?;
    waiter.free(seen);
    match seen.answer {
        Answer::LetGo => Ok(()),
        Answer::Refused => Err(Status::E_BROKEN_BARRIER),
        Answer::Claimed | Answer::Waits => Err(Status::E_CORRUPT),
    }
}

impl<'a, W: World> Inside<'a, W> {
    pub(super) fn settle(&self) -> Result<()> {
        let world = self.world;
        if self.barrier.settle(&|owner| world.is_dead(owner))? {
            self.answered.set(true);
        }
        Ok(())
    }

    /// Store the phase, which commits the step, and finish the transition that it announces.
    pub(super) fn go_to(&self, phase: Phase) -> Result<()> {
        self.barrier.phase.store(phase.pack(), Ordering::SeqCst);
        self.settle()
    }

    /// Join the round as one more party.
    pub(super) fn join(&self, leads: bool) -> Result<Joined<'a>> {
        match self.barrier.phase()? {
            Phase::Filling => {}
            Phase::Held(_) => return Ok(Joined::Gate),
            _ => return Err(Status::E_BROKEN_BARRIER),
        }
        let parties = self.barrier.parties()?;
        let (index, arrived) = self.free_index(parties)?;
        if arrived + 1 < parties {
            let waiter = self.barrier.waiters.claim(self.me)?;
            waiter.wait_as(self.me, index);
            return Ok(Joined::Waits(waiter, index));
        }
        self.go_to(if leads {
            Phase::Held(self.me)
        } else {
            Phase::Releasing
        })?;
        Ok(Joined::Last(Arrival {
            index,
            leader: leads,
        }))
    }

    /// The lowest index that no party has, and the number of parties that have one. A party that a
    /// signal interrupted has left its index to the next party.
    fn free_index(&self, parties: u32) -> Result<(u32, u32)> {
        let mut has = [0u64; PLACES.div_ceil(64)];
        let mut arrived = 0;
        for (waiter, _) in self.barrier.waiters.waiting() {
            let index = waiter.number();
            let bits = has.get_mut(index as usize / 64);
            let bits = bits.filter(|bits| index < parties && **bits & 1 << (index % 64) == 0);
            *bits.ok_or(Status::E_CORRUPT)? |= 1 << (index % 64);
            arrived += 1;
        }
        let free = (0..parties).find(|index| {
            let bits = has.get(*index as usize / 64);
            bits.is_some_and(|bits| bits & 1 << (index % 64) == 0)
        });
        Ok((free.ok_or(Status::E_CORRUPT)?, arrived))
    }

    /// Handle a party whose wait has ended. The party breaks the barrier, unless it was answered
    /// meanwhile. A party that was only interrupted does not break it: it has not arrived and may
    /// come back.
    pub(super) fn give_up(&self, waiter: &Waiter, status: Status) -> Result<()> {
        let seen = own(waiter, self.me)?;
        if seen.answer != Answer::Waits {
            return take_answer(waiter, self.me);
        }
        if status == Status::E_INTERRUPTED {
            waiter.free(seen);
            return Err(status);
        }
        self.go_to(Phase::Breaking)?;
        if let Some(seen) = waiter.seen() {
            waiter.free(seen);
        }
        Err(status)
    }
}
