//! The common part of the processes' tests.

use std::ffi::CString;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

use polyproc::{Process, ProcessOptions, Stdio, Wait};

/// Says which role this test binary plays if a test has started it.
pub const ROLE: &str = "POLYPROC_TEST_ROLE";

pub fn c(text: &str) -> CString {
    CString::new(text).expect("no NUL")
}

pub fn seconds(count: i64) -> Wait<'static> {
    Wait::for_ns(count * 1_000_000_000)
}

pub fn program(argv: &[&str]) -> ProcessOptions {
    ProcessOptions {
        argv: argv.iter().map(|arg| c(arg)).collect(),
        ..ProcessOptions::default()
    }
}

pub fn shell(script: &str) -> ProcessOptions {
    program(&["/bin/sh", "-c", script])
}

/// Returns this test binary as another process, which runs a function of `roles`.
pub fn role(name: &str) -> ProcessOptions {
    let me = std::env::current_exe().expect("own path");
    let me = me.to_str().expect("UTF-8");
    let mut options = program(&[
        me,
        "roles::play",
        "--exact",
        "--nocapture",
        "--test-threads=1",
    ]);
    options.env.push(c(&format!("{ROLE}={name}")));
    options
}

pub fn run(options: &ProcessOptions) -> i32 {
    let process = Process::spawn(options).expect("spawn");
    process.join_timeout(seconds(30)).expect("join");
    process.exit_code().expect("exit code")
}

pub fn pipe() -> (File, OwnedFd) {
    let mut ends = [0; 2];
    // SAFETY: two descriptors fit there.
    let made = unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) };
    assert_eq!(made, 0);
    // SAFETY: both are new.
    unsafe { (File::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])) }
}

/// Runs it to its end; returns the exit code and its stdout.
pub fn output(mut options: ProcessOptions) -> (i32, String) {
    let (mut read, write) = pipe();
    options.stdout = Stdio::Fd(write.as_raw_fd());
    let process = Process::spawn(&options).expect("spawn");
    drop(write);
    let mut text = String::new();
    read.read_to_string(&mut text).expect("text");
    process.join_timeout(seconds(30)).expect("join");
    (process.exit_code().expect("exit code"), text)
}

/// Returns a role's exit code and its stderr, to which libtest writes nothing.
pub fn report(mut options: ProcessOptions) -> (i32, String) {
    let (mut read, write) = pipe();
    options.stdout = Stdio::Null;
    options.stderr = Stdio::Fd(write.as_raw_fd());
    let process = Process::spawn(&options).expect("spawn");
    drop(write);
    let mut text = String::new();
    read.read_to_string(&mut text).expect("text");
    process.join_timeout(seconds(30)).expect("join");
    (process.exit_code().expect("exit code"), text)
}

/// A role passes if it exits with 0; any other output is shown.
pub fn assert_plays(options: ProcessOptions) {
    let (code, text) = report(options);
    assert_eq!(code, 0, "{text}");
}

/// Returns an unlinked file in memory that holds `text`.
pub fn memory(text: &str) -> OwnedFd {
    // SAFETY: the name ends in NUL; the descriptor is checked.
    let fd = unsafe { libc::memfd_create(c"process-test".as_ptr(), libc::MFD_CLOEXEC) };
    assert!(fd >= 0);
    // SAFETY: new.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    std::fs::write(format!("/proc/self/fd/{}", fd.as_raw_fd()), text).expect("write");
    fd
}

pub fn contents(fd: &OwnedFd) -> String {
    std::fs::read_to_string(format!("/proc/self/fd/{}", fd.as_raw_fd())).expect("read")
}

/// Returns how many descriptors are open.
pub fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("/proc").count()
}

/// Returns whether this process has a child, a zombie included.
pub fn has_children() -> bool {
    // SAFETY: all zeros is a valid siginfo_t, and WNOWAIT takes nothing away.
    unsafe {
        let mut info = std::mem::zeroed::<libc::siginfo_t>();
        libc::waitid(
            libc::P_ALL,
            0,
            &mut info,
            libc::WEXITED | libc::WNOHANG | libc::WNOWAIT,
        ) == 0
    }
}

/// Returns whether the kernel keeps the exit code of a child that another process has reaped (Linux
/// 6.15).
pub fn kernel_keeps_exit_codes() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").expect("/proc");
    let mut numbers = release
        .split(|byte: char| !byte.is_ascii_digit())
        .map(str::parse::<u32>);
    let mut next = || numbers.next().and_then(Result::ok).unwrap_or(0);
    (next(), next()) >= (6, 15) && std::env::var_os("POLYPROC_NO_PIDFD").is_none()
}

/// Waits for a change that another process brings about.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < end, "{what} did not come");
        std::thread::sleep(Duration::from_millis(2));
    }
}
