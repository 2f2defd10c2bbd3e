//! A condition: wait with a lock released until another process notifies.

use std::sync::Arc;

use super::{Lock, Rlock};
use crate::segment::{common_methods, CreateOptions, Kind, ObjectType, Segment};
use crate::status::{Result, Status};
use crate::sync::condition;
use crate::sync::lock_wait::Caller;
use crate::sync::owner::Owner;
use crate::sync::shared::shared;
use crate::sync::wait::Patience;
use crate::sync::{Acquired, Wait};

/// As Python's `multiprocessing.Condition`, over a [`Lock`] or an [`Rlock`] of its own segment.
///
/// A process that changes the state the waiters wait for holds the lock while it does so, and
/// notifies before or after it releases the lock. A waiter checks that state again after `wait`
/// returns, in a loop.
pub struct Condition {
    segment: Arc<Segment>,
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
    extents: 0,
    extra: 0,
    over_at: None,
    recover,
};

fn recover(segment: &Segment, me: Caller<'_>, is_gone: &dyn Fn(Owner) -> bool) -> Result<()> {
    let body = segment.body::<Body>()?;
    body.condition.recover(segment, me.owner, is_gone);
    Ok(())
}

common_methods!(Condition, TYPE);

impl Condition {
    fn opened(segment: Arc<Segment>) -> Result<Condition> {
        Ok(Condition { segment })
    }

    /// Make a condition.
    ///
    /// # Errors
    /// `E_INVALID`, `E_EXISTS`, `E_MISMATCH`, `E_PERMISSION`, `E_NO_MEMORY`.
    pub fn create(name: Option<&str>, options: CreateOptions) -> Result<Condition> {
        let segment = Segment::create(&TYPE, name, &options, &|_| Ok(()), &|_| Ok(()))?;
        Condition::opened(segment)
    }

    /// Release `lock`, wait for a notification, and acquire `lock` again, however the wait ended.
    ///
    /// # Errors
    /// `E_NOT_OWNER` when nobody holds the lock. `E_TIMEOUT`, `E_CANCELED`, `E_CLOSED`,
    /// `E_INTERRUPTED`: no notification arrived, and the lock is held. With `OwnerDied` the lock is
    /// held, and the result does not tell whether a notification arrived.
    pub fn wait(&self, lock: &Lock, wait: Wait<'_>) -> Result<Acquired> {
        self.wait_and_then(lock, wait, Wait::FOREVER)
    }

    /// As [`wait`](Self::wait), where `again` says how to wait for the lock afterwards.
    pub(crate) fn wait_and_then(
        &self,
        lock: &Lock,
        wait: Wait<'_>,
        again: Wait<'_>,
    ) -> Result<Acquired> {
        lock.check_held()?;
        self.wait_between(wait, &|| lock.release(), &|()| lock.acquire(again))
    }

    /// As [`wait`](Self::wait) with an rlock: it is released completely and acquired again to the
    /// same depth.
    ///
    /// # Errors
    /// `E_NOT_OWNER` when this owner does not hold the rlock; the rest as for [`wait`](Self::wait).
    pub fn wait_rlock(&self, rlock: &Rlock, owner: u64, wait: Wait<'_>) -> Result<Acquired> {
        self.wait_rlock_and_then(rlock, owner, wait, Wait::FOREVER)
    }

    /// As [`wait_rlock`](Self::wait_rlock), where `again` says how to wait for the rlock
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
        let condition = &self.segment.body::<Body>()?.condition;
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
