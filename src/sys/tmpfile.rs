//! Files in shared memory that are complete before they get their name, so that no process sees an
//! incomplete one.
//!
//! The kernel has O_TMPFILE and linkat(2) for this. If a filter of system calls refuses one of
//! them, a file first has a provisional name, which no object can have, and is then renamed. A
//! process that is killed in between leaves that file.

use std::ffi::{CStr, CString};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::descriptor::{owned, OwnedFd};
use super::shm::{self, Location};
use super::syscall;
use super::{check, is_refused};
use crate::status::detail::because;
use crate::status::{Result, Status};

/// Whether linkat(2) has been refused. Then a file without a name could never get one.
static LINKS_ARE_REFUSED: AtomicBool = AtomicBool::new(false);

/// A file that does not have its final name yet.
pub(crate) struct Unnamed {
    pub(crate) fd: OwnedFd,
    pub(crate) name: Provisional,
}

/// The name of a file until it gets its final name, if there is one. Dropping this removes that
/// name.
pub(crate) struct Provisional(Option<CString>);

impl Drop for Provisional {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // SAFETY: the path ends in NUL.
            unsafe { libc::unlink(path.as_ptr()) };
        }
    }
}

/// Create a file in shared memory that does not have its final name yet.
///
/// # Errors
/// `E_UNSUPPORTED` if the directory, /dev/shm, does not exist.
pub(crate) fn create_unnamed(mode: u32) -> Result<Unnamed> {
    let location = shm::location()?;
    location.check_memory()?;
    let flags = libc::O_TMPFILE | libc::O_RDWR | libc::O_CLOEXEC;
    let mut name = Provisional(None);
    let mut fd = -1;
    let mut is_refused_here = LINKS_ARE_REFUSED.load(Ordering::Relaxed);
    if !is_refused_here {
        // SAFETY: the path ends in NUL.
        fd = unsafe { syscall::open(location.directory.as_ptr(), flags, mode) };
        is_refused_here = fd < 0 && is_refused(super::errno());
    }
    if is_refused_here {
        (fd, name) = create_provisional(location, mode)?;
    }
    if fd < 0 && matches!(super::errno(), libc::ENOENT | libc::ENOTDIR) {
        let directory = location.directory.to_string_lossy();
        return Err(because!(E_UNSUPPORTED, "there is no {directory}"));
    }
    let fd = owned("open", fd)?;
    // The umask must not narrow the requested mode: two processes would then disagree on it.
    // SAFETY: no pointers.
    check("fchmod", unsafe { libc::fchmod(fd.as_raw_fd(), mode) })?;
    Ok(Unnamed { fd, name })
}

fn create_provisional(location: &Location, mode: u32) -> Result<(i32, Provisional)> {
    static LAST: AtomicU32 = AtomicU32::new(0);
    let flags = libc::O_CREAT | libc::O_EXCL | libc::O_RDWR | libc::O_CLOEXEC;
    loop {
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        // No object has a name that begins with a dot. A sandbox may insist on the prefix.
        let path = location.path(format_args!(".{}-{number}", super::process::pid()))?;
        // SAFETY: the path ends in NUL.
        let fd = unsafe { syscall::open(path.as_ptr(), flags, mode) };
        if fd >= 0 {
            return Ok((fd, Provisional(Some(path))));
        }
        // The name is left from a killed process with the same process id: try the next number.
        if super::errno() != libc::EEXIST {
            return Ok((fd, Provisional(None)));
        }
    }
}

impl Provisional {
    /// Give the file its final name. `E_EXISTS` if the name is in use. False if the kernel cannot
    /// name a file that has no name: then the caller must create the file again.
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

/// Rename a file, but do not replace an existing file.
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
    check("linkat", done as libc::c_int)
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
        return check("renameat2", done);
    }
    // Without /proc a privileged caller can pass the descriptor itself to the kernel.
    // SAFETY: both paths end in NUL.
    check("linkat", unsafe {
        libc::linkat(
            fd.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_FDCWD,
            path.as_ptr(),
            libc::AT_EMPTY_PATH,
        )
    })
}
