//! System calls, in files that are named after the call or the kernel's word for the subject. The
//! layers above make no system calls, except through the standard library.

pub(crate) mod clock;
pub(crate) mod descriptor;
pub(crate) mod eventfd;
pub(crate) mod fork;
pub(crate) mod futex;
pub(crate) mod getrandom;
// The tests of this module also run without the feature.
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
pub(crate) mod shm;
pub(crate) mod socket;
pub(crate) mod socketpair;
pub(crate) mod syscall;
pub(crate) mod thread;
pub(crate) mod tmpfile;
pub(crate) mod wiped;

use crate::status::detail;
use crate::status::Result;

/// The errno of this thread's last failed call.
pub(crate) fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// Report whether this program runs with more rights than its caller. Such a program ignores the
/// caller's environment.
pub(crate) fn is_secure() -> bool {
    // SAFETY: no preconditions.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// Report whether an environment variable is 1 and may be used.
fn is_advised(variable: &str) -> bool {
    !is_secure() && std::env::var_os(variable).is_some_and(|value| value == "1")
}

/// After a failed call: report whether the kernel or a filter always refuses this call to this
/// process.
fn is_refused(errno: i32) -> bool {
    matches!(
        errno,
        libc::EPERM | libc::EACCES | libc::ENOSYS | libc::EOPNOTSUPP | libc::EINVAL | libc::EISDIR
    )
}

/// The result of a C function that returns -1 on failure.
fn check(call: &'static str, done: libc::c_int) -> Result<()> {
    if done < 0 {
        return Err(detail::just_failed(call));
    }
    Ok(())
}
