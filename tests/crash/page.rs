//! A page of words through which the processes of one worker communicate, apart from the object.

use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// After this time a call counts as stuck. It only ever makes a run fail.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// The victim's body has returned.
pub const AFTER: u32 = 2;

#[derive(Default)]
#[repr(C)]
pub struct Page {
    pub victim: AtomicU32,
    /// The stage that the victim's body has marked.
    pub mark: AtomicU32,
    /// The parent has done what the victim's body waited for.
    pub woken: AtomicU32,
    pub third: AtomicU32,
    /// The third process's number, 0 if there is none.
    pub third_pid: AtomicU32,
    /// The third process waits for the object, and may get it at any time.
    pub third_waits: AtomicU32,
    /// The stage of the process that closes the object while another is stopped, and how long the
    /// close took.
    pub leaver: AtomicU32,
    pub closing_ns: AtomicU64,
    /// The longest call of a survivor since the kill, without the time spent waiting for a core.
    pub stall_ns: AtomicU64,
}

impl Page {
    pub fn reset(&self) {
        for word in [
            &self.victim,
            &self.mark,
            &self.woken,
            &self.third,
            &self.third_pid,
            &self.third_waits,
            &self.leaver,
        ] {
            word.store(0, Ordering::SeqCst);
        }
        self.stall_ns.store(0, Ordering::SeqCst);
    }
}

static PAGE: AtomicPtr<Page> = AtomicPtr::new(std::ptr::null_mut());

/// This worker's page, shared with every process that it forks from now on.
pub fn page() -> &'static Page {
    let page = PAGE.load(Ordering::Relaxed);
    if page.is_null() {
        return renew_page();
    }
    // SAFETY: from `shared`, which is never unmapped.
    unsafe { &*page }
}

/// Run by a worker at its start: gives it a page of its own, not that of the process that forked
/// it.
pub fn renew_page() -> &'static Page {
    let page: &'static Page = shared();
    PAGE.store(std::ptr::from_ref(page).cast_mut(), Ordering::Relaxed);
    page
}

/// Returns zeros that this process shares with the children that it forks, for as long as it lives.
pub fn shared<T>() -> &'static T {
    let (access, flags) = (
        libc::PROT_READ | libc::PROT_WRITE,
        libc::MAP_SHARED | libc::MAP_ANONYMOUS,
    );
    // SAFETY: a fresh mapping, checked and never unmapped; the types used here are atomics, for
    // which zeros are valid.
    unsafe {
        let page = libc::mmap(std::ptr::null_mut(), size_of::<T>(), access, flags, -1, 0);
        assert_ne!(page, libc::MAP_FAILED);
        &*page.cast()
    }
}

/// The victim's body marks a stage.
pub fn mark(how_far: u32) {
    page().mark.store(how_far, Ordering::SeqCst);
}

/// Tells the processes that wait that a stage is reached.
pub fn reach(word: &AtomicU32, stage: u32) {
    word.store(stage, Ordering::SeqCst);
    futex(word, libc::FUTEX_WAKE, i32::MAX as u32);
}

/// Sleeps until a word has reached a stage, or a later one.
pub fn until_reached(word: &AtomicU32, stage: u32, what: &str) {
    let end = Instant::now() + DEADLINE;
    loop {
        let now = word.load(Ordering::SeqCst);
        if now >= stage {
            return;
        }
        assert!(Instant::now() < end, "stuck: {what}");
        futex(word, libc::FUTEX_WAIT, now);
    }
}

fn futex(word: &AtomicU32, operation: i32, value: u32) {
    let second = libc::timespec {
        tv_sec: 1,
        tv_nsec: 0,
    };
    // SAFETY: a word and a time that live as long as the call.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, value, &second) };
}

/// Yields the core until `holds` returns true. For changes that another process on the same core
/// makes without a notification.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < end, "stuck: {what}");
        std::thread::yield_now();
    }
}

/// Returns whether the first thread of a process sleeps in a system call that waits for others.
pub fn is_asleep(pid: i32) -> bool {
    let number = std::fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
    let number = number.split(' ').next().and_then(|word| word.parse().ok());
    number.is_some_and(|number| waits(number) && state(pid) == Some('S'))
}

/// System calls that end only when another thread or process acts.
pub fn waits(number: i64) -> bool {
    const FUTEX_WAITV: i64 = 449;
    [
        libc::SYS_futex,
        FUTEX_WAITV,
        libc::SYS_poll,
        libc::SYS_ppoll,
    ]
    .contains(&number)
}

fn state(pid: i32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// Makes and times a call of a survivor. It subtracts the time spent waiting for a core, and the
/// time in which the third process acted, for which the call may wait.
pub fn timed<R>(call: impl FnOnce() -> R) -> R {
    let (begin, waited) = (Instant::now(), waited_for_a_core());
    let result = call();
    let took = begin.elapsed();
    let took = took.saturating_sub(waited_for_a_core().saturating_sub(waited));
    page()
        .stall_ns
        .fetch_max(took.as_nanos() as u64, Ordering::SeqCst);
    result
}

/// How long this thread and the third process were runnable and waited for a core so far.
fn waited_for_a_core() -> Duration {
    let third = page().third_pid.load(Ordering::SeqCst);
    let of_third = match third == 0 || third == std::process::id() {
        true => Duration::ZERO,
        false => delay(&format!("/proc/{third}/schedstat")),
    };
    delay_of_this_thread() + of_third
}

/// How long this thread was runnable and waited for a core so far.
pub fn delay_of_this_thread() -> Duration {
    delay("/proc/thread-self/schedstat")
}

fn delay(file: &str) -> Duration {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let delay = text.split(' ').nth(1).and_then(|word| word.parse().ok());
    Duration::from_nanos(delay.unwrap_or(0))
}
