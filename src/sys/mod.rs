//! The kernel, one file each: nothing above this layer makes a system call.

pub(crate) mod call;
pub(crate) mod channel;
pub(crate) mod claim;
pub(crate) mod clock;
pub(crate) mod descriptor;
pub(crate) mod fork;
pub(crate) mod futex;
pub(crate) mod lifetime;
pub(crate) mod local_lock;
pub(crate) mod mailbox;
pub(crate) mod membarrier;
pub(crate) mod memory;
pub(crate) mod poll;
pub(crate) mod process;
pub(crate) mod random;
pub(crate) mod reservation;
// Its tests run without the feature too.
#[cfg(any(feature = "c-library", test))]
pub(crate) mod reserve;
/// A Rust program chooses its own allocator, which has no reserve.
#[cfg(not(any(feature = "c-library", test)))]
pub(crate) mod reserve {
    pub(crate) fn check() -> crate::status::Result<()> {
        Ok(())
    }
}
pub(crate) mod robust_list;
pub(crate) mod shared;
pub(crate) mod socket;
pub(crate) mod thread;
pub(crate) mod unnamed;
pub(crate) mod wake_cost;

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
