//! A lock for one direction of a socket within this process. A wait for it ends as any other wait
//! does.

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
/// Taken, and a thread may sleep.
const WANTED: u32 = 2;
const STATE_BITS: u32 = 2;
const STATE: u32 = (1 << STATE_BITS) - 1;

pub(crate) struct Turn<T> {
    word: AtomicU32,
    /// Locked only by the holder of the turn, so a wait for it is an instant at most.
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
    /// The status that ends the wait. `E_BROKEN_PIPE` in a forked child whose parent was in the
    /// middle of a call.
    pub(crate) fn take(&self, patience: &mut Patience<'_>) -> Result<TurnGuard<'_, T>> {
        let mut taken = TAKEN;
        loop {
            if let Some(guard) = self.attempt(taken)? {
                return Ok(guard);
            }
            patience.check()?;
            // A thread that has slept cannot know whether others sleep as well.
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
                // The holding thread is the parent's; its call stays unfinished here.
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

/// The turn, until this value is dropped.
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
        // The value's guard is dropped just after this, so the next holder waits for it an instant
        // at most.
        if self.word.swap(FREE, Ordering::Release) & STATE == WANTED {
            futex::wake(self.word, 1);
        }
    }
}
