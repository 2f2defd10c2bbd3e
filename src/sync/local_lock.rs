//! A lock within one process that can be held across a fork.
//!
//! A `std::sync::Mutex` cannot be locked in a `pthread_atfork` handler and unlocked in the child.
//! The few tables of this process (segments, keepers, children) need that.

use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::sys::futex;

const FREE: u32 = 0;
const LOCKED: u32 = 1;
const CONTENDED: u32 = 2;

/// A value that one thread at a time may use.
pub(crate) struct LocalLock<T> {
    word: AtomicU32,
    value: UnsafeCell<T>,
}

// SAFETY: the lock hands the value to one thread at a time.
unsafe impl<T: Send> Sync for LocalLock<T> {}

impl<T> LocalLock<T> {
    pub(crate) const fn new(value: T) -> LocalLock<T> {
        LocalLock {
            word: AtomicU32::new(FREE),
            value: UnsafeCell::new(value),
        }
    }

    pub(crate) fn lock(&self) -> LocalGuard<'_, T> {
        self.lock_raw();
        LocalGuard { lock: self }
    }

    /// Take the lock without a guard, for the `prepare` handler of a fork.
    pub(crate) fn lock_raw(&self) {
        if self
            .word
            .compare_exchange(FREE, LOCKED, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
        {
            return;
        }
        while self.word.swap(CONTENDED, Ordering::Acquire) != FREE {
            futex::wait(&self.word, CONTENDED, None);
        }
    }

    /// The value, for a caller that took the lock with [`lock_raw`](Self::lock_raw).
    ///
    /// # Safety
    /// The calling thread must hold the lock for as long as it uses the reference.
    pub(crate) unsafe fn value_while_held(&self) -> &T {
        // SAFETY: the caller holds the lock.
        unsafe { &*self.value.get() }
    }

    /// Release a lock that [`lock_raw`](Self::lock_raw) took, in the parent or in the child.
    pub(crate) fn unlock_raw(&self) {
        if self.word.swap(FREE, Ordering::Release) == CONTENDED {
            futex::wake(&self.word, 1);
        }
    }
}

/// Access to the value while the lock is held.
pub(crate) struct LocalGuard<'a, T> {
    lock: &'a LocalLock<T>,
}

impl<T> Deref for LocalGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: the guard exists only while this thread holds the lock.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for LocalGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and the guard is borrowed mutably.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for LocalGuard<'_, T> {
    fn drop(&mut self) {
        self.lock.unlock_raw();
    }
}
