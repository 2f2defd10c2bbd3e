//! Becoming a participant, recovering the dead, and leaving.

use crate::pace::{LEFT_NS, LOOK_EVERY_NS, REAP_EVERY};
use std::sync::atomic::{fence, Ordering};

use super::co_users::CoUsers;
use super::keeper::{self, Link};
use super::participants::{Life, Occupant, Participant};
use super::Segment;
use crate::status::{Result, Status};
use crate::sync::local_lock::LocalLock;
use crate::sync::lock_wait::{Caller, LockWait};
use crate::sync::owner::Owner;
use crate::sys::fork;
use crate::sys::{clock, malloc, membarrier, procfs};

/// This process's slot, and the robust list that it is on.
#[derive(Clone, Copy)]
pub(super) struct Attachment {
    epoch: u32,
    slot: u32,
    generation: u32,
    link: Link,
}

/// Held while a process takes or leaves a slot: so no fork happens midway.
pub(super) static ATTACHING: LocalLock<()> = LocalLock::new(());

impl Segment {
    /// Who this process is here. Its first use of the object, also after a fork, makes it a participant.
    ///
    /// # Errors
    /// `E_LIMIT` when the table is full of living processes, and those of starting a keeper.
    #[inline]
    pub(crate) fn me(&self) -> Result<Owner> {
        // Acquire, pairs with the Release in `attach`: who writes this owner into shared memory does so
        // after the slot is alive.
        let me = self.me.load(Ordering::Acquire);
        if (me >> 32) as u32 == fork::epoch() {
            if let Some(owner) = Owner::from_bits(me as u32) {
                return Ok(owner);
            }
        }
        self.attach()
    }

    /// Who this process is here if it is a participant already: for what must not make it one.
    pub(crate) fn me_if_attached(&self) -> Option<Owner> {
        let me = self.me.load(Ordering::Acquire);
        if (me >> 32) as u32 != fork::epoch() {
            return None;
        }
        Owner::from_bits(me as u32)
    }

    #[cold]
    fn attach(&self) -> Result<Owner> {
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
        // Release, pairs with the Acquire in `me`: every thread that sees the owner writes it somewhere only
        // after the slot's life word. The other half of it is the fence in `is_gone`.
        self.me.store(
            u64::from(epoch) << 32 | u64::from(owner.bits()),
            Ordering::Release,
        );
        drop(attachment);
        drop(attaching);
        if heir {
            // The slot was a dead one's, whose traces are still there.
            self.recover_dead(owner, &LockWait::of_recovery())?;
        } else {
            self.reap(owner)?;
        }
        Ok(owner)
    }

    /// A slot, and whether it was taken over from a dead one.
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
        Err(Status::E_LIMIT)
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
        // Before the slot: a scan must not miss it.
        self.header()?
            .used_slots
            .fetch_max(slot + 1, Ordering::AcqRel);
        if seen.is_dead() {
            // Nobody sees it dead any more.
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
        participant.reset(std::process::id());
        // Killed before this it counts as alive for ever: it holds a slot and nothing else.
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

    /// Recover whoever has died since the last look. One load per slot when nobody has.
    pub(crate) fn reap(&self, me: Owner) -> Result<()> {
        let needs_a_look = |participant: &Participant| {
            let life = participant.life();
            life.is_dead() || life.is_unwatched() || participant.is_haunted()
        };
        if self
            .participants()
            .any(|(_, participant)| needs_a_look(participant))
        {
            return self.look_closer(me);
        }
        if self.has_left_the_dead() {
            // Somebody else has recovered them.
            self.left_until.store(0, Ordering::Relaxed);
        }
        Ok(())
    }

    #[cold]
    fn look_closer(&self, me: Owner) -> Result<()> {
        let now = clock::now_ns();
        let last = self.looked_closer.load(Ordering::Relaxed);
        if now.saturating_sub(last) >= LOOK_EVERY_NS {
            self.looked_closer.store(now, Ordering::Relaxed);
            self.mark_ended();
        }
        let needs_recovery =
            |participant: &Participant| participant.life().is_dead() || participant.is_haunted();
        let mut participants = self.participants();
        let is_any = participants.any(|(_, participant)| needs_recovery(participant));
        if !is_any {
            return Ok(());
        }
        // A lock that was waited for just now in vain is only tried.
        let is_left = now < self.left_until.load(Ordering::Relaxed);
        self.recover_dead(
            me,
            &match is_left {
                true => LockWait::at_once(),
                false => LockWait::of_recovery(),
            },
        )
    }

    /// Do what the kernel does not for those whom it does not watch.
    fn mark_ended(&self) {
        self.participants()
            .for_each(|(_, participant)| participant.mark_if_ended());
    }

    /// The same for those who are too busy to sleep: a look at one call in [`REAP_EVERY`].
    #[inline]
    pub(crate) fn reap_now_and_then(&self, me: Owner) -> Result<()> {
        let calls = self.calls.load(Ordering::Relaxed).wrapping_add(1);
        self.calls.store(calls, Ordering::Relaxed);
        if calls.is_multiple_of(REAP_EVERY) {
            return self.reap(me);
        }
        Ok(())
    }

    #[cold]
    fn recover_dead(&self, me: Owner, locks: &LockWait<'_>) -> Result<()> {
        let seen = self
            .participants()
            .map(|(_, participant)| (participant, participant.life(), participant.ghost()));
        let dead: Vec<_> = seen
            .filter(|(_, life, ghost)| life.is_dead() || *ghost != 0)
            .collect();
        membarrier::settle();
        let me = Caller::new(me, locks);
        match (self.object.recover)(self, me, &|owner| self.is_gone(owner)) {
            Ok(()) => self.left_until.store(0, Ordering::Relaxed),
            Err(status) if status.ends_a_wait() => {
                // They stay marked, for whoever comes next.
                if locks.has_waited() {
                    let until = clock::now_ns().saturating_add(LEFT_NS);
                    self.left_until.store(until, Ordering::Relaxed);
                }
                return Ok(());
            }
            Err(status) => return Err(status),
        }
        for (participant, life, ghost) in dead {
            // Only now: a slot goes to a new participant when no trace of the old one is left.
            if life.is_dead() {
                participant.release(life);
            }
            participant.lay(ghost);
        }
        self.header()?.recoveries.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Whether somebody is dead who could not be recovered just now.
    pub(super) fn has_left_the_dead(&self) -> bool {
        self.left_until.load(Ordering::Relaxed) != 0
    }

    /// The same, and none of its threads is still on its way out: what it held can be taken.
    pub(crate) fn is_gone_for_good(&self, owner: Owner) -> bool {
        if let Some(participant) = self.participant(owner.slot()) {
            participant.mark_if_ended();
        }
        self.is_gone(owner) && {
            membarrier::settle();
            // Whatever that process did before it wrote the owner is visible here now.
            self.is_gone(owner)
        }
    }

    /// Whether an owner's process has ended, or has left.
    pub(crate) fn is_gone(&self, owner: Owner) -> bool {
        // The owner was read from shared memory, often with a relaxed load: its slot's life word is read
        // after it. Pairs with the Release in `attach`; without the two an owner could be seen before its
        // slot is alive, and a living process would be taken for dead.
        fence(Ordering::Acquire);
        match self.participant(owner.slot()) {
            Some(participant) => !participant.is_held_by(owner),
            None => true,
        }
    }

    /// Leave: what this process holds here is given back as if it had died, and the slot is free.
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
        // No longer: who stays can do it as well.
        let locks = LockWait::of_recovery();
        let caller = Caller::new(me, &locks);
        let recovered =
            (self.object.recover)(self, caller, &|owner| owner == me || self.is_gone(owner));
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
                // Somebody else has to do it, where a stopped process is in the way: leave as the dead do.
                Err(_) => participant.abandon(life),
            }
        });
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        self.leave();
        super::registry::forget(self.identity);
    }
}
