//! Waiting for a condition that lies outside the lock word: items, space, an empty queue.
//!
//! Word: a sequence in the upper bits, bit 0 says that somebody may be asleep. A waiter announces
//! itself, checks its condition again, and sleeps on the value that it saw. A waker makes the condition
//! true, then looks: one load when nobody sleeps. One that finds nobody although the bit is set clears
//! it, so that a killed waiter costs one system call, once.
//!
//! After D. Vyukov's eventcount; the pair of full barriers is Dekker's.

use super::atomic::{address, barrier_after_rmw, fence, AtomicU32, Ordering};
use super::shared::shared;
use super::wait::Patience;
use super::world::World;
use crate::status::Result;

const SLEEPERS: u32 = 1;
const STEP: u32 = 2;

shared! {
    /// The word of one condition.
    pub(crate) struct EventCount {
        word: AtomicU32,
    }
}

impl EventCount {
    /// A word of this process alone; those in shared memory begin as zero.
    #[cfg(not(loom))]
    pub(crate) const fn new() -> EventCount {
        EventCount {
            word: AtomicU32::new(0),
        }
    }

    /// Announce a sleeper. Check the condition after this, then [`sleep`](Self::sleep).
    pub(crate) fn announce(&self) -> u32 {
        let seen = self.word.fetch_or(SLEEPERS, Ordering::SeqCst) | SLEEPERS;
        // Pairs with the fence in `notify`: one of the two sees the other.
        fence(Ordering::SeqCst);
        seen
    }

    /// Announce a sleeper that sleeps among other things: the word, and the value to sleep on.
    pub(crate) fn watch(&self) -> (*const u32, u32) {
        let seen = self.announce();
        (address(&self.word), seen)
    }

    /// Whether somebody may be asleep. One load.
    #[inline]
    pub(crate) fn has_sleepers(&self) -> bool {
        self.word.load(Ordering::Relaxed) & SLEEPERS != 0
    }

    /// Whether somebody who is asleep may have missed what the caller did before, an atomic
    /// read-modify-write included.
    #[inline]
    pub(crate) fn has_sleepers_after_rmw(&self) -> bool {
        barrier_after_rmw();
        self.has_sleepers()
    }

    /// Sleep until a notification that came after [`announce`](Self::announce) gave `seen`.
    pub(crate) fn sleep(
        &self,
        world: &impl World,
        seen: u32,
        patience: &mut Patience<'_>,
    ) -> Result<()> {
        world.sleep(&self.word, seen, patience)
    }

    /// Wake at most `count` sleepers.
    ///
    /// The condition was made true before, and since then (or by it) the caller has done an atomic
    /// read-modify-write: given a lock back, say.
    #[inline]
    pub(crate) fn notify(&self, world: &impl World, count: u32) {
        if self.has_sleepers_after_rmw() {
            self.notify_sleepers(world, count);
        }
    }

    /// Wake everybody. The same holds as for [`notify`](Self::notify).
    #[inline]
    pub(crate) fn notify_all(&self, world: &impl World) {
        if self.has_sleepers_after_rmw() {
            self.wake_all(world);
        }
    }

    #[cold]
    fn notify_sleepers(&self, world: &impl World, count: u32) {
        // Killed before the wake: the sleepers watch this process's life word and look again.
        self.word.fetch_add(STEP, Ordering::SeqCst);
        if world.wake(&self.word, count) < count as usize {
            // Nobody was left asleep. Who announced itself since may be by now: clear the bit and wake it.
            self.wake_all(world);
        }
    }

    /// The sequence moves on and the bit goes in one step: whoever slept before is woken by the call that
    /// follows, whoever announces itself after sets the bit again.
    #[cold]
    fn wake_all(&self, world: &impl World) {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            let next = word.wrapping_add(STEP) & !SLEEPERS;
            let moved =
                self.word
                    .compare_exchange_weak(word, next, Ordering::SeqCst, Ordering::Relaxed);
            match moved {
                Ok(_) => break,
                Err(now) => word = now,
            }
        }
        world.wake(&self.word, u32::MAX);
    }
}
