//! A place where processes and threads wait for each other.

use std::sync::Arc;

use crate::segment::{common_methods, CreateOptions, Kind, ObjectType, Segment, WithoutRecovery};
use crate::status::{Result, Status};
use crate::sync::barrier::{self, MAX_PARTIES};
use crate::sync::lock_wait::Caller;
use crate::sync::owner::Owner;
use crate::sync::shared::shared;
use crate::sync::{Arrival, Wait};

/// A fixed number of parties that go on together, round by round; as Python's `multiprocessing.Barrier`,
/// but broken at once by the death of a party that waits.
pub struct Barrier {
    segment: Arc<Segment>,
}

shared! {
    #[repr(align(128))]
    struct Body {
        barrier: barrier::Barrier,
    }
}

static TYPE: ObjectType = ObjectType {
    kind: Kind::Barrier,
    body: size_of::<Body>(),
    extents: 0,
    extra: 0,
    over_at: None,
    recover,
};

fn recover(segment: &Segment, me: Caller<'_>, is_gone: &dyn Fn(Owner) -> bool) -> Result<()> {
    let body = segment.body::<Body>()?;
    body.barrier.recover(&WithoutRecovery(segment), me, is_gone)
}

common_methods!(Barrier, TYPE);

impl Barrier {
    fn opened(segment: Arc<Segment>) -> Result<Barrier> {
        segment.body::<Body>()?.barrier.parties()?;
        Ok(Barrier { segment })
    }

    /// Make a barrier for `parties`, 1 to 1,024.
    ///
    /// # Errors
    /// `E_INVALID`, `E_EXISTS`, `E_MISMATCH` (also when the existing one is for another number),
    /// `E_PERMISSION`, `E_NO_MEMORY`.
    pub fn create(name: Option<&str>, options: CreateOptions, parties: u32) -> Result<Barrier> {
        if !(1..=MAX_PARTIES).contains(&parties) {
            return Err(Status::E_INVALID);
        }
        let fill = |segment: &Segment| {
            segment.body::<Body>()?.barrier.fill(parties);
            Ok(())
        };
        let check = |segment: &Segment| {
            if segment.body::<Body>()?.barrier.parties()? != parties {
                return Err(Status::E_MISMATCH);
            }
            Ok(())
        };
        Barrier::opened(Segment::create(&TYPE, name, &options, &fill, &check)?)
    }

    /// Wait until all parties are here; which of them this is.
    ///
    /// # Errors
    /// `E_TIMEOUT`, `E_CANCELED`, `E_CLOSED`: the wait is over, which breaks the barrier for all.
    /// `E_INTERRUPTED`: this one counts as not here, and may come again. `E_BROKEN_BARRIER`: the barrier
    /// was broken before, or by another, or was reset.
    pub fn wait(&self, wait: Wait<'_>) -> Result<u32> {
        Ok(self.meet(false, wait)?.index)
    }

    /// The same in two steps: the last one returns as the leader while the others are still held, until
    /// it calls [`complete`](Self::complete).
    ///
    /// # Errors
    /// As for [`wait`](Self::wait).
    pub fn arrive(&self, wait: Wait<'_>) -> Result<Arrival> {
        self.meet(true, wait)
    }

    fn meet(&self, leads: bool, wait: Wait<'_>) -> Result<Arrival> {
        let (segment, me) = (&*self.segment, self.segment.me()?);
        let body = segment.body::<Body>()?;
        body.barrier
            .arrive(segment, &WithoutRecovery(segment), me, leads, &wait)
    }

    /// By the leader's process: let the others go, or break the barrier.
    ///
    /// # Errors
    /// `E_NOT_OWNER` when this process leads no round, `E_BROKEN_BARRIER` when it is broken.
    pub fn complete(&self, ok: bool) -> Result<()> {
        self.inside(|barrier, quiet, me| barrier.complete(quiet, me, ok))
    }

    /// Break it: those who wait get `E_BROKEN_BARRIER`, and everybody who comes until it is reset.
    ///
    /// # Errors
    /// None so far.
    pub fn abort(&self) -> Result<()> {
        self.inside(barrier::Barrier::abort)
    }

    /// Begin anew: those who wait get `E_BROKEN_BARRIER`, and it works again.
    ///
    /// # Errors
    /// None so far.
    pub fn reset(&self) -> Result<()> {
        self.inside(barrier::Barrier::reset)
    }

    /// How many it takes.
    ///
    /// # Errors
    /// `E_CORRUPT`.
    pub fn parties(&self) -> Result<u32> {
        self.segment.body::<Body>()?.barrier.parties()
    }

    /// How many wait now, or are held.
    ///
    /// # Errors
    /// None so far.
    pub fn waiting(&self) -> Result<u32> {
        self.after_the_dead()?;
        let barrier = &self.segment.body::<Body>()?.barrier;
        Ok(barrier.waiting(&*self.segment))
    }

    /// Whether it is broken.
    ///
    /// # Errors
    /// `E_CORRUPT`.
    pub fn is_broken(&self) -> Result<bool> {
        self.after_the_dead()?;
        self.segment.body::<Body>()?.barrier.is_broken()
    }

    /// A party that died has broken it, whether or not anybody has noticed.
    fn after_the_dead(&self) -> Result<()> {
        self.segment.reap(self.segment.me()?)
    }

    fn inside<'a, T>(
        &'a self,
        body: impl FnOnce(&'a barrier::Barrier, &WithoutRecovery<'a>, Owner) -> Result<T>,
    ) -> Result<T> {
        let me = self.segment.me()?;
        let barrier = &self.segment.body::<Body>()?.barrier;
        body(barrier, &WithoutRecovery(&self.segment), me)
    }
}
