//! A child that is a copy of this process.

use std::ffi::{c_char, c_int, c_void};
use std::os::fd::{AsRawFd, RawFd};
use std::panic::{catch_unwind, AssertUnwindSafe};

use super::exec::{place_stdio, NullEnded, Source, Started};
use super::{open, parent_pid, status_of};
use crate::status::Result;
use crate::sys::descriptor::OwnedFd;
use crate::sys::{call, clock, errno, poll};

/// What a forked child runs.
pub(crate) type Target = unsafe extern "C" fn(*mut c_void) -> c_int;

extern "C" {
    fn __fpurge(stream: *mut libc::FILE);
    static mut stdout: *mut libc::FILE;
    static mut environ: *const *const c_char;
}

/// How often a child without its parent's descriptor looks whether it waits in vain.
const LOOK_NS: u64 = 10_000_000;

/// Fork; the child runs `body` and leaves with exit(3).
///
/// The child has the calling thread only. A lock that another thread held stays held there:
/// what `body` uses of this library is held across the fork (`sys::fork`), the rest is the
/// caller's to know, as with every fork.
///
/// `body` runs when the parent has the child's descriptor: a handler of SIGCHLD that collects
/// every child could come first otherwise, and the exit code would be lost. `own` is a descriptor
/// of this process, where there is one: the child sees there that no word will come.
pub(crate) fn fork(own: Option<RawFd>, body: &mut dyn FnMut() -> c_int) -> Result<Started> {
    let gate = Gate::new(own)?;
    // SAFETY: libc's own stream. What it holds would be written by the parent and by the child.
    call::without_cancellation(|| unsafe { libc::fflush(stdout) });
    // SAFETY: the child goes nowhere but into `body` and exit.
    match unsafe { libc::fork() } {
        0 => {
            gate.pass();
            let code =
                catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| std::process::abort());
            // SAFETY: the child has one thread (and a watcher, which uses nothing of libc's).
            unsafe { libc::exit(code) }
        }
        pid if pid > 0 => {
            let pidfd = open(pid).unwrap_or(None);
            poll::raise(gate.event.as_raw_fd());
            Ok(Started { pid, pidfd })
        }
        _ => Err(status_of(errno())),
    }
}

/// Where the child waits for its parent's word.
struct Gate {
    event: OwnedFd,
    parent: i32,
    parent_fd: Option<RawFd>,
}

impl Gate {
    fn new(own: Option<RawFd>) -> Result<Gate> {
        Ok(Gate {
            event: poll::event()?,
            parent: super::pid(),
            parent_fd: own,
        })
    }

    /// In the child. A parent that was killed gives no word, and none is needed then.
    fn pass(self) {
        loop {
            let (fds, deadline) = match self.parent_fd {
                Some(parent) => (&[self.event.as_raw_fd(), parent][..], None),
                None => (
                    &[self.event.as_raw_fd()][..],
                    Some(clock::now_ns() + LOOK_NS),
                ),
            };
            let ready = poll::readable(fds, deadline).unwrap_or(0);
            if ready != 0 || parent_pid() != self.parent {
                return;
            }
        }
    }
}

/// Run the caller's function. What it throws ends the process here (abort): the frames above are
/// a copy of the parent's, and would go on with the parent's work.
///
/// # Safety
/// `target` may be called with `arg`.
pub(crate) unsafe fn run(target: Target, arg: *mut c_void) -> c_int {
    type Unwinding = unsafe extern "C-unwind" fn(*mut c_void) -> c_int;
    extern "C" fn stop_unwinding(target: Unwinding, arg: *mut c_void) -> c_int {
        // SAFETY: promised by the caller of `run`.
        unsafe { target(arg) }
    }
    // SAFETY: the two types differ in what the compiler assumes about unwinding only.
    stop_unwinding(
        unsafe { std::mem::transmute::<Target, Unwinding>(target) },
        arg,
    )
}

/// Leave the child without a word: for one that could not be set up.
pub(crate) fn leave(code: c_int) -> ! {
    // SAFETY: no preconditions.
    unsafe { libc::_exit(code) }
}

/// The same for one that has done its work: what it has printed is written, and nothing runs that its parent
/// had registered for its own end.
pub(crate) fn leave_flushed(code: c_int) -> ! {
    // SAFETY: libc's own stream.
    unsafe { libc::fflush(stdout) };
    leave(code)
}

/// Forget what libc holds for stdout: in a child it is its parent's, who writes it.
pub(crate) fn forget_output() {
    // SAFETY: libc's own stream.
    unsafe { __fpurge(stdout) };
}

/// The child's descriptors, directory and environment.
pub(crate) fn set_up(
    stdio: [Source; 3],
    cwd: Option<&OwnedFd>,
    env: Option<&'static NullEnded<'static>>,
) -> Result<()> {
    place_stdio(stdio).map_err(status_of)?;
    if let Some(directory) = cwd {
        // SAFETY: takes a number.
        if unsafe { libc::fchdir(directory.as_raw_fd()) } < 0 {
            return Err(status_of(errno()));
        }
    }
    if let Some(env) = env {
        // SAFETY: this is the only thread. setenv would take a lock that a thread of the parent
        // may have held; libc copies an array that it did not make before it changes it.
        unsafe { environ = env.as_ptr() };
    }
    Ok(())
}
