//! A semaphore whose permits belong to the processes that took them.
//!
//! The number of free permits is not stored: it is the initial number minus the permits that live
//! processes hold. So a process returns its permits by dying, and nothing has to be repaired;
//! recovery only wakes those who wait. The count in a slot carries its owner, so that the next
//! occupant of the slot does not inherit it.

use super::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use super::eventcount::EventCount;
use super::lock_wait::LockWait;
use super::mutex::RobustMutex;
use super::owner::Owner;
use super::shared::shared;
use super::wait::{Patience, Wait};
use super::world::World;
use crate::status::detail::because;
use crate::status::{Result, Status};

/// Equals the number of participants of a semaphore.
pub(crate) const SLOTS: usize = if cfg!(loom) { 3 } else { 240 };

shared! {
    /// The permits, and how many each process holds.
    pub(crate) struct OwnedPermits {
        initial: AtomicI64,
        /// Guards `held`. A holder changes `held` by a single store, so a holder that dies leaves
        /// nothing half done.
        mutex: RobustMutex,
        permits: EventCount,
        /// One more than the highest slot that ever held a permit.
        used: AtomicU32,
        _pad: AtomicU32,
        /// Per slot: the owner in the high half, and the number of its permits in the low half.
        held: [AtomicU64; SLOTS],
    }
}

fn pack(owner: Owner, count: u32) -> u64 {
    match count {
        0 => 0,
        count => u64::from(owner.bits()) << 32 | u64::from(count),
    }
}

fn unpack(held: u64) -> Option<(Owner, u32)> {
    Owner::from_bits((held >> 32) as u32).map(|owner| (owner, held as u32))
}

impl OwnedPermits {
    /// Initialize new permits, before any other process can see them.
    pub(crate) fn fill(&self, initial: i64) {
        self.initial.store(initial, Ordering::Relaxed);
    }

    /// The number of permits at the beginning.
    pub(crate) fn initial(&self) -> i64 {
        self.initial.load(Ordering::Relaxed)
    }

    /// The processes that hold permits, dead or alive, with the number of their permits.
    pub(crate) fn holders(&self) -> Vec<(Owner, u32)> {
        let held = self.slots().map(|slot| slot.load(Ordering::Acquire));
        held.filter_map(unpack).collect()
    }

    fn slots(&self) -> impl Iterator<Item = &AtomicU64> {
        let used = self.used.load(Ordering::Acquire) as usize;
        self.held.iter().take(used)
    }

    /// Under the lock: the number of permits that no live process holds.
    fn free(&self, world: &impl World) -> Result<i64> {
        let held = self.slots().map(|slot| slot.load(Ordering::Acquire));
        let living = held
            .filter_map(unpack)
            .filter(|(owner, _)| !world.is_dead(*owner));
        let held: i64 = living.map(|(_, count)| i64::from(count)).sum();
        // Both numbers were read from shared memory and need not match.
        let free = self.initial.load(Ordering::Relaxed).checked_sub(held);
        free.filter(|free| *free >= 0).ok_or(Status::E_CORRUPT)
    }

    /// Under the lock: the number of permits that a process holds.
    fn held_by(&self, me: Owner) -> Result<(&AtomicU64, u32)> {
        let slot = self.held.get(me.slot()).ok_or(Status::E_CORRUPT)?;
        match unpack(slot.load(Ordering::Relaxed)) {
            Some((owner, count)) if owner == me => Ok((slot, count)),
            // The slot holds no permit, or the count belongs to an earlier occupant.
            _ => Ok((slot, 0)),
        }
    }

    /// Run `body` under the lock.
    fn locked<T>(
        &self,
        without_recovery: &impl World,
        me: Owner,
        locks: &LockWait<'_>,
        body: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        if !self.mutex.try_lock(me) {
            self.mutex
                .lock(without_recovery, me, &mut locks.patience())?;
        }
        let result = body();
        self.mutex.unlock(without_recovery);
        result
    }

    fn try_acquire(
        &self,
        without_recovery: &impl World,
        me: Owner,
        locks: &LockWait<'_>,
    ) -> Result<bool> {
        self.locked(without_recovery, me, locks, || {
            if self.free(without_recovery)? == 0 {
                return Ok(false);
            }
            let (slot, count) = self.held_by(me)?;
            let more = count
                .checked_add(1)
                .ok_or_else(|| because!(E_LIMIT, "a process has too many permits"))?;
            self.used.fetch_max(me.slot() as u32 + 1, Ordering::AcqRel);
            // This one store commits the acquisition.
            slot.store(pack(me, more), Ordering::Release);
            Ok(true)
        })
    }

    /// Take a permit for `me`, waiting while there is none. `without_recovery` is the world that
    /// the lock uses.
    pub(crate) fn acquire(
        &self,
        world: &impl World,
        without_recovery: &impl World,
        me: Owner,
        wait: &Wait<'_>,
    ) -> Result<()> {
        let mut patience = Patience::new(wait);
        let locks = LockWait::until(&mut patience);
        if self.try_acquire(without_recovery, me, &locks)? {
            return Ok(());
        }
        if wait.is_try() {
            return Err(Status::E_TIMEOUT);
        }
        loop {
            let seen = self.permits.announce();
            if self.try_acquire(without_recovery, me, &locks)? {
                return Ok(());
            }
            if let Err(status) = self.permits.sleep(world, seen, &mut patience) {
                // A wake-up for this thread may have come as the wait ended: use its permit.
                return match self.try_acquire(without_recovery, me, &locks) {
                    Ok(true) => Ok(()),
                    _ => Err(status),
                };
            }
        }
    }

    /// Give back `count` permits of `me`: all of them, or none and an error.
    pub(crate) fn release(
        &self,
        without_recovery: &impl World,
        me: Owner,
        count: i64,
    ) -> Result<()> {
        if count < 1 {
            return Err(because!(E_INVALID, "n is {count}, below 1"));
        }
        self.locked(without_recovery, me, &LockWait::brief(), || {
            let (slot, held) = self.held_by(me)?;
            let left = match held {
                0 => return Err(Status::E_NOT_OWNER),
                held => i64::from(held).checked_sub(count),
            };
            let left = left.and_then(|left| u32::try_from(left).ok());
            let left = left.ok_or(Status::E_OVER_RELEASE)?;
            slot.store(pack(me, left), Ordering::Release);
            Ok(())
        })?;
        // If the process is killed before this, the sleepers watch its life word, and recovery
        // wakes them.
        self.permits
            .notify(without_recovery, u32::try_from(count).unwrap_or(u32::MAX));
        Ok(())
    }

    /// The number of free permits.
    pub(crate) fn value(&self, without_recovery: &impl World, me: Owner) -> Result<i64> {
        self.locked(without_recovery, me, &LockWait::brief(), || {
            self.free(without_recovery)
        })
    }

    /// Recovery: forget the permits of the dead.
    pub(crate) fn forget(&self, world: &impl World, is_gone: &dyn Fn(Owner) -> bool) {
        for slot in self.slots() {
            let held = slot.load(Ordering::Acquire);
            if unpack(held).is_some_and(|(owner, _)| is_gone(owner)) {
                // This fails if the slot has a new occupant that has taken a permit already.
                let _ = slot.compare_exchange(held, 0, Ordering::SeqCst, Ordering::Relaxed);
            }
        }
        self.mutex.orphan(world, is_gone);
    }

    /// Recovery: wake those who wait.
    pub(crate) fn wake_all(&self, world: &impl World) {
        self.permits.notify_all(world);
    }
}
