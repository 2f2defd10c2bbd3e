//! A connection over a stream socket: the frames of Python's `multiprocessing.connection`.
//!
//! A socket does not carry whole messages, so each direction has its own rule for a call that ends
//! midway. Receiving: the part of a message that has arrived is kept, and the next call continues
//! it. Sending: bytes that were sent cannot be taken back, and no other message may follow them. So
//! a call that has begun to send gives the peer time for each step, and if it has to give up it
//! ends the direction: the peer finds the stream cut in the middle of a message, never a wrong
//! message.
//!
//! ```text
//! frame, turn          where a message begins and ends; which thread has a direction
//! listener, connect    how two processes make a connection
//! reception            a listener's thread, which serves the handshakes
//! pending              sockets that nobody has accepted yet
//! handshake, auth      how both sides prove that they have the key
//! address              where a listener is
//! ```

mod address;
mod auth;
pub(super) mod connect;
mod frame;
mod handshake;
pub(super) mod listener;
mod pending;
mod reception;
mod turn;

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, RawFd};

use crate::queue::Got;
use crate::status::detail::because;
use crate::status::{Result, Status};
use crate::sync::wait::{Patience, Wait};
use crate::sync::Cancel;
use crate::sys::descriptor;
use crate::sys::descriptor::OwnedFd;
use crate::sys::poll::{self, Interest};
use crate::sys::socket::{self, Gather, Step};
use frame::{Head, LONGEST};
use turn::Turn;

/// How long a peer may take for each step of a message that has begun to be sent, whatever the
/// timeout.
const STEP_NS: i64 = 100_000_000;
/// How long a call that does not block waits for another thread that is in the middle of a message.
const MOMENT_NS: i64 = 10_000_000;
/// The longest message that a call that does not block begins to send: it fits into any socket's
/// buffer.
const LONGEST_AT_ONCE: usize = 32 * 1024;
/// The size in which memory is allocated for a message that arrives in pieces.
const PIECE: usize = 64 * 1024;

/// Whether the first message of a peer may be a challenge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Peer {
    /// The peer has proved that it has the key, or no key is required.
    Known,
    /// The peer is a listener, and this side was given no key: the listener may require one.
    MayChallenge,
}

/// A connected socket.
pub(super) struct Socket {
    fd: OwnedFd,
    limit: u64,
    incoming: Turn<Incoming>,
    outgoing: Turn<Outgoing>,
}

/// The message that is being received.
struct Incoming {
    head: Head,
    /// The part of the message that had arrived when a call could not wait for the rest.
    part: Vec<u8>,
    peer: Peer,
    /// Set once nothing more can be received: the status that every later receive returns.
    over: Option<Status>,
}

struct Outgoing {
    /// A message was begun and not finished.
    is_cut: bool,
}

impl Socket {
    /// `limit` is the longest message that the peer may send; 0: the protocol's maximum.
    pub(super) fn new(fd: OwnedFd, limit: u64, peer: Peer) -> Socket {
        let limit = if limit == 0 {
            LONGEST
        } else {
            limit.min(LONGEST)
        };
        Socket {
            fd,
            limit,
            incoming: Turn::new(Incoming {
                head: Head::default(),
                part: Vec::new(),
                peer,
                over: None,
            }),
            outgoing: Turn::new(Outgoing { is_cut: false }),
        }
    }

    /// The connection behind a descriptor. `E_MISMATCH` when it is no connected socket.
    pub(super) fn from_fd(fd: OwnedFd) -> Result<Socket> {
        match socket::is_connected(fd.as_raw_fd()) {
            true => Ok(Socket::new(fd, 0, Peer::Known)),
            false => Err(because!(
                E_MISMATCH,
                "the descriptor is neither an end of a pipe nor a connected stream socket"
            )),
        }
    }

    pub(super) fn share_fd(&self) -> Result<OwnedFd> {
        descriptor::duplicate(self.fd.as_raw_fd())
    }

    pub(super) fn raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }

    pub(super) fn send(&self, data: &[u8], wait: Wait<'_>) -> Result<()> {
        if data.len() as u64 > LONGEST {
            return Err(Status::E_TOO_LARGE);
        }
        let head = Head::of(data.len());
        let (mut patience, turn) = (Patience::new(&wait), wait.at_least(MOMENT_NS));
        let mut turn_patience = Patience::new(&turn);
        loop {
            let mut outgoing = self.outgoing.take(&mut turn_patience)?;
            if outgoing.is_cut {
                return Err(Status::E_BROKEN_PIPE);
            }
            if wait.is_try() && data.len() > LONGEST_AT_ONCE {
                return Err(Status::E_TIMEOUT);
            }
            if let Step::Done(sent) = socket::send(self.raw_fd(), head.bytes(), data)? {
                let finished = self.finish(head.bytes(), data, sent, &wait);
                if finished.is_err() {
                    outgoing.is_cut = true;
                    socket::end_sending(self.raw_fd());
                }
                return finished;
            }
            // Release the turn while the call waits for room.
            drop(outgoing);
            until(poll::to_write(self.raw_fd()), &mut patience)?;
        }
    }

    /// Send the rest of the message, after its first `sent` bytes.
    fn finish(&self, head: &[u8], data: &[u8], mut sent: usize, wait: &Wait<'_>) -> Result<()> {
        while sent < head.len() + data.len() {
            sent += self.go_on(head, data, sent, wait)?;
        }
        Ok(())
    }

    /// Send at least one more byte of the message.
    fn go_on(&self, head: &[u8], data: &[u8], sent: usize, wait: &Wait<'_>) -> Result<usize> {
        let step = wait.at_least(STEP_NS);
        let mut patience = Patience::new(&step);
        let data = data
            .get(sent.saturating_sub(head.len())..)
            .unwrap_or_default();
        let head = head.get(sent..).unwrap_or_default();
        loop {
            match socket::send(self.raw_fd(), head, data)? {
                Step::Done(count) => return Ok(count),
                Step::Later => match until(poll::to_write(self.raw_fd()), &mut patience) {
                    // A signal is no reason to cut the stream.
                    Err(Status::E_INTERRUPTED) => {}
                    other => other?,
                },
            }
        }
    }

    pub(super) fn recv(&self, buffer: &mut [MaybeUninit<u8>], wait: Wait<'_>) -> Result<Got> {
        let (mut patience, turn) = (Patience::new(&wait), wait.at_least(MOMENT_NS));
        let mut turn_patience = Patience::new(&turn);
        loop {
            let mut incoming = self.incoming.take(&mut turn_patience)?;
            if let Some(status) = incoming.over {
                return Err(status);
            }
            if let Some(len) = incoming.length(self.raw_fd(), self.limit, &mut patience)? {
                let Some(room) = buffer.get_mut(..len) else {
                    return Ok(Got::TooSmall(len));
                };
                match incoming.part.is_empty() {
                    true => incoming.receive(self.raw_fd(), room, &mut patience)?,
                    false => incoming.receive_rest(self.raw_fd(), room, &mut patience)?,
                }
                incoming.head = Head::default();
                return Ok(Got::Message(len));
            }
            // Release the turn while the call waits for data.
            drop(incoming);
            until(poll::to_read(self.raw_fd()), &mut patience)?;
        }
    }

    /// Wait until data has arrived, or the end of the stream.
    pub(super) fn poll(&self, wait: Wait<'_>) -> Result<()> {
        until_ready(poll::to_read(self.raw_fd()), &mut Patience::new(&wait))
    }
}

impl Incoming {
    /// The length of the message, `None` when no byte of it has arrived.
    fn length(
        &mut self,
        fd: RawFd,
        limit: u64,
        patience: &mut Patience<'_>,
    ) -> Result<Option<usize>> {
        loop {
            match self.head.length(limit) {
                Ok(Some(len)) => return Ok(Some(len)),
                Ok(None) => {}
                Err(status) => return Err(self.end(fd, status)),
            }
            let mut room = [MaybeUninit::uninit(); 8];
            let room = room.get_mut(..self.head.missing()).unwrap_or_default();
            let mut piece = Gather::into(room);
            match piece.receive(fd) {
                Ok(Step::Done(0)) | Err(Status::E_BROKEN_PIPE) => return Err(self.cut(fd)),
                Ok(Step::Done(_)) => self.head.push(piece.filled()),
                Ok(Step::Later) if self.head.is_empty() => return Ok(None),
                Ok(Step::Later) => until(poll::to_read(fd), patience)?,
                Err(status) => return Err(status),
            }
        }
    }

    /// Receive the message directly into `room`. If that ends midway, the part that arrived is
    /// kept.
    fn receive(
        &mut self,
        fd: RawFd,
        room: &mut [MaybeUninit<u8>],
        patience: &mut Patience<'_>,
    ) -> Result<()> {
        let mut message = Gather::into(room);
        while !message.is_full() {
            match message.receive(fd) {
                Ok(Step::Done(0)) | Err(Status::E_BROKEN_PIPE) => return Err(self.cut(fd)),
                Ok(Step::Done(_)) => {}
                Ok(Step::Later) => {
                    if let Err(status) = until(poll::to_read(fd), patience) {
                        return Err(self.keep(fd, message.filled(), status));
                    }
                }
                Err(status) => return Err(self.keep(fd, message.filled(), status)),
            }
        }
        self.judge(fd, message.filled())
    }

    /// Continue a message of which a part arrived earlier.
    fn receive_rest(
        &mut self,
        fd: RawFd,
        room: &mut [MaybeUninit<u8>],
        patience: &mut Patience<'_>,
    ) -> Result<()> {
        while self.part.len() < room.len() {
            let missing = room.len() - self.part.len();
            // Allocate about as much as has arrived: a length alone allocates nothing.
            let piece = missing.min(PIECE.max(self.part.len()));
            match socket::receive_onto(fd, &mut self.part, piece) {
                Ok(Step::Done(0)) | Err(Status::E_BROKEN_PIPE) => return Err(self.cut(fd)),
                Ok(Step::Done(_)) => {}
                Ok(Step::Later) => until(poll::to_read(fd), patience)?,
                Err(status) => return Err(status),
            }
        }
        let message = std::mem::take(&mut self.part);
        for (place, byte) in room.iter_mut().zip(&message) {
            place.write(*byte);
        }
        self.judge(fd, &message)
    }

    /// `E_AUTH` for a first message that says that the listener requires a key.
    fn judge(&mut self, fd: RawFd, message: &[u8]) -> Result<()> {
        let may_challenge = std::mem::replace(&mut self.peer, Peer::Known) == Peer::MayChallenge;
        match may_challenge && auth::is_challenge(message) {
            true => Err(self.end(fd, Status::E_AUTH)),
            false => Ok(()),
        }
    }

    /// Keep the part that has arrived for the next call.
    fn keep(&mut self, fd: RawFd, part: &[u8], status: Status) -> Status {
        match self.part.try_reserve(part.len()) {
            Ok(()) => {
                self.part.extend_from_slice(part);
                status
            }
            Err(_) => self.end(fd, Status::E_NO_MEMORY),
        }
    }

    /// The peer closed: between two messages, or in the middle of one.
    fn cut(&mut self, fd: RawFd) -> Status {
        let status = match self.head.is_empty() {
            true => Status::E_EOF,
            false => Status::E_BROKEN_PIPE,
        };
        self.end(fd, status)
    }

    /// Nothing more can be received: from now on the socket is always readable.
    fn end(&mut self, fd: RawFd, status: Status) -> Status {
        socket::end_receiving(fd);
        self.part = Vec::new();
        self.over = Some(status);
        status
    }
}

/// Wait until a descriptor may be ready; the caller checks.
fn until(item: Interest, patience: &mut Patience<'_>) -> Result<()> {
    patience.check()?;
    let end = patience.deadline();
    wait_for(Some(item), end, patience).map(drop)
}

/// Wait until a descriptor is ready. If it is ready already this succeeds, also for a call that
/// does not block.
pub(super) fn until_ready(item: Interest, patience: &mut Patience<'_>) -> Result<()> {
    if poll::is_ready(item)? {
        return Ok(());
    }
    loop {
        patience.check()?;
        let end = patience.deadline();
        if wait_for(Some(item), end, patience)? {
            return Ok(());
        }
    }
}

/// Wait until a descriptor is ready, which returns true, until `end`, or until the wait ends early;
/// the caller checks for the last two.
pub(super) fn wait_for(
    item: Option<Interest>,
    end: Option<u64>,
    patience: &Patience<'_>,
) -> Result<bool> {
    let mut items: Vec<Interest> = item.into_iter().collect();
    for token in patience.tokens() {
        items.push(poll::to_read(Cancel::fd(token)?));
    }
    match poll::any_ready(&mut items, end) {
        Ok(()) => Ok(item.is_some() && items.first().is_some_and(|item| item.revents != 0)),
        Err(Status::E_INTERRUPTED) => patience.interrupted().map(|()| false),
        Err(status) => Err(status),
    }
}
