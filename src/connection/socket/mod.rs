//! A connection over a stream socket: the frames of Python's `multiprocessing.connection`.
//!
//! A socket has no whole messages, so each direction has its own rule for a call that ends midway.
//! Receiving: what has come of a message is kept, and the next call goes on with it. Sending: bytes that have
//! gone cannot be taken back, and no other message may follow them. So a call that has begun to send gives
//! the peer time for each step, and when it has to give up it ends the direction: the peer finds the
//! stream cut in the middle of a message, never a wrong message.
//!
//! ```text
//! frame, turn          where a message begins and ends; which thread has a direction
//! listener, connect    how two come to a socket
//! reception, pending   a listener's thread, which serves the handshakes; sockets that nobody has accepted yet
//! handshake, auth      how the two prove that they have the key
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
use crate::status::{Result, Status};
use crate::sync::wait::{Patience, Wait};
use crate::sync::Cancel;
use crate::sys::descriptor;
use crate::sys::descriptor::OwnedFd;
use crate::sys::poll::{self, Interest};
use crate::sys::socket::{self, Gather, Step};
use frame::{Head, LONGEST};
use turn::Turn;

/// How long a peer may take for each step of a message that has begun to go, whatever the timeout.
const STEP_NS: i64 = 100_000_000;
/// How long a call that may not wait puts up with another thread that is in the middle of a message.
const MOMENT_NS: i64 = 10_000_000;
/// The longest message that a call begins to send that may not wait: it fits into any socket's buffer.
const LONGEST_AT_ONCE: usize = 32 * 1024;
/// How much room is made at a time for a message that comes in pieces.
const PIECE: usize = 64 * 1024;

/// What is known of a peer before its first message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Peer {
    /// It has shown the key, or none is asked for.
    Known,
    /// A listener that was given no key: it may want one.
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
    /// What has come of its bytes, when a call could not wait for the rest.
    part: Vec<u8>,
    peer: Peer,
    /// Set once nothing more can be received, to what is said about it.
    over: Option<Status>,
}

struct Outgoing {
    /// A message was begun and not finished.
    is_cut: bool,
}

impl Socket {
    /// `limit` is the longest message that the peer may send; 0 stands for the longest of all.
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

    /// The connection behind a descriptor. `E_MISMATCH` when it is none.
    pub(super) fn from_fd(fd: OwnedFd) -> Result<Socket> {
        match socket::is_connected(fd.as_raw_fd()) {
            true => Ok(Socket::new(fd, 0, Peer::Known)),
            false => Err(Status::E_MISMATCH),
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
            // It is nobody's turn while there is no room.
            drop(outgoing);
            until(poll::to_write(self.raw_fd()), &mut patience)?;
        }
    }

    /// Send what follows the first `sent` bytes.
    fn finish(&self, head: &[u8], data: &[u8], mut sent: usize, wait: &Wait<'_>) -> Result<()> {
        while sent < head.len() + data.len() {
            sent += self.go_on(head, data, sent, wait)?;
        }
        Ok(())
    }

    /// Send more of it, one byte at least.
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
            // It is nobody's turn while nothing comes.
            drop(incoming);
            until(poll::to_read(self.raw_fd()), &mut patience)?;
        }
    }

    /// Wait until something has come, or the end of the stream.
    pub(super) fn poll(&self, wait: Wait<'_>) -> Result<()> {
        until_ready(poll::to_read(self.raw_fd()), &mut Patience::new(&wait))
    }
}

impl Incoming {
    /// The length of the message, `None` when nothing of it has come.
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

    /// Receive the message straight into `room`. What has come of it is kept when that ends midway.
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

    /// Go on with a message of which something has come before.
    fn receive_rest(
        &mut self,
        fd: RawFd,
        room: &mut [MaybeUninit<u8>],
        patience: &mut Patience<'_>,
    ) -> Result<()> {
        while self.part.len() < room.len() {
            let missing = room.len() - self.part.len();
            // Room for no more than about as much as has come: a length alone costs nothing.
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

    /// `E_AUTH` for a first message that says that the listener wants a key.
    fn judge(&mut self, fd: RawFd, message: &[u8]) -> Result<()> {
        let may_challenge = std::mem::replace(&mut self.peer, Peer::Known) == Peer::MayChallenge;
        match may_challenge && auth::is_challenge(message) {
            true => Err(self.end(fd, Status::E_AUTH)),
            false => Ok(()),
        }
    }

    /// Keep what has come until the next call.
    fn keep(&mut self, fd: RawFd, part: &[u8], status: Status) -> Status {
        match self.part.try_reserve(part.len()) {
            Ok(()) => {
                self.part.extend_from_slice(part);
                status
            }
            Err(_) => self.end(fd, Status::E_NO_MEMORY),
        }
    }

    /// The peer is gone: between two messages, or in the middle of one.
    fn cut(&mut self, fd: RawFd) -> Status {
        let status = match self.head.is_empty() {
            true => Status::E_EOF,
            false => Status::E_BROKEN_PIPE,
        };
        self.end(fd, status)
    }

    /// Nothing more can be received: the socket is readable from now on.
    fn end(&mut self, fd: RawFd, status: Status) -> Status {
        socket::end_receiving(fd);
        self.part = Vec::new();
        self.over = Some(status);
        status
    }
}

/// Wait until a descriptor may be ready, which the caller finds out.
fn until(item: Interest, patience: &mut Patience<'_>) -> Result<()> {
    patience.check()?;
    let end = patience.deadline();
    wait_for(Some(item), end, patience).map(drop)
}

/// Wait until a descriptor is ready. One that is ready is, also for a call that may not wait.
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

/// Wait until a descriptor is ready, for which it says yes, until `end`, or until something ends the wait, which
/// the caller finds out.
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
