//! An event: a flag that processes wait for.
//!
//! Bit 0 of the word is the flag. Bits 1 and 2 say that a thread may be asleep until the flag is
//! set or until it is cleared. The other bits count the sets. A thread that waited when the flag
//! was set sees the count change, even if a clear follows at once. Neither set nor clear ever
//! blocks, and both are one loop over one word, so a signal handler may call them.

use super::atomic::{address, AtomicU32, Ordering};
use super::shared::shared;
use super::wait::Patience;
use super::world::World;
use crate::status::{Result, Status};

const SET: u32 = 1;
const SLEEPERS: u32 = 2;
/// A thread may be asleep until the flag is cleared.
const WATCHED: u32 = 4;
const GENERATION: u32 = 8;

shared! {
    /// The word of an event.
    pub(crate) struct EventWord {
        word: AtomicU32,
    }
}

impl EventWord {
    /// Set the flag and release every waiter. Async-signal-safe.
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
                        // If the process is killed before this, the sleepers watch its life word
                        // and look again.
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

    /// The number of sets so far, for [`was_set_since`](Self::was_set_since).
    pub(crate) fn sets(&self) -> u32 {
        self.word.load(Ordering::SeqCst) & !(SET | SLEEPERS | WATCHED)
    }

    /// The number of sets so far, `None` if the flag is set: one look.
    #[inline]
    pub(crate) fn sets_while_clear(&self) -> Option<u32> {
        match self.word.load(Ordering::SeqCst) {
            word if word & SET != 0 => None,
            word => Some(word & !(SLEEPERS | WATCHED)),
        }
    }

    /// Report whether the flag is set now, or was set since `sets` was read.
    pub(crate) fn was_set_since(&self, sets: u32) -> bool {
        self.is_set() || self.sets() != sets
    }

    /// Announce a sleeper that any change of the flag wakes. Return the word and the value to sleep
    /// on.
    pub(crate) fn watch(&self) -> (*const u32, u32) {
        let announced = SLEEPERS | WATCHED;
        let seen = self.word.fetch_or(announced, Ordering::SeqCst) | announced;
        (address(&self.word), seen)
    }

    pub(crate) fn is_set(&self) -> bool {
        self.word.load(Ordering::SeqCst) & SET != 0
    }

    /// Wait until the flag is set, or was set since [`sets`](Self::sets) returned `sets`.
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

    /// Recovery: wake the waiters of a set that was killed before its wake-up.
    pub(crate) fn wake_all(&self, world: &impl World) {
        world.wake(&self.word, u32::MAX);
    }
}
