//! A /dev/shm of the test's own, and the command in it.

// Each test program uses a part of it.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

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

/// As [`shell`], and returns the exit code and what was printed.
pub fn code(line: &str) -> (i32, String) {
    let output = shell(line);
    let code = output.status.code().expect("an exit code");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_ne!(code, TIMED_OUT, "{line}: {errors}");
    assert!(!errors.contains("panicked"), "{line}: {errors}");
    (code, String::from_utf8(output.stdout).expect("UTF-8"))
}

/// As timeout(1) exits.
const TIMED_OUT: i32 = 124;

/// Starts the command, to be killed or waited for.
pub fn start(arguments: &[&str]) -> Child {
    Command::new(POLYPROC)
        .args(arguments)
        .stdin(Stdio::null())
        .spawn()
        .expect("polyproc")
}

/// Waits until something is so.
pub fn until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "never: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The children of a process.
pub fn children(pid: u32) -> Vec<i32> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task"));
    let lists = tasks
        .into_iter()
        .flatten()
        .flatten()
        .map(|task| task.path().join("children"));
    let lists = lists.filter_map(|list| std::fs::read_to_string(list).ok());
    let pids = lists.flat_map(|list| {
        list.split_whitespace()
            .map(String::from)
            .collect::<Vec<_>>()
    });
    pids.filter_map(|pid| pid.parse().ok()).collect()
}

/// Whether a process runs: a zombie does not.
pub fn runs(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat
        .rsplit(") ")
        .next()
        .and_then(|rest| rest.chars().next());
    state.is_some_and(|state| state != 'Z' && state != 'X')
}

/// A directory that is removed with the test.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("polyproc-{name}-{}", std::process::id()));
        std::fs::create_dir(&folder).expect("a new directory");
        Folder(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
