//! The workers of the stops: several to a core, because a stop mostly waits for its end.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::busy;
use super::calls::GRACE;
use super::stop::{How, Setup, States, Stop};
use crate::case::{panic_quietly, said as said_by, Operation};
use crate::crew::{cores, most_of, stay_on, Worker};
use crate::figures::Figures;
use crate::operations::Named;
use crate::stepper::{Path, Stands};

/// Workers to a core: chosen so that a core has something to do while calls wait for a stopped
/// process.
const TO_A_CORE: usize = 3;
/// A stop with a late call is tried this many times, and counts as a breach if a call is late each
/// time. A delay that the stopped process causes repeats; a delay that other work on the machine
/// causes does not.
const AGAIN: usize = 3;
/// How many breaches of an operation each worker prints, and after how many it gives the operation
/// up.
const TOLD: u64 = 2;
const TOO_MANY: u64 = 6;

const HEAD: &str = "operation                              instructions  states  stops  calls of others  inside a lock  longest beyond  breaches";

/// One stop to be made.
struct Job {
    steps: usize,
    how: How,
    /// How many instructions it stands for, if they are counted.
    weight: u64,
}

pub fn run(operations: &[Named], points: usize, is_full: bool) -> ExitCode {
    panic_quietly();
    println!("{HEAD}");
    let (total, begin) = (Figures::default(), Instant::now());
    for named in operations {
        let figures = stopped_all_over(named, most_of(named, points, is_full));
        println!("{}", line(named.0, &figures));
        total.add(&figures);
    }
    let name = format!("total: {} operations", operations.len());
    println!("{}", line(&name, &total));
    let stops = if is_full { 500 } else { 20 };
    busy::measure(stops);
    let breaches = total.breaches.load(Ordering::Relaxed);
    let seconds = begin.elapsed().as_secs_f64();
    println!("{breaches} breaches, {seconds:.0} s; a call may be late by {GRACE:?}");
    match breaches == 0 && !operations.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn line(name: &str, figures: &Figures) -> String {
    let of = |figure: &std::sync::atomic::AtomicU64| figure.load(Ordering::Relaxed);
    let share = 100.0 * of(&figures.inside) as f64 / of(&figures.weighed).max(1) as f64;
    format!(
        "{name:<38} {:>12} {:>7} {:>6} {:>16} {share:>12.1} % {:>12.3} ms {:>9}",
        of(&figures.length),
        of(&figures.states),
        of(&figures.kills),
        of(&figures.calls),
        of(&figures.stall_ns) as f64 / 1e6,
        of(&figures.breaches),
    )
}

fn stopped_all_over(named: &Named, points: usize) -> Figures {
    let cores = cores();
    // Steps are quick on one core.
    stay_on(&cores[..1]);
    let operation: Box<dyn Operation> = (named.1)();
    // The stopped process makes a recovery: other processes that hold something would make it
    // before. And these two are woken by what they would hold.
    let is_woken = ["join", "put into a full queue"].contains(&named.0);
    let is_alone = named.0.starts_with("recovery") || is_woken;
    let setups = [Setup::Untouched, Setup::Shared, Setup::Holding];
    let setups = if is_alone { &setups[..2] } else { &setups };
    let record = |setup: &Setup| (*setup, operation.states(*setup));
    let recorded = catch_unwind(AssertUnwindSafe(|| -> Vec<_> {
        setups.iter().map(record).collect()
    }));
    stay_on(&cores);
    let total = Figures::default();
    let states = match recorded {
        Ok(states) => states,
        Err(panic) => {
            println!("breach: {}, beside others: {}", named.0, said_by(&*panic));
            total.breaches.store(1, Ordering::Relaxed);
            return total;
        }
    };
    let jobs = jobs(&states, points);
    let length = states[0].1.path.len();
    let new = states[1].1.is_new.iter().filter(|is_new| **is_new).count();
    total.length.store(length as u64, Ordering::Relaxed);
    total.states.store(new as u64, Ordering::Relaxed);
    let shares = cores.len() * TO_A_CORE;
    let workers: Vec<Worker> = (0..shares)
        .map(|share| {
            Worker::start(named, cores[share % cores.len()], |figures| {
                let mine = jobs.iter().skip(share).step_by(shares);
                work(named, &*operation, figures, &states, mine);
            })
        })
        .collect();
    for worker in workers {
        total.add(&worker.finish());
    }
    total
}

/// Returns all stops of an operation: at each instruction (or so many of them) beside harmless
/// others, and at each state of the memory beside all that others can do.
fn jobs(states: &[(Setup, States)], points: usize) -> Vec<Job> {
    let mut jobs = Vec::new();
    for (setup, states) in states {
        let mut add = |steps, last_calls, with_death, weight| {
            let how = How {
                setup: *setup,
                last_calls,
                with_death,
            };
            jobs.push(Job { steps, how, weight });
        };
        if *setup == Setup::Untouched {
            for steps in states.path.kill_points(points) {
                add(steps, false, false, 0);
            }
            continue;
        }
        let new: Vec<usize> = (0..states.is_new.len())
            .filter(|at| states.is_new[*at])
            .collect();
        let every = new.len().div_ceil(points);
        for at in (0..new.len()).step_by(every) {
            let end = new.get(at + 1).copied().unwrap_or(states.is_new.len());
            add(new[at], false, false, (end - new[at]) as u64);
            add(new[at], false, true, 0);
            if *setup == Setup::Shared {
                add(new[at], true, at % 2 == 1, 0);
            }
        }
    }
    jobs
}

fn work<'a>(
    named: &Named,
    operation: &dyn Operation,
    figures: &Figures,
    states: &[(Setup, States)],
    jobs: impl Iterator<Item = &'a Job>,
) {
    for job in jobs {
        figures.at.store(job.steps as u64, Ordering::Relaxed);
        let path = states.iter().find(|(setup, _)| *setup == job.how.setup);
        let path = &path.expect("it was recorded").1.path;
        let stop = tried(operation, job, path);
        let breach = match (&stop.breach, stop.is_late()) {
            (Some(breach), _) => Some(breach.clone()),
            (None, true) => Some(format!("{} is late by {:?}", stop.latest, stop.beyond)),
            (None, false) => None,
        };
        if let Some(breach) = breach {
            if figures.breaches.fetch_add(1, Ordering::Relaxed) < TOLD {
                println!(
                    "breach: {}, stopped after {} of {} instructions{}: {breach}",
                    named.0,
                    job.steps,
                    path.len(),
                    said(job.how),
                );
            }
        }
        let add =
            |sum: &std::sync::atomic::AtomicU64, more| _ = sum.fetch_add(more, Ordering::Relaxed);
        add(&figures.kills, 1);
        add(&figures.calls, stop.calls);
        if job.how.setup == Setup::Shared && job.weight > 0 {
            add(&figures.weighed, job.weight);
            add(&figures.inside, if stop.is_inside { job.weight } else { 0 });
        }
        let beyond = stop.beyond.as_nanos() as u64;
        figures.stall_ns.fetch_max(beyond, Ordering::Relaxed);
        if figures.breaches.load(Ordering::Relaxed) >= TOO_MANY {
            return println!("{}: given up, too many breaches", named.0);
        }
    }
}

fn said(how: How) -> String {
    let setup = match how.setup {
        Setup::Untouched => "",
        Setup::Shared => ", shared",
        Setup::Holding => ", others hold something",
    };
    let last = if how.last_calls { ", last calls" } else { "" };
    let death = if how.with_death { ", another died" } else { "" };
    format!("{setup}{last}{death}")
}

fn tried(operation: &dyn Operation, job: &Job, path: &Path) -> Stop {
    let mut stop = operation.stopped_after(job.steps, path, job.how);
    if stop.stands == Some(Stands::Astray) && stop.breach.is_none() {
        stop = operation.stopped_after(job.steps, &Path::default(), job.how);
    }
    for _ in 0..AGAIN {
        if stop.breach.is_none() && stop.is_late() {
            let again = operation.stopped_after(job.steps, path, job.how);
            if again.beyond < stop.beyond {
                stop = Stop {
                    calls: stop.calls,
                    ..again
                };
            }
        }
    }
    stop
}
