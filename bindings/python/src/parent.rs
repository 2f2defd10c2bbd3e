//! A daemon dies with its parent, in whatever way that ends.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use pyo3::prelude::*;

/// Kill this process when the process `pid` ends. `sentinel` is the descriptor that tells whether
/// it has ended by now.
///
/// A thread waits for the parent's descriptor. PR_SET_PDEATHSIG would not do: it is sent when the
/// *thread* that forked ends, and under the fork server the parent is another process.
#[pyfunction]
pub fn die_with_parent(pid: i32, sentinel: RawFd) -> PyResult<()> {
    // SAFETY: a system call that touches no memory.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    if fd < 0 {
        match std::io::Error::last_os_error().raw_os_error() {
            Some(libc::ESRCH) => kill_self(),
            // Without process descriptors the sentinel has to do: it stays open while a brother
            // that was forked later lives.
            _ => return watch(None, sentinel),
        }
    }
    // SAFETY: the descriptor is new and ours.
    let parent = unsafe { OwnedFd::from_raw_fd(fd as RawFd) };
    // The parent lives now, so the descriptor is that of the parent and of no later process with
    // its number.
    if is_readable(sentinel, 0) {
        kill_self();
    }
    watch(Some(parent), sentinel)
}

fn watch(parent: Option<OwnedFd>, sentinel: RawFd) -> PyResult<()> {
    let body = move || {
        let fd = parent.as_ref().map_or(sentinel, |fd| fd.as_raw_fd());
        while !is_readable(fd, -1) {}
        kill_self();
    };
    let with_signals = block_signals();
    let started = std::thread::Builder::new()
        .name("polyproc-parent".into())
        .stack_size(64 * 1024)
        .spawn(body);
    // SAFETY: the set was filled by the kernel.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &with_signals, std::ptr::null_mut()) };
    started?;
    Ok(())
}

/// Block all signals in this thread, so that the new one never runs a handler. Returns the mask
/// before.
fn block_signals() -> libc::sigset_t {
    // SAFETY: both sets are written before they are read.
    unsafe {
        let mut all = std::mem::zeroed();
        let mut before = std::mem::zeroed();
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
        before
    }
}

fn is_readable(fd: RawFd, timeout_ms: i32) -> bool {
    let mut poll = libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one entry, ours.
    let ready = unsafe { libc::poll(&mut poll, 1, timeout_ms) };
    ready > 0
}

fn kill_self() -> ! {
    // SAFETY: no memory is involved.
    unsafe { libc::kill(libc::getpid(), libc::SIGKILL) };
    std::process::abort()
}
