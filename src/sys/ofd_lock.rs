//! Claims: the kernel reports whether any process still has a descriptor of some kind.
//!
//! A *claim* is an open file description that holds a lock on one byte of its file (an OFD lock,
//! shared, so several descriptions can hold it). The lock lasts as long as any descriptor of the
//! description: in this process, in a forked child that has not touched it, in a program that
//! received it and has not started yet, or in a socket on its way. No process has to be alive to
//! release it.
//!
//! The file offset of a descriptor says which byte it claims; the offset travels with the
//! descriptor.

use std::os::fd::{AsRawFd, RawFd};

use super::descriptor::OwnedFd;
use super::memory;
use crate::status::detail::{self, because};
use crate::status::{Result, Status};

/// A new open file description of the same file, without a lock, closed on exec.
///
/// `E_UNSUPPORTED` if there is no /proc, `E_PERMISSION` for a descriptor that is not writable.
pub(crate) fn reopen(fd: RawFd) -> Result<OwnedFd> {
    // SAFETY: no pointers.
    let flags = unsafe { libc::fcntl(fd, libc::F_GETFL) };
    if flags >= 0 && flags & libc::O_ACCMODE != libc::O_RDWR {
        return Err(because!(
            E_PERMISSION,
            "the descriptor is not open for reading and writing"
        ));
    }
    match memory::reopen(fd) {
        Err(Status::E_NOT_FOUND) => Err(because!(E_UNSUPPORTED, "there is no /proc")),
        other => other,
    }
}

/// Store in a description to which byte it refers.
pub(crate) fn mark(fd: &OwnedFd, byte: i64) -> Result<()> {
    // SAFETY: no pointers.
    match unsafe { libc::lseek(fd.as_raw_fd(), byte, libc::SEEK_SET) } {
        at if at == byte => Ok(()),
        _ => Err(detail::just_failed("lseek")),
    }
}

/// The byte to which a description refers.
pub(crate) fn mark_of(fd: RawFd) -> Result<i64> {
    // SAFETY: no pointers.
    match unsafe { libc::lseek(fd, 0, libc::SEEK_CUR) } {
        at if at >= 0 => Ok(at),
        _ => Err(detail::just_failed("lseek")),
    }
}

/// Claim a byte. If this description claims the byte already, nothing happens.
pub(crate) fn claim(fd: &OwnedFd, byte: i64) -> Result<()> {
    let mut lock = lock_of(byte, libc::F_RDLCK);
    // SAFETY: `lock` is readable.
    match unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_OFD_SETLK, &mut lock) } {
        0 => Ok(()),
        _ => Err(status_of_lock()),
    }
}

/// Claim a byte. With `alone`, the claim is exclusive. A description can convert one kind of claim
/// into the other. Return false if the claim of another description is in the way.
pub(crate) fn try_claim(fd: &OwnedFd, byte: i64, alone: bool) -> Result<bool> {
    let kind = if alone { libc::F_WRLCK } else { libc::F_RDLCK };
    let mut lock = lock_of(byte, kind);
    // SAFETY: `lock` is readable.
    match unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_OFD_SETLK, &mut lock) } {
        0 => Ok(true),
        _ if matches!(super::errno(), libc::EAGAIN | libc::EACCES) => Ok(false),
        _ => Err(detail::just_failed("fcntl")),
    }
}

/// Report whether any description other than that of `fd` claims a byte.
pub(crate) fn is_claimed(fd: RawFd, byte: i64) -> Result<bool> {
    let mut lock = lock_of(byte, libc::F_WRLCK);
    // SAFETY: `lock` is writable.
    match unsafe { libc::fcntl(fd, libc::F_OFD_GETLK, &mut lock) } {
        0 => Ok(libc::c_int::from(lock.l_type) != libc::F_UNLCK),
        _ => Err(status_of_lock()),
    }
}

/// Replace descriptor `fd` by a description with the same mark and without the claim.
pub(crate) fn renounce(fd: RawFd) -> Result<()> {
    let stand_in = reopen(fd)?;
    mark(&stand_in, mark_of(fd)?)?;
    // SAFETY: no pointers; the number keeps its owner.
    match unsafe { libc::dup3(stand_in.as_raw_fd(), fd, libc::O_CLOEXEC) } {
        -1 => Err(detail::just_failed("dup3")),
        _ => Ok(()),
    }
}

/// Kernels before 3.15 do not support these locks (EINVAL), and filters of system calls may refuse
/// them.
fn status_of_lock() -> Status {
    match super::errno() {
        errno @ (libc::EINVAL | libc::EPERM | libc::EACCES) => {
            detail::failed_as(Status::E_UNSUPPORTED, "fcntl", errno)
        }
        other => detail::failed("fcntl", other),
    }
}

fn lock_of(byte: i64, kind: libc::c_int) -> libc::flock {
    // SAFETY: plain data; l_pid has to be 0.
    let mut lock = unsafe { std::mem::zeroed::<libc::flock>() };
    lock.l_type = kind as libc::c_short;
    lock.l_whence = libc::SEEK_SET as libc::c_short;
    lock.l_start = byte;
    lock.l_len = 1;
    lock
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::descriptor;

    #[test]
    fn a_claim_lasts_as_long_as_any_descriptor_of_it() {
        let file = memory::create_anonymous().expect("memory");
        let fd = file.as_raw_fd();
        let first = reopen(fd).expect("a claim");
        mark(&first, 2).expect("its mark");
        claim(&first, 2).expect("its lock");
        assert_eq!(is_claimed(fd, 2), Ok(true));
        assert_eq!(is_claimed(fd, 1), Ok(false));
        let copy = descriptor::duplicate(first.as_raw_fd()).expect("a copy");
        let second = reopen(fd).expect("another");
        claim(&second, 2).expect("shared");
        drop((first, second));
        assert_eq!(is_claimed(fd, 2), Ok(true));
        assert_eq!(mark_of(copy.as_raw_fd()), Ok(2));
        renounce(copy.as_raw_fd()).expect("a stand-in");
        assert_eq!(mark_of(copy.as_raw_fd()), Ok(2));
        assert_eq!(is_claimed(fd, 2), Ok(false));
    }
}
