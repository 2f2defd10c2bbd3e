//! A flag that processes wait for.
//!
//! Word: bit 0 the flag, bit 1 says that somebody may be asleep, the rest counts the sets. A waiter
//! that was there when the flag was set sees the count move, even if a clear follows at once. Neither set
//! nor clear ever blocks, and both are one loop over one word, fit for a signal handler.

use std::sync::atomic::{AtomicU32, Ordering};

use super::wait::Patience;
use super::world::World;
use crate::status::{Result, Status};
use crate::sys::shared::shared;

const SET: u32 = 1;
const SLEEPERS: u32 = 2;
const GENERATION: u32 = 4;

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
    pub(crate) fn clear(&self) {
        self.word.fetch_and(!SET, Ordering::SeqCst);
    }

    pub(crate) fn is_set(&self) -> bool {
        self.word.load(Ordering::SeqCst) & SET != 0
    }

    /// Wait until the flag is set, or was set since this call began.
    pub(crate) fn wait(&self, world: &impl World, patience: &mut Patience<'_>) -> Result<()> {
        let began = self.word.load(Ordering::SeqCst);
        let is_over = |word: u32| word & SET != 0 || (word ^ began) & !(SET | SLEEPERS) != 0;
        let mut word = began;
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
