//! Waiting for descriptors, and the event descriptor that ends such a wait.

use std::os::fd::{AsRawFd, IntoRawFd, RawFd};

use super::descriptor::OwnedFd;
use super::{call, clock, descriptor, errno};
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
    let ready = call::ppoll(items, time_left(deadline));
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
    let ready = call::ppoll(items, time_left(deadline));
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

/// A new eventfd that closes with its owner; a pipe where a filter of system calls refuses those.
pub(crate) fn event() -> Result<OwnedFd> {
    // SAFETY: no pointers.
    match descriptor::owned(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) }) {
        Err(Status::E_PERMISSION | Status::E_UNSUPPORTED) => pipe(),
        other => other,
    }
}

/// Both ends of a pipe in one descriptor: what is written there can be read there.
fn pipe() -> Result<OwnedFd> {
    let flags = libc::O_CLOEXEC | libc::O_NONBLOCK;
    let mut ends = [0; 2];
    // SAFETY: two descriptors fit there.
    if unsafe { libc::pipe2(ends.as_mut_ptr(), flags) } < 0 {
        return Err(Status::last_os_error());
    }
    let (reads, writes) = (descriptor::adopt(ends[0]), descriptor::adopt(ends[1]));
    let (reads, _writes) = (reads?, writes?);
    let path = format!("/proc/self/fd/{}\0", reads.as_raw_fd());
    // SAFETY: the path ends in NUL.
    descriptor::owned(unsafe { call::open(path.as_ptr().cast(), libc::O_RDWR | flags, 0) })
}

/// A new eventfd.
pub(crate) fn event_fd() -> Result<RawFd> {
    event().map(IntoRawFd::into_raw_fd)
}

/// Make an eventfd readable. Async-signal-safe; errno is kept.
pub(crate) fn raise(fd: RawFd) {
    let before = errno();
    let one: u64 = 1;
    // SAFETY: eight bytes of a local. A full counter is readable already.
    unsafe {
        call::write(fd, std::ptr::from_ref(&one).cast(), 8);
        *libc::__errno_location() = before;
    }
}

/// Make an eventfd unreadable again.
pub(crate) fn lower(fd: RawFd) {
    // A read takes all that an eventfd has. A pipe may have more, when it was raised very often.
    let mut values = [0u64; 64];
    let size = size_of_val(&values);
    // SAFETY: as many bytes of a local; the descriptor does not block.
    while unsafe { call::read(fd, values.as_mut_ptr().cast(), size) } == size as isize {}
}

/// Close a descriptor that is not wrapped.
pub(crate) fn close(fd: RawFd) {
    call::close(fd);
}

/// Whether `item` is ready now. A signal has no say in it: nothing was waited for.
pub(crate) fn is_ready(item: Interest) -> Result<bool> {
    let mut item = [item];
    match any_ready(&mut item, Some(0)) {
        Ok(()) | Err(Status::E_INTERRUPTED) => Ok(item.iter().any(|item| item.revents != 0)),
        Err(other) => Err(other),
    }
}
