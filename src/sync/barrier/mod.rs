//! A barrier, at which a number of parties wait for each other.
//!
//! One store of the phase, under a robust mutex, ends a round. After the store every waiting party
//! is given the same answer. If a process dies between the store and the last answer, the next one
//! that takes the mutex continues from the phase: see `settle` in [`inside`]. So all parties of a
//! round are released or none is. A party reads its answer in its own place, so it gets the answer
//! of its own round however late it wakes.

mod inside;
mod phase;

use std::cell::Cell;

use self::inside::{own, take_answer, Inside, Joined};
use self::phase::Phase;
use super::atomic::{barrier_after_rmw, AtomicU32, AtomicU64, Ordering};
use super::eventcount::EventCount;
use super::lock_wait::{Caller, LockWait};
use super::mutex::RobustMutex;
use super::owner::Owner;
use super::shared::shared;
use super::wait::{Patience, Wait};
use super::waiters::{Answer, Waiter, Waiters, PLACES};
use super::world::World;
use crate::status::{Result, Status};

/// Maximum number of parties of a barrier: each of them needs a place.
pub(crate) const MAX_PARTIES: u32 = PLACES as u32;

shared! {
    /// The words of a barrier.
    pub(crate) struct Barrier {
        phase: AtomicU64,
        mutex: RobustMutex,
        parties: AtomicU32,
        /// Advances whenever parties were answered.
        answers: EventCount,
        /// Not 0 if a party that could not get the mutex has given up. The holder of the mutex, or
        /// the next process that takes it, breaks the barrier.
        given_up: AtomicU32,
        waiters: Waiters,
    }
}

/// Report whether a party that could not get the mutex breaks the barrier. A party that was
/// interrupted does not: it may come again.
fn breaks(status: Status) -> bool {
    status.ends_a_wait() && status != Status::E_INTERRUPTED
}

/// The result of a completed arrival.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arrival {
    /// A number from 0 to one less than the number of parties; each number occurs once in a round.
    pub index: u32,
    /// Whether this party came last and holds the others until it completes the round.
    pub leader: bool,
}

impl Barrier {
    /// Initialize a new barrier, before any other process can see it.
    pub(crate) fn fill(&self, parties: u32) {
        self.parties.store(parties, Ordering::Relaxed);
    }

    pub(crate) fn parties(&self) -> Result<u32> {
        match self.parties.load(Ordering::Relaxed) {
            parties @ 1..=MAX_PARTIES => Ok(parties),
            _ => Err(Status::E_CORRUPT),
        }
    }

    pub(crate) fn waiting(&self, world: &impl World) -> u32 {
        let living = self
            .waiters
            .waiting()
            .filter(|(_, seen)| !world.is_dead(seen.owner));
        living.count() as u32
    }

    /// The participants whose threads wait, one for each thread, dead or alive.
    pub(crate) fn waiting_parties(&self) -> Vec<Owner> {
        self.waiters.waiting().map(|(_, seen)| seen.owner).collect()
    }

    fn phase(&self) -> Result<Phase> {
        Phase::unpack(self.phase.load(Ordering::SeqCst))
    }

    pub(crate) fn is_broken(&self) -> Result<bool> {
        Ok(matches!(self.phase()?, Phase::Breaking | Phase::Broken))
    }

    /// Arrive and wait for the others. With `leads`, the last party holds them until it completes
    /// the round. `without_recovery` is the world that the mutex uses.
    pub(crate) fn arrive(
        &self,
        world: &impl World,
        without_recovery: &impl World,
        me: Owner,
        leads: bool,
        wait: &Wait<'_>,
    ) -> Result<Arrival> {
        let mut patience = Patience::new(wait);
        let locks = LockWait::until(&mut patience);
        loop {
            match self.come(without_recovery, me, &locks, leads)? {
                Joined::Last(arrival) => return Ok(arrival),
                Joined::Waits(waiter, index) => {
                    self.await_answer(world, without_recovery, me, waiter, &mut patience, &locks)?;
                    let leader = false;
                    return Ok(Arrival { index, leader });
                }
                Joined::Gate => {
                    let seen = self.answers.announce();
                    if matches!(self.phase()?, Phase::Held(_)) {
                        self.answers.sleep(world, seen, &mut patience)?;
                    }
                }
            }
        }
    }

    /// Join the round. If the time is over before the caller gets the mutex, this breaks the
    /// barrier, as every other end of a wait does.
    fn come<'a, W: World>(
        &'a self,
        without_recovery: &'a W,
        me: Owner,
        locks: &LockWait<'_>,
        leads: bool,
    ) -> Result<Joined<'a>> {
        let mut patience = locks.patience();
        let mut is_inside = false;
        let joined = self.inside(without_recovery, me, &mut patience, |inside| {
            is_inside = true;
            inside.join(leads)
        });
        match joined {
            Err(status) if !is_inside && breaks(status) => {
                self.give_up_outside(without_recovery, me);
                Err(status)
            }
            other => other,
        }
    }

    fn await_answer(
        &self,
        world: &impl World,
        without_recovery: &impl World,
        me: Owner,
        waiter: &Waiter,
        patience: &mut Patience<'_>,
        locks: &LockWait<'_>,
    ) -> Result<()> {
        loop {
            let seen = self.answers.announce();
            match own(waiter, me)?.answer {
                Answer::Waits => {}
                _ => return take_answer(waiter, me),
            }
            if let Err(status) = self.answers.sleep(world, seen, patience) {
                return self.leave(without_recovery, me, waiter, status, locks);
            }
        }
    }

    /// Handle a party whose wait has ended.
    fn leave(
        &self,
        without_recovery: &impl World,
        me: Owner,
        waiter: &Waiter,
        status: Status,
        locks: &LockWait<'_>,
    ) -> Result<()> {
        let mut patience = locks.patience();
        let mut is_inside = false;
        let left = self.inside(without_recovery, me, &mut patience, |inside| {
            is_inside = true;
            inside.give_up(waiter, status)
        });
        if is_inside || !left.is_err_and(Status::ends_a_wait) {
            return left;
        }
        // The mutex was not free in time: its holder is stopped. Other processes still count this
        // party as arrived. The barrier breaks when the holder goes on.
        let seen = own(waiter, me)?;
        if seen.answer == Answer::Waits && waiter.change(seen, me, Answer::Claimed) {
            self.give_up_outside(without_recovery, me);
            return Err(status);
        }
        take_answer(waiter, me)
    }

    /// Make the holder of the mutex break the barrier when it releases the mutex. If the mutex is
    /// free by now, break the barrier here.
    fn give_up_outside(&self, without_recovery: &impl World, me: Owner) {
        // Store this before the attempt at the mutex, since a holder unlocks before it looks:
        // either the holder sees this store, or it has released the mutex.
        self.given_up.fetch_max(1, Ordering::SeqCst);
        self.break_for_those_outside(without_recovery, me);
    }

    /// If the process is killed before this, recovery breaks the barrier on its behalf.
    fn break_for_those_outside(&self, without_recovery: &impl World, me: Owner) {
        barrier_after_rmw();
        while self.given_up.load(Ordering::SeqCst) != 0 && self.mutex.try_lock(me) {
            if self
                .inside_locked_once(without_recovery, me, |_| Ok(()))
                .is_err()
            {
                // The next call reports the error.
                break;
            }
        }
    }

    /// Called by the leader of the round that is held: release the other parties, or break the
    /// barrier.
    pub(crate) fn complete(
        &self,
        without_recovery: &impl World,
        me: Owner,
        ok: bool,
    ) -> Result<()> {
        self.inside_briefly(without_recovery, me, |inside| match self.phase()? {
            Phase::Held(leader) if leader == me => inside.go_to(if ok {
                Phase::Releasing
            } else {
                Phase::Breaking
            }),
            Phase::Broken => Err(Status::E_BROKEN_BARRIER),
            _ => Err(Status::E_NOT_OWNER),
        })
    }

    /// Break the barrier until it is reset.
    pub(crate) fn abort(&self, without_recovery: &impl World, me: Owner) -> Result<()> {
        self.inside_briefly(without_recovery, me, |inside| inside.go_to(Phase::Breaking))
    }

    /// Refuse the waiting parties, and begin a new round.
    pub(crate) fn reset(&self, without_recovery: &impl World, me: Owner) -> Result<()> {
        self.inside_briefly(without_recovery, me, |inside| {
            inside.go_to(Phase::Resetting)
        })
    }

    /// Recovery: a party or a leader that is gone breaks the barrier. A transition that was
    /// announced by a process that died with the mutex is finished.
    pub(crate) fn recover(
        &self,
        without_recovery: &impl World,
        me: Caller<'_>,
        is_gone: &dyn Fn(Owner) -> bool,
    ) -> Result<()> {
        self.mutex
            .lock(without_recovery, me.owner, &mut me.locks.patience())?;
        let settled = self.settle(is_gone);
        if settled.is_ok() {
            // The threads of these places are dead: they read no answer and free no place.
            for (waiter, seen) in self.waiters.taken() {
                if is_gone(seen.owner) {
                    waiter.free(seen);
                }
            }
        }
        self.mutex.unlock(without_recovery);
        self.break_for_those_outside(without_recovery, me.owner);
        settled.map(|_| ())
    }

    /// Recovery: wake the parties. Always, since an answer may come from a process that died before
    /// it woke them.
    pub(crate) fn wake_all(&self, without_recovery: &impl World) {
        self.answers.notify_all(without_recovery);
    }

    /// Run `body` under the mutex, after finishing the transition that an earlier holder announced.
    fn inside<'a, W: World, T>(
        &'a self,
        without_recovery: &'a W,
        me: Owner,
        patience: &mut Patience<'_>,
        body: impl FnOnce(&Inside<'a, W>) -> Result<T>,
    ) -> Result<T> {
        self.mutex.lock(without_recovery, me, patience)?;
        self.inside_locked(without_recovery, me, body)
    }

    /// As [`inside`](Self::inside), for calls that do not block.
    fn inside_briefly<'a, W: World, T>(
        &'a self,
        without_recovery: &'a W,
        me: Owner,
        body: impl FnOnce(&Inside<'a, W>) -> Result<T>,
    ) -> Result<T> {
        self.inside(
            without_recovery,
            me,
            &mut LockWait::brief().patience(),
            body,
        )
    }

    fn inside_locked<'a, W: World, T>(
        &'a self,
        without_recovery: &'a W,
        me: Owner,
        body: impl FnOnce(&Inside<'a, W>) -> Result<T>,
    ) -> Result<T> {
        let result = self.inside_locked_once(without_recovery, me, body);
        self.break_for_those_outside(without_recovery, me);
        result
    }

    fn inside_locked_once<'a, W: World, T>(
        &'a self,
        without_recovery: &'a W,
        me: Owner,
        body: impl FnOnce(&Inside<'a, W>) -> Result<T>,
    ) -> Result<T> {
        let inside = Inside {
            barrier: self,
            world: without_recovery,
            me,
            answered: Cell::new(false),
        };
        let result = inside.settle().and_then(|()| body(&inside));
        self.mutex.unlock(without_recovery);
        if inside.answered.get() {
            // If the process is killed before this, the sleepers watch its life word, and recovery
            // wakes them.
            self.answers.notify_all(without_recovery);
        }
        result
    }
}
