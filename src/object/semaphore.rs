//! A counter of permits between processes.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

use crate::segment::{
    common_methods, CreateOptions, Kind, ObjectType, Opened, Segment, Snapshot, WithoutRecovery,
};
use crate::status::detail::{self, because};
use crate::status::{Result, Status};
use crate::sync::lock_wait::Caller;
use crate::sync::owned_permits::{OwnedPermits, SLOTS};
use crate::sync::owner::Owner;
use crate::sync::semaphore::Counter;
use crate::sync::shared::shared;
use crate::sync::wait::Patience;
use crate::sync::{LazyWait, Wait};

/// A number of permits. Any process may acquire a permit; any process may release one, unless the
/// permits are owned.
///
/// ```
/// use polyproc::{Semaphore, SemaphoreOptions, Status};
///
/// # fn main() -> polyproc::Result<()> {
/// let options = SemaphoreOptions { initial: 1, owned: true, ..Default::default() };
/// let semaphore = Semaphore::create(None, &options)?;
/// {
///     let _permit = semaphore.permit()?;
///     assert_eq!(semaphore.try_acquire(), Err(Status::E_TIMEOUT));
/// } // released here; and when the process is killed, since the permits are owned
/// assert_eq!(semaphore.value()?, 1);
/// # Ok(())
/// # }
/// ```
pub struct Semaphore {
    segment: Opened<Body>,
    owned: bool,
}

/// The settings of a new semaphore.
#[derive(Clone, Copy, Default, Debug)]
pub struct SemaphoreOptions {
    /// The mode, and whether to open an existing semaphore.
    pub create: CreateOptions,
    /// Permits at the start.
    pub initial: i64,
    /// The maximum number of permits; 0 for no bound.
    pub maximum: i64,
    /// A permit belongs to the process that acquired it: only that process can release it, and it
    /// is released when the process ends.
    pub owned: bool,
}

shared! {
    #[repr(align(128))]
    struct Body {
        /// 0 or [`OWNED`].
        flags: AtomicU32,
        _pad: AtomicU32,
        counter: Counter,
        owned: OwnedPermits,
    }
}

const OWNED: u32 = 1;
const _: () = assert!(SLOTS == Kind::Semaphore.max_participants() as usize);

impl Body {
    /// With or without owned permits; determined once, when the object is opened.
    fn is_owned(&self) -> Result<bool> {
        match self.flags.load(Ordering::Relaxed) {
            0 => Ok(false),
            OWNED => Ok(true),
            _ => Err(Status::E_CORRUPT),
        }
    }
}

static TYPE: ObjectType = ObjectType {
    kind: Kind::Semaphore,
    body: size_of::<Body>(),
    extra: 0,
    over_at: None,
    accounts: None,
    recover,
    wake,
};

fn recover(segment: &Segment, _me: Caller<'_>, is_gone: &dyn Fn(Owner) -> bool) -> Result<()> {
    segment.body::<Body>()?.owned.forget(segment, is_gone);
    Ok(())
}

fn wake(segment: &Segment) -> Result<()> {
    let body = segment.body::<Body>()?;
    body.counter.wake_all(segment);
    body.owned.wake_all(segment);
    Ok(())
}

/// The permits of a semaphore, for a process that takes no part.
pub(crate) struct Permits {
    pub(crate) value: i64,
    /// 0 if there is none.
    pub(crate) maximum: i64,
    /// The participants and their permits, if permits are owned.
    pub(crate) owned: Option<Vec<(Owner, u32)>>,
}

/// Count the permits, for a process that takes no part.
pub(crate) fn permits_in(snapshot: &Snapshot) -> Result<Permits> {
    let body = snapshot.words::<Body>()?;
    let maximum = body.counter.maximum();
    if !body.is_owned()? {
        let (value, owned) = (body.counter.value(), None);
        return Ok(Permits {
            value,
            maximum,
            owned,
        });
    }
    let mut holders = body.owned.holders();
    holders.retain(|(owner, _)| !snapshot.is_gone(*owner));
    let held: i64 = holders.iter().map(|(_, count)| i64::from(*count)).sum();
    Ok(Permits {
        value: body.owned.initial().saturating_sub(held),
        maximum,
        owned: Some(holders),
    })
}

common_methods!(Semaphore, TYPE);

impl SemaphoreOptions {
    fn check(&self) -> Result<()> {
        let SemaphoreOptions {
            initial, maximum, ..
        } = *self;
        if initial < 0 || maximum < 0 {
            return Err(because!(
                E_INVALID,
                "initial is {initial} and maximum {maximum}: neither is below 0"
            ));
        }
        if maximum > 0 && initial > maximum {
            return Err(because!(
                E_INVALID,
                "initial is {initial}, over maximum, {maximum}"
            ));
        }
        Ok(())
    }
}

impl Semaphore {
    fn opened(segment: Arc<Segment>) -> Result<Semaphore> {
        let segment = Opened::<Body>::new(segment)?;
        let owned = segment.words().is_owned()?;
        Ok(Semaphore { segment, owned })
    }

    /// Make a semaphore with `initial` permits; anonymous if `name` is `None`.
    ///
    /// # Errors
    /// `E_INVALID` (also for less than 0 permits, or more than the maximum), `E_EXISTS`,
    /// `E_MISMATCH` (also when the existing semaphore has another maximum, or differs in `owned`),
    /// `E_PERMISSION`, `E_NO_MEMORY`.
    pub fn create(name: Option<&str>, options: &SemaphoreOptions) -> Result<Semaphore> {
        let SemaphoreOptions {
            create,
            initial,
            maximum,
            owned,
        } = *options;
        options
            .check()
            .map_err(|status| detail::at(status, "create", "semaphore", name))?;
        let fill = |segment: &Segment| {
            let body = segment.body::<Body>()?;
            body.flags
                .store(if owned { OWNED } else { 0 }, Ordering::Relaxed);
            body.counter.fill(initial, maximum);
            body.owned.fill(initial);
            Ok(())
        };
        let check = |segment: &Segment| {
            let body = segment.body::<Body>()?;
            let (its_maximum, is_owned) = (body.counter.maximum(), body.is_owned()?);
            if its_maximum != maximum {
                return Err(because!(
                    E_MISMATCH,
                    "maximum of the semaphore is {its_maximum}, asked for as {maximum}"
                ));
            }
            match (is_owned, owned) {
                (true, false) => Err(because!(
                    E_MISMATCH,
                    "the permits of the semaphore are owned, asked for as not"
                )),
                (false, true) => Err(because!(
                    E_MISMATCH,
                    "the permits of the semaphore are not owned, asked for as owned"
                )),
                _ => Ok(()),
            }
        };
        Semaphore::opened(Segment::create(&TYPE, name, &create, &fill, &check)?)
    }

    /// Acquire a permit, waiting while there is none. The guard releases it when it is dropped.
    ///
    /// # Errors
    /// Those of [`acquire_timeout`](Self::acquire_timeout).
    #[inline]
    pub fn permit(&self) -> Result<Permit<'_>> {
        self.permit_timeout(Wait::FOREVER)
    }

    /// Acquire a permit if there is one, as [`permit`](Self::permit).
    ///
    /// # Errors
    /// `E_TIMEOUT` when there is none; the rest as for [`acquire_timeout`](Self::acquire_timeout).
    #[inline]
    pub fn try_permit(&self) -> Result<Permit<'_>> {
        self.permit_timeout(Wait::TRY)
    }

    /// Acquire a permit, as [`permit`](Self::permit), waiting no longer than `wait`.
    ///
    /// # Errors
    /// Those of [`acquire_timeout`](Self::acquire_timeout).
    #[inline]
    pub fn permit_timeout<'w>(&self, wait: impl Into<Wait<'w>>) -> Result<Permit<'_>> {
        self.acquire_timeout(wait)?;
        Ok(Permit { semaphore: self })
    }

    /// Acquire a permit without a guard, waiting while there is none; give it back with
    /// [`release`](Self::release).
    ///
    /// # Errors
    /// Those of [`acquire_timeout`](Self::acquire_timeout).
    #[inline]
    pub fn acquire(&self) -> Result<()> {
        self.acquire_timeout(Wait::FOREVER)
    }

    /// Acquire a permit without a guard if there is one.
    ///
    /// # Errors
    /// `E_TIMEOUT` when there is none; the rest as for [`acquire_timeout`](Self::acquire_timeout).
    #[inline]
    pub fn try_acquire(&self) -> Result<()> {
        self.acquire_timeout(Wait::TRY)
    }

    /// Acquire a permit without a guard, waiting no longer than `wait`.
    ///
    /// # Errors
    /// `E_TIMEOUT`, `E_CANCELED`, `E_INTERRUPTED`: no permit was acquired. `E_LIMIT`: too many
    /// processes use the semaphore.
    #[inline]
    pub fn acquire_timeout<'w>(&self, wait: impl Into<Wait<'w>>) -> Result<()> {
        self.acquire_raw(wait.into())
    }

    /// Acquire a permit that is not owned, if there is one and this process is a participant. If
    /// false, nothing was done.
    #[inline(always)]
    pub(crate) fn acquire_now(&self) -> bool {
        !self.owned
            && self.segment.me_if_attached().is_some()
            && self.segment.words().counter.try_acquire_once()
    }

    /// Release permits that are not owned, if this process is a participant. If false, nothing was
    /// done.
    #[inline(always)]
    pub(crate) fn release_now(&self, count: i64) -> bool {
        let counter = &self.segment.words().counter;
        !self.owned
            && self.segment.me_if_attached().is_some()
            && counter.try_release_once(&*self.segment, count)
    }

    /// As [`acquire_timeout`](Self::acquire_timeout), for `ffi`.
    #[inline]
    pub(crate) fn acquire_raw(&self, wait: impl LazyWait) -> Result<()> {
        let (segment, me) = (&*self.segment, self.segment.me()?);
        let body = self.segment.words();
        if !self.owned && body.counter.try_acquire_once() {
            return Ok(());
        }
        wait.begin(|wait| match self.owned {
            true => body
                .owned
                .acquire(segment, &WithoutRecovery(segment), me, &wait),
            false => body.counter.acquire(segment, &mut Patience::new(&wait)),
        })
    }

    /// Release `count` permits.
    ///
    /// # Errors
    /// `E_INVALID` for less than 1, `E_OVER_RELEASE` over the maximum; of owned permits
    /// `E_NOT_OWNER` when this process holds none, `E_OVER_RELEASE` when it holds fewer,
    /// `E_TIMEOUT` when a process that is stopped within a call blocks the release. No permit was
    /// released.
    #[inline(always)]
    pub fn release(&self, count: i64) -> Result<()> {
        // This process becomes a participant, so that the sleepers watch its life word: it may be
        // killed before it wakes one.
        let (segment, me) = (&*self.segment, self.segment.me()?);
        let body = self.segment.words();
        match self.owned {
            true => self.release_owned(body, me, count),
            false => body.counter.release(segment, count),
        }
    }

    #[inline(never)]
    fn release_owned(&self, body: &Body, me: Owner, count: i64) -> Result<()> {
        let segment = &*self.segment;
        body.owned.release(&WithoutRecovery(segment), me, count)
    }

    /// The number of permits available now.
    ///
    /// # Errors
    /// `E_CORRUPT` when the recorded permits are impossible; `E_TIMEOUT` when a stopped process
    /// holds the lock that guards them.
    pub fn value(&self) -> Result<i64> {
        let (segment, body) = (&*self.segment, self.segment.words());
        if self.owned {
            return body.owned.value(&WithoutRecovery(segment), segment.me()?);
        }
        Ok(body.counter.value())
    }
}

/// A permit of a [`Semaphore`], released when the guard is dropped. Threads may hand it on.
#[must_use = "the permit is released when the guard is dropped"]
#[derive(Debug)]
pub struct Permit<'a> {
    semaphore: &'a Semaphore,
}

impl Permit<'_> {
    /// Keep the permit without a guard, until [`Semaphore::release`].
    pub fn leak(self) {
        std::mem::forget(self);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        // The release of an owned permit fails if the semaphore is damaged, or if a process is
        // stopped within a call on it: then the permit comes back when this process ends.
        let _ = self.semaphore.release(1);
    }
}
