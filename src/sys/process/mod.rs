//! Processes in the kernel's terms: process descriptors, exit states, signals.
//!
//! [`exec`] starts a program, [`fork`] a copy of this process.

pub(crate) mod exec;
pub(crate) mod fork;
mod streams;

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::atomic::{AtomicU8, Ordering};

use super::descriptor::OwnedFd;
use super::{clock, descriptor, errno, syscall};
use crate::status::detail;
use crate::status::{Result, Status};

/// The id of this process.
pub(crate) fn pid() -> i32 {
    // SAFETY: no preconditions.
    unsafe { libc::getpid() }
}

/// The id of the parent process; 0 if the parent lies outside of this pid namespace.
pub(crate) fn parent_pid() -> i32 {
    // SAFETY: no preconditions.
    unsafe { libc::getppid() }
}

/// Call `body` when this process exits by exit(3) or by a return from main.
pub(crate) fn at_exit(body: extern "C" fn()) -> Result<()> {
    // SAFETY: the library is never unloaded, so the function exists as long as the process.
    match unsafe { libc::atexit(body) } {
        0 => Ok(()),
        _ => Err(detail::failed("atexit", libc::ENOMEM)),
    }
}

/// Report whether the calling thread is the first thread of its process.
pub(crate) fn is_leader() -> bool {
    super::thread::tid() == pid() as u32
}

/// The status for the errno of a system call on a process.
pub(crate) fn status_of(call: &'static str, errno: i32) -> Status {
    let status = match errno {
        libc::ENOTDIR => Status::E_NOT_FOUND,
        libc::ESRCH => Status::E_NOT_FOUND,
        libc::EAGAIN => Status::E_LIMIT,
        other => Status::from_errno(other),
    };
    detail::failed_as(status, call, errno)
}

/// Report whether process descriptors must not be used: `POLYPROC_NO_PIDFD=1`, for tests of the
/// path that old kernels (before 5.3) and some sandboxes require.
pub(crate) fn without_pidfd() -> bool {
    const UNKNOWN: u8 = 0;
    const WITH: u8 = 1;
    const WITHOUT: u8 = 2;
    static KNOWN: AtomicU8 = AtomicU8::new(UNKNOWN);
    match KNOWN.load(Ordering::Relaxed) {
        WITH => false,
        WITHOUT => true,
        _ => {
            let without = super::is_advised("POLYPROC_NO_PIDFD");
            KNOWN.store(if without { WITHOUT } else { WITH }, Ordering::Relaxed);
            without
        }
    }
}

/// A descriptor of the process `pid`; `None` if the kernel or a filter does not provide one.
pub(crate) fn open(pid: i32) -> Result<Option<OwnedFd>> {
    if without_pidfd() {
        return Ok(None);
    }
    // SAFETY: no pointers.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    if fd >= 0 {
        return descriptor::adopt(fd as RawFd).map(Some);
    }
    match errno() {
        libc::ENOSYS | libc::EPERM | libc::EACCES => Ok(None),
        // A thread that is not the first of its process (ENOENT since Linux 6.14).
        errno @ (libc::EINVAL | libc::ENOENT) => {
            Err(detail::failed_as(Status::E_NOT_FOUND, "pidfd_open", errno))
        }
        other => Err(status_of("pidfd_open", other)),
    }
}

/// The state of a child.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ending {
    Running,
    /// Its exit code, or the negative number of the signal that ended it.
    Ended(i32),
    /// Not a child of this process, or no longer: other code has reaped it.
    NotOurs,
}

/// Check whether a child has ended. With `collect` this reaps the child; otherwise the state can be
/// asked again.
pub(crate) fn ending(pid: i32, pidfd: Option<BorrowedFd<'_>>, collect: bool) -> Result<Ending> {
    let keep = if collect { 0 } else { libc::WNOWAIT };
    wait_id(pid, pidfd, libc::WEXITED | libc::WNOHANG | keep)
}

/// Wait for a child that is about to end in any case, and reap it.
fn collect(pid: i32, pidfd: Option<BorrowedFd<'_>>) {
    while wait_id(pid, pidfd, libc::WEXITED) == Err(Status::E_INTERRUPTED) {}
}

fn wait_id(pid: i32, pidfd: Option<BorrowedFd<'_>>, options: i32) -> Result<Ending> {
    if let Some(fd) = pidfd {
        // The descriptor identifies the process even if its process id is used again.
        match wait_on(libc::P_PIDFD, fd.as_raw_fd() as libc::id_t, options) {
            // Linux 5.3 can open such a descriptor, but cannot wait for it yet.
            Err(libc::EINVAL) => {}
            other => return other.map_err(|errno| status_of("waitid", errno)),
        }
    }
    wait_on(libc::P_PID, pid as libc::id_t, options).map_err(|errno| status_of("waitid", errno))
}

/// waitid(2) by number: the C function is a cancellation point, which could leave a zombie.
fn wait_on(kind: libc::idtype_t, id: libc::id_t, options: i32) -> std::result::Result<Ending, i32> {
    // SAFETY: all zeros is a valid siginfo_t; the kernel writes within it.
    let (done, info) = unsafe {
        let mut info = std::mem::zeroed::<libc::siginfo_t>();
        let usage = std::ptr::null::<libc::rusage>();
        (
            libc::syscall(libc::SYS_waitid, kind, id, &mut info, options, usage),
            info,
        )
    };
    if done < 0 {
        return match errno() {
            libc::ECHILD => Ok(Ending::NotOurs),
            other => Err(other),
        };
    }
    // SAFETY: waitid fills the child's part of siginfo_t, or leaves the zeros.
    let (child, status) = unsafe { (info.si_pid(), info.si_status()) };
    Ok(match (child, info.si_code) {
        (0, _) => Ending::Running,
        (_, libc::CLD_EXITED) => Ending::Ended(status),
        _ => Ending::Ended(-status),
    })
}

/// The state of the process behind a descriptor.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Debug)]
pub(crate) enum Stage {
    Running,
    /// It has ended, and its parent has not reaped it yet.
    Zombie,
    /// It has been reaped. The kernel reports this since Linux 6.9; before, such a process looks
    /// like a zombie.
    Gone,
}

/// The state of the process. With `patience_ms` the call waits at most this long for the process to
/// be reaped.
pub(crate) fn stage(pidfd: BorrowedFd<'_>, patience_ms: i32) -> Stage {
    let events = if patience_ms == 0 { libc::POLLIN } else { 0 };
    let mut items = [libc::pollfd {
        fd: pidfd.as_raw_fd(),
        events,
        revents: 0,
    }];
    // An interrupted wait counts as no change.
    let patience = u64::try_from(patience_ms).ok();
    syscall::ppoll(
        &mut items,
        patience.map(|ms| clock::timespec(ms * 1_000_000)),
    );
    let [item] = items;
    match item.revents {
        // The descriptor is closed, which tells nothing about the process.
        bits if bits & libc::POLLNVAL != 0 => Stage::Running,
        bits if bits & libc::POLLHUP != 0 => Stage::Gone,
        0 if patience_ms == 0 => Stage::Running,
        _ => Stage::Zombie,
    }
}

/// `struct pidfd_info` as of Linux 6.13.
#[repr(C)]
#[derive(Default)]
struct PidfdInfo {
    mask: u64,
    cgroup: u64,
    ids: [u32; 11],
    exit_code: i32,
}
const _: () = assert!(std::mem::size_of::<PidfdInfo>() == 64);
const PIDFD_INFO_EXIT: u64 = 1 << 3;
/// `_IOWR(0xFF, 11, struct pidfd_info)`
const PIDFD_GET_INFO: u32 = (3 << 30) | (64 << 16) | (0xFF << 8) | 11;

/// The exit code of a process that other code has reaped (Linux 6.15); `None` while it is not
/// reaped; an error if the kernel does not know.
pub(crate) fn exit_info(pidfd: BorrowedFd<'_>) -> Result<Option<i32>> {
    let mut info = PidfdInfo {
        mask: PIDFD_INFO_EXIT,
        ..PidfdInfo::default()
    };
    // SAFETY: the request's size is that of `info`, a local.
    let done = unsafe { libc::ioctl(pidfd.as_raw_fd(), PIDFD_GET_INFO as _, &mut info) };
    if done < 0 {
        return Err(status_of("ioctl", errno()));
    }
    if info.mask & PIDFD_INFO_EXIT == 0 {
        return Ok(None);
    }
    let signal = libc::WTERMSIG(info.exit_code);
    Ok(Some(if signal == 0 {
        libc::WEXITSTATUS(info.exit_code)
    } else {
        -signal
    }))
}

/// Send a signal; `E_NOT_FOUND` if the process is gone.
///
/// Without a descriptor, `pid` must be a child of this process that no code has reaped: otherwise
/// its process id could belong to another process.
pub(crate) fn send_signal(pid: i32, pidfd: Option<BorrowedFd<'_>>, signal: i32) -> Result<()> {
    // SAFETY: no pointers but a null siginfo, which means an ordinary kill.
    let done = unsafe {
        match pidfd {
            Some(fd) => {
                let info = std::ptr::null::<libc::siginfo_t>();
                libc::syscall(libc::SYS_pidfd_send_signal, fd.as_raw_fd(), signal, info, 0)
            }
            None => libc::c_long::from(libc::kill(pid, signal)),
        }
    };
    if done == 0 {
        Ok(())
    } else {
        Err(status_of("kill", errno()))
    }
}

/// Report whether a process with this id exists, whoever owns it.
pub(crate) fn exists(pid: i32) -> bool {
    send_signal(pid, None, 0) != Err(Status::E_NOT_FOUND)
}

/// Make the kernel send SIGKILL to this process when the thread that created it ends, and then
/// check whether the parent has ended already. On false it has, and this process should end too.
///
/// The order matters: the check sees a parent that ends before the request, and the signal comes
/// from a parent that ends after it. A parent outside of this pid namespace has the id 0 before and
/// after. This function makes system calls only, so a child that shares its parent's memory may
/// call it.
pub(crate) fn die_with_parent(parent: i32) -> bool {
    let (option, signal, unused) = (
        libc::PR_SET_PDEATHSIG,
        libc::SIGKILL as libc::c_ulong,
        0usize,
    );
    // SAFETY: both calls take numbers only.
    unsafe {
        libc::syscall(libc::SYS_prctl, option, signal, unused, unused, unused);
        let now = libc::syscall(libc::SYS_getppid);
        now == libc::c_long::from(parent) || now == 0
    }
}

/// End this process as SIGKILL does.
pub(crate) fn kill_self() -> ! {
    // SAFETY: numbers only.
    unsafe {
        libc::kill(libc::getpid(), libc::SIGKILL);
        libc::_exit(128 + libc::SIGKILL)
    }
}

/// Report whether `fd` is open in this process.
pub(crate) fn is_open(fd: RawFd) -> bool {
    // SAFETY: takes numbers; a bad descriptor is an error.
    unsafe { libc::fcntl(fd, libc::F_GETFD) >= 0 }
}

/// Set close-on-exec for `fd`. Return false if it is not open.
pub(crate) fn close_on_exec(fd: RawFd) -> bool {
    // SAFETY: takes numbers; a bad descriptor is an error.
    unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) >= 0 }
}

/// Open an existing file or directory.
pub(crate) fn open_path(path: &std::ffi::CStr, flags: i32) -> Result<OwnedFd> {
    // SAFETY: the path ends in NUL; nothing is created, so no mode is read.
    let fd = unsafe { syscall::open(path.as_ptr(), flags | libc::O_CLOEXEC, 0) };
    if fd < 0 {
        return Err(status_of("open", errno()));
    }
    descriptor::adopt(fd)
}

/// Borrow an optional descriptor.
pub(crate) fn borrow(fd: &Option<OwnedFd>) -> Option<BorrowedFd<'_>> {
    fd.as_ref().map(AsFd::as_fd)
}
