//! Child processes that a test kills at a moment of its choice.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// After this time a test gives up. It only ever makes a test fail.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// A test that measures has the process to itself. Where it may (as root), it also goes before the
/// other processes of the machine: how long the dying and the woken wait for a core behind them
/// says nothing about the library. Children and new threads inherit it.
pub fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    let lowest = libc::sched_param { sched_priority: 1 };
    // SAFETY: reads our own structure.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const lowest) };
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The stage of the child, which parent and child both see.
struct Stage(*const AtomicU32);

const INSIDE: u32 = 1;
const AFTER: u32 = 2;

impl Stage {
    fn new() -> Stage {
        let (read_write, shared) = (
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED | libc::MAP_ANONYMOUS,
        );
        // SAFETY: a fresh anonymous mapping, checked.
        let page = unsafe { libc::mmap(std::ptr::null_mut(), 4096, read_write, shared, -1, 0) };
        assert_ne!(page, libc::MAP_FAILED);
        Stage(page.cast())
    }

    fn word(&self) -> &AtomicU32 {
        // SAFETY: mapped until drop.
        unsafe { &*self.0 }
    }

    fn reach(&self, stage: u32) {
        self.word().store(stage, Ordering::Release);
        // SAFETY: wakes the waiters at a word that is mapped until drop.
        unsafe { libc::syscall(libc::SYS_futex, self.0, libc::FUTEX_WAKE, i32::MAX) };
    }

    /// Waits in the kernel: a parent that yields or polls would hold up a child on a busy machine,
    /// or be held up itself for a whole slice.
    fn wait_for(&self, stage: u32) {
        let end = Instant::now() + DEADLINE;
        loop {
            let now = self.word().load(Ordering::Acquire);
            if now >= stage {
                return;
            }
            assert!(
                Instant::now() < end,
                "the child does not come to stage {stage}"
            );
            let brief = libc::timespec {
                tv_sec: 1,
                tv_nsec: 0,
            };
            // SAFETY: the word is mapped until drop, the time is our own.
            unsafe {
                libc::syscall(
                    libc::SYS_futex,
                    self.0,
                    libc::FUTEX_WAIT,
                    now,
                    &raw const brief,
                )
            };
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // SAFETY: nobody uses it any more.
        unsafe { libc::munmap(self.0.cast_mut().cast(), 4096) };
    }
}

/// A child process; killed and reaped when it goes out of scope.
pub struct Victim {
    pub pid: i32,
    stage: Stage,
}

impl Victim {
    /// A child that runs `body` and then sleeps until it is killed.
    pub fn that(body: impl FnOnce()) -> Victim {
        let victim = Victim::fork(|stage| {
            body();
            stage.reach(AFTER);
        });
        victim.stage.wait_for(AFTER);
        victim
    }

    /// Starts a child that runs `body` and stays in it.
    pub fn inside(body: impl FnOnce()) -> Victim {
        let victim = Victim::fork(|stage| {
            stage.reach(INSIDE);
            body();
            stage.reach(AFTER);
        });
        victim.stage.wait_for(INSIDE);
        victim
    }

    fn fork(body: impl FnOnce(&Stage)) -> Victim {
        let stage = Stage::new();
        // SAFETY: the child runs `body` and never returns into the test harness.
        let pid = unsafe { libc::fork() };
        assert!(pid >= 0);
        if pid == 0 {
            // A failed test must leave no children. SAFETY: no pointers.
            unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
            body(&stage);
            loop {
                // SAFETY: no preconditions.
                unsafe { libc::pause() };
            }
        }
        Victim { pid, stage }
    }

    pub fn signal(&self, signal: i32) {
        // SAFETY: our own child, not reaped yet.
        assert_eq!(unsafe { libc::kill(self.pid, signal) }, 0);
    }

    /// Wait until its only thread beside the keeper sleeps in a futex.
    pub fn wait_until_asleep(&self) {
        wait_until_asleep(&format!("/proc/{0}/task/{0}/syscall", self.pid));
    }

    /// Waits until its body is over: then it only pauses.
    pub fn wait_until_awake(&self) {
        self.stage.wait_for(AFTER);
    }

    /// Kill it, and wait until it is gone.
    pub fn kill(self) {
        drop(self);
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        // SAFETY: our own child, not reaped yet.
        unsafe {
            libc::kill(self.pid, libc::SIGKILL);
            libc::waitpid(self.pid, std::ptr::null_mut(), 0);
        }
    }
}

/// Wait until the thread behind a /proc/.../syscall file sleeps in a futex call.
pub fn wait_until_asleep(file: &str) {
    assert!(wait_until_asleep_or(file, || false));
}

/// Waits until the thread sleeps in a futex call, or until `is_over`. Returns whether it sleeps.
pub fn wait_until_asleep_or(file: &str, is_over: impl Fn() -> bool) -> bool {
    let end = Instant::now() + DEADLINE;
    let futex = [libc::SYS_futex.to_string(), "449".to_string()];
    loop {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        if text
            .split(' ')
            .next()
            .is_some_and(|number| futex.iter().any(|call| call == number))
        {
            return true;
        }
        if is_over() {
            return false;
        }
        assert!(Instant::now() < end, "it does not fall asleep: {text}");
        std::thread::sleep(Duration::from_micros(100));
    }
}

/// This thread's own file for [`wait_until_asleep`].
pub fn own_syscall_file() -> String {
    // SAFETY: no preconditions.
    let tid = unsafe { libc::syscall(libc::SYS_gettid) };
    format!("/proc/self/task/{tid}/syscall")
}
