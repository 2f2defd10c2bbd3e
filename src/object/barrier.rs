//! A barrier: processes and threads wait until all have arrived.

use std::sync::Arc;

use crate::segment::{
    common_methods, CreateOptions, Kind, ObjectType, Opened, Segment, Snapshot, WithoutRecovery,
};
use crate::status::detail::{self, because};
use crate::status::Result;
use crate::sync::barrier::{self, MAX_PARTIES};
use crate::sync::lock_wait::Caller;
use crate::sync::owner::Owner;
use crate::sync::shared::shared;
use crate::sync::{Arrival, Wait};

/// A fixed number of parties that wait for each other and go on together, round by round. As
/// Python's `multiprocessing.Barrier`, except that the death of a waiting party breaks the barrier
/// at once.
///
/// ```
/// use polyproc::{Barrier, CreateOptions};
///
/// # fn main() -> polyproc::Result<()> {
/// let barrier = Barrier::create(None, CreateOptions::default(), 2)?;
/// std::thread::scope(|threads| {
///     let other = threads.spawn(|| barrier.wait());
///     barrier.wait()?;
///     other.join().expect("no panic").map(drop)
/// })
/// # }
/// ```
pub struct Barrier {
    segment: Opened<Body>,
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
    extra: 0,
    over_at: None,
    accounts: None,
    recover,
    wake,
};

fn recover(segment: &Segment, me: Caller<'_>, is_gone: &dyn Fn(Owner) -> bool) -> Result<()> {
    let body = segment.body::<Body>()?;
    body.barrier.recover(&WithoutRecovery(segment), me, is_gone)
}

fn wake(segment: &Segment) -> Result<()> {
    let body = segment.body::<Body>()?;
    body.barrier.wake_all(&WithoutRecovery(segment));
    Ok(())
}

/// The parties of a barrier, for a process that takes no part.
pub(crate) struct Parties {
    pub(crate) all: u32,
    /// The participants whose threads wait, one for each thread.
    pub(crate) waiting: Vec<Owner>,
    pub(crate) is_broken: bool,
}

/// The parties of a barrier, for a process that takes no part.
pub(crate) fn parties_in(snapshot: &Snapshot) -> Result<Parties> {
    let barrier = snapshot.words::<Body>()?.barrier;
    Ok(Parties {
        all: barrier.parties()?,
        waiting: barrier.waiting_parties(),
        is_broken: barrier.is_broken()?,
    })
}

common_methods!(Barrier, TYPE);

impl Barrier {
    fn opened(segment: Arc<Segment>) -> Result<Barrier> {
        segment.body::<Body>()?.barrier.parties()?;
        Ok(Barrier {
            segment: Opened::new(segment)?,
        })
    }

    /// Make a barrier for `parties`, 1 to 1,024; anonymous if `name` is `None`.
    ///
    /// # Errors
    /// `E_INVALID`, `E_EXISTS`, `E_MISMATCH` (also when the existing barrier has another number of
    /// parties),
    /// `E_PERMISSION`, `E_NO_MEMORY`.
    pub fn create(name: Option<&str>, options: CreateOptions, parties: u32) -> Result<Barrier> {
        if !(1..=MAX_PARTIES).contains(&parties) {
            let status = because!(
                E_INVALID,
                "parties is {parties}, not from 1 to {MAX_PARTIES}"
            );
            return Err(detail::at(status, "create", "barrier", name));
        }
        let fill = |segment: &Segment| {
            segment.body::<Body>()?.barrier.fill(parties);
            Ok(())
        };
        let check = |segment: &Segment| match segment.body::<Body>()?.barrier.parties()? {
            ours if ours == parties => Ok(()),
            ours => Err(because!(
                E_MISMATCH,
                "the barrier is one of {ours} parties, asked for as one of {parties}"
            )),
        };
        Barrier::opened(Segment::create(&TYPE, name, &options, &fill, &check)?)
    }

    /// Wait until all parties have arrived. Returns this party's number in the round, from 0 to one
    /// less than the number of parties.
    ///
    /// # Errors
    /// Those of [`wait_timeout`](Self::wait_timeout).
    pub fn wait(&self) -> Result<u32> {
        self.wait_timeout(Wait::FOREVER)
    }

    /// As [`wait`](Self::wait), no longer than `wait`.
    ///
    /// # Errors
    /// `E_TIMEOUT`, `E_CANCELED`: the wait ended early, which breaks the barrier for all parties.
    /// `E_INTERRUPTED`: this party counts as not arrived, and may call again. `E_BROKEN_BARRIER`:
    /// the barrier was already broken, was broken by another party, or was reset.
    pub fn wait_timeout<'w>(&self, wait: impl Into<Wait<'w>>) -> Result<u32> {
        Ok(self.meet(false, wait.into())?.index)
    }

    /// As [`wait`](Self::wait), in two steps: the last party to arrive returns as the leader, and
    /// the others stay held until the leader calls [`complete`](Self::complete).
    ///
    /// # Errors
    /// Those of [`wait_timeout`](Self::wait_timeout).
    pub fn arrive(&self) -> Result<Arrival> {
        self.arrive_timeout(Wait::FOREVER)
    }

    /// As [`arrive`](Self::arrive), no longer than `wait`.
    ///
    /// # Errors
    /// Those of [`wait_timeout`](Self::wait_timeout).
    pub fn arrive_timeout<'w>(&self, wait: impl Into<Wait<'w>>) -> Result<Arrival> {
        self.meet(true, wait.into())
    }

    fn meet(&self, leads: bool, wait: Wait<'_>) -> Result<Arrival> {
        let (segment, me) = (&*self.segment, self.segment.me()?);
        let body = segment.body::<Body>()?;
        body.barrier
            .arrive(segment, &WithoutRecovery(segment), me, leads, &wait)
    }

    /// Called by the leader's process: release the other parties, or break the barrier.
    ///
    /// # Errors
    /// `E_NOT_OWNER` when this process leads no round, `E_BROKEN_BARRIER` when the barrier is
    /// broken.
    pub fn complete(&self, ok: bool) -> Result<()> {
        self.inside(|barrier, without_recovery, me| barrier.complete(without_recovery, me, ok))
    }

    /// Break the barrier: waiting parties, and all later ones until it is reset, get
    /// `E_BROKEN_BARRIER`.
    ///
    /// # Errors
    /// None so far.
    pub fn abort(&self) -> Result<()> {
        self.inside(barrier::Barrier::abort)
    }

    /// Reset the barrier: waiting parties get `E_BROKEN_BARRIER`, and the barrier works again.
    ///
    /// # Errors
    /// None so far.
    pub fn reset(&self) -> Result<()> {
        self.inside(barrier::Barrier::reset)
    }

    /// The number of parties.
    ///
    /// # Errors
    /// `E_CORRUPT`.
    pub fn parties(&self) -> Result<u32> {
        self.segment.words().barrier.parties()
    }

    /// The number of parties that wait now or are held.
    ///
    /// # Errors
    /// None so far.
    pub fn waiting(&self) -> Result<u32> {
        self.after_the_dead()?;
        let barrier = &self.segment.words().barrier;
        Ok(barrier.waiting(&*self.segment))
    }

    /// Whether the barrier is broken.
    ///
    /// # Errors
    /// `E_CORRUPT`.
    pub fn is_broken(&self) -> Result<bool> {
        self.after_the_dead()?;
        self.segment.words().barrier.is_broken()
    }

    /// The death of a party breaks the barrier, whether or not a process has noticed the death yet.
    fn after_the_dead(&self) -> Result<()> {
        self.segment.reap(self.segment.me()?)
    }

    fn inside<'a, T>(
        &'a self,
        body: impl FnOnce(&'a barrier::Barrier, &WithoutRecovery<'a>, Owner) -> Result<T>,
    ) -> Result<T> {
        let me = self.segment.me()?;
        let barrier = &self.segment.words().barrier;
        body(barrier, &WithoutRecovery(&self.segment), me)
    }
}
