//! Pipes: two ends, whole messages of any length, over shared memory.
//!
//! ```text
//! ends        who has which end, and when one is over
//! lane, ring  one direction: messages in a ring
//! transfer    messages that are longer than the ring
//! waiting     for the other end
//! watch       what the layer that waits for several things sees of an end
//! ```

mod body;
mod ends;
mod lane;
mod ring;
mod transfer;
mod waiting;
mod watch;

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{fence, AtomicU32, Ordering};
use std::sync::Arc;

use body::Body;
use ends::{End, Ends, Standing};
use lane::{extent_of, Lane, LONGEST};
use waiting::At;
pub(crate) use watch::Receiver;

use crate::queue::Got;
use crate::segment::{CreateOptions, Kind, ObjectType, Readiness, Segment};
use crate::status::{Result, Status};
use crate::sync::lock_wait::Caller;
use crate::sync::owner::Owner;
use crate::sync::wait::{Patience, Wait};
use crate::sys::descriptor::OwnedFd;
use crate::sys::{descriptor, fork, memory, ofd_lock};

static TYPE: ObjectType = ObjectType {
    kind: Kind::Connection,
    body: size_of::<Body>(),
    extents: 2,
    extra: 0,
    over_at: None,
    recover,
};

/// Nothing but what this does is left by who dies: a store commits each step of a lane.
fn recover(segment: &Segment, _me: Caller<'_>, is_gone: &dyn Fn(Owner) -> bool) -> Result<()> {
    for end in [End::A, End::B] {
        let lane = Lane::to(segment, end)?;
        lane.words.sender.mutex.orphan(segment, is_gone);
        lane.words.receiver.mutex.orphan(segment, is_gone);
        lane.withdraw_of(is_gone);
    }
    Ends::of(segment)?.forget(is_gone);
    wake_everybody(segment)
}

fn wake_everybody(segment: &Segment) -> Result<()> {
    fence(Ordering::SeqCst);
    for end in [End::A, End::B] {
        let lane = Lane::to(segment, end)?;
        lane.notify_items();
        lane.notify_space();
    }
    Ok(())
}

/// Make a pipe. Duplex: both ends send and receive. Not: the first only receives, the second only sends.
///
/// # Errors
/// `E_NO_MEMORY`, `E_LIMIT`, `E_UNSUPPORTED` where there is no /proc.
pub(super) fn create(duplex: bool) -> Result<(Pipe, Pipe)> {
    let fill = |segment: &Segment| {
        let body: &Body = segment.body()?;
        body.duplex.store(u32::from(duplex), Ordering::Relaxed);
        Ok(())
    };
    let options = CreateOptions::default();
    let segment = Segment::create(&TYPE, None, &options, &fill, &|_| Ok(()))?;
    Ok((
        Pipe::new(Arc::clone(&segment), End::A)?,
        Pipe::new(segment, End::B)?,
    ))
}

/// One end of a pipe.
///
/// It is open until every process that has it has closed it or has ended. A forked child has a copy of
/// each end that its parent had, as with pipe(2).
pub(crate) struct Pipe {
    segment: Arc<Segment>,
    end: End,
    /// This process's claim on the end; taken only by drop.
    claim: Option<OwnedFd>,
    /// The epoch in which the claim was made sure of.
    epoch: AtomicU32,
    readiness: Readiness,
}

impl Pipe {
    fn new(segment: Arc<Segment>, end: End) -> Result<Pipe> {
        let fd = ofd_lock::reopen(segment.raw_fd())?;
        ofd_lock::mark(&fd, end.byte())?;
        ofd_lock::claim(&fd, end.byte())?;
        Ok(Pipe {
            segment,
            end,
            claim: Some(fd),
            epoch: AtomicU32::new(fork::epoch()),
            readiness: Readiness::new(),
        })
    }

    /// The end behind a descriptor of [`share_fd`](Self::share_fd).
    ///
    /// # Errors
    /// `E_MISMATCH`, `E_PERMISSION`, `E_CORRUPT`, `E_LIMIT`. `E_CLOSED`: nobody had it any more.
    pub(super) fn from_fd(fd: OwnedFd) -> Result<Pipe> {
        if !memory::status_of(&fd)?.is_file {
            return Err(Status::E_MISMATCH);
        }
        // The segment's own descriptor claims nothing: it stays for as long as any end is in use here.
        let segment = Segment::from_fd(&TYPE, ofd_lock::reopen(fd.as_raw_fd())?)?;
        let end = End::of_byte(ofd_lock::mark_of(fd.as_raw_fd())?).ok_or(Status::E_MISMATCH)?;
        let connection = Pipe::new(segment, end)?;
        // Only now may the one that was handed over go.
        drop(fd);
        match connection.ends()?.is_known_over(end) {
            false => Ok(connection),
            true => Err(Status::E_CLOSED),
        }
    }

    /// A descriptor of this end to hand to another process. The end is open for as long as it exists.
    ///
    /// # Errors
    /// `E_LIMIT` when this process has no descriptor left.
    pub(super) fn share_fd(&self) -> Result<OwnedFd> {
        descriptor::duplicate(self.claimed()?.as_raw_fd())
    }

    /// The end's own descriptor; it stays the end's.
    pub(super) fn raw_fd(&self) -> RawFd {
        let known = self.claimed().ok().or(self.claim.as_ref());
        known.map_or(-1, |fd| fd.as_raw_fd())
    }

    /// Send a message, waiting while there is no room for it. One of more than 1 MiB - 8 bytes is handed over:
    /// it waits for a receiver, and `wait` limits each step of the two.
    ///
    /// # Errors
    /// `E_TIMEOUT`, `E_CANCELED`, `E_CLOSED`, `E_INTERRUPTED`, `E_NO_MEMORY`: nothing of it was sent.
    /// `E_BROKEN_PIPE`: the other end is closed. `E_UNSUPPORTED`: this end only receives.
    /// `E_TOO_LARGE`: more than 4 GiB - 1.
    pub(super) fn send(&self, data: &[u8], wait: Wait<'_>) -> Result<()> {
        let at = self.enter(false)?;
        if u32::try_from(data.len()).is_err() {
            return Err(Status::E_TOO_LARGE);
        }
        let lane = Lane::to(&self.segment, self.end.other())?;
        let mut patience = Patience::new(&wait);
        let held = lane.lock_sending(at.me, &wait, &mut patience)?;
        if data.len() > LONGEST {
            return at.send_long(&lane, data, &wait, &mut patience);
        }
        loop {
            if at.peer()? == Standing::Over {
                return Err(Status::E_BROKEN_PIPE);
            }
            if lane.append(data)? {
                break;
            }
            let has_room = || lane.has_room(extent_of(data.len()));
            at.wait_for(&lane, &lane.words.space, &has_room, &mut patience)?;
        }
        // Killed before the receivers are told: they watch this process's life word and look again.
        drop(held);
        lane.notify_items();
        Ok(())
    }

    /// Receive the first message, waiting while there is none.
    ///
    /// # Errors
    /// `E_TIMEOUT`, `E_CANCELED`, `E_CLOSED`, `E_INTERRUPTED`: none was received. `E_EOF`: the other end is
    /// closed, and all that it sent was received. `E_UNSUPPORTED`: this end only sends.
    pub(super) fn recv(&self, buffer: &mut [MaybeUninit<u8>], wait: Wait<'_>) -> Result<Got> {
        let at = self.enter(true)?;
        let lane = Lane::to(&self.segment, self.end)?;
        let mut patience = Patience::new(&wait);
        loop {
            self.tell_nothing(until_some(&at, &lane, &mut patience))?;
            let held = lane.lock_receiving(at.me, &wait, &mut patience)?;
            let got = take_first(&at, &lane, buffer, &wait)?;
            drop(held);
            lane.notify_space();
            if let Some(got) = got {
                return Ok(got);
            }
        }
    }

    /// Wait until a receive would not: until there is a message, or the end of the stream.
    ///
    /// # Errors
    /// `E_TIMEOUT`, `E_CANCELED`, `E_CLOSED`, `E_INTERRUPTED`. `E_UNSUPPORTED`: this end only sends.
    pub(super) fn poll(&self, wait: Wait<'_>) -> Result<()> {
        let at = self.enter(true)?;
        let lane = Lane::to(&self.segment, self.end)?;
        match self.tell_nothing(until_some(&at, &lane, &mut Patience::new(&wait))) {
            Err(Status::E_EOF) => Ok(()),
            other => other,
        }
    }

    /// Begin a call that receives or sends: be a participant that uses this end.
    fn enter(&self, receives: bool) -> Result<At<'_>> {
        let me = self.segment.me()?;
        self.claimed()?;
        let ends = self.ends()?;
        if !ends.may(self.end, receives) {
            return Err(Status::E_UNSUPPORTED);
        }
        if ends.is_known_over(self.end) {
            return Err(Status::E_CLOSED);
        }
        ends.hold(me, self.end)?;
        self.segment.reap_now_and_then(me)?;
        Ok(At::new(ends, self.end, me))
    }

    /// The claim, which in a forked child may have been left to another descriptor until now.
    #[inline]
    fn claimed(&self) -> Result<&OwnedFd> {
        let fd = self.claim.as_ref().ok_or(Status::E_INTERNAL)?;
        let epoch = fork::epoch();
        if self.epoch.load(Ordering::Relaxed) != epoch {
            self.claim_anew(fd, epoch)?;
        }
        Ok(fd)
    }

    #[cold]
    #[inline(never)]
    fn claim_anew(&self, fd: &OwnedFd, epoch: u32) -> Result<()> {
        ofd_lock::claim(fd, self.end.byte())?;
        self.epoch.store(epoch, Ordering::Relaxed);
        Ok(())
    }

    fn ends(&self) -> Result<Ends<'_>> {
        Ends::of(&self.segment)
    }
}

/// Wait until there seems to be a message; `E_EOF` when there will be none.
fn until_some(at: &At<'_>, lane: &Lane<'_>, patience: &mut Patience<'_>) -> Result<()> {
    loop {
        if !lane.is_empty() {
            return Ok(());
        }
        if at.peer()? == Standing::Over {
            // What was sent before it was over is here by now.
            return match lane.is_empty() {
                true => Err(Status::E_EOF),
                false => Ok(()),
            };
        }
        let has_some = || !lane.is_empty() || lane.offer().is_some();
        if has_some() {
            return Ok(());
        }
        at.wait_for(lane, &lane.words.items, &has_some, patience)?;
    }
}

/// The first message, `None` when another receiver was quicker. Under the receivers' lock.
fn take_first(
    at: &At<'_>,
    lane: &Lane<'_>,
    buffer: &mut [MaybeUninit<u8>],
    wait: &Wait<'_>,
) -> Result<Option<Got>> {
    if let Some(first) = lane.first()? {
        return Ok(Some(match lane.take(&first, buffer)? {
            true => Got::Message(first.len),
            false => Got::TooSmall(first.len),
        }));
    }
    let Some(offer) = lane.offer() else {
        return Ok(None);
    };
    match buffer.get_mut(..offer.len) {
        Some(place) => Ok(at.take_offer(lane, offer, place, wait)?.map(Got::Message)),
        None => Ok(Some(Got::TooSmall(offer.len))),
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // A forked child that never used the end does not become a participant for this.
        if let (Ok(ends), Some(me)) = (self.ends(), self.segment.me_if_attached()) {
            ends.let_go(me, self.end);
        }
        // The claim goes before the others are told, so that they find it gone.
        self.claim = None;
        // Killed in between: they ask again before long, as they do for every end that nobody uses.
        let _ = wake_everybody(&self.segment);
    }
}
