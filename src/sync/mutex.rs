//! A lock that outlives its holder.
//!
//! Word: 0 when free, else the holder's slot and generation; two more bits tell of those who wait.
//!
//! ```text
//! 31       SLEEPERS   somebody may be asleep: who releases wakes one
//! 30       STARVING   somebody slept and found it taken again: it is kept for those who slept
//! 0..30    the holder, 0: free, ORPHAN: the holder died and its slot may be another's by now
//! ```
//!
//! A holder found dead is replaced by one compare-and-swap from its word; whoever does it gets
//! `OwnerDied` and mends what the lock guards. Killed anywhere in between, the next one does the same.
//!
//! After the three-state futex mutex (U. Drepper, "Futexes Are Tricky") and musl's owner-in-the-word;
//! the starving bit is the idea of Go's sync.Mutex.

use super::atomic::{AtomicU32, Ordering};

use super::owner::{Owner, OWNER_MASK};
use super::shared::shared;
use super::wait::Patience;
use super::world::World;
use super::Acquired;
use crate::pace::backoff;
use crate::status::{Result, Status};

const SLEEPERS: u32 = 1 << 31;
const STARVING: u32 = 1 << 30;

shared! {
    /// The lock word.
    pub(crate) struct RobustMutex {
        word: AtomicU32,
    }
}

impl RobustMutex {
    /// Take it, waiting while a live participant holds it.
    #[inline]
    pub(crate) fn lock(
        &self,
        world: &impl World,
        me: Owner,
        patience: &mut Patience<'_>,
    ) -> Result<Acquired> {
        match self.try_lock(me) {
            true => Ok(Acquired::Clean),
            false => self.lock_contended(world, me, patience),
        }
    }

    /// Take it if nobody holds it or waits for it.
    #[inline]
    pub(crate) fn try_lock(&self, me: Owner) -> bool {
        self.word
            .compare_exchange(0, me.bits(), Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    /// Give it back. The caller holds it.
    #[inline]
    pub(crate) fn unlock(&self, world: &impl World) {
        let before = self.word.swap(0, Ordering::Release);
        if before & (SLEEPERS | STARVING) != 0 {
            self.pass_on(world, before);
        }
    }

    /// Give it back, whoever took it; `E_OVER_RELEASE` when nobody holds it.
    pub(crate) fn release(&self, world: &impl World) -> Result<()> {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            match Owner::from_bits(word) {
                None | Some(Owner::ORPHAN) => return Err(Status::E_OVER_RELEASE),
                Some(_) => {}
            }
            match self
                .word
                .compare_exchange_weak(word, 0, Ordering::Release, Ordering::Relaxed)
            {
                Ok(_) => break,
                Err(now) => word = now,
            }
        }
        if word & (SLEEPERS | STARVING) != 0 {
            self.pass_on(world, word);
        }
        Ok(())
    }

    /// The participant that holds it, dead or alive.
    pub(crate) fn holder(&self) -> Option<Owner> {
        Owner::from_bits(self.word.load(Ordering::Acquire))
    }

    /// Whether somebody alive holds it.
    pub(crate) fn is_locked(&self, world: &impl World) -> bool {
        match self.holder() {
            None | Some(Owner::ORPHAN) => false,
            Some(owner) => !world.is_dead(owner),
        }
    }

    /// Recovery: the next one to take it gets `OwnerDied` although the holder's slot is given away.
    pub(crate) fn orphan(&self, world: &impl World, is_gone: &dyn Fn(Owner) -> bool) {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            match Owner::from_bits(word) {
                None => break,
                Some(Owner::ORPHAN) => break,
                Some(owner) if !is_gone(owner) => return,
                Some(_) => {}
            }
            let orphan = word & !OWNER_MASK | Owner::ORPHAN.bits();
            match self.word.compare_exchange_weak(
                word,
                orphan,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => break,
                Err(now) => word = now,
            }
        }
        // A release that was killed before its wake-up leaves sleepers too.
        world.wake(&self.word, 1);
    }

    /// After a release: keep the lock for those who slept if one of them starves, and wake one.
    #[cold]
    fn pass_on(&self, world: &impl World, before: u32) {
        if before & STARVING != 0 {
            // Fails when somebody has taken it already: then that one was quicker this once more.
            let _ = self
                .word
                .compare_exchange(0, STARVING, Ordering::Relaxed, Ordering::Relaxed);
        }
        // Killed before the wake: the sleepers watch this process's life word and look again.
        world.wake(&self.word, 1);
    }

    #[cold]
    fn lock_contended(
        &self,
        world: &impl World,
        me: Owner,
        patience: &mut Patience<'_>,
    ) -> Result<Acquired> {
        let takes = || self.word.load(Ordering::Relaxed) == 0 && self.try_lock(me);
        if !patience.is_try() && backoff::attempt(takes) {
            return Ok(Acquired::Clean);
        }
        let taken = self.lock_sleeping(world, me, patience);
        if taken.is_err() && Owner::from_bits(self.word.load(Ordering::Relaxed)).is_none() {
            // This waiter may have eaten the wake-up that was meant for one who still wants the lock.
            world.wake(&self.word, 1);
        }
        taken
    }

    fn lock_sleeping(
        &self,
        world: &impl World,
        me: Owner,
        patience: &mut Patience<'_>,
    ) -> Result<Acquired> {
        let mut slept = 0u32;
        loop {
            let word = self.word.load(Ordering::Relaxed);
            let owner = Owner::from_bits(word);
            // Kept for those who slept; where nobody sleeps any more (killed, timed out) it is anybody's.
            let kept_for_others = owner.is_none()
                && word & STARVING != 0
                && slept == 0
                && world.wake(&self.word, 1) > 0;
            let gone = owner.is_some_and(|owner| owner == Owner::ORPHAN || world.is_dead(owner));
            if (owner.is_none() && !kept_for_others) || gone {
                // Others may sleep still: once slept, always expect them.
                let bits = word & SLEEPERS | if slept > 0 { SLEEPERS } else { 0 };
                let mine = me.bits() | bits;
                if self
                    .word
                    .compare_exchange(word, mine, Ordering::Acquire, Ordering::Relaxed)
                    .is_ok()
                {
                    return Ok(if gone {
                        Acquired::OwnerDied
                    } else {
                        Acquired::Clean
                    });
                }
                continue;
            }
            let starving = if slept > 1 { STARVING } else { 0 };
            let waiting = word | SLEEPERS | starving;
            if waiting != word
                && self
                    .word
                    .compare_exchange(word, waiting, Ordering::Relaxed, Ordering::Relaxed)
                    .is_err()
            {
                continue;
            }
            world.sleep(&self.word, waiting, patience)?;
            slept += 1;
        }
    }
}
