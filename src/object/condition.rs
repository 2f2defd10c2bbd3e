//! A condition: wait with a lock released until another process notifies.

use std::cell::Cell;
use std::sync::Arc;

use super::rlock::THIS_THREAD;
use super::{Lock, LockGuard, Rlock, RlockGuard};
use crate::segment::{common_methods, CreateOptions, Kind, ObjectType, Opened, Segment, Snapshot};
use crate::status::{Result, Status};
use crate::sync::condition;
use crate::sync::lock_wait::Caller;
use crate::sync::owner::Owner;
use crate::sync::shared::shared;
use crate::sync::wait::Patience;
use crate::sync::{Acquired, Wait};

/// As Python's `multiprocessing.Condition`, over a [`Lock`] or an [`Rlock`] of its own segment.
///
/// A process that changes the state for which others wait holds the lock during the change, and
/// notifies before or after it releases the lock. A waiter checks the state again after `wait`
/// returns, in a loop.
///
/// ```
/// use polyproc::{Condition, CreateOptions, Lock, Status};
/// use std::time::Duration;
///
/// # fn main() -> polyproc::Result<()> {
/// let lock = Lock::create(None, CreateOptions::default())?;
/// let condition = Condition::create(None, CreateOptions::default())?;
/// let mut guard = lock.lock()?;
/// // Nobody notifies here. In a program: `while !is_ready() { condition.wait(&mut guard)?; }`
/// let waited = condition.wait_timeout(&mut guard, Duration::from_millis(1));
/// assert_eq!(waited, Err(Status::E_TIMEOUT));
/// assert!(lock.is_locked()?); // acquired again
/// # Ok(())
/// # }
/// ```
pub struct Condition {
    segment: Opened<Body>,
}

/// The fields of a guard that a wait updates: whether it holds its lock, and whether the last
/// holder died.
struct Held<'a> {
    is_held: &'a mut bool,
    owner_died: &'a mut bool,
}

shared! {
    #[repr(align(128))]
    struct Body {
        condition: condition::ConditionWord,
    }
}

static TYPE: ObjectType = ObjectType {
    kind: Kind::Condition,
    body: size_of::<Body>(),
    extra: 0,
    over_at: None,
    accounts: None,
    recover,
    wake: |_| Ok(()),
};

fn recover(segment: &Segment, me: Caller<'_>, is_gone: &dyn Fn(Owner) -> bool) -> Result<()> {
    let body = segment.body::<Body>()?;
    body.condition.recover(segment, me.owner, is_gone);
    Ok(())
}

/// The participants whose threads wait, one for each thread, for a process that takes no part.
pub(crate) fn waiting_in(snapshot: &Snapshot) -> Result<Vec<Owner>> {
    Ok(snapshot.words::<Body>()?.condition.waiting())
}

common_methods!(Condition, TYPE);

impl Condition {
    fn opened(segment: Arc<Segment>) -> Result<Condition> {
        Ok(Condition {
            segment: Opened::new(segment)?,
        })
    }

    /// Make a condition; anonymous if `name` is `None`.
    ///
    /// # Errors
    /// `E_INVALID`, `E_EXISTS`, `E_MISMATCH`, `E_PERMISSION`, `E_NO_MEMORY`.
    pub fn create(name: Option<&str>, options: CreateOptions) -> Result<Condition> {
        let segment = Segment::create(&TYPE, name, &options, &|_| Ok(()), &|_| Ok(()))?;
        Condition::opened(segment)
    }

    /// Release the lock, wait for a notification, and acquire the lock again, however the wait
    /// ended. If the lock's holder died meanwhile, [`LockGuard::owner_died`] is true afterwards,
    /// and the result does not tell whether a notification arrived.
    ///
    /// # Errors
    /// Those of [`wait_timeout`](Self::wait_timeout).
    pub fn wait(&self, guard: &mut LockGuard<'_>) -> Result<()> {
        self.wait_timeout(guard, Wait::FOREVER)
    }

    /// As [`wait`](Self::wait), waiting for the notification no longer than `wait`. The wait for
    /// the lock afterwards has no limit.
    ///
    /// # Errors
    /// `E_TIMEOUT`, `E_CANCELED`, `E_INTERRUPTED`: no notification arrived, and the lock is held.
    /// `E_NOT_OWNER`: somebody else has released the lock. `E_LIMIT`: 1,024 threads wait already.
    /// `E_CORRUPT`: the lock may be lost.
    pub fn wait_timeout<'w>(
        &self,
        guard: &mut LockGuard<'_>,
        wait: impl Into<Wait<'w>>,
    ) -> Result<()> {
        let (lock, is_held, owner_died) = guard.parts();
        lock.check_held()
            .inspect_err(|status| *is_held = *status != Status::E_NOT_OWNER)?;
        self.wait_with(
            wait.into(),
            Held {
                is_held,
                owner_died,
            },
            &|| lock.release(),
            &|()| lock.acquire(),
        )
    }

    /// As [`wait`](Self::wait) with an rlock: it is released completely and acquired again to the
    /// same depth.
    ///
    /// # Errors
    /// Those of [`wait_rlock_timeout`](Self::wait_rlock_timeout).
    pub fn wait_rlock(&self, guard: &mut RlockGuard<'_>) -> Result<()> {
        self.wait_rlock_timeout(guard, Wait::FOREVER)
    }

    /// As [`wait_timeout`](Self::wait_timeout) with an rlock.
    ///
    /// # Errors
    /// Those of [`wait_timeout`](Self::wait_timeout).
    pub fn wait_rlock_timeout<'w>(
        &self,
        guard: &mut RlockGuard<'_>,
        wait: impl Into<Wait<'w>>,
    ) -> Result<()> {
        let (rlock, is_held, owner_died) = guard.parts();
        rlock
            .check_held(THIS_THREAD)
            .inspect_err(|status| *is_held = *status != Status::E_NOT_OWNER)?;
        self.wait_with(
            wait.into(),
            Held {
                is_held,
                owner_died,
            },
            &|| rlock.release_all(THIS_THREAD),
            &|depth| rlock.acquire_again(THIS_THREAD, depth, &Wait::FOREVER),
        )
    }

    /// As [`wait_between`](Self::wait_between); records in the guard whether the lock is held.
    fn wait_with<T: Copy>(
        &self,
        wait: Wait<'_>,
        held: Held<'_>,
        release: &dyn Fn() -> Result<T>,
        acquire: &dyn Fn(T) -> Result<Acquired>,
    ) -> Result<()> {
        let is_held = Cell::new(true);
        let release = || release().inspect(|_| is_held.set(false));
        let acquire = |depth| acquire(depth).inspect(|_| is_held.set(true));
        let waited = self.wait_between(wait, &release, &acquire);
        *held.is_held = is_held.get();
        *held.owner_died = waited == Ok(Acquired::OwnerDied);
        waited.map(drop)
    }

    /// As [`wait_timeout`](Self::wait_timeout) with a lock that is held without a guard.
    ///
    /// # Errors
    /// `E_NOT_OWNER` when nobody holds the lock; the rest as for
    /// [`wait_timeout`](Self::wait_timeout). With `OwnerDied` the lock is held, and the result does
    /// not tell whether a notification arrived.
    pub fn wait_on<'w>(&self, lock: &Lock, wait: impl Into<Wait<'w>>) -> Result<Acquired> {
        self.wait_and_then(lock, wait.into(), Wait::FOREVER)
    }

    /// As [`wait_on`](Self::wait_on), where `again` says how to wait for the lock afterwards.
    pub(crate) fn wait_and_then(
        &self,
        lock: &Lock,
        wait: Wait<'_>,
        again: Wait<'_>,
    ) -> Result<Acquired> {
        lock.check_held()?;
        self.wait_between(wait, &|| lock.release(), &|()| lock.acquire_timeout(again))
    }

    /// As [`wait_on`](Self::wait_on) with an rlock that `owner` holds, 0 for the calling thread.
    ///
    /// # Errors
    /// `E_NOT_OWNER` when this owner does not hold the rlock; the rest as for
    /// [`wait_on`](Self::wait_on).
    pub fn wait_on_rlock<'w>(
        &self,
        rlock: &Rlock,
        owner: u64,
        wait: impl Into<Wait<'w>>,
    ) -> Result<Acquired> {
        self.wait_rlock_and_then(rlock, owner, wait.into(), Wait::FOREVER)
    }

    /// As [`wait_on_rlock`](Self::wait_on_rlock), where `again` says how to wait for the rlock
    /// afterwards.
    pub(crate) fn wait_rlock_and_then(
        &self,
        rlock: &Rlock,
        owner: u64,
        wait: Wait<'_>,
        again: Wait<'_>,
    ) -> Result<Acquired> {
        rlock.check_held(owner)?;
        self.wait_between(wait, &|| rlock.release_all(owner), &|depth| {
            rlock.acquire_again(owner, depth, &again)
        })
    }

    fn wait_between<T: Copy>(
        &self,
        wait: Wait<'_>,
        release: &dyn Fn() -> Result<T>,
        acquire: &dyn Fn(T) -> Result<Acquired>,
    ) -> Result<Acquired> {
        let (segment, me) = (&*self.segment, self.segment.me()?);
        let condition = &segment.body::<Body>()?.condition;
        // Announce the waiter before releasing the lock, so that the next holder's notification
        // finds it.
        let place = condition.enter(me)?;
        let held = match release() {
            Ok(held) => held,
            Err(status) => {
                place.pass_on(condition, segment);
                return Err(match status {
                    Status::E_OVER_RELEASE => Status::E_NOT_OWNER,
                    other => other,
                });
            }
        };
        let slept = place.sleep(segment, &mut Patience::new(&wait));
        let acquired = loop {
            match acquire(held) {
                // The call must return with the lock held, so the interruption is reported after
                // that.
                Err(Status::E_INTERRUPTED) => {}
                other => break other,
            }
        };
        if slept.is_ok() {
            match acquired {
                Ok(_) => place.leave(),
                Err(_) => place.pass_on(condition, segment),
            }
        }
        match acquired? {
            Acquired::OwnerDied => Ok(Acquired::OwnerDied),
            Acquired::Clean => slept.map(|()| Acquired::Clean),
        }
    }

    /// Wake up to `count` waiters, those first that have waited longest; the rest of `count` is
    /// discarded.
    ///
    /// # Errors
    /// Those of becoming a participant.
    pub fn notify(&self, count: u32) -> Result<()> {
        // This process becomes a participant, so that the sleepers watch its life word: it may be
        // killed before it wakes one.
        self.segment.me()?;
        let condition = &self.segment.words().condition;
        condition.notify(&*self.segment, count);
        Ok(())
    }

    /// Wake all waiters.
    ///
    /// # Errors
    /// As for [`notify`](Self::notify).
    pub fn notify_all(&self) -> Result<()> {
        self.notify(u32::MAX)
    }
}
