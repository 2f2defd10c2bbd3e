//! A pair of sockets that transfers numbers between a process and a child that it forks.

use std::os::fd::AsRawFd;

use super::descriptor::OwnedFd;
use super::{descriptor, errno, syscall};
use crate::status::detail;
use crate::status::{Result, Status};

/// Two connected ends, closed on exec.
pub(crate) fn pair() -> Result<(OwnedFd, OwnedFd)> {
    let mut ends = [0; 2];
    let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
    // SAFETY: there is room for two descriptors.
    if unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()) } < 0 {
        return Err(detail::just_failed("socketpair"));
    }
    let (first, second) = (descriptor::adopt(ends[0]), descriptor::adopt(ends[1]));
    Ok((first?, second?))
}

/// Send a number. `E_BROKEN_PIPE` if no process has the other end.
pub(crate) fn send(end: &OwnedFd, number: i32) -> Result<()> {
    let (data, len) = (std::ptr::from_ref(&number).cast(), size_of::<i32>());
    loop {
        // SAFETY: the bytes of a local.
        let sent = unsafe { syscall::send(end.as_raw_fd(), data, len, libc::MSG_NOSIGNAL) };
        if sent >= 0 {
            return Ok(());
        }
        match errno() {
            libc::EINTR => {}
            libc::EPIPE | libc::ECONNRESET => return Err(Status::E_BROKEN_PIPE),
            other => return Err(detail::failed("sendmsg", other)),
        }
    }
}

/// Receive a number. `E_BROKEN_PIPE` if no process has the other end.
pub(crate) fn receive(end: &OwnedFd) -> Result<i32> {
    let mut number = 0i32;
    let (data, len) = (std::ptr::from_mut(&mut number).cast(), size_of::<i32>());
    loop {
        // SAFETY: the bytes of a local.
        let received = unsafe { syscall::recv(end.as_raw_fd(), data, len, 0) };
        match usize::try_from(received) {
            Ok(got) if got == len => return Ok(number),
            Ok(_) => return Err(Status::E_BROKEN_PIPE),
            Err(_) => match errno() {
                libc::EINTR => {}
                libc::ECONNRESET => return Err(Status::E_BROKEN_PIPE),
                other => return Err(detail::failed("recvmsg", other)),
            },
        }
    }
}
