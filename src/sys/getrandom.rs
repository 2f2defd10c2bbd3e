//! Random bytes from the kernel.

use std::os::fd::AsRawFd;

use super::descriptor::owned;
use super::syscall;
use crate::status::detail;
use crate::status::{Result, Status};

/// Fill `bytes` with random bytes that are suitable for secrets.
///
/// # Errors
/// The errors of opening /dev/urandom, if getrandom(2) is refused.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<()> {
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match usize::try_from(syscall::getrandom(rest)) {
            Ok(count) => filled += count,
            Err(_) if super::errno() == libc::EINTR => {}
            Err(_) => return fill_from_device(rest),
        }
    }
    Ok(())
}

/// Fill `bytes` from /dev/urandom, if getrandom(2) is refused.
fn fill_from_device(bytes: &mut [u8]) -> Result<()> {
    let path = c"/dev/urandom".as_ptr();
    // SAFETY: the path ends in NUL.
    let device = owned("open", unsafe {
        syscall::open(path, libc::O_RDONLY | libc::O_CLOEXEC, 0)
    })?;
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        // SAFETY: `rest` is writable.
        let count =
            unsafe { syscall::read(device.as_raw_fd(), rest.as_mut_ptr().cast(), rest.len()) };
        match usize::try_from(count) {
            Ok(0) => return Err(Status::E_UNSUPPORTED),
            Ok(count) => filled += count,
            Err(_) if super::errno() == libc::EINTR => {}
            Err(_) => return Err(detail::just_failed("read")),
        }
    }
    Ok(())
}
