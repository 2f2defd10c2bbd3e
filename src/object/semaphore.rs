//! A counter of permits between processes.

use std::os::fd::{OwnedFd, RawFd};
use std::sync::Arc;

use crate::segment::{CreateOptions, Kind, ObjectType, Segment};
use crate::status::{Result, Status};
use crate::sync::owner::Owner;
use crate::sync::semaphore::Counter;
use crate::sync::wait::Patience;
use crate::sync::Wait;
use crate::sys::shared::shared;

/// Permits that any process may take and any process may give back.
pub struct Semaphore {
    segment: Arc<Segment>,
}

/// What a new semaphore is like.
#[derive(Clone, Copy, Default, Debug)]
pub struct SemaphoreOptions {
    /// Mode, and whether an existing one is opened.
    pub create: CreateOptions,
    /// Permits at the start.
    pub initial: i64,
    /// The most permits there may be; 0 for no bound.
    pub maximum: i64,
}

shared! {
    #[repr(align(128))]
    struct Body {
        counter: Counter,
    }
}

static TYPE: ObjectType = ObjectType {
    kind: Kind::Semaphore,
    body: size_of::<Body>(),
    extents: 0,
    extra: 0,
    recover,
};

fn recover(segment: &Segment, _me: Owner, _is_gone: &dyn Fn(Owner) -> bool) -> Result<()> {
    segment.body::<Body>()?.counter.wake_all(segment);
    Ok(())
}

impl Semaphore {
    /// Make a semaphore with `initial` permits.
    ///
    /// # Errors
    /// `E_INVALID` (also for less than 0 permits, or more than the maximum), `E_EXISTS`, `E_MISMATCH`
    /// (also when the existing one has another maximum), `E_PERMISSION`, `E_NO_MEMORY`.
    pub fn create(name: Option<&str>, options: &SemaphoreOptions) -> Result<Semaphore> {
        let SemaphoreOptions {
            create,
            initial,
            maximum,
        } = *options;
        if initial < 0 || maximum < 0 || (maximum > 0 && initial > maximum) {
            return Err(Status::E_INVALID);
        }
        let fill = |segment: &Segment| {
            segment.body::<Body>()?.counter.fill(initial, maximum);
            Ok(())
        };
        let check = |segment: &Segment| match segment.body::<Body>()?.counter.maximum() == maximum {
            true => Ok(()),
            false => Err(Status::E_MISMATCH),
        };
        Ok(Semaphore {
            segment: Segment::create(&TYPE, name, &create, &fill, &check)?,
        })
    }

    /// Open a named semaphore.
    ///
    /// # Errors
    /// `E_INVALID`, `E_NOT_FOUND`, `E_MISMATCH`, `E_PERMISSION`, `E_CORRUPT`.
    pub fn open(name: &str) -> Result<Semaphore> {
        Ok(Semaphore {
            segment: Segment::open(&TYPE, name)?,
        })
    }

    /// The semaphore behind a descriptor of [`share_fd`](Self::share_fd).
    ///
    /// # Errors
    /// `E_MISMATCH`, `E_CORRUPT`.
    pub fn from_fd(fd: OwnedFd) -> Result<Semaphore> {
        Ok(Semaphore {
            segment: Segment::from_fd(&TYPE, fd)?,
        })
    }

    /// A descriptor to hand to another process.
    ///
    /// # Errors
    /// `E_LIMIT` when this process has no descriptor left.
    pub fn share_fd(&self) -> Result<OwnedFd> {
        self.segment.share_fd()
    }

    /// The object's own descriptor; it stays the object's.
    pub fn raw_fd(&self) -> RawFd {
        self.segment.raw_fd()
    }

    /// Take a permit, waiting while there is none.
    ///
    /// # Errors
    /// `E_TIMEOUT`, `E_CANCELED`, `E_CLOSED`, `E_INTERRUPTED`: none was taken.
    #[inline]
    pub fn acquire(&self, wait: Wait<'_>) -> Result<()> {
        self.segment.me()?;
        let body = self.segment.body::<Body>()?;
        body.counter
            .acquire(&*self.segment, &mut Patience::new(&wait))
    }

    /// Give `count` permits back.
    ///
    /// # Errors
    /// `E_INVALID` for less than 1, `E_OVER_RELEASE` over the maximum: nothing was given.
    #[inline]
    pub fn release(&self, count: i64) -> Result<()> {
        // A participant, so that the sleepers watch this process: it may be killed before it wakes one.
        self.segment.me()?;
        self.segment
            .body::<Body>()?
            .counter
            .release(&*self.segment, count)
    }

    /// The permits that are there now.
    ///
    /// # Errors
    /// None so far.
    pub fn value(&self) -> Result<i64> {
        Ok(self.segment.body::<Body>()?.counter.value())
    }
}
