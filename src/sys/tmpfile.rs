//! Files in shared memory that are made before they get their name: nobody sees one before it is whole.
//!
//! The kernel has O_TMPFILE and linkat(2) for this. Where a filter of system calls refuses one of them, a
//! file has a name of its own at first, which begins with a dot so that no object can have it, and is renamed.
//! A process that is killed in between leaves that file in /dev/shm.

use std::ffi::{CStr, CString};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::descriptor::{owned, OwnedFd};
use super::syscall;
use super::{check, is_refused};
use crate::status::{Result, Status};

/// Where POSIX shared-memory objects live, with glibc and with musl.
pub(crate) const SHM_DIRECTORY: &CStr = c"/dev/shm";

/// Whether linkat(2) has been refused: files that have no name at all would never get one.
static LINKS_ARE_REFUSED: AtomicBool = AtomicBool::new(false);

/// A file without its name.
pub(crate) struct Unnamed {
    pub(crate) fd: OwnedFd,
    pub(crate) name: Provisional,
}

/// The name that a file has until it gets its own, if any; removed with this value.
pub(crate) struct Provisional(Option<CString>);

impl Drop for Provisional {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // SAFETY: the path ends in NUL.
            unsafe { libc::unlink(path.as_ptr()) };
        }
    }
}

/// A file in shared memory that has no name yet.
///
/// # Errors
/// `E_UNSUPPORTED` where /dev/shm is missing.
pub(crate) fn create_unnamed(mode: u32) -> Result<Unnamed> {
    let flags = libc::O_TMPFILE | libc::O_RDWR | libc::O_CLOEXEC;
    let mut name = Provisional(None);
    let mut fd = -1;
    let mut is_refused_here = LINKS_ARE_REFUSED.load(Ordering::Relaxed);
    if !is_refused_here {
        // SAFETY: the path ends in NUL.
        fd = unsafe { syscall::open(SHM_DIRECTORY.as_ptr(), flags, mode) };
        is_refused_here = fd < 0 && is_refused(super::errno());
    }
    if is_refused_here {
        (fd, name) = create_provisional(mode)?;
    }
    if fd < 0 && matches!(super::errno(), libc::ENOENT | libc::ENOTDIR) {
        return Err(Status::E_UNSUPPORTED);
    }
    let fd = owned(fd)?;
    // The umask must not narrow what was asked for: two processes would then disagree on it.
    // SAFETY: no pointers.
    check(unsafe { libc::fchmod(fd.as_raw_fd(), mode) })?;
    Ok(Unnamed { fd, name })
}

fn create_provisional(mode: u32) -> Result<(i32, Provisional)> {
    static LAST: AtomicU32 = AtomicU32::new(0);
    let flags = libc::O_CREAT | libc::O_EXCL | libc::O_RDWR | libc::O_CLOEXEC;
    loop {
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let path = format!("/dev/shm/.polyproc-{}-{number}", super::process::pid());
        let path = CString::new(path).map_err(|_| Status::E_INTERNAL)?;
        // SAFETY: the path ends in NUL.
        let fd = unsafe { syscall::open(path.as_ptr(), flags, mode) };
        if fd >= 0 {
            return Ok((fd, Provisional(Some(path))));
        }
        // Left by a process of this number that was killed.
        if super::errno() != libc::EEXIST {
            return Ok((fd, Provisional(None)));
        }
    }
}

impl Provisional {
    /// Give the file its name. `E_EXISTS` when the name is taken; false when the kernel has no way to name a file
    /// that has none: make it anew.
    pub(crate) fn become_named(&mut self, fd: &OwnedFd, path: &CStr) -> Result<bool> {
        if let Some(own) = &self.0 {
            rename(own, path)?;
            self.0 = None;
            return Ok(true);
        }
        match link(fd, path) {
            Err(_) if is_refused(super::errno()) => {
                LINKS_ARE_REFUSED.store(true, Ordering::Relaxed);
                Ok(false)
            }
            other => other.map(|()| true),
        }
    }
}

/// Rename a file unless the new name is taken.
fn rename(old: &CStr, new: &CStr) -> Result<()> {
    let here = libc::AT_FDCWD;
    // SAFETY: both paths end in NUL.
    let done = unsafe {
        libc::syscall(
            libc::SYS_renameat2,
            here,
            old.as_ptr(),
            here,
            new.as_ptr(),
            libc::RENAME_NOREPLACE,
        )
    };
    check(done as libc::c_int)
}

fn link(fd: &OwnedFd, path: &CStr) -> Result<()> {
    let own = format!("/proc/self/fd/{}", fd.as_raw_fd());
    let own = CString::new(own).map_err(|_| Status::E_INTERNAL)?;
    // SAFETY: both paths end in NUL.
    let done = unsafe {
        libc::linkat(
            libc::AT_FDCWD,
            own.as_ptr(),
            libc::AT_FDCWD,
            path.as_ptr(),
            libc::AT_SYMLINK_FOLLOW,
        )
    };
    if done == 0 || super::errno() != libc::ENOENT {
        return check(done);
    }
    // Without /proc the kernel takes the descriptor itself, from a privileged caller.
    // SAFETY: both paths end in NUL.
    check(unsafe {
        libc::linkat(
            fd.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_FDCWD,
            path.as_ptr(),
            libc::AT_EMPTY_PATH,
        )
    })
}
