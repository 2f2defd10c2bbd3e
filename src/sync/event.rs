//! A flag that processes wait for.
//!
//! Word: bit 0 the flag, bits 1 and 2 say that somebody may be asleep until it is set or until it is
//! cleared, the rest counts the sets. A waiter
//! that was there when the flag was set sees the count move, even if a clear follows at once. Neither set
//! nor clear ever blocks, and both are one loop over one word, fit for a signal handler.

use super::atomic::{address, AtomicU32, Ordering};
use super::shared::shared;
use super::wait::Patience;
use super::world::World;
use crate::status::{Result, Status};

const SET: u32 = 1;
const SLEEPERS: u32 = 2;
/// Somebody may be asleep until the flag is cleared.
const WATCHED: u32 = 4;
const GENERATION: u32 = 8;

shared! {
    /// The event word.
    pub(crate) struct EventWord {
        word: AtomicU32,
    }
}

impl EventWord {
    /// Set the flag and let everybody go who waits. Async-signal-safe.
    pub(crate) fn set(&self, world: &impl World) {
        let mut word = self.word.load(Ordering::Relaxed);
        while word & SET == 0 {
            let next = (word & !SLEEPERS).wrapping_add(GENERATION) | SET;
            match self
                .word
                .compare_exchange_weak(word, next, Ordering::SeqCst, Ordering::Relaxed)
            {
                Ok(_) => {
                    if word & SLEEPERS != 0 {
                        // Killed before this: the sleepers watch this process's life word and look again.
                        world.wake(&self.word, u32::MAX);
                    }
                    return;
                }
                Err(now) => word = now,
            }
        }
    }

    /// Clear the flag.
    pub(crate) fn clear(&self, world: &impl World) {
        let word = self.word.fetch_and(!(SET | WATCHED), Ordering::SeqCst);
        if word & (SET | WATCHED) == SET | WATCHED {
            world.wake(&self.word, u32::MAX);
        }
    }

    /// How often it was set, for [`was_set_since`](Self::was_set_since).
    pub(crate) fn sets(&self) -> u32 {
        self.word.load(Ordering::SeqCst) & !(SET | SLEEPERS | WATCHED)
    }

    /// Whether it is set now, or was since `sets` was read.
    pub(crate) fn was_set_since(&self, sets: u32) -> bool {
        self.is_set() || self.sets() != sets
    }

    /// Announce a sleeper that any change of the flag wakes: the word, and the value to sleep on.
    pub(crate) fn watch(&self) -> (*const u32, u32) {
        let announced = SLEEPERS | WATCHED;
        let seen = self.word.fetch_or(announced, Ordering::SeqCst) | announced;
        (address(&self.word), seen)
    }

    pub(crate) fn is_set(&self) -> bool {
        self.word.load(Ordering::SeqCst) & SET != 0
    }

    /// Wait until the flag is set, or was since [`sets`](Self::sets) gave `sets`.
    pub(crate) fn wait_since(
        &self,
        world: &impl World,
        sets: u32,
        patience: &mut Patience<'_>,
    ) -> Result<()> {
        let is_over = |word: u32| word & SET != 0 || word & !(SET | SLEEPERS | WATCHED) != sets;
        let mut word = self.word.load(Ordering::SeqCst);
        loop {
            if is_over(word) {
                return Ok(());
            }
            if patience.is_try() {
                return Err(Status::E_TIMEOUT);
            }
            word = self.word.fetch_or(SLEEPERS, Ordering::SeqCst) | SLEEPERS;
            if is_over(word) {
                continue;
            }
            let slept = world.sleep(&self.word, word, patience);
            word = self.word.load(Ordering::SeqCst);
            if !is_over(word) {
                slept?;
            }
        }
    }

    /// Recovery: a set that was killed before its wake-up.
    pub(crate) fn wake_all(&self, world: &impl World) {
        world.wake(&self.word, u32::MAX);
    }
}
