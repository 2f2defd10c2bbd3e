//! Becoming a participant, recovering the dead, and leaving.

use std::sync::atomic::Ordering;

use super::account::Account;
use super::co_users::CoUsers;
use super::keeper::{self, Link};
use super::participants::{Life, Occupant};
use super::Segment;
use crate::status::detail::because;
use crate::status::{Result, Status};
use crate::sync::local_lock::LocalLock;
use crate::sync::lock_wait::{Caller, LockWait};
use crate::sync::owner::Owner;
use crate::sys::fork;
use crate::sys::wiped::OWN_WORDS;
use crate::sys::{malloc, membarrier, procfs};

/// This process's slot, and the robust list that its entry is on.
#[derive(Clone, Copy)]
pub(super) struct Attachment {
    epoch: u32,
    slot: u32,
    generation: u32,
    link: Link,
}

/// Held while a process takes or leaves a slot, so that no fork happens midway.
pub(super) static ATTACHING: LocalLock<()> = LocalLock::new(());

impl Segment {
    #[cold]
    pub(super) fn attach(&self) -> Result<Owner> {
        malloc::check()?;
        super::hold_tables_across_forks();
        let attaching = ATTACHING.lock();
        let epoch = fork::epoch();
        let mut attachment = self.attachment.lock();
        let (mine, heir) = match *attachment {
            Some(known) if known.epoch == epoch => (known, false),
            _ => {
                let (fresh, heir) = self.take_slot(epoch)?;
                *attachment = Some(fresh);
                (fresh, heir)
            }
        };
        let owner = Owner::new(mine.slot, mine.generation);
        let account_at = super::account::index_of(mine.slot as usize) * size_of::<Account>();
        let [me, own_account_at, ..] = &self.own.words;
        own_account_at.store(account_at, Ordering::Relaxed);
        // In a forked child the count of calls is the parent's, and the account is new.
        self.look_around_soon();
        // Release, pairs with the Acquire in `me`: every thread that sees the owner writes it to
        // shared memory only after the slot's life word. The fence in `is_gone` is the other half.
        me.store(owner.bits() as usize, Ordering::Release);
        drop(attachment);
        drop(attaching);
        if membarrier::is_reached() {
            self.note_that_barriers_reach();
        }
        if heir {
            // The slot belonged to a dead process, whose traces are still there.
            self.recover_dead(owner, &LockWait::of_recovery())?;
        } else {
            self.reap(owner)?;
        }
        Ok(owner)
    }

    /// Note in this process's slot, if it has one, that the quick barriers of others reach it.
    ///
    /// The process notes this when it has registered, in each slot, and when it has taken a slot,
    /// if it has registered by then. One of the two comes second, and sees what the other has done.
    pub(super) fn note_that_barriers_reach(&self) {
        let _attaching = ATTACHING.lock();
        let mine = self
            .attachment
            .lock()
            .filter(|mine| mine.epoch == fork::epoch());
        if let Some(own) = mine.and_then(|mine| self.participant(mine.slot as usize)) {
            own.note_that_barriers_reach();
        }
    }

    /// Take a slot. Return it, and whether it was taken over from a dead process.
    fn take_slot(&self, epoch: u32) -> Result<(Attachment, bool)> {
        let capacity = self.object.kind.max_participants();
        let is_free: fn(Life) -> bool = |life| life.is_free();
        let is_dead: fn(Life) -> bool = |life| life.is_dead();
        for (acceptable, heir) in [(is_free, false), (is_dead, true)] {
            if heir {
                self.mark_ended();
            }
            for slot in 0..capacity {
                if let Some(taken) = self.try_take_slot(epoch, slot, acceptable)? {
                    return Ok((taken, heir));
                }
            }
        }
        Err(because!(
            E_LIMIT,
            "{} processes use the object",
            self.object.kind.max_participants()
        ))
    }

    fn try_take_slot(
        &self,
        epoch: u32,
        slot: u32,
        acceptable: fn(Life) -> bool,
    ) -> Result<Option<Attachment>> {
        let participant = self.participant(slot as usize).ok_or(Status::E_CORRUPT)?;
        let seen = participant.life();
        if !acceptable(seen) {
            return Ok(None);
        }
        // Raise this before the slot is taken, so that no scan misses the slot.
        let used_before = self
            .header()?
            .used_slots
            .fetch_max(slot + 1, Ordering::SeqCst);
        if used_before <= slot {
            self.close_gap(slot as usize);
        }
        if seen.is_dead() {
            // From now on the life word no longer says that the earlier occupant is dead.
            participant.haunt(seen);
        }
        let mut taken = None;
        let mut introduces = false;
        let entry = self.entry(slot as usize)?;
        let link = keeper::link(CoUsers::of(&self.fd)?, entry, |occupant| {
            introduces = matches!(occupant, Occupant::Unwatched(_));
            taken = participant.take(seen, occupant);
            taken.is_some()
        })?;
        let (Some(link), Some(generation)) = (link, taken) else {
            return Ok(None);
        };
        // The first store: if this process has registered, no recovery of it needs the slow
        // barrier.
        participant.reset(std::process::id(), membarrier::is_reached());
        if let Some(account) = self.account(slot as usize) {
            account.reset();
        }
        // If the process is killed before this, it counts as alive for ever: it holds a slot and
        // nothing else.
        if introduces {
            if let Some(own) = procfs::own() {
                participant.introduce(generation, &own);
            }
        }
        Ok(Some(Attachment {
            epoch,
            slot,
            generation,
            link,
        }))
    }

    /// Leave the segment: give back what this process holds, as if it had died, and free the slot.
    fn leave(&self) {
        let taken = {
            let _attaching = ATTACHING.lock();
            self.attachment.lock().take()
        };
        let Some(mine) = taken else {
            return;
        };
        if mine.epoch != fork::epoch() {
            return;
        }
        let Some(participant) = self.participant(mine.slot as usize) else {
            return;
        };
        let me = Owner::new(mine.slot, mine.generation);
        // Wait no longer than a recovery does, since the remaining participants can recover as
        // well.
        let locks = LockWait::of_recovery();
        let caller = Caller::new(me, &locks);
        // The dead who are marked are left to others, who issue a barrier first.
        let is_gone = |owner| owner == me || self.is_gone_unmarked(owner);
        let recovered = (self.object.recover)(self, caller, &is_gone)
            // While this process still has its slot: if it is killed here, others recover it.
            .and_then(|()| (self.object.wake)(self));
        let Ok(entry) = self.entry(mine.slot as usize) else {
            return;
        };
        keeper::unlink(mine.link, entry, || {
            let life = participant.life();
            if !life.is_alive() || life.generation() != mine.generation {
                return;
            }
            match recovered {
                Ok(()) => participant.release(life),
                // A stopped process holds a lock, so another participant has to recover: leave the
                // slot as a dead process leaves it.
                Err(_) => participant.abandon(life),
            }
        });
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        self.leave();
        OWN_WORDS.give_back(self.own);
        super::registry::forget(self.identity);
    }
}
