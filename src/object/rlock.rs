//! A recursive lock between processes that outlives its owner.

use std::sync::Arc;

use crate::segment::{common_methods, CreateOptions, Kind, ObjectType, Segment};
use crate::status::{Result, Status};
use crate::sync::lock_wait::Caller;
use crate::sync::owner::Owner;
use crate::sync::rlock::{Holder, RecursiveMutex, Taker};
use crate::sync::shared::shared;
use crate::sync::wait::Patience;
use crate::sync::{Acquired, Wait};
use crate::sys::thread;

/// Recursive, and released by its owner only; as Python's `multiprocessing.RLock`.
///
/// An owner is a process and, within it, the calling thread (0) or a number that the caller
/// chooses, for runtimes whose tasks move between threads. A forked child owns nothing.
pub struct Rlock {
    segment: Arc<Segment>,
}

shared! {
    #[repr(align(128))]
    struct Body {
        mutex: RecursiveMutex,
    }
}

static TYPE: ObjectType = ObjectType {
    kind: Kind::Rlock,
    body: size_of::<Body>(),
    extents: 0,
    extra: 0,
    over_at: None,
    recover,
};

fn recover(segment: &Segment, _me: Caller<'_>, is_gone: &dyn Fn(Owner) -> bool) -> Result<()> {
    segment.body::<Body>()?.mutex.orphan(segment, is_gone);
    Ok(())
}

common_methods!(Rlock, TYPE);

impl Rlock {
    fn opened(segment: Arc<Segment>) -> Result<Rlock> {
        Ok(Rlock { segment })
    }

    /// Make an rlock that is free.
    ///
    /// # Errors
    /// `E_INVALID`, `E_EXISTS`, `E_MISMATCH`, `E_PERMISSION`, `E_NO_MEMORY`.
    pub fn create(name: Option<&str>, options: CreateOptions) -> Result<Rlock> {
        let segment = Segment::create(&TYPE, name, &options, &|_| Ok(()), &|_| Ok(()))?;
        Rlock::opened(segment)
    }

    /// Acquire the rlock, waiting while another owner holds it; or acquire it once more.
    ///
    /// # Errors
    /// `E_TIMEOUT`, `E_CANCELED`, `E_CLOSED`, `E_INTERRUPTED`: the rlock was not acquired.
    /// `E_LIMIT`: its depth is at the maximum.
    #[inline]
    pub fn acquire(&self, owner: u64, wait: Wait<'_>) -> Result<Acquired> {
        let mutex = &self.segment.body::<Body>()?.mutex;
        mutex.acquire(
            &*self.segment,
            self.taker(owner)?,
            &mut Patience::new(&wait),
        )
    }

    /// Release the rlock once.
    ///
    /// # Errors
    /// `E_NOT_OWNER` when this owner does not hold the rlock.
    #[inline]
    pub fn release(&self, owner: u64) -> Result<()> {
        let mutex = &self.segment.body::<Body>()?.mutex;
        mutex.release(&*self.segment, self.taker(owner)?)
    }

    /// Called before a condition releases the rlock: check that this owner holds it.
    ///
    /// # Errors
    /// `E_NOT_OWNER` when this owner does not hold the rlock.
    pub(super) fn check_held(&self, owner: u64) -> Result<()> {
        let mutex = &self.segment.body::<Body>()?.mutex;
        let depth = mutex.depth_of(self.taker(owner)?)?;
        depth.map(|_| ()).ok_or(Status::E_NOT_OWNER)
    }

    /// Release the rlock completely. Returns its depth, for acquiring it again.
    pub(super) fn release_all(&self, owner: u64) -> Result<u32> {
        let mutex = &self.segment.body::<Body>()?.mutex;
        mutex.release_all(&*self.segment, self.taker(owner)?)
    }

    /// Acquire the rlock to that depth again.
    pub(super) fn acquire_again(
        &self,
        owner: u64,
        depth: u32,
        wait: &Wait<'_>,
    ) -> Result<Acquired> {
        let mutex = &self.segment.body::<Body>()?.mutex;
        let taker = self.taker(owner)?;
        mutex.acquire_at(&*self.segment, taker, depth, &mut Patience::new(wait))
    }

    /// How many times its owner has acquired the rlock; 0 when it is free or its owner died.
    ///
    /// # Errors
    /// None so far.
    pub fn depth(&self) -> Result<u32> {
        Ok(self.segment.body::<Body>()?.mutex.depth(&*self.segment))
    }

    fn taker(&self, owner: u64) -> Result<Taker<'_>> {
        let process = self.segment.me()?;
        let participant = self.segment.participant(process.slot());
        Ok(Taker {
            process,
            cells: &participant.ok_or(Status::E_CORRUPT)?.holders,
            holder: match owner {
                0 => Holder::Thread(thread::number()),
                task => Holder::Task(task),
            },
        })
    }
}
