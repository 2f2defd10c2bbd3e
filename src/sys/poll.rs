//! Waiting for descriptors by poll(2).

use std::os::fd::RawFd;

use super::{clock, syscall};
use crate::status::detail;
use crate::status::{Result, Status};

/// Wait until one of `fds` is readable (an error or a hang-up also counts) or the deadline passes.
/// Return the positions of the readable ones as bits.
pub(crate) fn readable(fds: &[RawFd], deadline: Option<u64>) -> Result<u32> {
    let mut items = [libc::pollfd {
        fd: -1,
        events: libc::POLLIN,
        revents: 0,
    }; 4];
    let count = fds.len().min(items.len());
    for (item, fd) in items.iter_mut().zip(fds) {
        item.fd = *fd;
    }
    let items = items.get_mut(..count).unwrap_or_default();
    let ready = syscall::ppoll(items, time_left(deadline));
    if ready < 0 {
        return Err(detail::just_failed("poll"));
    }
    let mut bits = 0;
    for (at, item) in items.iter().enumerate() {
        if item.revents != 0 {
            bits |= 1 << at;
        }
    }
    Ok(bits)
}

fn time_left(deadline: Option<u64>) -> Option<libc::timespec> {
    deadline.map(|end| clock::timespec(end.saturating_sub(clock::now_ns())))
}

/// The events for which to wait at a descriptor, and after the wait the events that are ready.
pub(crate) use libc::pollfd as Interest;

/// Wait for `fd` to be readable.
pub(crate) fn to_read(fd: RawFd) -> Interest {
    Interest {
        fd,
        events: libc::POLLIN,
        revents: 0,
    }
}

/// Wait for `fd` to be writable.
pub(crate) fn to_write(fd: RawFd) -> Interest {
    Interest {
        fd,
        events: libc::POLLOUT,
        revents: 0,
    }
}

/// Wait until one of `items` is ready for its events (an error or a hang-up also counts), or the
/// deadline passes.
pub(crate) fn any_ready(items: &mut [Interest], deadline: Option<u64>) -> Result<()> {
    let ready = syscall::ppoll(items, time_left(deadline));
    if ready < 0 {
        return Err(detail::just_failed("poll"));
    }
    Ok(())
}

/// Wait until one of any number of `fds` is readable, or the deadline passes.
pub(crate) fn any_readable(fds: &[RawFd], deadline: Option<u64>) -> Result<()> {
    let mut items: Vec<Interest> = fds.iter().map(|fd| to_read(*fd)).collect();
    any_ready(&mut items, deadline)
}

/// Report whether `item` is ready now. A signal does not matter, since there is no wait.
pub(crate) fn is_ready(item: Interest) -> Result<bool> {
    let mut item = [item];
    match any_ready(&mut item, Some(0)) {
        Ok(()) | Err(Status::E_INTERRUPTED) => Ok(item.iter().any(|item| item.revents != 0)),
        Err(other) => Err(other),
    }
}
