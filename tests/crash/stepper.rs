//! A child that runs instruction by instruction and is killed after a chosen number of them.
//!
//! A first run takes a step per instruction and records its path. Later runs go to a place shortly
//! before their end at full speed, with a hardware breakpoint (the code stays as it is), and step
//! from there.

use std::cell::Cell;
use std::mem::offset_of;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::page::{is_asleep, page, waits, AFTER, DEADLINE};
use crate::stores::{may_store, LONGEST};
use crate::third::{forked, kill};

/// How many rounds of a loop are tried. Later rounds are alike, and to reach a round takes a stop
/// at every round before it.
const ROUNDS: usize = 200;

/// The places that a run has passed.
#[derive(Default)]
pub struct Path {
    /// For each step its place, and how often the place was reached before. `None` if a breakpoint
    /// cannot tell the steps apart.
    steps: Vec<Option<(u64, usize)>>,
    reached: std::collections::HashMap<u64, usize>,
}

impl Path {
    /// Steps of the whole run.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Adds a step. Returns whether the step is in one of the first rounds of a loop, or in no
    /// loop.
    fn add(&mut self, place: Option<u64>) -> bool {
        let step = place.map(|place| {
            let before = self.reached.entry(place).or_default();
            *before += 1;
            (place, *before - 1)
        });
        self.steps.push(step);
        step.is_none_or(|(_, before)| before < ROUNDS)
    }

    /// Returns up to `most` steps after which to kill, spread over the run; in a loop, steps of the
    /// first rounds only.
    pub fn kill_points(&self, most: usize) -> Vec<usize> {
        let is_early = |at: &usize| {
            let step = self.steps.get(*at).copied().flatten();
            step.is_none_or(|(_, before)| before < ROUNDS)
        };
        let all: Vec<usize> = (0..=self.len()).filter(is_early).collect();
        if all.len() <= most {
            return all;
        }
        let last = (most - 1).max(1);
        (0..most)
            .map(|point| all[point * (all.len() - 1) / last])
            .collect()
    }

    /// Returns the place to which to run at full speed on the way to a step: the step at that
    /// place, the place, and how often the run passes the place before.
    fn short_cut(&self, to: usize) -> Option<(usize, u64, usize)> {
        const FAR: usize = 256;
        let to = to.min(self.len().saturating_sub(1));
        (to.saturating_sub(FAR)..=to)
            .filter_map(|at| {
                self.steps
                    .get(at)
                    .copied()
                    .flatten()
                    .map(|(place, before)| (at, place, before))
            })
            .min_by_key(|(at, _, before)| before + (to - at))
            .filter(|(at, _, before)| before < at)
    }
}

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// In the middle of the body.
    Killed,
    /// The body had returned.
    Returned,
    /// The body had returned on another path than the recorded one.
    Strayed,
}

/// Where a child has stopped.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// Before an instruction of the body.
    Inside,
    /// In a system call of the body that waits for others.
    Asleep,
    /// Behind the body.
    Behind,
    /// Behind the body, on another path than the recorded one.
    Astray,
}

/// The code that runs in a child, and the help from outside.
pub struct Body<'a> {
    /// Runs at full speed, before the body.
    pub prepare: &'a dyn Fn(),
    /// Runs in this process, when the child stands before the first instruction of the body.
    pub is_ready: &'a dyn Fn(),
    pub body: &'a dyn Fn(),
    /// Ends the wait of the body.
    pub wake: Option<&'a dyn Fn()>,
    /// A body that panics counts as returned: others have taken what it relies on.
    pub may_fail: bool,
}

/// Runs `body` in a child and records its path.
pub fn record(body: &Body<'_>) -> Path {
    record_beside(body, &mut |_, _| ())
}

/// The change that the last step may have made for others.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Nothing,
    Store,
    /// The step was a system call.
    Anything,
}

/// As [`record`]. Calls `look` before each step and after the last one. The arguments of `look`:
/// whether the step is in one of the first rounds of a loop, or in no loop, and the effect of the
/// step before it.
pub fn record_beside(body: &Body<'_>, look: &mut dyn FnMut(bool, Effect)) -> Path {
    let mut path = Path::default();
    let mut effect = Effect::Anything;
    let tracee = Tracee::new(body);
    tracee.step_to(usize::MAX, 0, &mut |place| {
        look(path.add(place), effect);
        effect = place.map_or(Effect::Anything, effect_of);
    });
    look(true, effect);
    path
}

/// Runs `body` in a child and kills it after `limit` steps of a run along `path`.
pub fn run(limit: usize, path: &Path, body: &Body<'_>) -> Ended {
    match stop(limit, path, body).1 {
        Stands::Inside | Stands::Asleep => Ended::Killed,
        Stands::Behind => Ended::Returned,
        Stands::Astray => Ended::Strayed,
    }
}

/// Runs `body` in a child and leaves it where it stands after `limit` steps of a run along `path`.
pub fn stop<'a>(limit: usize, path: &Path, body: &Body<'a>) -> (Tracee<'a>, Stands) {
    let tracee = Tracee::new(body);
    let mut steps = 0;
    if let Some((at, place, before)) = path.short_cut(limit) {
        steps = at;
        if !tracee.run_to(place, before) {
            return (tracee, Stands::Astray);
        }
    }
    let stands = match tracee.step_to(limit, steps, &mut |_| ()) {
        true => Stands::Behind,
        false if tracee.sleeps.get() => Stands::Asleep,
        false => Stands::Inside,
    };
    (tracee, stands)
}

/// A child that is traced, and killed in the end.
pub struct Tracee<'a> {
    pid: i32,
    wake: Option<&'a dyn Fn()>,
    /// It was left in a system call that waits for others.
    sleeps: Cell<bool>,
}

/// Where a step can leave a child.
enum Instruction {
    SystemCall,
    /// A step is one round of it; its length in bytes.
    Repeated(u64),
    Other,
}

fn instruction(at: u64) -> Instruction {
    // SAFETY: the child was forked from this process and loads no code: the code that it executes
    // is also here.
    let code = unsafe { (at as *const [u8; 3]).read_unaligned() };
    match code {
        [0x0f, 0x05, _] => Instruction::SystemCall,
        [0xf3, 0xa4 | 0xa5 | 0xaa | 0xab, _] => Instruction::Repeated(2),
        [0xf3, 0x48, 0xa5 | 0xab] => Instruction::Repeated(3),
        _ => Instruction::Other,
    }
}

fn effect_of(place: u64) -> Effect {
    // SAFETY: as above; code does not end within so many bytes of the end of its mapping.
    let code = unsafe { (place as *const [u8; LONGEST]).read_unaligned() };
    match instruction(place) {
        Instruction::SystemCall => Effect::Anything,
        Instruction::Other if !may_store(&code, place) => Effect::Nothing,
        _ => Effect::Store,
    }
}

impl<'a> Tracee<'a> {
    /// Stands before the first instruction of the body, the same for every child.
    #[inline(never)]
    fn new(body: &Body<'a>) -> Tracee<'a> {
        page().victim.store(0, Ordering::SeqCst);
        let pid = forked(|| {
            (body.prepare)();
            // SAFETY: no pointers; the tracer waits for the stop, and goes on behind it.
            unsafe {
                libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0);
                std::arch::asm!("int3");
            }
            match body.may_fail {
                false => (body.body)(),
                true => _ = catch_unwind(AssertUnwindSafe(body.body)),
            }
            page().victim.store(AFTER, Ordering::SeqCst);
            // SAFETY: as above.
            unsafe { std::arch::asm!("int3") };
        });
        let tracee = Tracee {
            pid,
            wake: body.wake,
            sleeps: false.into(),
        };
        tracee.wait();
        (body.is_ready)();
        tracee
    }

    /// Steps until `limit` or the end; returns whether it was the end. A sleep in a system call,
    /// and the middle of a repeated instruction, are steps of their own.
    fn step_to(&self, limit: usize, mut steps: usize, visit: &mut dyn FnMut(Option<u64>)) -> bool {
        while page().victim.load(Ordering::SeqCst) != AFTER {
            if steps >= limit {
                return false;
            }
            let place = self.user(offset_of!(libc::user, regs.rip));
            match instruction(place) {
                Instruction::Other => {
                    visit(Some(place));
                    self.step();
                }
                Instruction::SystemCall => {
                    visit(Some(place));
                    let number = self.user(offset_of!(libc::user, regs.rax)) as i64;
                    self.request(libc::PTRACE_SINGLESTEP);
                    if !waits(number) {
                        self.wait();
                    } else if self.wait_unless_asleep() {
                        // The sleep is a step of its own.
                        steps += 1;
                        visit(None);
                        if steps >= limit {
                            self.sleeps.set(true);
                            return false;
                        }
                        self.wake_up();
                    }
                }
                Instruction::Repeated(length) => {
                    visit(None);
                    self.step();
                    if self.user(offset_of!(libc::user, regs.rip)) == place {
                        // The middle is a step of its own.
                        steps += 1;
                        visit(None);
                        if steps >= limit {
                            return false;
                        }
                        assert!(self.run_to(place + length, 0), "it did not end");
                    }
                }
            }
            steps += 1;
        }
        true
    }

    fn step(&self) {
        self.request(libc::PTRACE_SINGLESTEP);
        self.wait();
    }

    /// Runs at full speed until a place is reached that was passed `before` times; returns false if
    /// the body returns.
    fn run_to(&self, place: u64, before: usize) -> bool {
        const EXECUTION_BY_THIS_THREAD: u64 = 1;
        let registers = offset_of!(libc::user, u_debugreg);
        self.set_user(registers, place);
        self.set_user(registers + 7 * size_of::<u64>(), EXECUTION_BY_THIS_THREAD);
        for _ in 0..=before {
            self.request(libc::PTRACE_CONT);
            match self.wake {
                Some(_) if self.wait_unless_asleep() => self.wake_up(),
                Some(_) => {}
                None => self.wait(),
            }
            if page().victim.load(Ordering::SeqCst) == AFTER {
                return false;
            }
        }
        self.set_user(registers + 7 * size_of::<u64>(), 0);
        true
    }
}

impl Tracee<'_> {
    /// Lets it go on until its body has returned. Returns false if it sleeps for longer than
    /// `patience` although it was woken as often as that may take.
    pub fn goes_on(&self, patience: Duration) -> bool {
        const WAKES: usize = 3;
        let (mut wakes, mut end) = (0, Instant::now() + patience);
        let mut sleeps = self.sleeps.get();
        while page().victim.load(Ordering::SeqCst) != AFTER {
            if !sleeps {
                self.request(libc::PTRACE_CONT);
            }
            sleeps = self.wait_unless_asleep();
            match self.wake {
                _ if !sleeps => {}
                Some(wake) if wakes < WAKES => {
                    wakes += 1;
                    end = Instant::now() + patience;
                    // Others may have taken what this needs.
                    let _ = catch_unwind(AssertUnwindSafe(wake));
                }
                _ if Instant::now() > end => return false,
                _ => std::thread::sleep(Duration::from_micros(200)),
            }
        }
        true
    }

    /// Kills it where it stands.
    pub fn kill(&self) {
        // SAFETY: our own child, not reaped yet.
        unsafe { libc::kill(self.pid, libc::SIGKILL) };
    }

    fn wake_up(&self) {
        if let Some(wake) = self.wake {
            wake();
        }
        self.wait();
    }

    /// Wait until it stops.
    fn wait(&self) {
        let mut status = 0;
        // SAFETY: our own child; `status` is writable.
        let stopped = unsafe { libc::waitpid(self.pid, &mut status, libc::__WALL) };
        assert_eq!(stopped, self.pid);
        self.check_stopped(status);
    }

    /// Waits until it stops, or sleeps until another process wakes it; returns whether it sleeps.
    fn wait_unless_asleep(&self) -> bool {
        let end = Instant::now() + DEADLINE;
        let mut status = 0;
        loop {
            // SAFETY: as above.
            match unsafe { libc::waitpid(self.pid, &mut status, libc::__WALL | libc::WNOHANG) } {
                0 => {}
                _ => {
                    self.check_stopped(status);
                    return false;
                }
            }
            if is_asleep(self.pid) {
                return true;
            }
            assert!(Instant::now() < end, "stuck: it neither sleeps nor goes on");
            std::thread::yield_now();
        }
    }

    fn check_stopped(&self, status: i32) {
        let is_stopped = libc::WIFSTOPPED(status) && libc::WSTOPSIG(status) == libc::SIGTRAP;
        assert!(is_stopped, "the child ended by itself: status {status:#x}");
    }

    fn request(&self, request: libc::c_uint) {
        // SAFETY: the child is stopped by ptrace; no memory of this process is passed.
        assert_eq!(unsafe { libc::ptrace(request, self.pid, 0, 0) }, 0);
    }

    /// Returns a word of the kernel's state of the stopped child, by its offset in `user`.
    fn user(&self, offset: usize) -> u64 {
        // SAFETY: as above.
        unsafe { libc::ptrace(libc::PTRACE_PEEKUSER, self.pid, offset, 0) as u64 }
    }

    fn set_user(&self, offset: usize, value: u64) {
        // SAFETY: as above.
        let set = unsafe { libc::ptrace(libc::PTRACE_POKEUSER, self.pid, offset, value) };
        assert_eq!(set, 0, "no breakpoint");
    }
}

impl Drop for Tracee<'_> {
    fn drop(&mut self) {
        kill(self.pid);
    }
}
