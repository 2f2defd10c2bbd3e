//! Connections: two ends, whole messages of any length, over shared memory or over a socket.
//!
//! ```text
//! pipe      over shared memory
//! socket    over a stream socket, in the frames of Python's multiprocessing; listeners
//! ```

mod pipe;
mod socket;

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, RawFd};

pub use socket::connect::{connect, connect_timeout};
pub use socket::listener::{Listener, ListenerOptions};

pub(crate) use pipe::{Pipe, Receiver};
use socket::Socket;

use crate::queue::bytes::{receive, receive_into};
use crate::queue::Got;
use crate::status::Result;
use crate::sync::wait::{LazyWait, Wait};
use crate::sys::descriptor::OwnedFd;
use crate::sys::socket as sys;

/// Make a pipe. If `duplex`, both ends send and receive; otherwise the first end only receives and
/// the second only sends.
///
/// # Errors
/// `E_NO_MEMORY`, `E_LIMIT`, `E_UNSUPPORTED` where there is no /proc.
pub fn pipe(duplex: bool) -> Result<(Connection, Connection)> {
    let (a, b) = pipe::create(duplex)?;
    Ok((Connection(Way::Pipe(a)), Connection(Way::Pipe(b))))
}

/// One end of a pipe or of a socket: whole messages, to and from the other end.
///
/// The end is open until every process that has it has closed it or ended. A forked child has a
/// copy of each end that its parent had, as with pipe(2).
///
/// ```
/// use polyproc::{pipe, Status};
///
/// # fn main() -> polyproc::Result<()> {
/// let (here, there) = pipe(true)?;
/// here.send(b"ping")?;
/// assert_eq!(there.recv()?, b"ping");
/// drop(here);
/// assert_eq!(there.recv(), Err(Status::E_EOF));
/// # Ok(())
/// # }
/// ```
pub struct Connection(Way);

enum Way {
    Pipe(Pipe),
    Socket(Socket),
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("fd", &self.raw_fd())
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// The end behind a descriptor of [`share_fd`](Self::share_fd), or behind any connected stream
    /// socket whose other end speaks the frames of Python's multiprocessing.
    ///
    /// # Errors
    /// `E_MISMATCH`, `E_PERMISSION`, `E_CORRUPT`, `E_LIMIT`. `E_CLOSED`: no process has the end any
    /// more.
    pub fn from_fd(fd: std::os::fd::OwnedFd) -> Result<Connection> {
        let fd = OwnedFd::from(fd);
        Ok(Connection(match sys::is_socket(fd.as_raw_fd()) {
            true => Way::Socket(Socket::from_fd(fd)?),
            false => Way::Pipe(Pipe::from_fd(fd)?),
        }))
    }

    /// The pipe whose end this is, `None` for a socket.
    pub(crate) fn pipe(&self) -> Option<&Pipe> {
        match &self.0 {
            Way::Pipe(pipe) => Some(pipe),
            Way::Socket(_) => None,
        }
    }

    fn over(socket: Socket) -> Connection {
        Connection(Way::Socket(socket))
    }

    /// A descriptor of this end, for another process. The end stays open while the descriptor is
    /// open. Hand a socket over between two messages: bytes of a message that were already received
    /// stay in this process.
    ///
    /// # Errors
    /// `E_LIMIT` when this process has no descriptor left.
    pub fn share_fd(&self) -> Result<std::os::fd::OwnedFd> {
        let copy = match &self.0 {
            Way::Pipe(pipe) => pipe.share_fd(),
            Way::Socket(socket) => socket.share_fd(),
        };
        copy.map(Into::into)
    }

    /// The end's own descriptor; the end keeps it.
    pub fn raw_fd(&self) -> RawFd {
        match &self.0 {
            Way::Pipe(pipe) => pipe.raw_fd(),
            Way::Socket(socket) => socket.raw_fd(),
        }
    }

    /// Send a message, waiting while there is no room for it. A message longer than the room is
    /// transferred while the other end receives it.
    ///
    /// # Errors
    /// Those of [`send_timeout`](Self::send_timeout).
    #[inline]
    pub fn send(&self, message: &[u8]) -> Result<()> {
        self.send_timeout(message, Wait::FOREVER)
    }

    /// Send a message if there is room for it, as [`send`](Self::send).
    ///
    /// # Errors
    /// Those of [`send_timeout`](Self::send_timeout).
    #[inline]
    pub fn try_send(&self, message: &[u8]) -> Result<()> {
        self.send_timeout(message, Wait::TRY)
    }

    /// Send a message, as [`send`](Self::send), waiting no longer than `wait`; if the message is
    /// transferred while the other end receives it, `wait` limits each step of the transfer.
    ///
    /// # Errors
    /// `E_TIMEOUT`, `E_CANCELED`, `E_INTERRUPTED`, `E_NO_MEMORY`: the message was not sent. A
    /// socket that had begun to send it sends nothing more afterwards. `E_BROKEN_PIPE`: the other
    /// end is closed. `E_UNSUPPORTED`: this end only receives. `E_TOO_LARGE`: more than 4 GiB
    /// - 1.
    #[inline]
    pub fn send_timeout<'w>(&self, data: &[u8], wait: impl Into<Wait<'w>>) -> Result<()> {
        self.send_raw(data, wait.into())
    }

    /// As [`send_timeout`](Self::send_timeout), for `ffi`.
    #[inline]
    pub(crate) fn send_raw(&self, data: &[u8], wait: impl LazyWait) -> Result<()> {
        match &self.0 {
            Way::Pipe(pipe) => pipe.send(data, wait),
            Way::Socket(socket) => wait.begin(|wait| socket.send(data, wait)),
        }
    }

    /// Receive the first message, waiting while there is none.
    ///
    /// # Errors
    /// Those of [`recv_timeout`](Self::recv_timeout).
    pub fn recv(&self) -> Result<Vec<u8>> {
        self.recv_timeout(Wait::FOREVER)
    }

    /// Receive the first message if there is one.
    ///
    /// # Errors
    /// Those of [`recv_timeout`](Self::recv_timeout).
    pub fn try_recv(&self) -> Result<Vec<u8>> {
        self.recv_timeout(Wait::TRY)
    }

    /// Receive the first message, waiting no longer than `wait`.
    ///
    /// # Errors
    /// `E_TIMEOUT`, `E_CANCELED`, `E_INTERRUPTED`, `E_NO_MEMORY`: no message was received. `E_EOF`:
    /// the other end is closed, and every message it sent was received. `E_UNSUPPORTED`: this end
    /// only sends. A socket also answers `E_BROKEN_PIPE`: the other end closed in the middle of a
    /// message, `E_CORRUPT`: the frame is invalid, `E_TOO_LARGE`: the message is longer than
    /// allowed, `E_AUTH`: the listener wants a key.
    pub fn recv_timeout<'w>(&self, wait: impl Into<Wait<'w>>) -> Result<Vec<u8>> {
        receive(wait.into(), |room, wait| self.recv_raw(room, wait))
    }

    /// Receive the first message into `buffer`, waiting while there is none. A message that is
    /// longer stays first, and the answer says how long it is.
    ///
    /// # Errors
    /// Those of [`recv_timeout`](Self::recv_timeout).
    #[inline]
    pub fn recv_into(&self, buffer: &mut [u8]) -> Result<Got> {
        self.recv_into_timeout(buffer, Wait::FOREVER)
    }

    /// Receive the first message if there is one, as [`recv_into`](Self::recv_into).
    ///
    /// # Errors
    /// Those of [`recv_timeout`](Self::recv_timeout).
    #[inline]
    pub fn try_recv_into(&self, buffer: &mut [u8]) -> Result<Got> {
        self.recv_into_timeout(buffer, Wait::TRY)
    }

    /// Receive the first message, as [`recv_into`](Self::recv_into), waiting no longer than `wait`.
    ///
    /// # Errors
    /// Those of [`recv_timeout`](Self::recv_timeout).
    #[inline]
    pub fn recv_into_timeout<'w>(
        &self,
        buffer: &mut [u8],
        wait: impl Into<Wait<'w>>,
    ) -> Result<Got> {
        let wait = wait.into();
        receive_into(buffer, |room| self.recv_raw(room, wait))
    }

    /// As [`recv_into_timeout`](Self::recv_into_timeout), into memory that need not be initialised.
    ///
    /// # Errors
    /// Those of [`recv_timeout`](Self::recv_timeout).
    #[doc(hidden)]
    #[inline]
    pub fn recv_raw(&self, buffer: &mut [MaybeUninit<u8>], wait: impl LazyWait) -> Result<Got> {
        match &self.0 {
            Way::Pipe(pipe) => pipe.recv(buffer, wait),
            Way::Socket(socket) => wait.begin(|wait| socket.recv(buffer, wait)),
        }
    }

    /// Wait until there is a message or the end of the stream; on a socket, until part of a message
    /// has arrived.
    ///
    /// # Errors
    /// Those of [`poll_timeout`](Self::poll_timeout).
    pub fn poll(&self) -> Result<()> {
        self.poll_timeout(Wait::FOREVER)
    }

    /// Whether a receive would not wait, as `Ok` or `E_TIMEOUT`.
    ///
    /// # Errors
    /// Those of [`poll_timeout`](Self::poll_timeout).
    pub fn try_poll(&self) -> Result<()> {
        self.poll_timeout(Wait::TRY)
    }

    /// As [`poll`](Self::poll), no longer than `wait`.
    ///
    /// # Errors
    /// `E_TIMEOUT`, `E_CANCELED`, `E_INTERRUPTED`. `E_UNSUPPORTED`: this end only sends.
    pub fn poll_timeout<'w>(&self, wait: impl Into<Wait<'w>>) -> Result<()> {
        let wait = wait.into();
        match &self.0 {
            Way::Pipe(pipe) => pipe.poll(wait),
            Way::Socket(socket) => socket.poll(wait),
        }
    }
}
