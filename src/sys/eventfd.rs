//! Eventfds: descriptors that [`raise`] makes readable and [`lower`] makes unreadable again, to end
//! a wait in poll(2).

use std::os::fd::{AsRawFd, IntoRawFd, RawFd};

use super::descriptor::OwnedFd;
use super::{descriptor, errno, syscall};
use crate::status::detail;
use crate::status::{Result, Status};

/// A new eventfd that is closed with its owner; a pipe if a filter of system calls refuses
/// eventfds.
pub(crate) fn event() -> Result<OwnedFd> {
    // SAFETY: no pointers.
    match descriptor::owned("eventfd", unsafe {
        libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK)
    }) {
        Err(Status::E_PERMISSION | Status::E_UNSUPPORTED) => pipe(),
        other => other,
    }
}

/// A pipe with one descriptor, which is open for both reading and writing.
fn pipe() -> Result<OwnedFd> {
    let flags = libc::O_CLOEXEC | libc::O_NONBLOCK;
    let mut ends = [0; 2];
    // SAFETY: there is room for two descriptors.
    if unsafe { libc::pipe2(ends.as_mut_ptr(), flags) } < 0 {
        return Err(detail::just_failed("pipe2"));
    }
    let (reads, writes) = (descriptor::adopt(ends[0]), descriptor::adopt(ends[1]));
    let (reads, _writes) = (reads?, writes?);
    let path = format!("/proc/self/fd/{}\0", reads.as_raw_fd());
    // SAFETY: the path ends in NUL.
    descriptor::owned("open", unsafe {
        syscall::open(path.as_ptr().cast(), libc::O_RDWR | flags, 0)
    })
}

/// A new eventfd that the caller has to close.
pub(crate) fn event_fd() -> Result<RawFd> {
    event().map(IntoRawFd::into_raw_fd)
}

/// Make an eventfd readable. Async-signal-safe; errno is preserved.
pub(crate) fn raise(fd: RawFd) {
    let before = errno();
    let one: u64 = 1;
    // SAFETY: eight bytes of a local. If the counter is full, the eventfd is readable already.
    unsafe {
        syscall::write(fd, std::ptr::from_ref(&one).cast(), 8);
        *libc::__errno_location() = before;
    }
}

/// Make an eventfd unreadable again.
pub(crate) fn lower(fd: RawFd) {
    // One read empties an eventfd. A pipe may hold more, after many calls of `raise`.
    let mut values = [0u64; 64];
    let size = size_of_val(&values);
    // SAFETY: `size` bytes of a local; the descriptor does not block.
    while unsafe { syscall::read(fd, values.as_mut_ptr().cast(), size) } == size as isize {}
}

/// Close a descriptor that no `OwnedFd` owns.
pub(crate) fn close(fd: RawFd) {
    syscall::close(fd);
}
