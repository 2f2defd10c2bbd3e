//! A mutex that survives the death of its holder.
//!
//! The word is 0 if the mutex is free. Otherwise it holds the holder's slot and generation. Two
//! more bits describe the waiters.
//!
//! ```text
//! 31       SLEEPERS   a thread may be asleep: a release wakes one
//! 30       STARVING   a sleeper found it taken again: it is kept for those who slept
//! 0..30    the holder; 0: free; ORPHAN: the holder died and its slot may have a new occupant
//! ```
//!
//! A holder that is found dead is replaced by one compare-and-swap from its word. The process that
//! succeeds gets `OwnerDied` and repairs the data that the mutex guards. If that process is killed
//! anywhere in between, the next one does the same.
//!
//! After the three-state futex mutex (U. Drepper, "Futexes Are Tricky") and musl's mutex with the
//! owner in the word; the starving bit is the idea of Go's sync.Mutex.

use std::mem::ManuallyDrop;

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
    /// Take the mutex, waiting while a live participant holds it.
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

    /// Take the mutex if nobody holds it or waits for it.
    #[inline]
    pub(crate) fn try_lock(&self, me: Owner) -> bool {
        self.word
            .compare_exchange(0, me.bits(), Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    /// As [`try_lock`](Self::try_lock), with a guard that releases the mutex.
    #[inline]
    pub(crate) fn try_hold<W: World>(&self, world: W, me: Owner) -> Option<Guard<'_, W>> {
        // Not `then_some`: its argument would be built in any case, and dropping it releases the
        // mutex.
        self.try_lock(me).then(|| Guard {
            mutex: self,
            world,
            inherited: false,
        })
    }

    /// As [`lock`](Self::lock), with a guard that releases the mutex.
    pub(crate) fn hold<W: World>(
        &self,
        world: W,
        me: Owner,
        patience: &mut Patience<'_>,
    ) -> Result<Guard<'_, W>> {
        let acquired = self.lock(&world, me, patience)?;
        Ok(Guard {
            mutex: self,
            world,
            inherited: acquired == Acquired::OwnerDied,
        })
    }

    /// Release the mutex. The caller holds it.
    #[inline]
    pub(crate) fn unlock(&self, world: &impl World) {
        let before = self.word.swap(0, Ordering::Release);
        if before & (SLEEPERS | STARVING) != 0 {
            self.pass_on(world, before);
        }
    }

    /// Release the mutex if the caller took it and nobody waits for it.
    #[inline]
    pub(crate) fn try_release(&self, me: Owner) -> bool {
        self.word
            .compare_exchange(me.bits(), 0, Ordering::Release, Ordering::Relaxed)
            .is_ok()
    }

    /// Release the mutex, also if another participant took it; `E_OVER_RELEASE` if it is free.
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

    /// The participant that holds the mutex, dead or alive.
    pub(crate) fn holder(&self) -> Option<Owner> {
        Owner::from_bits(self.word.load(Ordering::Acquire))
    }

    /// Report whether a thread has begun to wait for the mutex.
    #[cfg(test)]
    pub(crate) fn has_sleepers(&self) -> bool {
        self.word.load(Ordering::Relaxed) & SLEEPERS != 0
    }

    /// Report whether a live participant holds the mutex.
    pub(crate) fn is_locked(&self, world: &impl World) -> bool {
        match self.holder() {
            None | Some(Owner::ORPHAN) => false,
            Some(owner) => !world.is_dead(owner),
        }
    }

    /// Recovery: make the next `lock` return `OwnerDied`, although the holder's slot gets a new
    /// occupant.
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
        // A release that was killed before its wake-up leaves sleepers as well.
        world.wake(&self.word, 1);
    }

    /// After a release: if a thread starves, keep the mutex for those who slept. Wake one sleeper.
    #[cold]
    fn pass_on(&self, world: &impl World, before: u32) {
        if before & STARVING != 0 {
            // This fails if another thread has taken the mutex already; the starving thread then
            // sleeps once more.
            let _ = self
                .word
                .compare_exchange(0, STARVING, Ordering::Relaxed, Ordering::Relaxed);
        }
        // If the process is killed before the wake, the sleepers watch its life word and look
        // again.
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
            // This waiter may have consumed a wake-up that was meant for another waiter, so pass it
            // on.
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
            // The mutex is kept for the threads that slept. If no thread sleeps any more (killed,
            // timed out), any thread may take it.
            let kept_for_others = owner.is_none()
                && word & STARVING != 0
                && slept == 0
                && world.wake(&self.word, 1) > 0;
            let gone = owner.is_some_and(|owner| owner == Owner::ORPHAN || world.is_dead(owner));
            if (owner.is_none() && !kept_for_others) || gone {
                // Other threads may still sleep. After its own sleep a thread always assumes so.
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

/// A mutex that is held. A drop releases it.
pub(crate) struct Guard<'a, W: World> {
    mutex: &'a RobustMutex,
    world: W,
    /// Whether the previous holder died while it held the mutex.
    pub(crate) inherited: bool,
}

impl<W: World> Guard<'_, W> {
    /// As a drop, in line: the compiler makes one function of all drops.
    #[inline(always)]
    pub(crate) fn release(self) {
        let held = ManuallyDrop::new(self);
        held.mutex.unlock(&held.world);
    }
}

impl<W: World> Drop for Guard<'_, W> {
    #[inline(always)]
    fn drop(&mut self) {
        self.mutex.unlock(&self.world);
    }
}
