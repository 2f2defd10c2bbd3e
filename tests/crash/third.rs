//! Child processes: one that is killed, and a third one, which was there before and goes on.

use std::cell::Cell;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::Ordering;

use crate::case::said;
use crate::page::{is_asleep, page, reach, timed, until, until_reached};

/// The stages of the third process, and how far it may go.
const READY: u32 = 1;
const MAY_SLEEP: u32 = 2;
const SLEEPS: u32 = 3;
const WOKEN: u32 = 4;
const WORKS: u32 = 5;

/// Starts a child that runs `body` and then sleeps until it is killed.
pub fn forked(body: impl FnOnce()) -> i32 {
    // SAFETY: this process has no thread but this one and the library's; the child never returns
    // into it.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "no fork: {}", std::io::Error::last_os_error());
    if pid == 0 {
        // SAFETY: no pointers. However this worker ends, its children end.
        unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
        let went = catch_unwind(AssertUnwindSafe(body));
        if let Err(panic) = &went {
            eprintln!("a child of the worker: {}", said(&**panic));
        }
        let code = i32::from(went.is_err());
        // SAFETY: no preconditions.
        unsafe { libc::_exit(code) };
    }
    pid
}

/// Sends SIGKILL, and waits until the process is gone.
pub fn kill(pid: i32) {
    // SAFETY: our own child, not reaped yet.
    unsafe {
        libc::kill(pid, libc::SIGKILL);
        libc::waitpid(pid, std::ptr::null_mut(), libc::__WALL);
    }
}

/// A process that uses the object before the kill, may sleep in it during the kill, and works with
/// it afterwards.
pub struct Third {
    pid: i32,
    is_over: Cell<bool>,
}

impl Third {
    /// It has done `before` when this returns.
    pub fn start(before: &dyn Fn(), sleep: &dyn Fn(), work: &dyn Fn()) -> Third {
        let stage = &page().third;
        let pid = forked(|| {
            before();
            reach(stage, READY);
            until_reached(stage, MAY_SLEEP, "nobody lets the third process sleep");
            reach(stage, SLEEPS);
            sleep();
            reach(stage, WOKEN);
            until_reached(stage, WORKS, "nobody asks the third process");
            work();
        });
        page().third_pid.store(pid as u32, Ordering::SeqCst);
        until_reached(stage, READY, "the third process does not come");
        Third {
            pid,
            is_over: false.into(),
        }
    }

    /// Lets it go on to its sleep, if it has one; it sleeps when this returns.
    pub fn may_sleep(&self, sleeps: bool) {
        let stage = &page().third;
        page().third_waits.store(sleeps.into(), Ordering::SeqCst);
        reach(stage, MAY_SLEEP);
        if !sleeps {
            return until_reached(stage, WOKEN, "the third process does not go on");
        }
        until_reached(stage, SLEEPS, "the third process does not go on");
        until("the third process does not sleep", || {
            self.is_woken() || is_asleep(self.pid)
        });
        assert!(
            !self.is_woken(),
            "the third process has nothing to sleep for"
        );
    }

    /// Kills it where it is.
    pub fn dies(&self) {
        kill(self.pid);
        self.is_over.set(true);
        page().third_pid.store(0, Ordering::SeqCst);
    }

    /// Returns whether its sleep is over.
    pub fn is_woken(&self) -> bool {
        page().third.load(Ordering::SeqCst) == WOKEN
    }

    /// Ends its sleep.
    pub fn wakes(&self) {
        timed(|| until_reached(&page().third, WOKEN, "the third process sleeps on"));
    }

    /// Makes it do its work.
    pub fn works(&self) {
        self.wakes();
        reach(&page().third, WORKS);
        ends_well(self.pid, &self.is_over, "the third process");
        page().third_pid.store(0, Ordering::SeqCst);
    }
}

impl Drop for Third {
    fn drop(&mut self) {
        if !self.is_over.get() {
            kill(self.pid);
        }
    }
}

/// Starts a process that is killed when it has done `body`.
pub fn gone_after(body: impl FnOnce()) {
    const DONE: u32 = 1;
    let stage = &page().victim;
    stage.store(0, Ordering::SeqCst);
    let pid = forked(|| {
        body();
        reach(stage, DONE);
        loop {
            std::thread::park();
        }
    });
    until_reached(stage, DONE, "the first process does not come");
    kill(pid);
}

/// A process that sleeps in a call; killed when it goes out of scope.
pub struct Sleeper {
    pid: i32,
    is_over: Cell<bool>,
}

impl Sleeper {
    /// It sleeps in `body` when this returns, and the effect is visible.
    pub fn in_call(body: impl FnOnce(), is_seen: impl Fn() -> bool) -> Sleeper {
        let sleeper = Sleeper {
            pid: forked(body),
            is_over: false.into(),
        };
        until("a process does not sleep", || {
            is_seen() && is_asleep(sleeper.pid)
        });
        sleeper
    }

    /// SIGSTOP or SIGCONT.
    pub fn signal(&self, signal: i32) {
        // SAFETY: our own child, not reaped yet.
        assert_eq!(unsafe { libc::kill(self.pid, signal) }, 0);
    }

    /// Wakes it, and waits for its end.
    pub fn ends(&self) {
        timed(|| ends_well(self.pid, &self.is_over, "a process that slept"));
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        if !self.is_over.get() {
            kill(self.pid);
        }
    }
}

/// Waits until it has ended by itself, with 0.
fn ends_well(pid: i32, is_over: &Cell<bool>, who: &str) {
    let mut status = 0;
    // The process that waits for this worker notices if that never happens. SAFETY: our own child,
    // not reaped yet; `status` is writable.
    unsafe { libc::waitpid(pid, &mut status, 0) };
    is_over.set(true);
    assert_eq!(status, 0, "{who} failed");
}
