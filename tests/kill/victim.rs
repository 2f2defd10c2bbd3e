//! Child processes that are made to be killed, at a moment that the test chooses.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long anything may take before a test gives up. Only ever makes a test fail.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// A test that measures has the process to itself.
pub fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What parent and child both see: how far the child has come.
struct Stage(*const AtomicU32);

const PREPARING: u32 = 0;
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
}

impl Drop for Stage {
    fn drop(&mut self) {
        // SAFETY: nobody uses it any more.
        unsafe { libc::munmap(self.0.cast_mut().cast(), 4096) };
    }
}

/// A child process; killed and reaped when it goes out of scope.
pub struct Victim {
    pid: i32,
    stage: Stage,
}

impl Victim {
    /// A child that runs `body` and then sleeps until it is killed.
    pub fn that(body: impl FnOnce()) -> Victim {
        let victim = Victim::fork(|stage| {
            body();
            stage.word().store(AFTER, Ordering::Release);
        });
        victim.wait_for(AFTER);
        victim
    }

    /// A child that runs `body`, in which it stays.
    pub fn inside(body: impl FnOnce()) -> Victim {
        let victim = Victim::fork(|stage| {
            stage.word().store(INSIDE, Ordering::Release);
            body();
        });
        victim.wait_for(INSIDE);
        victim
    }

    fn fork(body: impl FnOnce(&Stage)) -> Victim {
        let stage = Stage::new();
        // SAFETY: the child runs `body` and never returns into the test harness.
        let pid = unsafe { libc::fork() };
        assert!(pid >= 0);
        if pid == 0 {
            // A failed test must not leave children behind.
            // SAFETY: no pointers.
            unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
            body(&stage);
            loop {
                // SAFETY: no preconditions.
                unsafe { libc::pause() };
            }
        }
        Victim { pid, stage }
    }

    fn wait_for(&self, stage: u32) {
        let end = Instant::now() + DEADLINE;
        while self.stage.word().load(Ordering::Acquire) < stage {
            assert!(
                Instant::now() < end,
                "the child does not come to stage {stage}"
            );
            std::thread::yield_now();
        }
    }

    pub fn signal(&self, signal: i32) {
        // SAFETY: our own child, not reaped yet.
        assert_eq!(unsafe { libc::kill(self.pid, signal) }, 0);
    }

    /// Wait until its only thread beside the keeper sleeps in a futex.
    pub fn wait_until_asleep(&self) {
        wait_until_asleep(&format!("/proc/{0}/task/{0}/syscall", self.pid));
    }

    /// Wait until its body is over: then it only pauses.
    pub fn wait_until_awake(&self) {
        let end = Instant::now() + DEADLINE;
        let pause = libc::SYS_pause.to_string();
        let file = format!("/proc/{0}/task/{0}/syscall", self.pid);
        while !std::fs::read_to_string(&file)
            .unwrap_or_default()
            .starts_with(&format!("{pause} "))
        {
            assert!(Instant::now() < end, "it is not woken");
            std::thread::yield_now();
        }
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
    let end = Instant::now() + DEADLINE;
    let futex = [libc::SYS_futex.to_string(), "449".to_string()];
    loop {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        if text
            .split(' ')
            .next()
            .is_some_and(|number| futex.iter().any(|call| call == number))
        {
            return;
        }
        assert!(Instant::now() < end, "it does not fall asleep: {text}");
        std::thread::sleep(Duration::from_micros(100));
    }
}

/// A child that is killed after `steps` instructions inside `body`; how many it ran, fewer when `body`
/// was over before. `prepare` runs first, at full speed.
pub fn killed_after(steps: usize, prepare: impl FnOnce(), body: impl FnOnce()) -> usize {
    // On one core a step costs a few microseconds, across cores some fifty.
    stay_on_one_core();
    let victim = Victim::fork(|stage| {
        prepare();
        // SAFETY: no pointers; the parent waits for the stop.
        unsafe {
            libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0);
            libc::raise(libc::SIGSTOP);
        }
        stage.word().store(INSIDE, Ordering::SeqCst);
        body();
        stage.word().store(AFTER, Ordering::SeqCst);
    });
    let mut status = 0;
    // SAFETY: our own child; `status` is writable.
    let stopped = |status: &mut i32| unsafe {
        assert_eq!(libc::waitpid(victim.pid, status, libc::__WALL), victim.pid);
        libc::WIFSTOPPED(*status)
    };
    assert!(stopped(&mut status), "it did not stop: {status}");
    let mut done = 0;
    while victim.stage.word().load(Ordering::SeqCst) != AFTER {
        if victim.stage.word().load(Ordering::SeqCst) == INSIDE {
            if done == steps {
                break;
            }
            done += 1;
        }
        let before = place(victim.pid);
        // SAFETY: the child is stopped by ptrace.
        let stepped = unsafe { libc::ptrace(libc::PTRACE_SINGLESTEP, victim.pid, 0, 0) };
        assert_eq!(stepped, 0);
        assert!(stopped(&mut status), "it ended by itself: {status}");
        if before.is_some() && before == place(victim.pid) {
            finish_repeated(victim.pid);
        }
    }
    assert_ne!(victim.stage.word().load(Ordering::SeqCst), PREPARING);
    done
}

/// Where a stopped child is.
#[cfg(target_arch = "x86_64")]
fn place(pid: i32) -> Option<u64> {
    Some(registers(pid).rip)
}

#[cfg(target_arch = "x86_64")]
fn registers(pid: i32) -> libc::user_regs_struct {
    // SAFETY: plain data; the child is stopped by ptrace.
    unsafe {
        let mut registers = std::mem::zeroed::<libc::user_regs_struct>();
        assert_eq!(
            libc::ptrace(libc::PTRACE_GETREGS, pid, 0, &mut registers),
            0
        );
        registers
    }
}

/// `rep movsb` is a step per byte: let it run to a breakpoint behind it, once it has begun.
#[cfg(target_arch = "x86_64")]
fn finish_repeated(pid: i32) {
    const REP_MOVSB: i64 = 0xa4f3;
    let at = registers(pid).rip;
    // SAFETY: the child is stopped by ptrace, and its own copy of the code is put back as it was.
    unsafe {
        if libc::ptrace(libc::PTRACE_PEEKTEXT, pid, at, 0) & 0xffff != REP_MOVSB {
            return;
        }
        let behind = at + 2;
        let code = libc::ptrace(libc::PTRACE_PEEKTEXT, pid, behind, 0);
        libc::ptrace(libc::PTRACE_POKETEXT, pid, behind, code & !0xff | 0xcc);
        let mut status = 0;
        assert_eq!(libc::ptrace(libc::PTRACE_CONT, pid, 0, 0), 0);
        assert_eq!(libc::waitpid(pid, &mut status, libc::__WALL), pid);
        assert!(libc::WIFSTOPPED(status) && libc::WSTOPSIG(status) == libc::SIGTRAP);
        libc::ptrace(libc::PTRACE_POKETEXT, pid, behind, code);
        let mut registers = registers(pid);
        registers.rip = behind;
        assert_eq!(libc::ptrace(libc::PTRACE_SETREGS, pid, 0, &registers), 0);
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn place(_pid: i32) -> Option<u64> {
    None
}

#[cfg(not(target_arch = "x86_64"))]
fn finish_repeated(_pid: i32) {}

/// Keep this thread, and the children that it forks, on the core where it is.
fn stay_on_one_core() {
    // SAFETY: plain data of the size that is passed.
    unsafe {
        let core = libc::sched_getcpu().max(0) as usize;
        let mut cores = std::mem::zeroed::<libc::cpu_set_t>();
        libc::CPU_SET(core, &mut cores);
        libc::sched_setaffinity(0, size_of_val(&cores), &cores);
    }
}

/// This thread's own file for [`wait_until_asleep`].
pub fn own_syscall_file() -> String {
    // SAFETY: no preconditions.
    let tid = unsafe { libc::syscall(libc::SYS_gettid) };
    format!("/proc/self/task/{tid}/syscall")
}
