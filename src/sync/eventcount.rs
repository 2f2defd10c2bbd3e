//! Waiting for a condition that lies outside of the lock word: items, space, an empty queue.
//!
//! The upper bits of the word are a sequence number; bit 0 says that a thread may be asleep. A
//! waiter announces itself, checks its condition again, and sleeps on the value that it saw. A
//! waker makes the condition true and then looks at the word, which takes one load if no thread
//! sleeps. If the bit is set but the waker finds no sleeper, it clears the bit, so a killed waiter
//! costs one system call, once.
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
    /// A word that only this process uses. Words in shared memory begin as zero.
    #[cfg(not(loom))]
    pub(crate) const fn new() -> EventCount {
        EventCount {
            word: AtomicU32::new(0),
        }
    }

    /// Announce a sleeper. Check the condition after this, and then call [`sleep`](Self::sleep).
    pub(crate) fn announce(&self) -> u32 {
        let seen = self.word.fetch_or(SLEEPERS, Ordering::SeqCst) | SLEEPERS;
        // Pairs with the barrier in `notify`: either the waiter sees the condition or the waker
        // sees the bit.
        fence(Ordering::SeqCst);
        seen
    }

    /// Announce a thread that sleeps on several words. Return the word and the value to sleep on.
    pub(crate) fn watch(&self) -> (*const u32, u32) {
        let seen = self.announce();
        (address(&self.word), seen)
    }

    /// Report whether a thread may be asleep. One load.
    #[inline]
    pub(crate) fn has_sleepers(&self) -> bool {
        self.word.load(Ordering::Relaxed) & SLEEPERS != 0
    }

    /// Report whether a sleeper may have missed the caller's previous changes. The last of these
    /// changes was, or was followed by, an atomic read-modify-write.
    #[inline]
    pub(crate) fn has_sleepers_after_rmw(&self) -> bool {
        barrier_after_rmw();
        self.has_sleepers()
    }

    /// Sleep until a notification that comes after [`announce`](Self::announce) returned `seen`.
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
    /// The caller made the condition true before this call, and by that change or after it did an
    /// atomic read-modify-write, for example by releasing a lock.
    #[inline]
    pub(crate) fn notify(&self, world: &impl World, count: u32) {
        if self.has_sleepers_after_rmw() {
            self.notify_sleepers(world, count);
        }
    }

    /// Wake every sleeper. The precondition is that of [`notify`](Self::notify).
    #[inline]
    pub(crate) fn notify_all(&self, world: &impl World) {
        if self.has_sleepers_after_rmw() {
            self.wake_all(world);
        }
    }

    #[cold]
    fn notify_sleepers(&self, world: &impl World, count: u32) {
        // If the process is killed before the wake, the sleepers watch its life word and look
        // again.
        self.word.fetch_add(STEP, Ordering::SeqCst);
        if world.wake(&self.word, count) < count as usize {
            // No more threads were asleep. A thread that announced itself since may be asleep by
            // now: clear the bit and wake it.
            self.wake_all(world);
        }
    }

    /// Advance the sequence and clear the bit in one step. The call that follows wakes every thread
    /// that slept before the step; a thread that announces itself after the step sets the bit
    /// again.
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

shared! {
    /// A condition to wait for, with two event counts, on a cache line of its own.
    #[repr(align(128))]
    pub(crate) struct WaitPoint {
        /// Threads that take a message or use room when they are woken. A notification for n
        /// messages wakes at most n of them.
        pub(crate) waiters: EventCount,
        /// Threads that only watch the condition. Each notification wakes all of them, and takes no
        /// wake-up away from the waiters.
        pub(crate) watchers: EventCount,
    }
}

impl WaitPoint {
    /// Report whether a waiter or a watcher may have missed the caller's previous changes. The
    /// precondition is that of [`EventCount::has_sleepers_after_rmw`].
    #[inline(always)]
    pub(crate) fn has_sleepers_after_rmw(&self) -> bool {
        self.waiters.has_sleepers_after_rmw() | self.watchers.has_sleepers()
    }

    /// Wake at most `count` waiters, and all watchers. Ordered like [`EventCount::notify`].
    #[inline(always)]
    pub(crate) fn notify(&self, world: &impl World, count: u32) {
        if self.has_sleepers_after_rmw() {
            self.notify_sleepers(world, count);
        }
    }

    #[cold]
    fn notify_sleepers(&self, world: &impl World, count: u32) {
        self.waiters.notify(world, count);
        self.watchers.notify_all(world);
    }

    /// Wake all waiters and watchers.
    #[inline]
    pub(crate) fn notify_all(&self, world: &impl World) {
        self.notify(world, u32::MAX);
    }
}
