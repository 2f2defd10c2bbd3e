//! A lock between processes that outlives its holder.

use std::sync::Arc;

use crate::segment::{common_methods, CreateOptions, Kind, ObjectType, Segment};
use crate::status::{Result, Status};
use crate::sync::lock_wait::Caller;
use crate::sync::mutex::RobustMutex;
use crate::sync::owner::Owner;
use crate::sync::shared::shared;
use crate::sync::wait::Patience;
use crate::sync::{Acquired, LazyWait};

/// Not recursive; any process or thread may release it, as Python's `multiprocessing.Lock`.
pub struct Lock {
    segment: Arc<Segment>,
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
    extents: 0,
    extra: 0,
    over_at: None,
    recover,
};

fn recover(segment: &Segment, _me: Caller<'_>, is_gone: &dyn Fn(Owner) -> bool) -> Result<()> {
    segment.body::<Body>()?.mutex.orphan(segment, is_gone);
    Ok(())
}

common_methods!(Lock, TYPE);

impl Lock {
    fn opened(segment: Arc<Segment>) -> Result<Lock> {
        Ok(Lock { segment })
    }

    /// Make a lock that is free.
    ///
    /// # Errors
    /// `E_INVALID`, `E_EXISTS`, `E_MISMATCH`, `E_PERMISSION`, `E_NO_MEMORY`.
    pub fn create(name: Option<&str>, options: CreateOptions) -> Result<Lock> {
        let segment = Segment::create(&TYPE, name, &options, &|_| Ok(()), &|_| Ok(()))?;
        Lock::opened(segment)
    }

    /// Acquire the lock, waiting while another holds it.
    ///
    /// # Errors
    /// `E_TIMEOUT`, `E_CANCELED`, `E_CLOSED`, `E_INTERRUPTED`: the lock was not acquired.
    #[inline]
    pub fn acquire(&self, wait: impl LazyWait) -> Result<Acquired> {
        let me = self.segment.me()?;
        let mutex = &self.segment.body::<Body>()?.mutex;
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
        self.segment.body::<Body>()?.mutex.release(&*self.segment)
    }

    /// Whether a living process holds the lock.
    ///
    /// # Errors
    /// None so far.
    pub fn is_locked(&self) -> Result<bool> {
        Ok(self.segment.body::<Body>()?.mutex.is_locked(&*self.segment))
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
