//! System calls, in files that are named after the call or the kernel's word for the thing. The layers above make none,
//! but for calls that the standard library makes for them.

pub(crate) mod clock;
pub(crate) mod descriptor;
pub(crate) mod eventfd;
pub(crate) mod fork;
pub(crate) mod futex;
pub(crate) mod getrandom;
// Its tests run without the feature too.
#[cfg(any(feature = "c-library", test))]
pub(crate) mod malloc;
/// A Rust program chooses its own allocator, which has no reserve.
#[cfg(not(any(feature = "c-library", test)))]
pub(crate) mod malloc {
    pub(crate) fn check() -> crate::status::Result<()> {
        Ok(())
    }
}
pub(crate) mod membarrier;
pub(crate) mod memory;
pub(crate) mod mmap;
pub(crate) mod ofd_lock;
pub(crate) mod poll;
pub(crate) mod process;
pub(crate) mod procfs;
pub(crate) mod robust_list;
pub(crate) mod socket;
pub(crate) mod socketpair;
pub(crate) mod syscall;
pub(crate) mod thread;
pub(crate) mod tmpfile;

use crate::status::{Result, Status};

/// The errno of the last failed call of this thread.
pub(crate) fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// Whether this program runs with more rights than its caller, and so takes no advice from it.
pub(crate) fn is_secure() -> bool {
    // SAFETY: no preconditions.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// Whether an environment variable is 1, in a program that takes advice.
fn is_advised(variable: &str) -> bool {
    !is_secure() && std::env::var_os(variable).is_some_and(|value| value == "1")
}

/// Where a call failed: whether the kernel or a filter has no such call for this process, at any time.
fn is_refused(errno: i32) -> bool {
    matches!(
        errno,
        libc::EPERM | libc::EACCES | libc::ENOSYS | libc::EOPNOTSUPP | libc::EINVAL | libc::EISDIR
    )
}

/// The answer of a C function that says -1 for a failure.
fn check(done: libc::c_int) -> Result<()> {
    if done < 0 {
        return Err(Status::last_os_error());
    }
    Ok(())
}
