//! A counting semaphore. It has no owner: a permit survives the process that took it.

use super::atomic::{AtomicI64, Ordering};
use super::eventcount::EventCount;
use super::shared::shared;
use super::wait::Patience;
use super::world::World;
use crate::pace::backoff;
use crate::status::detail::because;
use crate::status::{Result, Status};

shared! {
    /// The counter and its waiters.
    pub(crate) struct Counter {
        value: AtomicI64,
        /// Maximum value; 0 if unbounded.
        maximum: AtomicI64,
        permits: EventCount,
    }
}

impl Counter {
    /// Initialize a new semaphore, before any other process can see it.
    pub(crate) fn fill(&self, initial: i64, maximum: i64) {
        self.value.store(initial, Ordering::Relaxed);
        self.maximum.store(maximum, Ordering::Relaxed);
    }

    pub(crate) fn maximum(&self) -> i64 {
        self.maximum.load(Ordering::Relaxed)
    }

    pub(crate) fn value(&self) -> i64 {
        self.value.load(Ordering::SeqCst).max(0)
    }

    /// Take a permit if there is one and no other thread changes the counter at this moment.
    #[inline]
    pub(crate) fn try_acquire_once(&self) -> bool {
        let value = self.value.load(Ordering::Relaxed);
        value > 0
            && self
                .value
                .compare_exchange(value, value - 1, Ordering::Acquire, Ordering::Relaxed)
                .is_ok()
    }

    /// Take a permit if there is one.
    fn try_acquire(&self) -> bool {
        let mut value = self.value.load(Ordering::Relaxed);
        while value > 0 {
            let taken = self.value.compare_exchange_weak(
                value,
                value - 1,
                Ordering::Acquire,
                Ordering::Relaxed,
            );
            match taken {
                Ok(_) => return true,
                Err(now) => value = now,
            }
        }
        false
    }

    /// Take a permit, waiting while there is none.
    #[inline]
    pub(crate) fn acquire(&self, world: &impl World, patience: &mut Patience<'_>) -> Result<()> {
        if self.try_acquire_once() {
            return Ok(());
        }
        if patience.is_try() {
            return match self.try_acquire() {
                true => Ok(()),
                false => Err(Status::E_TIMEOUT),
            };
        }
        match backoff::attempt(|| self.try_acquire_once()) {
            true => Ok(()),
            false => self.acquire_sleeping(world, patience),
        }
    }

    #[cold]
    fn acquire_sleeping(&self, world: &impl World, patience: &mut Patience<'_>) -> Result<()> {
        loop {
            let seen = self.permits.announce();
            if self.try_acquire() {
                return Ok(());
            }
            if let Err(status) = self.permits.sleep(world, seen, patience) {
                if self.try_acquire() {
                    return Ok(());
                }
                return Err(status);
            }
        }
    }

    /// Give back `count` permits, if that is allowed and no other thread changes the counter at
    /// this moment.
    #[inline]
    pub(crate) fn try_release_once(&self, world: &impl World, count: i64) -> bool {
        let maximum = self.maximum();
        let value = self.value.load(Ordering::Relaxed);
        let Some(next) = value.checked_add(count) else {
            return false;
        };
        let is_allowed = count >= 1 && (maximum == 0 || next <= maximum);
        let given = is_allowed
            && self
                .value
                .compare_exchange(value, next, Ordering::Release, Ordering::Relaxed)
                .is_ok();
        if given {
            self.permits
                .notify(world, u32::try_from(count).unwrap_or(u32::MAX));
        }
        given
    }

    /// Give back `count` permits. If the result would exceed the maximum, nothing changes.
    #[inline]
    pub(crate) fn release(&self, world: &impl World, count: i64) -> Result<()> {
        if count < 1 {
            return Err(because!(E_INVALID, "n is {count}, below 1"));
        }
        let maximum = match self.maximum() {
            0 => i64::MAX,
            maximum => maximum,
        };
        let mut value = self.value.load(Ordering::Relaxed);
        loop {
            let next = value.checked_add(count).filter(|next| *next <= maximum);
            let next = next.ok_or(Status::E_OVER_RELEASE)?;
            match self.value.compare_exchange_weak(
                value,
                next,
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => break,
                Err(now) => value = now,
            }
        }
        self.permits
            .notify(world, u32::try_from(count).unwrap_or(u32::MAX));
        Ok(())
    }

    /// Recovery: wake the waiters of a release that was killed before its wake-up.
    pub(crate) fn wake_all(&self, world: &impl World) {
        self.permits.notify_all(world);
    }
}
