//! Waiting for descriptors.

use std::os::fd::RawFd;

use super::{clock, syscall};
use crate::status::{Result, Status};

/// Wait until one of `fds` is readable (an error or hang-up counts) or the deadline passes: their
/// positions as bits.
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
        return Err(Status::last_os_error());
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

/// What a descriptor is waited for, and, written, what it is ready for.
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

/// Wait until one of `items` is ready for what it says (an error or hang-up counts), or the deadline passes.
pub(crate) fn any_ready(items: &mut [Interest], deadline: Option<u64>) -> Result<()> {
    let ready = syscall::ppoll(items, time_left(deadline));
    if ready < 0 {
        return Err(Status::last_os_error());
    }
    Ok(())
}

/// Wait until one of any number of `fds` is readable, or the deadline passes.
pub(crate) fn any_readable(fds: &[RawFd], deadline: Option<u64>) -> Result<()> {
    let mut items: Vec<Interest> = fds.iter().map(|fd| to_read(*fd)).collect();
    any_ready(&mut items, deadline)
}

/// Whether `item` is ready now. A signal has no say in it: nothing was waited for.
pub(crate) fn is_ready(item: Interest) -> Result<bool> {
    let mut item = [item];
    match any_ready(&mut item, Some(0)) {
        Ok(()) | Err(Status::E_INTERRUPTED) => Ok(item.iter().any(|item| item.revents != 0)),
        Err(other) => Err(other),
    }
}
