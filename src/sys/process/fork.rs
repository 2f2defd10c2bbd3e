//! A child that is a copy of this process.
//!
//! As in Python, the child ends with _exit(2) after its own output is flushed: output that its
//! parent has not written yet, and exit handlers that its parent has registered, remain the
//! parent's.

use std::ffi::{c_char, c_int, c_void};
use std::os::fd::{AsRawFd, RawFd};
use std::panic::{catch_unwind, AssertUnwindSafe};

use super::exec::{place_stdio, NullEnded, SignalMask, Source, Started};
use super::{open, parent_pid, status_of, streams};
use crate::status::Result;
use crate::sys::descriptor::OwnedFd;
use crate::sys::eventfd;
use crate::sys::{clock, errno, poll};

/// The function that a forked child runs.
pub(crate) type Target = unsafe extern "C" fn(*mut c_void) -> c_int;

extern "C" {
    static mut environ: *const *const c_char;
}

/// How often a child without its parent's descriptor checks whether its parent is gone.
const LOOK_NS: u64 = 10_000_000;

/// How the child begins and ends.
pub(crate) struct Manner {
    /// A descriptor of this process, if there is one. With it the child notices that its parent has
    /// ended and will not open the gate.
    pub(crate) own: Option<RawFd>,
    /// The signals that the child blocks.
    pub(crate) mask: SignalMask,
    /// Whether the child leads a process group of its own.
    pub(crate) leads_group: bool,
    /// The library's work when the child exits.
    pub(crate) at_end: fn(),
}

/// Fork. The child runs `body` and exits with its result.
///
/// The child has the calling thread only. A lock that another thread held stays locked in the
/// child. The tables of this library that `body` uses are locked across the fork (`sys::fork`);
/// other locks are the caller's concern, as with every fork.
///
/// `body` starts after the parent has the child's descriptor. Otherwise a handler of SIGCHLD that
/// reaps every child could run first, and the exit code would be lost.
pub(crate) fn fork(manner: &Manner, body: &mut dyn FnMut() -> c_int) -> Result<Started> {
    let gate = Gate::new(manner.own)?;
    streams::flush_before_fork();
    // SAFETY: the child runs only `body` and exit.
    match unsafe { libc::fork() } {
        0 => {
            begin(manner);
            gate.pass();
            let code =
                catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| std::process::abort());
            end(code, manner.at_end)
        }
        pid if pid > 0 => {
            if manner.leads_group {
                // The child makes the same call. So the group exists before `body` runs and before
                // this call returns, even if one of the two processes is killed.
                // SAFETY: numbers only.
                unsafe { libc::setpgid(pid, pid) };
            }
            let pidfd = open(pid).unwrap_or(None);
            eventfd::raise(gate.event.as_raw_fd());
            Ok(Started { pid, pidfd })
        }
        _ => Err(status_of("fork", errno())),
    }
}

/// Set up the child, before any code of the caller runs.
fn begin(manner: &Manner) {
    manner.mask.apply();
    if manner.leads_group {
        // SAFETY: numbers only.
        unsafe { libc::setpgid(0, 0) };
    }
    streams::forget_what_is_the_parents();
    exit_fence::place(manner.at_end);
}

/// End the child's work. Handlers that its parent has registered with atexit(3) do not run.
fn end(code: c_int, at_end: fn()) -> ! {
    if exit_fence::is_placed() {
        // The child's own handlers run first, and then the fence.
        // SAFETY: the child has one thread, or those that `body` has started.
        unsafe { libc::exit(code) }
    }
    at_end();
    leave_flushed(code)
}

/// A handler of exit(3). It is older than the handlers that the child registers and newer than
/// those of its parent, so it runs between them and ends the process.
#[cfg(target_env = "gnu")]
mod exit_fence {
    use std::ffi::{c_int, c_void};
    use std::sync::atomic::{AtomicU32, Ordering};

    use crate::sys::fork::epoch;

    /// The epoch of the process that has placed the handler.
    static PLACED: AtomicU32 = AtomicU32::new(0);

    extern "C" {
        /// atexit(3), but the handler receives the exit code.
        fn on_exit(handler: extern "C" fn(c_int, *mut c_void), arg: *mut c_void) -> c_int;
    }

    extern "C" fn stop(code: c_int, at_end: *mut c_void) {
        // SAFETY: `place` passes a function of this type.
        let at_end = unsafe { std::mem::transmute::<*mut c_void, fn()>(at_end) };
        at_end();
        super::leave_flushed(code)
    }

    pub(super) fn place(at_end: fn()) {
        // SAFETY: the library is never unloaded, so the handler exists as long as the process.
        if unsafe { on_exit(stop, at_end as *mut c_void) } == 0 {
            PLACED.store(epoch(), Ordering::Relaxed);
        }
    }

    pub(super) fn is_placed() -> bool {
        PLACED.load(Ordering::Relaxed) == epoch()
    }
}

/// Other C libraries do not pass the exit code to a handler: with these, an exit(3) in the middle
/// of the child's work runs the handlers of its parent.
#[cfg(not(target_env = "gnu"))]
mod exit_fence {
    pub(super) fn place(_: fn()) {}

    pub(super) fn is_placed() -> bool {
        false
    }
}

/// The gate at which the child waits until its parent opens it.
struct Gate {
    event: OwnedFd,
    parent: i32,
    parent_fd: Option<RawFd>,
}

impl Gate {
    fn new(own: Option<RawFd>) -> Result<Gate> {
        Ok(Gate {
            event: eventfd::event()?,
            parent: super::pid(),
            parent_fd: own,
        })
    }

    /// Wait in the child. If the parent is killed before it opens the gate, the child notices that,
    /// and goes on.
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

/// Run the caller's function. An exception ends the process here (abort): the frames above are a
/// copy of the parent's, and unwinding into them would go on with the parent's work.
///
/// # Safety
/// `target` may be called with `arg`.
pub(crate) unsafe fn run(target: Target, arg: *mut c_void) -> c_int {
    type Unwinding = unsafe extern "C-unwind" fn(*mut c_void) -> c_int;
    extern "C" fn stop_unwinding(target: Unwinding, arg: *mut c_void) -> c_int {
        // SAFETY: the caller of `run` promises this.
        unsafe { target(arg) }
    }
    // SAFETY: the two types differ in what the compiler assumes about unwinding only.
    stop_unwinding(
        unsafe { std::mem::transmute::<Target, Unwinding>(target) },
        arg,
    )
}

/// End the child at once, without flushing: for a child that could not be set up.
pub(crate) fn leave(code: c_int) -> ! {
    // SAFETY: no preconditions.
    unsafe { libc::_exit(code) }
}

/// End a child that has done its work: its output is flushed, and no exit handler of its parent
/// runs.
pub(crate) fn leave_flushed(code: c_int) -> ! {
    streams::flush_all();
    leave(code)
}

/// Set up the child's descriptors, directory and environment.
pub(crate) fn set_up(
    stdio: [Source; 3],
    cwd: Option<&OwnedFd>,
    env: Option<&'static NullEnded<'static>>,
) -> Result<()> {
    place_stdio(stdio).map_err(|errno| status_of("dup3", errno))?;
    if let Some(directory) = cwd {
        // SAFETY: takes a number.
        if unsafe { libc::fchdir(directory.as_raw_fd()) } < 0 {
            return Err(status_of("fchdir", errno()));
        }
    }
    if let Some(env) = env {
        // SAFETY: this is the only thread. setenv would take a lock that a thread of the parent
        // may have held; libc copies an array that it did not make before it changes it.
        unsafe { environ = env.as_ptr() };
    }
    Ok(())
}
