//! A process is stopped in the middle of a call, while it holds an internal lock: the others keep
//! their times, and all is whole when it goes on. `make crash STOP=1` does this at every
//! instruction of every operation.

mod objects;
mod pipes;
mod queues;

use std::time::{Duration, Instant};

use polyproc::Wait;

use crate::child::{Child, DEADLINE};

/// The timeout of calls that have one.
const OWN: Duration = Duration::from_millis(100);
/// The library promises 50 ms beyond a call's own time, and a busy machine adds its share. A call
/// that waited for the stopped process took a second, or never returned.
const BEYOND: Duration = Duration::from_millis(400);

fn own() -> Wait<'static> {
    Wait::from(OWN)
}

fn in_time() -> Wait<'static> {
    Wait::from(DEADLINE)
}

/// Makes a call that may wait for so long by itself.
fn within<T>(own: Duration, call: impl FnOnce() -> T) -> T {
    let begin = Instant::now();
    let answer = call();
    let took = begin.elapsed();
    assert!(took < own + BEYOND, "it took {took:?}");
    answer
}

/// Makes a call that does not block.
fn at_once<T>(call: impl FnOnce() -> T) -> T {
    within(Duration::ZERO, call)
}

/// A process that stands at an instruction of its call.
struct Stopped(Child);

impl Stopped {
    /// A child that has done `before` and is stopped within `body`, as soon as `is_held` sees that
    /// it holds the lock.
    fn within(before: impl FnOnce(), body: impl FnOnce(), is_held: impl Fn() -> bool) -> Stopped {
        let child = Child::started(|| {
            before();
            // SAFETY: no pointers.
            unsafe {
                libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0);
                libc::raise(libc::SIGSTOP);
            }
            body();
            // SAFETY: no preconditions.
            unsafe { libc::_exit(0) };
        });
        let stopped = Stopped(child);
        assert!(libc::WIFSTOPPED(stopped.wait()));
        while !is_held() {
            stopped.ask(libc::PTRACE_SINGLESTEP);
            let status = stopped.wait();
            assert!(libc::WIFSTOPPED(status), "it never held it: {status:#x}");
        }
        stopped
    }

    fn ask(&self, request: libc::c_uint) {
        // SAFETY: our own child, which this thread traces; no memory is passed.
        assert_eq!(unsafe { libc::ptrace(request, self.0.pid, 0, 0) }, 0);
    }

    fn wait(&self) -> i32 {
        let mut status = 0;
        // SAFETY: our own child; `status` is writable.
        let waited = unsafe { libc::waitpid(self.0.pid, &mut status, 0) };
        assert_eq!(waited, self.0.pid);
        status
    }

    /// Lets it go on with the handler of SIGUSR1, and then to the end of its call.
    fn handles(&self) {
        // SAFETY: our own child, which this thread traces; no memory is passed.
        let asked = unsafe { libc::ptrace(libc::PTRACE_CONT, self.0.pid, 0, libc::SIGUSR1) };
        assert_eq!(asked, 0);
    }

    /// Waits for the end of its call.
    fn ends(self) {
        assert_eq!(self.wait(), 0, "it failed");
        // It is reaped, so its number may be another process's.
        std::mem::forget(self.0);
    }

    /// Lets it go on, to the end of its call.
    fn goes_on(self) {
        self.ask(libc::PTRACE_CONT);
        self.ends();
    }
}
