//! A lock between processes that outlives its holder.

use std::sync::Arc;

use crate::segment::{common_methods, CreateOptions, Kind, ObjectType, Opened, Segment, Snapshot};
use crate::status::{Result, Status};
use crate::sync::lock_wait::Caller;
use crate::sync::mutex::RobustMutex;
use crate::sync::owner::Owner;
use crate::sync::shared::shared;
use crate::sync::wait::Patience;
use crate::sync::{Acquired, LazyWait, Wait};

/// A lock between processes. Not recursive; any process or thread may release it, as Python's
/// `multiprocessing.Lock`.
///
/// When the holder dies, the next process gets the lock, and [`LockGuard::owner_died`] is true.
///
/// ```
/// use polyproc::{CreateOptions, Lock};
///
/// # fn main() -> polyproc::Result<()> {
/// let lock = Lock::create(None, CreateOptions::default())?;
/// {
///     let guard = lock.lock()?;
///     if guard.owner_died() {
///         // The last holder died inside: check what the lock guards.
///     }
/// } // released here
/// assert!(!lock.is_locked()?);
/// # Ok(())
/// # }
/// ```
pub struct Lock {
    segment: Opened<Body>,
}

shared! {
    #[repr(align(128))]
    struct Body {
        mutex: RobustMutex,
    }
}

static TYPE: ObjectType = ObjectType {
    kind: Kind::Lock,
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

/// The participant that holds the lock, dead or alive, for a process that takes no part.
pub(crate) fn holder_in(snapshot: &Snapshot) -> Result<Option<Owner>> {
    Ok(snapshot.words::<Body>()?.mutex.holder())
}

common_methods!(Lock, TYPE);

impl Lock {
    fn opened(segment: Arc<Segment>) -> Result<Lock> {
        Ok(Lock {
            segment: Opened::new(segment)?,
        })
    }

    /// Make a lock that is free; anonymous if `name` is `None`.
    ///
    /// # Errors
    /// `E_INVALID`, `E_EXISTS`, `E_MISMATCH`, `E_PERMISSION`, `E_NO_MEMORY`.
    pub fn create(name: Option<&str>, options: CreateOptions) -> Result<Lock> {
        let segment = Segment::create(&TYPE, name, &options, &|_| Ok(()), &|_| Ok(()))?;
        Lock::opened(segment)
    }

    /// Acquire the lock, waiting while another holds it. The guard releases it when it is dropped.
    ///
    /// # Errors
    /// Those of [`lock_timeout`](Self::lock_timeout).
    #[inline]
    pub fn lock(&self) -> Result<LockGuard<'_>> {
        self.lock_timeout(Wait::FOREVER)
    }

    /// Acquire the lock if it is free, as [`lock`](Self::lock).
    ///
    /// # Errors
    /// `E_TIMEOUT` when it is not free; the rest as for [`lock_timeout`](Self::lock_timeout).
    #[inline]
    pub fn try_lock(&self) -> Result<LockGuard<'_>> {
        self.lock_timeout(Wait::TRY)
    }

    /// Acquire the lock, as [`lock`](Self::lock), waiting no longer than `wait`.
    ///
    /// # Errors
    /// `E_TIMEOUT`, `E_CANCELED`, `E_INTERRUPTED`: the lock was not acquired. `E_LIMIT`: too many
    /// processes use it.
    #[inline]
    pub fn lock_timeout<'w>(&self, wait: impl Into<Wait<'w>>) -> Result<LockGuard<'_>> {
        let acquired = self.acquire_timeout(wait)?;
        Ok(LockGuard {
            lock: self,
            is_held: true,
            owner_died: acquired == Acquired::OwnerDied,
        })
    }

    /// Acquire the lock without a guard, waiting while another holds it, for a critical section
    /// that ends in another function or another process: end it with [`release`](Self::release).
    ///
    /// # Errors
    /// Those of [`lock_timeout`](Self::lock_timeout).
    #[inline]
    pub fn acquire(&self) -> Result<Acquired> {
        self.acquire_timeout(Wait::FOREVER)
    }

    /// Acquire the lock without a guard if it is free.
    ///
    /// # Errors
    /// `E_TIMEOUT` when it is not free; the rest as for [`lock_timeout`](Self::lock_timeout).
    #[inline]
    pub fn try_acquire(&self) -> Result<Acquired> {
        self.acquire_timeout(Wait::TRY)
    }

    /// Acquire the lock without a guard, waiting no longer than `wait`.
    ///
    /// # Errors
    /// Those of [`lock_timeout`](Self::lock_timeout).
    #[inline]
    pub fn acquire_timeout<'w>(&self, wait: impl Into<Wait<'w>>) -> Result<Acquired> {
        self.acquire_raw(wait.into())
    }

    /// Acquire the lock if it is free and this process is a participant. If false, nothing was
    /// done.
    #[inline(always)]
    pub(crate) fn acquire_now(&self) -> bool {
        let me = self.segment.me_if_attached();
        me.is_some_and(|me| self.segment.words().mutex.try_lock(me))
    }

    /// Release the lock if this process took it and nobody waits for it. If false, nothing was
    /// done.
    #[inline(always)]
    pub(crate) fn release_now(&self) -> bool {
        let me = self.segment.me_if_attached();
        me.is_some_and(|me| self.segment.words().mutex.try_release(me))
    }

    /// As [`acquire_timeout`](Self::acquire_timeout), for `ffi`.
    #[inline]
    pub(crate) fn acquire_raw(&self, wait: impl LazyWait) -> Result<Acquired> {
        let me = self.segment.me()?;
        let mutex = &self.segment.words().mutex;
        if mutex.try_lock(me) {
            return Ok(Acquired::Clean);
        }
        wait.begin(|wait| mutex.lock(&*self.segment, me, &mut Patience::new(&wait)))
    }

    /// Release the lock, whoever acquired it.
    ///
    /// # Errors
    /// `E_OVER_RELEASE` when the lock is free.
    #[inline]
    pub fn release(&self) -> Result<()> {
        self.segment.words().mutex.release(&*self.segment)
    }

    /// Whether a living process holds the lock.
    ///
    /// # Errors
    /// None so far.
    pub fn is_locked(&self) -> Result<bool> {
        Ok(self.segment.words().mutex.is_locked(&*self.segment))
    }

    /// Called before a condition releases the lock: check that this process can release it and
    /// acquire it again.
    ///
    /// # Errors
    /// `E_NOT_OWNER` when nobody holds it; those of becoming a participant.
    pub(super) fn check_held(&self) -> Result<()> {
        self.segment.me()?;
        if !self.is_locked()? {
            return Err(Status::E_NOT_OWNER);
        }
        Ok(())
    }
}

/// A held [`Lock`], released when the guard is dropped. Threads may hand a guard on.
#[must_use = "the lock is released when the guard is dropped"]
pub struct LockGuard<'a> {
    lock: &'a Lock,
    /// False after a [`Condition`](super::Condition) could not acquire the lock again.
    is_held: bool,
    owner_died: bool,
}

impl<'a> LockGuard<'a> {
    /// Whether the last holder died while it held the lock: check the data that the lock guards.
    pub fn owner_died(&self) -> bool {
        self.owner_died
    }

    /// Keep the lock held without a guard, until [`Lock::release`].
    pub fn leak(mut self) {
        self.is_held = false;
    }

    /// The lock, for a condition that releases it and acquires it again.
    pub(super) fn parts(&mut self) -> (&'a Lock, &mut bool, &mut bool) {
        (self.lock, &mut self.is_held, &mut self.owner_died)
    }
}

impl std::fmt::Debug for LockGuard<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LockGuard")
            .field("lock", self.lock)
            .field("owner_died", &self.owner_died)
            .finish()
    }
}

impl Drop for LockGuard<'_> {
    fn drop(&mut self) {
        if self.is_held {
            // This fails only if the lock was released already, by a call of `Lock::release`.
            let _ = self.lock.release();
        }
    }
}
