//! Sending and receiving bytes.

use std::mem::MaybeUninit;
use std::os::fd::RawFd;

use super::super::errno;
use super::Step;
use crate::status::detail;
use crate::status::{Result, Status};
use crate::sys::syscall;

/// The number of bytes moved. If none was moved: [`Step::Later`], or `Done(0)` at the end of the
/// stream.
pub(crate) type Moved = Result<Step<usize>>;

/// Names both sendmsg(2) and recv(2): the caller knows whether it was sending or receiving.
const CALL: &str = "a call on the socket";

fn moved(answer: isize) -> Moved {
    match usize::try_from(answer) {
        Ok(count) => Ok(Step::Done(count)),
        Err(_) => match errno() {
            libc::EAGAIN | libc::EINTR => Ok(Step::Later),
            // The peer has closed the connection, or the connection is lost.
            libc::EPIPE | libc::ECONNRESET => Err(Status::E_BROKEN_PIPE),
            errno @ libc::ENOBUFS => Err(detail::failed_as(Status::E_NO_MEMORY, CALL, errno)),
            other => Err(detail::failed(CALL, other)),
        },
    }
}

/// Send as much of `head` and then of `body` as the socket has room for.
pub(crate) fn send(fd: RawFd, head: &[u8], body: &[u8]) -> Moved {
    let part = |bytes: &[u8]| libc::iovec {
        iov_base: bytes.as_ptr().cast_mut().cast(),
        iov_len: bytes.len(),
    };
    let mut parts = [part(head), part(body)];
    // SAFETY: plain data.
    let mut message = unsafe { std::mem::zeroed::<libc::msghdr>() };
    message.msg_iov = parts.as_mut_ptr();
    message.msg_iovlen = parts.len() as _;
    // SAFETY: the parts are readable and the kernel only reads them.
    moved(unsafe { syscall::sendmsg(fd, &message, libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL) })
}

fn receive(fd: RawFd, room: &mut [MaybeUninit<u8>]) -> Moved {
    // SAFETY: the room is writable.
    moved(unsafe { syscall::recv(fd, room.as_mut_ptr().cast(), room.len(), libc::MSG_DONTWAIT) })
}

/// A buffer that is filled from its beginning.
pub(crate) struct Gather<'a> {
    room: &'a mut [MaybeUninit<u8>],
    filled: usize,
}

impl<'a> Gather<'a> {
    pub(crate) fn into(room: &'a mut [MaybeUninit<u8>]) -> Gather<'a> {
        Gather { room, filled: 0 }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.filled == self.room.len()
    }

    /// Receive the available bytes, up to the end of the buffer. The caller checks that the buffer
    /// is not full.
    pub(crate) fn receive(&mut self, fd: RawFd) -> Moved {
        let rest = self.room.get_mut(self.filled..).unwrap_or_default();
        let step = receive(fd, rest)?;
        if let Step::Done(count) = step {
            self.filled += count;
        }
        Ok(step)
    }

    /// The bytes received so far.
    pub(crate) fn filled(&self) -> &[u8] {
        let filled = self.room.get(..self.filled).unwrap_or_default();
        // SAFETY: the kernel has written these bytes.
        unsafe { std::slice::from_raw_parts(filled.as_ptr().cast(), filled.len()) }
    }
}

/// Receive at most `limit` bytes and append them to `bytes`, which grows if necessary.
pub(crate) fn receive_onto(fd: RawFd, bytes: &mut Vec<u8>, limit: usize) -> Moved {
    bytes.try_reserve(limit).map_err(|_| Status::E_NO_MEMORY)?;
    let room = bytes.spare_capacity_mut();
    let step = receive(fd, room.get_mut(..limit).unwrap_or_default())?;
    if let Step::Done(count) = step {
        // SAFETY: the kernel has written that many into the spare capacity.
        unsafe { bytes.set_len(bytes.len() + count) };
    }
    Ok(step)
}
