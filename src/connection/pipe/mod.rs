//! Pipes: two ends, whole messages of any length, over shared memory.
//!
//! ```text
//! ends        who has which end, and when one is over
//! lane, ring  one direction: messages in a ring
//! transfer    messages that are longer than the ring
//! waiting     for the other end
//! watch       readiness of an end, for the layer that waits for several things
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
use std::sync::atomic::{fence, AtomicU32, AtomicUsize, Ordering};
use std::sync::Arc;

use body::Body;
use ends::{End, Ends, Standing};
use lane::{extent_of, Lane, LONGEST};
use waiting::At;
pub(crate) use watch::Receiver;

use crate::pace::spin::Spin;
use crate::queue::Got;
use crate::segment::{CreateOptions, Kind, ObjectType, Readiness, Segment};
use crate::status::detail::because;
use crate::status::{Result, Status};
use crate::sync::lock_wait::Caller;
use crate::sync::owner::Owner;
use crate::sync::wait::{LazyWait, Patience, Wait};
use crate::sys::descriptor::OwnedFd;
use crate::sys::{descriptor, fork, memory, ofd_lock};

static TYPE: ObjectType = ObjectType {
    kind: Kind::Connection,
    body: size_of::<Body>(),
    extra: 0,
    over_at: None,
    accounts: None,
    recover,
    wake: wake_everybody,
};

/// Single stores commit the steps of a lane, so a dead process leaves nothing else to recover.
fn recover(segment: &Segment, _me: Caller<'_>, is_gone: &dyn Fn(Owner) -> bool) -> Result<()> {
    for end in [End::A, End::B] {
        let lane = Lane::to(segment, end)?;
        lane.words.sender.mutex.orphan(segment, is_gone);
        lane.words.receiver.mutex.orphan(segment, is_gone);
        lane.withdraw_of(is_gone);
    }
    Ends::of(segment)?.forget(is_gone);
    Ok(())
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

/// Make a pipe. If `duplex`, both ends send and receive; otherwise the first end only receives and
/// the second only sends.
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
/// The end is open until every process that has it has closed it or ended. A forked child has a
/// copy of each end that its parent had, as with pipe(2).
pub(crate) struct Pipe {
    segment: Arc<Segment>,
    end: End,
    /// This process's claim on the end; only `drop` takes it out.
    claim: Option<OwnedFd>,
    /// The epoch in which the claim was last verified.
    epoch: AtomicU32,
    readiness: Readiness,
    /// Learned from the waits of all calls at this end.
    spin: Spin,
    /// The slot in which a user of the other end was found last.
    peer: AtomicUsize,
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
            spin: Spin::plain(),
            peer: AtomicUsize::new(0),
        })
    }

    /// The end behind a descriptor of [`share_fd`](Self::share_fd).
    ///
    /// # Errors
    /// `E_MISMATCH`, `E_PERMISSION`, `E_CORRUPT`, `E_LIMIT`. `E_CLOSED`: no process has the end any
    /// more.
    pub(super) fn from_fd(fd: OwnedFd) -> Result<Pipe> {
        if !memory::status_of(&fd)?.is_file {
            return Err(because!(
                E_MISMATCH,
                "the descriptor is not that of an end of a pipe"
            ));
        }
        // The segment's own descriptor holds no claim: it stays open while any end is in use here.
        let segment = Segment::from_fd(&TYPE, ofd_lock::reopen(fd.as_raw_fd())?)?;
        let end = End::of_byte(ofd_lock::mark_of(fd.as_raw_fd())?).ok_or_else(|| {
            because!(
                E_MISMATCH,
                "the descriptor does not say which end of the pipe it is"
            )
        })?;
        let connection = Pipe::new(segment, end)?;
        // The descriptor that was handed over may close only now that this process has its own
        // claim.
        drop(fd);
        match connection.ends()?.is_known_over(end) {
            false => Ok(connection),
            true => Err(Status::E_CLOSED),
        }
    }

    /// A descriptor of this end, for another process. The end stays open while the descriptor is
    /// open.
    ///
    /// # Errors
    /// `E_LIMIT` when this process has no descriptor left.
    pub(super) fn share_fd(&self) -> Result<OwnedFd> {
        descriptor::duplicate(self.claimed()?.as_raw_fd())
    }

    /// The end's own descriptor; the end keeps it.
    pub(super) fn raw_fd(&self) -> RawFd {
        let known = self.claimed().ok().or(self.claim.as_ref());
        known.map_or(-1, |fd| fd.as_raw_fd())
    }

    /// Send a message, waiting while there is no room for it. A message of more than 1 MiB - 8
    /// bytes is transferred directly: the call waits for a receiver, and `wait` limits each step of
    /// the two.
    ///
    /// # Errors
    /// `E_TIMEOUT`, `E_CANCELED`, `E_CLOSED`, `E_INTERRUPTED`, `E_NO_MEMORY`: nothing was sent.
    /// `E_BROKEN_PIPE`: the other end is closed. `E_UNSUPPORTED`: this end only receives.
    /// `E_TOO_LARGE`: more than 4 GiB - 1.
    #[inline]
    pub(super) fn send(&self, data: &[u8], wait: impl LazyWait) -> Result<()> {
        match self.send_at_once(data)? {
            true => Ok(()),
            false => wait.begin(|wait| self.send_slow(data, wait)),
        }
    }

    /// The fast path of a send: this process has used the end before, a process that has the other
    /// end is alive, the lock is free, and there is room. Return whether the message was sent. If
    /// it was not, nothing was done.
    ///
    /// If this process is killed after the message was sent and before it notifies the receivers,
    /// they see the death and look again.
    #[inline(always)]
    fn send_at_once(&self, data: &[u8]) -> Result<bool> {
        let (ends, other) = (self.ends()?, self.end.other());
        let Some(me) = self.user_of(&ends, false)? else {
            return Ok(false);
        };
        if !ends.is_held_at(self.peer.load(Ordering::Relaxed), other) {
            return Ok(false);
        }
        let lane = Lane::to(&self.segment, other)?;
        let Some(held) = lane.words.sender.mutex.try_hold(&*self.segment, me) else {
            return Ok(false);
        };
        let is_sent = lane.append_at_once(data);
        held.release();
        if is_sent {
            lane.notify_items();
        }
        Ok(is_sent)
    }

    /// The rest of [`send`](Self::send), for every case that the fast path does not handle.
    #[cold]
    fn send_slow(&self, data: &[u8], wait: Wait<'_>) -> Result<()> {
        let at = self.enter(false)?;
        if let Some(slot) = self.ends()?.holder(self.end.other()) {
            self.peer.store(slot, Ordering::Relaxed);
        }
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
        // If this process is killed before it notifies the receivers: they watch its life word and
        // look again.
        drop(held);
        lane.notify_items();
        Ok(())
    }

    /// Receive the first message, waiting while there is none.
    ///
    /// # Errors
    /// `E_TIMEOUT`, `E_CANCELED`, `E_CLOSED`, `E_INTERRUPTED`: no message was received. `E_EOF`:
    /// the other end is closed, and every message it sent was received. `E_UNSUPPORTED`: this end
    /// only sends.
    #[inline]
    pub(super) fn recv(&self, buffer: &mut [MaybeUninit<u8>], wait: impl LazyWait) -> Result<Got> {
        match self.recv_at_once(buffer)? {
            Some(len) => Ok(Got::Message(len)),
            None => wait.begin(|wait| self.recv_slow(buffer, wait)),
        }
    }

    /// The fast path of a receive: this process has used the end before, there is a message, and
    /// the lock is free. `None`: nothing was done.
    #[inline(always)]
    fn recv_at_once(&self, buffer: &mut [MaybeUninit<u8>]) -> Result<Option<usize>> {
        let Some(me) = self.user_of(&self.ends()?, true)? else {
            return Ok(None);
        };
        let lane = Lane::to(&self.segment, self.end)?;
        if lane.is_empty() {
            return Ok(None);
        }
        let Some(held) = lane.words.receiver.mutex.try_hold(&*self.segment, me) else {
            return Ok(None);
        };
        let len = lane.take_at_once(buffer);
        held.release();
        if len.is_some() {
            lane.notify_space();
        }
        Ok(len)
    }

    /// The rest of [`recv`](Self::recv), for every case that the fast path does not handle.
    #[cold]
    fn recv_slow(&self, buffer: &mut [MaybeUninit<u8>], wait: Wait<'_>) -> Result<Got> {
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

    /// Wait until there is a message, or the end of the stream, so that a receive would not wait.
    ///
    /// # Errors
    /// `E_TIMEOUT`, `E_CANCELED`, `E_CLOSED`, `E_INTERRUPTED`. `E_UNSUPPORTED`: this end only
    /// sends.
    pub(super) fn poll(&self, wait: Wait<'_>) -> Result<()> {
        let at = self.enter(true)?;
        let lane = Lane::to(&self.segment, self.end)?;
        match self.tell_nothing(until_some(&at, &lane, &mut Patience::new(&wait))) {
            Err(Status::E_EOF) => Ok(()),
            other => other,
        }
    }

    /// The owner that this process is, if it has used this end before and may do so again.
    #[inline(always)]
    fn user_of(&self, ends: &Ends<'_>, receives: bool) -> Result<Option<Owner>> {
        // A process that has used the end has verified its claim.
        let me = self.segment.me_if_attached();
        let Some(me) = me.filter(|me| ends.is_used_by(*me, self.end)) else {
            return Ok(None);
        };
        if !ends.may(self.end, receives) {
            return Ok(None);
        }
        self.segment.reap_now_and_then(me)?;
        Ok(Some(me))
    }

    /// Begin a call that receives or sends: become a participant that uses this end.
    fn enter(&self, receives: bool) -> Result<At<'_>> {
        let me = self.segment.me()?;
        self.claimed()?;
        let ends = self.ends()?;
        if !ends.may(self.end, receives) {
            return Err(because!(
                E_UNSUPPORTED,
                "this end of a simplex pipe only sends"
            ));
        }
        if ends.is_known_over(self.end) {
            return Err(Status::E_CLOSED);
        }
        ends.hold(me, self.end)?;
        self.segment.reap_now_and_then(me)?;
        Ok(At::new(ends, self.end, me, &self.spin))
    }

    /// The claim. In a forked child it may so far have rested on the parent's descriptor.
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

/// Wait until there seems to be a message; `E_EOF` when no message can come.
fn until_some(at: &At<'_>, lane: &Lane<'_>, patience: &mut Patience<'_>) -> Result<()> {
    loop {
        if !lane.is_empty() {
            return Ok(());
        }
        if at.peer()? == Standing::Over {
            // All messages sent before the other end closed are in the lane by now.
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

/// The first message, `None` when another receiver was faster. Under the receivers' lock.
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
        // A forked child that never used the end need not become a participant to close it.
        if let (Ok(ends), Some(me)) = (self.ends(), self.segment.me_if_attached()) {
            ends.let_go(me, self.end);
        }
        // Give up the claim before notifying the others, so that they find it gone.
        self.claim = None;
        // If this process is killed in between, the others ask the kernel again soon, as they do
        // for every end that no participant uses.
        let _ = wake_everybody(&self.segment);
    }
}
