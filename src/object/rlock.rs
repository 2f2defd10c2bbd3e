//! A recursive lock between processes that outlives its owner.

use std::marker::PhantomData;
use std::sync::Arc;

use crate::segment::{common_methods, CreateOptions, Kind, ObjectType, Opened, Segment, Snapshot};
use crate::status::{Result, Status};
use crate::sync::lock_wait::Caller;
use crate::sync::owner::Owner;
use crate::sync::rlock::{Holder, RecursiveMutex, Taker};
use crate::sync::shared::shared;
use crate::sync::wait::Patience;
use crate::sync::{Acquired, Wait};
use crate::sys::thread;

/// A recursive lock between processes, released by its owner only; as Python's
/// `multiprocessing.RLock`.
///
/// Its owner is the calling thread of this process. The functions named `…_as` have an owner that
/// the caller chooses, for tasks that move between threads: a number within this process, 0 for the
/// calling thread. A forked child owns nothing.
///
/// ```
/// use polyproc::{CreateOptions, Rlock};
///
/// # fn main() -> polyproc::Result<()> {
/// let rlock = Rlock::create(None, CreateOptions::default())?;
/// let outer = rlock.lock()?;
/// let inner = rlock.lock()?; // the same thread, once more
/// assert_eq!(rlock.depth()?, 2);
/// drop((inner, outer));
/// assert_eq!(rlock.depth()?, 0);
/// # Ok(())
/// # }
/// ```
pub struct Rlock {
    segment: Opened<Body>,
}

/// The number of an owner that stands for the calling thread.
pub(super) const THIS_THREAD: u64 = 0;

shared! {
    #[repr(align(128))]
    struct Body {
        mutex: RecursiveMutex,
    }
}

static TYPE: ObjectType = ObjectType {
    kind: Kind::Rlock,
    body: size_of::<Body>(),
    extra: 0,
    over_at: None,
    accounts: None,
    recover,
    wake: |_| Ok(()),
};

fn recover(segment: &Segment, _me: Caller<'_>, is_gone: &dyn Fn(Owner) -> bool) -> Result<()> {
    segment.body::<Body>()?.mutex.orphan(segment, is_gone);
    Ok(())
}

/// The participant that holds the rlock, dead or alive, and its depth, for a process that takes no
/// part. The depth is 0 for a holder that is about to store it.
pub(crate) fn holder_in(snapshot: &Snapshot) -> Result<Option<(Owner, u32)>> {
    Ok(snapshot.words::<Body>()?.mutex.holder())
}

common_methods!(Rlock, TYPE);

impl Rlock {
    fn opened(segment: Arc<Segment>) -> Result<Rlock> {
        Ok(Rlock {
            segment: Opened::new(segment)?,
        })
    }

    /// Make an rlock that is free; anonymous if `name` is `None`.
    ///
    /// # Errors
    /// `E_INVALID`, `E_EXISTS`, `E_MISMATCH`, `E_PERMISSION`, `E_NO_MEMORY`.
    pub fn create(name: Option<&str>, options: CreateOptions) -> Result<Rlock> {
        let segment = Segment::create(&TYPE, name, &options, &|_| Ok(()), &|_| Ok(()))?;
        Rlock::opened(segment)
    }

    /// Acquire the rlock for this thread, waiting while another owner holds it; or acquire it once
    /// more. The guard releases it once when it is dropped.
    ///
    /// # Errors
    /// Those of [`acquire_as_timeout`](Self::acquire_as_timeout).
    #[inline]
    pub fn lock(&self) -> Result<RlockGuard<'_>> {
        self.lock_timeout(Wait::FOREVER)
    }

    /// Acquire the rlock if no other owner holds it, as [`lock`](Self::lock).
    ///
    /// # Errors
    /// `E_TIMEOUT` when another owner holds it; the rest as for
    /// [`acquire_as_timeout`](Self::acquire_as_timeout).
    #[inline]
    pub fn try_lock(&self) -> Result<RlockGuard<'_>> {
        self.lock_timeout(Wait::TRY)
    }

    /// Acquire the rlock, as [`lock`](Self::lock), waiting no longer than `wait`.
    ///
    /// # Errors
    /// Those of [`acquire_as_timeout`](Self::acquire_as_timeout).
    #[inline]
    pub fn lock_timeout<'w>(&self, wait: impl Into<Wait<'w>>) -> Result<RlockGuard<'_>> {
        let acquired = self.acquire_as_timeout(THIS_THREAD, wait)?;
        Ok(RlockGuard {
            rlock: self,
            is_held: true,
            owner_died: acquired == Acquired::OwnerDied,
            thread: PhantomData,
        })
    }

    /// Acquire the rlock for this thread without a guard, waiting while another owner holds it; end
    /// the section with [`release`](Self::release).
    ///
    /// # Errors
    /// Those of [`acquire_as_timeout`](Self::acquire_as_timeout).
    #[inline]
    pub fn acquire(&self) -> Result<Acquired> {
        self.acquire_timeout(Wait::FOREVER)
    }

    /// Acquire the rlock for this thread without a guard if no other owner holds it.
    ///
    /// # Errors
    /// `E_TIMEOUT` when another owner holds it; the rest as for
    /// [`acquire_as_timeout`](Self::acquire_as_timeout).
    #[inline]
    pub fn try_acquire(&self) -> Result<Acquired> {
        self.acquire_timeout(Wait::TRY)
    }

    /// Acquire the rlock for this thread without a guard, waiting no longer than `wait`.
    ///
    /// # Errors
    /// Those of [`acquire_as_timeout`](Self::acquire_as_timeout).
    #[inline]
    pub fn acquire_timeout<'w>(&self, wait: impl Into<Wait<'w>>) -> Result<Acquired> {
        self.acquire_as_timeout(THIS_THREAD, wait)
    }

    /// Release the rlock once, which this thread holds.
    ///
    /// # Errors
    /// `E_NOT_OWNER` when this thread does not hold it.
    #[inline]
    pub fn release(&self) -> Result<()> {
        self.release_as(THIS_THREAD)
    }

    /// Acquire the rlock for `owner`, waiting while another owner holds it; or acquire it once
    /// more.
    ///
    /// # Errors
    /// Those of [`acquire_as_timeout`](Self::acquire_as_timeout).
    pub fn acquire_as(&self, owner: u64) -> Result<Acquired> {
        self.acquire_as_timeout(owner, Wait::FOREVER)
    }

    /// Acquire the rlock for `owner` if no other owner holds it.
    ///
    /// # Errors
    /// `E_TIMEOUT` when another owner holds it; the rest as for
    /// [`acquire_as_timeout`](Self::acquire_as_timeout).
    pub fn try_acquire_as(&self, owner: u64) -> Result<Acquired> {
        self.acquire_as_timeout(owner, Wait::TRY)
    }

    /// Acquire the rlock for `owner`, waiting no longer than `wait`.
    ///
    /// # Errors
    /// `E_TIMEOUT`, `E_CANCELED`, `E_INTERRUPTED`: the rlock was not acquired. `E_LIMIT`: its depth
    /// is at the maximum, or too many processes use it.
    #[inline]
    pub fn acquire_as_timeout<'w>(
        &self,
        owner: u64,
        wait: impl Into<Wait<'w>>,
    ) -> Result<Acquired> {
        let wait = wait.into();
        let mutex = &self.segment.words().mutex;
        mutex.acquire(
            &*self.segment,
            self.taker(owner)?,
            &mut Patience::new(&wait),
        )
    }

    /// Release the rlock once, which `owner` holds.
    ///
    /// # Errors
    /// `E_NOT_OWNER` when this owner does not hold the rlock.
    #[inline]
    pub fn release_as(&self, owner: u64) -> Result<()> {
        let mutex = &self.segment.words().mutex;
        mutex.release(&*self.segment, self.taker(owner)?)
    }

    /// Called before a condition releases the rlock: check that this owner holds it.
    ///
    /// # Errors
    /// `E_NOT_OWNER` when this owner does not hold the rlock.
    pub(super) fn check_held(&self, owner: u64) -> Result<()> {
        let mutex = &self.segment.words().mutex;
        let depth = mutex.depth_of(self.taker(owner)?)?;
        depth.map(|_| ()).ok_or(Status::E_NOT_OWNER)
    }

    /// Release the rlock completely. Returns its depth, for acquiring it again.
    pub(super) fn release_all(&self, owner: u64) -> Result<u32> {
        let mutex = &self.segment.words().mutex;
        mutex.release_all(&*self.segment, self.taker(owner)?)
    }

    /// Acquire the rlock to that depth again.
    pub(super) fn acquire_again(
        &self,
        owner: u64,
        depth: u32,
        wait: &Wait<'_>,
    ) -> Result<Acquired> {
        let mutex = &self.segment.words().mutex;
        let taker = self.taker(owner)?;
        mutex.acquire_at(&*self.segment, taker, depth, &mut Patience::new(wait))
    }

    /// How many times its owner has acquired the rlock; 0 when it is free or its owner died.
    ///
    /// # Errors
    /// None so far.
    pub fn depth(&self) -> Result<u32> {
        Ok(self.segment.words().mutex.depth(&*self.segment))
    }

    fn taker(&self, owner: u64) -> Result<Taker<'_>> {
        let process = self.segment.me()?;
        let participant = self.segment.participant(process.slot());
        Ok(Taker {
            process,
            cells: &participant.ok_or(Status::E_CORRUPT)?.holders,
            holder: match owner {
                THIS_THREAD => Holder::Thread(thread::number()),
                task => Holder::Task(task),
            },
        })
    }
}

/// An [`Rlock`] that this thread holds, released once when the guard is dropped. It stays in its
/// thread, which is the owner.
#[must_use = "the rlock is released when the guard is dropped"]
pub struct RlockGuard<'a> {
    rlock: &'a Rlock,
    /// False after a [`Condition`](super::Condition) could not acquire the rlock again.
    is_held: bool,
    owner_died: bool,
    /// Makes the guard neither `Send` nor `Sync`.
    thread: PhantomData<*const ()>,
}

impl<'a> RlockGuard<'a> {
    /// Whether the last owner died while it held the rlock: check the data that the rlock guards.
    pub fn owner_died(&self) -> bool {
        self.owner_died
    }

    /// Keep the rlock held without a guard, until [`Rlock::release`].
    pub fn leak(mut self) {
        self.is_held = false;
    }

    /// The rlock, for a condition that releases it and acquires it again.
    pub(super) fn parts(&mut self) -> (&'a Rlock, &mut bool, &mut bool) {
        (self.rlock, &mut self.is_held, &mut self.owner_died)
    }
}

impl std::fmt::Debug for RlockGuard<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RlockGuard")
            .field("rlock", self.rlock)
            .field("owner_died", &self.owner_died)
            .finish()
    }
}

impl Drop for RlockGuard<'_> {
    fn drop(&mut self) {
        if self.is_held {
            // This fails only if this thread has released the rlock by `Rlock::release`.
            let _ = self.rlock.release();
        }
    }
}
