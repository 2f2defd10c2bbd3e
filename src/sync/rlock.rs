//! A robust recursive lock: its owner may take it again, and only its owner releases it.
//!
//! The lock word says which process holds the lock. The holder within that process is stored in the
//! process's own [`Holders`], which has one cell for a thread and one for a task. A cell names a
//! holder only while that holder has the lock, since the cell is written under the lock and emptied
//! before the release. So an owner recognizes itself by its own cell, whatever others do meanwhile,
//! and a killed holder leaves nothing that another owner could mistake for its own hold.

use super::atomic::{AtomicU64, Ordering};
use super::mutex::RobustMutex;
use super::owner::Owner;
use super::shared::shared;
use super::wait::Patience;
use super::world::World;
use super::Acquired;
use crate::status::detail::because;
use crate::status::{Result, Status};

/// The value of an empty cell of [`Holders`].
const NOBODY: u64 = 0;

/// The holder of the lock within its process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Holder {
    /// A thread, identified by its number.
    Thread(u64),
    /// An owner that the caller names: a goroutine, a task.
    Task(u64),
}

shared! {
    /// The holder within one process, in the process's participant slot. Threads and tasks have
    /// separate cells, so that a thread's number is not taken for the task of the same number. A
    /// new occupant of the slot finds both cells empty.
    pub(crate) struct Holders {
        pub(crate) thread: AtomicU64,
        pub(crate) task: AtomicU64,
    }
}

impl Holders {
    fn cell(&self, holder: Holder) -> (&AtomicU64, u64) {
        match holder {
            Holder::Thread(number) => (&self.thread, number),
            Holder::Task(id) => (&self.task, id),
        }
    }
}

shared! {
    /// The words of the lock.
    pub(crate) struct RecursiveMutex {
        /// The process that holds the lock in the high half, and the depth in the low half. The
        /// depth belongs to that process only.
        hold: AtomicU64,
        mutex: RobustMutex,
    }
}

/// A caller that takes and releases: its process, the process's cells, and its name within the
/// process.
#[derive(Clone, Copy)]
pub(crate) struct Taker<'a> {
    pub(crate) process: Owner,
    pub(crate) cells: &'a Holders,
    pub(crate) holder: Holder,
}

impl RecursiveMutex {
    /// Take the lock, or take it once more.
    pub(crate) fn acquire(
        &self,
        world: &impl World,
        taker: Taker<'_>,
        patience: &mut Patience<'_>,
    ) -> Result<Acquired> {
        if let Some(depth) = self.depth_of(taker)? {
            let deeper = depth
                .checked_add(1)
                .ok_or_else(|| because!(E_LIMIT, "it is held too often"))?;
            self.set(taker, deeper);
            return Ok(Acquired::Clean);
        }
        self.acquire_at(world, taker, 1, patience)
    }

    /// Take the lock to a depth. The caller does not hold it.
    pub(crate) fn acquire_at(
        &self,
        world: &impl World,
        taker: Taker<'_>,
        depth: u32,
        patience: &mut Patience<'_>,
    ) -> Result<Acquired> {
        let acquired = self.mutex.lock(world, taker.process, patience)?;
        // If the process is killed from here on, the next one finds the word of a dead process, and
        // overwrites the words that are written here.
        self.set(taker, depth);
        let (cell, id) = taker.cells.cell(taker.holder);
        cell.store(id, Ordering::Relaxed);
        Ok(acquired)
    }

    /// Release the lock once; `E_NOT_OWNER` if the caller does not hold it.
    pub(crate) fn release(&self, world: &impl World, taker: Taker<'_>) -> Result<()> {
        match self.depth_of(taker)?.ok_or(Status::E_NOT_OWNER)? {
            1 => self.let_go(world, taker),
            depth => self.set(taker, depth - 1),
        }
        Ok(())
    }

    /// Release the lock completely. Return the depth, for taking it again.
    pub(crate) fn release_all(&self, world: &impl World, taker: Taker<'_>) -> Result<u32> {
        let depth = self.depth_of(taker)?.ok_or(Status::E_NOT_OWNER)?;
        self.let_go(world, taker);
        Ok(depth)
    }

    fn let_go(&self, world: &impl World, taker: Taker<'_>) {
        self.hold.store(0, Ordering::Relaxed);
        taker
            .cells
            .cell(taker.holder)
            .0
            .store(NOBODY, Ordering::Relaxed);
        self.mutex.unlock(world);
    }

    fn set(&self, taker: Taker<'_>, depth: u32) {
        let hold = u64::from(taker.process.bits()) << 32 | u64::from(depth);
        self.hold.store(hold, Ordering::Relaxed);
    }

    /// How many times the caller holds the lock; `None` if it does not hold it.
    pub(crate) fn depth_of(&self, taker: Taker<'_>) -> Result<Option<u32>> {
        let (cell, id) = taker.cells.cell(taker.holder);
        // If the caller holds the lock, the caller wrote both words itself, so no ordering is
        // needed.
        if cell.load(Ordering::Relaxed) != id || self.mutex.holder() != Some(taker.process) {
            return Ok(None);
        }
        let hold = self.hold.load(Ordering::Relaxed);
        match hold as u32 {
            depth if depth > 0 && hold >> 32 == u64::from(taker.process.bits()) => Ok(Some(depth)),
            _ => Err(Status::E_CORRUPT),
        }
    }

    /// How many times its holder has the lock; 0 if it is free or its holder died.
    pub(crate) fn depth(&self, world: &impl World) -> u32 {
        let hold = self.hold.load(Ordering::Relaxed);
        match self.mutex.holder() {
            // The depth that a dead holder left is not the depth of the next holder, which is about
            // to write its own.
            Some(owner) if hold >> 32 == u64::from(owner.bits()) && !world.is_dead(owner) => {
                hold as u32
            }
            _ => 0,
        }
    }

    /// The participant that holds the lock, dead or alive, and its depth if that is stored.
    pub(crate) fn holder(&self) -> Option<(Owner, u32)> {
        let owner = self.mutex.holder()?;
        let hold = self.hold.load(Ordering::Relaxed);
        let is_its_own = hold >> 32 == u64::from(owner.bits());
        Some((owner, if is_its_own { hold as u32 } else { 0 }))
    }

    /// Recovery: make the next `acquire` return `OwnerDied`.
    pub(crate) fn orphan(&self, world: &impl World, is_gone: &dyn Fn(Owner) -> bool) {
        self.mutex.orphan(world, is_gone);
    }
}
