//! One direction of a socket in this process: whoever is in it goes alone, and waiting for it ends as any
//! other wait does.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::segment::WaitSet;
use crate::status::{Result, Status};
use crate::sync::local_lock::{LocalGuard, LocalLock};
use crate::sync::wait::Patience;
use crate::sys::{fork, futex};

/// The state in the low bits; the epoch of the process that wrote it above them.
const FREE: u32 = 0;
const TAKEN: u32 = 1;
/// Taken, and somebody may sleep.
const WANTED: u32 = 2;
const STATE_BITS: u32 = 2;
const STATE: u32 = (1 << STATE_BITS) - 1;

pub(crate) struct Turn<T> {
    word: AtomicU32,
    /// Locked by whose turn it is, and so never waited for.
    value: LocalLock<T>,
}

impl<T> Turn<T> {
    pub(crate) fn new(value: T) -> Turn<T> {
        Turn {
            word: AtomicU32::new(FREE),
            value: LocalLock::new(value),
        }
    }

    /// Wait for the turn.
    ///
    /// # Errors
    /// What ends the wait. `E_BROKEN_PIPE` in a forked child when its parent was in the middle of a call.
    pub(crate) fn take(&self, patience: &mut Patience<'_>) -> Result<TurnGuard<'_, T>> {
        let mut taken = TAKEN;
        loop {
            if let Some(guard) = self.attempt(taken)? {
                return Ok(guard);
            }
            patience.check()?;
            // Who has slept cannot know that he was the only one.
            taken = WANTED;
            let wanted = epoch_bits() | WANTED;
            let was_taken = self.word.compare_exchange(
                epoch_bits() | TAKEN,
                wanted,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
            if was_taken.is_ok() || was_taken == Err(wanted) {
                WaitSet::beside(&[(self.word.as_ptr(), wanted)], &[])?.sleep(patience)?;
            }
        }
    }

    fn attempt(&self, state: u32) -> Result<Option<TurnGuard<'_, T>>> {
        let epoch = epoch_bits();
        let seen = self.word.load(Ordering::Relaxed);
        if seen & STATE != FREE {
            return match seen & !STATE == epoch {
                true => Ok(None),
                // Its thread is the parent's, which has stopped in the middle of something.
                false => Err(Status::E_BROKEN_PIPE),
            };
        }
        let taken =
            self.word
                .compare_exchange(seen, epoch | state, Ordering::Acquire, Ordering::Relaxed);
        Ok(taken.is_ok().then(|| TurnGuard {
            value: self.value.lock(),
            word: &self.word,
        }))
    }
}

fn epoch_bits() -> u32 {
    fork::epoch() << STATE_BITS
}

/// Whose turn it is, until this goes.
pub(crate) struct TurnGuard<'a, T> {
    value: LocalGuard<'a, T>,
    word: &'a AtomicU32,
}

impl<T> Deref for TurnGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for TurnGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T> Drop for TurnGuard<'_, T> {
    fn drop(&mut self) {
        // Before the word: the next one finds the value free, or waits for it for an instant.
        if self.word.swap(FREE, Ordering::Release) & STATE == WANTED {
            futex::wake(self.word, 1);
        }
    }
}
