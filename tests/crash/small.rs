//! A /dev/shm of a few MiB for each worker, whose room is soon used up.

use std::ffi::CString;
use std::sync::atomic::{AtomicU64, Ordering};

static MIB: AtomicU64 = AtomicU64::new(0);

/// From now on workers have so many MiB.
pub fn set(mib: u64) {
    MIB.store(mib, Ordering::Relaxed);
}

/// Returns the size in bytes, if it was set.
pub fn size() -> Option<u64> {
    Some(MIB.load(Ordering::Relaxed) << 20).filter(|bytes| *bytes != 0)
}

/// Makes a private mount, if one was asked for. This process has one thread.
pub fn mount() {
    let Some(bytes) = size() else { return };
    // SAFETY: no preconditions.
    let (user, group) = unsafe { (libc::geteuid(), libc::getegid()) };
    let spaces = match user {
        0 => libc::CLONE_NEWNS,
        // Root of a user namespace may mount there.
        _ => libc::CLONE_NEWNS | libc::CLONE_NEWUSER,
    };
    // SAFETY: no pointers.
    let unshared = unsafe { libc::unshare(spaces) };
    assert_eq!(unshared, 0, "unshare: {}", std::io::Error::last_os_error());
    if user != 0 {
        std::fs::write("/proc/self/setgroups", "deny").unwrap();
        std::fs::write("/proc/self/uid_map", format!("0 {user} 1")).unwrap();
        std::fs::write("/proc/self/gid_map", format!("0 {group} 1")).unwrap();
    }
    mounted(c"/", c"", libc::MS_REC | libc::MS_PRIVATE, c"");
    let size = CString::new(format!("size={bytes},mode=1777")).unwrap();
    mounted(c"/dev/shm", c"tmpfs", 0, &size);
}

fn mounted(at: &std::ffi::CStr, kind: &std::ffi::CStr, flags: u64, data: &std::ffi::CStr) {
    // SAFETY: strings that live as long as the call.
    let done = unsafe {
        let none = c"none".as_ptr();
        libc::mount(
            none,
            at.as_ptr(),
            kind.as_ptr(),
            flags,
            data.as_ptr().cast(),
        )
    };
    assert_eq!(done, 0, "mount: {}", std::io::Error::last_os_error());
}
