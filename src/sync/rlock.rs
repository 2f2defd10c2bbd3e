//! A robust lock that its owner may take again and that only its owner gives back.
//!
//! The lock itself says which process holds it. Who of that process does lies in the process's own
//! [`Holders`], one cell per way of naming an owner: a cell names somebody only while that one holds the
//! lock, since it is written under the lock and emptied before it is given back. So an owner recognizes
//! itself by its own cell, whatever others do meanwhile, and a holder that was killed leaves nothing that
//! anybody could mistake for a hold of his own.

use super::atomic::{AtomicU64, Ordering};
use super::mutex::RobustMutex;
use super::owner::Owner;
use super::shared::shared;
use super::wait::Patience;
use super::world::World;
use super::Acquired;
use crate::status::{Result, Status};

/// Nobody, in a cell of [`Holders`].
const NOBODY: u64 = 0;

/// Who of a process holds the lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Holder {
    /// A thread, by its number.
    Thread(u64),
    /// What the caller calls an owner: a goroutine, a task.
    Task(u64),
}

shared! {
    /// The holder within one process, in its participant slot. Threads and tasks count apart: a thread's
    /// number must not be taken for the task of that number. A new occupant of the slot finds both empty.
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
        /// The process that holds it, and the depth in the low half: of that process only.
        hold: AtomicU64,
        mutex: RobustMutex,
    }
}

/// One who takes and gives back: its process, that process's cells, and itself.
#[derive(Clone, Copy)]
pub(crate) struct Taker<'a> {
    pub(crate) process: Owner,
    pub(crate) cells: &'a Holders,
    pub(crate) holder: Holder,
}

impl RecursiveMutex {
    /// Take it, or take it once more.
    pub(crate) fn acquire(
        &self,
        world: &impl World,
        taker: Taker<'_>,
        patience: &mut Patience<'_>,
    ) -> Result<Acquired> {
        if let Some(depth) = self.depth_of(taker)? {
            let deeper = depth.checked_add(1).ok_or(Status::E_LIMIT)?;
            self.set(taker, deeper);
            return Ok(Acquired::Clean);
        }
        self.acquire_at(world, taker, 1, patience)
    }

    /// Take it to a depth, by one who does not hold it.
    pub(crate) fn acquire_at(
        &self,
        world: &impl World,
        taker: Taker<'_>,
        depth: u32,
        patience: &mut Patience<'_>,
    ) -> Result<Acquired> {
        let acquired = self.mutex.lock(world, taker.process, patience)?;
        // Killed from here on: the next one finds the word of a dead process, and writes these anew.
        self.set(taker, depth);
        let (cell, id) = taker.cells.cell(taker.holder);
        cell.store(id, Ordering::Relaxed);
        Ok(acquired)
    }

    /// Give it back once; `E_NOT_OWNER` when this one does not hold it.
    pub(crate) fn release(&self, world: &impl World, taker: Taker<'_>) -> Result<()> {
        match self.depth_of(taker)?.ok_or(Status::E_NOT_OWNER)? {
            1 => self.let_go(world, taker),
            depth => self.set(taker, depth - 1),
        }
        Ok(())
    }

    /// Give it back altogether; the depth to come back to.
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

    /// How deep this one holds it, `None` when it does not.
    pub(crate) fn depth_of(&self, taker: Taker<'_>) -> Result<Option<u32>> {
        let (cell, id) = taker.cells.cell(taker.holder);
        // Who holds it wrote both himself: no ordering is needed.
        if cell.load(Ordering::Relaxed) != id || self.mutex.holder() != Some(taker.process) {
            return Ok(None);
        }
        let hold = self.hold.load(Ordering::Relaxed);
        match hold as u32 {
            depth if depth > 0 && hold >> 32 == u64::from(taker.process.bits()) => Ok(Some(depth)),
            _ => Err(Status::E_CORRUPT),
        }
    }

    /// How deep it is held by whomever; 0 when it is free or its holder died.
    pub(crate) fn depth(&self, world: &impl World) -> u32 {
        let hold = self.hold.load(Ordering::Relaxed);
        match self.mutex.holder() {
            // What a dead holder left is not the depth of the next one, who is about to write his.
            Some(owner) if hold >> 32 == u64::from(owner.bits()) && !world.is_dead(owner) => {
                hold as u32
            }
            _ => 0,
        }
    }

    /// Recovery: the next one to take it gets `OwnerDied`.
    pub(crate) fn orphan(&self, world: &impl World, is_gone: &dyn Fn(Owner) -> bool) {
        self.mutex.orphan(world, is_gone);
    }
}
