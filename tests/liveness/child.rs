//! Child processes that hold something, and the words that parent and child share.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// After this time a test gives up. It only ever makes a test fail.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Waits for a change that another process brings about.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < end, "{what}: it does not come");
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Words that a process and its children share.
pub struct Shared(*const [AtomicU32; 16]);

// SAFETY: atomics.
unsafe impl Sync for Shared {}

impl Shared {
    pub fn new() -> Shared {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
        // SAFETY: a fresh anonymous mapping, checked.
        let page = unsafe { libc::mmap(std::ptr::null_mut(), 4096, access, flags, -1, 0) };
        assert_ne!(page, libc::MAP_FAILED);
        Shared(page.cast())
    }

    fn word(&self, at: usize) -> &AtomicU32 {
        // SAFETY: mapped until drop.
        unsafe { &(*self.0)[at] }
    }

    pub fn set(&self, at: usize, value: u32) {
        self.word(at).store(value, Ordering::SeqCst);
    }

    pub fn get(&self, at: usize) -> u32 {
        self.word(at).load(Ordering::SeqCst)
    }

    /// Waits until a child has set a word, and returns it.
    pub fn when_set(&self, at: usize) -> u32 {
        eventually("a word", || self.get(at) != 0);
        self.get(at)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // SAFETY: nobody uses it any more.
        unsafe { libc::munmap(self.0.cast_mut().cast(), 4096) };
    }
}

/// A child process; killed and reaped when it goes out of scope.
pub struct Child {
    pub pid: i32,
}

impl Child {
    /// A child that has run `body` and sleeps until it is killed.
    pub fn that(body: impl FnOnce()) -> Child {
        let done = Shared::new();
        let child = Child::started(|| {
            body();
            done.set(0, 1);
        });
        done.when_set(0);
        child
    }

    /// A child that runs `body` and then sleeps; it may not have begun yet.
    pub fn started(body: impl FnOnce()) -> Child {
        // SAFETY: the child never returns into the test harness.
        let pid = unsafe { libc::fork() };
        assert!(pid >= 0);
        if pid == 0 {
            // SAFETY: no pointers. A failed test leaves no children behind.
            unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
            let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
            if ran.is_err() {
                // SAFETY: no preconditions.
                unsafe { libc::_exit(101) };
            }
            sleep_for_ever();
        }
        Child { pid }
    }

    pub fn signal(&self, signal: i32) {
        // SAFETY: our own child, not reaped yet.
        assert_eq!(unsafe { libc::kill(self.pid, signal) }, 0);
    }

    /// Kills it and leaves it as a zombie.
    pub fn kill_unreaped(&self) {
        self.signal(libc::SIGKILL);
        // SAFETY: all zeros is a valid siginfo_t; WNOWAIT leaves the zombie.
        let seen = unsafe {
            let mut info = std::mem::zeroed::<libc::siginfo_t>();
            let keep = libc::WEXITED | libc::WNOWAIT;
            libc::waitid(libc::P_PID, self.pid as libc::id_t, &mut info, keep)
        };
        assert_eq!(seen, 0);
    }

    pub fn kill(self) {
        drop(self);
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // SAFETY: our own child, not reaped yet.
        unsafe {
            libc::kill(self.pid, libc::SIGKILL);
            libc::waitpid(self.pid, std::ptr::null_mut(), 0);
        }
    }
}

pub fn sleep_for_ever() -> ! {
    loop {
        // SAFETY: no preconditions.
        unsafe { libc::pause() };
    }
}

/// Returns a field of /proc/pid/stat, counted from the state (1) on.
pub fn stat(pid: i32, field: usize) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, behind_name) = stat.rsplit_once(')')?;
    behind_name
        .split_ascii_whitespace()
        .nth(field - 1)
        .map(str::to_owned)
}
