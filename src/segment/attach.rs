//! Becoming a participant, recovering the dead, and leaving.

use std::sync::atomic::{fence, Ordering};

use super::co_users::CoUsers;
use super::keeper::{self, Link};
use super::participants::{Life, Occupant};
use super::Segment;
use crate::status::{Result, Status};
use crate::sync::owner::Owner;
use crate::sys::fork;
use crate::sys::local_lock::LocalLock;
use crate::sys::{clock, lifetime, membarrier};

/// This process's slot, and the robust list that it is on.
#[derive(Clone, Copy)]
pub(super) struct Attachment {
    epoch: u32,
    slot: u32,
    generation: u32,
    link: Link,
}

/// How often a segment's unwatched participants are looked after.
const LOOK_EVERY_NS: u64 = 10_000_000;

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
            // The slot was a dead one's, whose traces are still there, and nobody sees it dead any more.
            self.recover_dead(owner)?;
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
            if let Some(own) = lifetime::own() {
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
        let needs_a_look = |life: Life| life.is_dead() || life.is_unwatched();
        if self
            .participants()
            .any(|(_, participant)| needs_a_look(participant.life()))
        {
            return self.look_closer(me);
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
        if self
            .participants()
            .any(|(_, participant)| participant.life().is_dead())
        {
            return self.recover_dead(me);
        }
        Ok(())
    }

    /// Do what the kernel does not for those whom it does not watch.
    fn mark_ended(&self) {
        self.participants()
            .for_each(|(_, participant)| participant.mark_if_ended());
    }

    /// The same for those who are too busy to sleep: a look at every 32nd call.
    #[inline]
    pub(crate) fn reap_now_and_then(&self, me: Owner) -> Result<()> {
        let calls = self.calls.load(Ordering::Relaxed).wrapping_add(1);
        self.calls.store(calls, Ordering::Relaxed);
        if calls.is_multiple_of(32) {
            return self.reap(me);
        }
        Ok(())
    }

    #[cold]
    fn recover_dead(&self, me: Owner) -> Result<()> {
        let dead = self
            .participants()
            .filter(|(_, participant)| participant.life().is_dead());
        let dead: Vec<_> = dead
            .map(|(_, participant)| (participant, participant.life()))
            .collect();
        membarrier::settle();
        (self.object.recover)(self, me, &|owner| self.is_gone(owner))?;
        for (participant, life) in dead {
            // Only now: a slot goes to a new participant when no trace of the old one is left.
            participant.release(life);
        }
        self.header()?.recoveries.fetch_add(1, Ordering::Relaxed);
        Ok(())
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
        let recovered =
            (self.object.recover)(self, me, &|owner| owner == me || self.is_gone(owner));
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
                // Somebody else has to do it: leave as the dead do.
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
