//! Child processes: one that is killed, and a third one, which was there before and goes on.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::Ordering;

use crate::page::{is_asleep, page, timed, until, THIRD_READY, THIRD_WOKEN};

/// A child that runs `body` and then sleeps until it is killed.
pub fn forked(body: impl FnOnce()) -> i32 {
    // SAFETY: this process has no thread but this one and the library's; the child never returns into it.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "no fork: {}", std::io::Error::last_os_error());
    if pid == 0 {
        // SAFETY: no pointers. Whatever becomes of this worker, its children end.
        unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
        let code = i32::from(catch_unwind(AssertUnwindSafe(body)).is_err());
        // SAFETY: no preconditions.
        unsafe { libc::_exit(code) };
    }
    pid
}

/// SIGKILL, and wait until it is gone.
pub fn kill(pid: i32) {
    // SAFETY: our own child, not reaped yet.
    unsafe {
        libc::kill(pid, libc::SIGKILL);
        libc::waitpid(pid, std::ptr::null_mut(), libc::__WALL);
    }
}

/// A process that uses the object before the kill, perhaps sleeps in it during the kill, and works with it
/// afterwards.
pub struct Third {
    pid: i32,
    is_over: std::cell::Cell<bool>,
}

impl Third {
    /// It has done `before` when this returns, and sleeps in `sleep` if there is such.
    pub fn start(before: &dyn Fn(), sleep: Option<&dyn Fn()>, work: &dyn Fn()) -> Third {
        let pid = forked(|| {
            before();
            page().third.store(THIRD_READY, Ordering::SeqCst);
            if let Some(sleep) = sleep {
                sleep();
                page().third.store(THIRD_WOKEN, Ordering::SeqCst);
            }
            until("nobody asks the third process", || {
                page().go.load(Ordering::SeqCst) != 0
            });
            work();
        });
        let third = Third {
            pid,
            is_over: false.into(),
        };
        until("the third process does not come", || {
            page().third.load(Ordering::SeqCst) >= THIRD_READY
        });
        if sleep.is_some() {
            until("the third process does not sleep", || {
                third.is_woken() || is_asleep(pid)
            });
        }
        third
    }

    /// Whether its sleep is over.
    pub fn is_woken(&self) -> bool {
        page().third.load(Ordering::SeqCst) == THIRD_WOKEN
    }

    /// Its sleep comes to an end.
    pub fn wakes(&self) {
        timed(|| until("the third process sleeps on", || self.is_woken()));
    }

    /// It does its work.
    pub fn works(&self) {
        page().go.store(1, Ordering::SeqCst);
        let mut status = 0;
        // SAFETY: our own child, not reaped yet; `status` is writable.
        until("the third process does not come to an end", || unsafe {
            libc::waitpid(self.pid, &mut status, libc::WNOHANG) == self.pid
        });
        self.is_over.set(true);
        assert_eq!(status, 0, "the third process failed");
    }
}

impl Drop for Third {
    fn drop(&mut self) {
        if !self.is_over.get() {
            kill(self.pid);
        }
    }
}
