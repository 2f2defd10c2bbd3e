//! The workers: a process per core kills the operation at its share of the points. The process that
//! waits for them notices when one is stuck.

use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::case::Operation;
use crate::figures::Figures;
use crate::operations::{operations, Named};
use crate::page::{renew_page, shared, DEADLINE};
use crate::small;
use crate::stepper::{Ended, Path};

/// In a full run, an operation of up to this many instructions is killed at each instruction, and a
/// longer operation at this many points.
const FULL: usize = 5000;
/// The number of points of an operation in any other run.
const POINTS: usize = 120;
/// More workers gain nothing.
const MOST_WORKERS: usize = 8;
/// A longer delay of a survivor is a breach: the limit for a full run, which has the machine to
/// itself, and the limit for any other run.
const STALL_FULL: Duration = Duration::from_millis(50);
const STALL: Duration = Duration::from_secs(1);
/// A point with a delay of this length is tried this many times more, and the shortest delay
/// counts. A delay that the point causes repeats; a delay that other work on the machine causes
/// does not.
const SUSPICIOUS_NS: u64 = 5_000_000;
const AGAIN: usize = 2;
/// How many breaches of an operation are printed one by one.
const TOLD: u64 = 5;

pub fn run(arguments: &[String]) -> ExitCode {
    let is_full = arguments.iter().any(|word| word == "--full");
    let points = arguments
        .iter()
        .find_map(|word| word.strip_prefix("--points="));
    let points = match is_full {
        true => FULL,
        false => points.map_or(POINTS, |points| points.parse().expect("--points=n")),
    };
    let wanted: Vec<_> = arguments
        .iter()
        .filter(|word| !word.starts_with('-'))
        .collect();
    let chosen = |named: &Named| {
        wanted.is_empty() || wanted.iter().any(|word| named.0.contains(word.as_str()))
    };
    if let Some(mib) = arguments
        .iter()
        .find_map(|word| word.strip_prefix("--shm="))
    {
        small::set(mib.parse().expect("--shm=n"));
        small::mount();
    }
    let mut operations = operations();
    operations.retain(chosen);
    if arguments.iter().any(|word| word == "--stop") {
        return crate::stops::run(&operations, points, is_full);
    }
    println!("{}", Figures::HEAD);
    let (total, begin) = (Figures::default(), Instant::now());
    for named in &operations {
        let figures = killed_all_over(named, most_of(named, points, is_full));
        println!("{}", figures.line(named.0));
        total.add(&figures);
    }
    println!(
        "{}",
        total.line(&format!("total: {} operations", operations.len()))
    );
    let stall = Duration::from_nanos(total.stall_ns.load(Ordering::Relaxed));
    let breaches = total.breaches.load(Ordering::Relaxed);
    println!(
        "{breaches} breaches, {:.0} s",
        begin.elapsed().as_secs_f64()
    );
    let allowed = if is_full { STALL_FULL } else { STALL };
    if stall > allowed {
        println!("held up for longer than {allowed:?}");
    }
    match breaches == 0 && stall <= allowed && !operations.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// Returns how many points of an operation to try: of a recovery, in a full run, all.
pub fn most_of(named: &Named, points: usize, is_full: bool) -> usize {
    match is_full && named.0.starts_with("recovery") {
        true => usize::MAX,
        false => points,
    }
}

/// Lets each core kill its share of the points.
fn killed_all_over(named: &Named, points: usize) -> Figures {
    let cores = cores();
    let shares = cores.len();
    let workers: Vec<Worker> = cores
        .into_iter()
        .enumerate()
        .map(|(share, core)| {
            Worker::start(named, core, |figures| {
                work(named, figures, points, share, shares)
            })
        })
        .collect();
    let total = Figures::default();
    for worker in workers {
        total.add(&worker.finish());
    }
    total
}

/// Kills the operation at one worker's share of the points.
fn work(named: &Named, figures: &Figures, points: usize, share: usize, shares: usize) {
    let operation: Box<dyn Operation> = (named.1)();
    let path = operation.path();
    figures.length.store(path.len() as u64, Ordering::Relaxed);
    // The shortest, to set an event for which nobody waits, takes 47.
    assert!(
        path.len() > 30,
        "only {} instructions: was it called?",
        path.len()
    );
    let kill = |steps: usize| {
        figures.at.store(steps as u64, Ordering::Relaxed);
        let mut outcome = operation.killed_after(steps, &path);
        if outcome.ended == Some(Ended::Strayed) && outcome.breach.is_none() {
            outcome = operation.killed_after(steps, &Path::default());
        }
        for _ in 0..AGAIN {
            if outcome.breach.is_none() && outcome.stall_ns > SUSPICIOUS_NS {
                let again = operation.killed_after(steps, &path);
                outcome.stall_ns = outcome.stall_ns.min(again.stall_ns);
                outcome.breach = again.breach;
            }
        }
        figures.count(&outcome);
        if let Some(breach) = &outcome.breach {
            if figures.breaches.load(Ordering::Relaxed) <= TOLD {
                let (name, length) = (named.0, path.len());
                println!("breach: {name}, killed after {steps} of {length} instructions: {breach}");
            }
        }
        outcome.ended
    };
    let points = path.kill_points(points);
    let mut ended = None;
    for steps in points.iter().copied().skip(share).step_by(shares) {
        ended = kill(steps);
    }
    // Some runs take longer than the recorded one.
    let mut steps = path.len();
    while points.len() == path.len() + 1 && ended == Some(Ended::Killed) && steps < 2 * path.len() {
        steps += 1;
        ended = kill(steps);
    }
}

pub struct Worker {
    name: &'static str,
    pid: i32,
    figures: &'static Figures,
}

impl Worker {
    pub fn start(named: &Named, core: usize, work: impl FnOnce(&Figures)) -> Worker {
        let figures = shared::<Figures>();
        let pid = crate::third::forked(|| {
            stay_on(&[core]);
            renew_page();
            small::mount();
            work(figures);
        });
        Worker {
            name: named.0,
            pid,
            figures,
        }
    }

    /// Waits until the worker has done its share. It is stuck when no kill has happened for long.
    pub fn finish(self) -> Figures {
        let (mut seen, mut since) = (u64::MAX, Instant::now());
        let mut status = 0;
        loop {
            // SAFETY: our own child, not reaped yet; `status` is writable.
            if unsafe { libc::waitpid(self.pid, &mut status, libc::WNOHANG) } == self.pid {
                break;
            }
            let kills = self.figures.kills.load(Ordering::Relaxed);
            if kills != seen {
                (seen, since) = (kills, Instant::now());
            }
            // Its own deadlines come first.
            if since.elapsed() > 3 * DEADLINE {
                let at = self.figures.at.load(Ordering::Relaxed);
                println!(
                    "breach: {}, killed after {at} instructions: stuck",
                    self.name
                );
                println!("{}", whereabouts(self.pid));
                self.figures.breaches.fetch_add(1, Ordering::Relaxed);
                crate::third::kill(self.pid);
                status = 0;
                break;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        if status != 0 {
            let at = self.figures.at.load(Ordering::Relaxed);
            println!(
                "breach: {}, at {at} instructions: the worker failed: status {status:#x}",
                self.name
            );
            self.figures.breaches.fetch_add(1, Ordering::Relaxed);
        }
        let total = Figures::default();
        total.add(self.figures);
        total
    }
}

/// Tells where a process and its children wait in the kernel.
fn whereabouts(pid: i32) -> String {
    let read = |name: &str| std::fs::read_to_string(name).unwrap_or_default();
    let children = read(&format!("/proc/{pid}/task/{pid}/children"));
    let pids = std::iter::once(pid).chain(children.split(' ').flat_map(str::parse));
    let place = |pid: i32| {
        let state = read(&format!("/proc/{pid}/stat"));
        let state = state.rsplit(')').next().unwrap_or_default().trim_start();
        let state = state.chars().next().unwrap_or('?');
        let (wchan, call) = (format!("/proc/{pid}/wchan"), format!("/proc/{pid}/syscall"));
        format!(
            "  {pid}: {state} {} {}",
            read(&wchan),
            read(&call).trim_end()
        )
    };
    pids.map(place).collect::<Vec<_>>().join("\n")
}

/// Returns the cores that this process may use.
pub fn cores() -> Vec<usize> {
    // SAFETY: plain data of the size that is passed.
    let allowed = unsafe {
        let mut allowed = std::mem::zeroed::<libc::cpu_set_t>();
        assert_eq!(
            libc::sched_getaffinity(0, size_of_val(&allowed), &mut allowed),
            0
        );
        allowed
    };
    // SAFETY: within the set.
    let may = |core: &usize| unsafe { libc::CPU_ISSET(*core, &allowed) };
    (0..libc::CPU_SETSIZE as usize)
        .filter(may)
        .take(MOST_WORKERS)
        .collect()
}

/// Keeps this process, and those that it forks, on these cores: on one core a step costs a few
/// microseconds, across cores some fifty.
pub fn stay_on(cores: &[usize]) {
    // SAFETY: plain data of the size that is passed.
    unsafe {
        let mut allowed = std::mem::zeroed::<libc::cpu_set_t>();
        for core in cores {
            libc::CPU_SET(*core, &mut allowed);
        }
        libc::sched_setaffinity(0, size_of_val(&allowed), &allowed);
    }
}
