//! A /dev/shm of the test's own, and the command in it.

use std::path::Path;
use std::process::{Command, Output};

pub const POLYPROC: &str = env!("CARGO_BIN_EXE_polyproc");

/// Gives this thread, and all processes that it starts, an empty /dev/shm of their own. `false`
/// where this user may not do so: the test is skipped.
#[must_use]
pub fn own_shm() -> bool {
    // SAFETY: no preconditions. The flag affects this thread alone.
    let apart = unsafe { libc::unshare(libc::CLONE_NEWNS) } == 0;
    let mount = |source: &std::ffi::CStr, target: &std::ffi::CStr, flags| {
        // SAFETY: the strings end in NUL.
        unsafe {
            libc::mount(
                source.as_ptr(),
                target.as_ptr(),
                source.as_ptr(),
                flags,
                std::ptr::null(),
            ) == 0
        }
    };
    let own = apart
        && mount(c"none", c"/", libc::MS_REC | libc::MS_PRIVATE)
        && mount(c"tmpfs", c"/dev/shm", 0);
    if !own {
        println!("skipped: needs root, for a /dev/shm of its own");
    }
    own
}

/// Runs a line of shell in which `polyproc` is the command under test.
pub fn shell(line: &str) -> Output {
    let bin = Path::new(POLYPROC).parent().expect("a directory");
    let path = std::env::var("PATH").unwrap_or_default();
    Command::new("timeout")
        .args(["60", "bash", "-euo", "pipefail", "-c", line])
        .env("PATH", format!("{}:{path}", bin.display()))
        .output()
        .expect("timeout, bash")
}

/// As [`shell`], and returns what was printed; panics unless the line succeeds.
pub fn ok(line: &str) -> String {
    let output = shell(line);
    assert!(
        output.status.success(),
        "{line}\n{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}
