//! The descriptors of this library. None of them is one of the standard descriptors.
//!
//! A program may run with descriptor 0, 1 or 2 closed. The kernel returns the lowest free number,
//! so the next new descriptor would get that number, and the program's output would go to the
//! shared memory or the socket behind it. Every descriptor that this library makes goes through
//! this module.

use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::os::fd::{self, AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, RawFd};

use super::syscall;
use crate::status::detail;
use crate::status::{Result, Status};

const FIRST_FREE: RawFd = libc::STDERR_FILENO + 1;

/// The descriptor that a system call returned, closed on exec; for -1 the error of the call.
pub(crate) fn owned(call: &'static str, answer: RawFd) -> Result<OwnedFd> {
    if answer < 0 {
        return Err(detail::just_failed(call));
    }
    adopt(answer)
}

/// Take over a new descriptor, and move it above the standard descriptors if necessary.
///
/// # Errors
/// `E_LIMIT` if no such number is free; then the descriptor is closed.
pub(crate) fn adopt(fd: RawFd) -> Result<OwnedFd> {
    // SAFETY: the caller got the descriptor from the kernel just now, and no other code knows it.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    if fd.as_raw_fd() >= FIRST_FREE {
        return Ok(fd);
    }
    duplicate(fd.as_raw_fd())
}

/// A second descriptor of the same open file, closed on exec.
pub(crate) fn duplicate(fd: RawFd) -> Result<OwnedFd> {
    // SAFETY: takes numbers; a bad descriptor is an error.
    let copy = unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, FIRST_FREE) };
    if copy < 0 {
        return Err(match super::errno() {
            // RLIMIT_NOFILE is 3 or less.
            errno @ libc::EINVAL => detail::failed_as(Status::E_LIMIT, "fcntl", errno),
            other => detail::failed("fcntl", other),
        });
    }
    // SAFETY: the kernel has just made it for this call.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// A descriptor that its owner closes when dropped. It replaces the type of the standard library,
/// whose close is a cancellation point.
#[derive(Debug)]
pub(crate) struct OwnedFd(ManuallyDrop<fd::OwnedFd>);

impl Drop for OwnedFd {
    fn drop(&mut self) {
        syscall::close(self.0.as_raw_fd());
    }
}

impl Deref for OwnedFd {
    type Target = fd::OwnedFd;
    fn deref(&self) -> &fd::OwnedFd {
        &self.0
    }
}

impl From<fd::OwnedFd> for OwnedFd {
    fn from(owned: fd::OwnedFd) -> OwnedFd {
        OwnedFd(ManuallyDrop::new(owned))
    }
}

impl From<OwnedFd> for fd::OwnedFd {
    fn from(owned: OwnedFd) -> fd::OwnedFd {
        // SAFETY: `into_raw_fd` transfers the ownership of the descriptor.
        unsafe { fd::OwnedFd::from_raw_fd(owned.into_raw_fd()) }
    }
}

impl FromRawFd for OwnedFd {
    unsafe fn from_raw_fd(fd: RawFd) -> OwnedFd {
        // SAFETY: as the caller promises.
        unsafe { fd::OwnedFd::from_raw_fd(fd) }.into()
    }
}

impl AsRawFd for OwnedFd {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl AsFd for OwnedFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl IntoRawFd for OwnedFd {
    fn into_raw_fd(self) -> RawFd {
        let fd = self.as_raw_fd();
        std::mem::forget(self);
        fd
    }
}

/// How many descriptors this process may have open: RLIMIT_NOFILE.
pub(crate) fn limit() -> u64 {
    let mut limit = libc::rlimit {
        rlim_cur: libc::RLIM_INFINITY,
        rlim_max: libc::RLIM_INFINITY,
    };
    // SAFETY: a local. If the call is refused, no limit is known.
    unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) };
    limit.rlim_cur
}
