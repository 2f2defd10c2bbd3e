//! Explores a model, also with one of its threads stopping for ever at any of its steps.

use std::cell::Cell;
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The payload that unwinds a thread that stops.
struct Death;

loom::thread_local! {
    /// How many steps the thread may still take; `None`: any number.
    static LEFT: Cell<Option<u32>> = Cell::new(None);
}

/// A thread of this model takes a step in shared memory, or stops for ever.
pub(crate) fn step() {
    let dies = LEFT.with(|left| match left.get() {
        Some(0) => true,
        Some(more) => {
            left.set(Some(more - 1));
            false
        }
        None => false,
    });
    if dies {
        // Not a panic: no hook runs, and no code of the algorithms runs any more.
        resume_unwind(Box::new(Death));
    }
}

/// How long the mortal thread of a model lives.
pub(crate) struct Mortality {
    steps: u32,
    has_died: AtomicBool,
}

impl Mortality {
    /// Runs `body` up to the step at which it dies; returns `None` if it died.
    pub(crate) fn run<T>(&self, body: impl FnOnce() -> T) -> Option<T> {
        LEFT.with(|left| left.set(Some(self.steps)));
        let done = catch_unwind(AssertUnwindSafe(body));
        LEFT.with(|left| left.set(None));
        match done {
            Ok(done) => Some(done),
            Err(payload) if payload.is::<Death>() => {
                self.has_died.store(true, Ordering::Relaxed);
                None
            }
            Err(payload) => resume_unwind(payload),
        }
    }
}

/// How many threads may be preempted in one execution, if the whole space is too large.
/// `POLYPROC_LOOM_BOUND` lowers it for all models.
#[derive(Clone, Copy)]
pub(crate) enum Preemptions {
    All,
    AtMost(usize),
}

fn explore(preemptions: Preemptions, model: impl Fn() + Sync + Send + 'static) -> u64 {
    static EXECUTIONS: AtomicU64 = AtomicU64::new(0);
    let asked = std::env::var("POLYPROC_LOOM_BOUND").ok();
    let asked = asked.and_then(|text| text.parse().ok());
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = match (preemptions, asked) {
        (Preemptions::All, asked) => asked,
        (Preemptions::AtMost(own), asked) => Some(asked.map_or(own, |asked: usize| asked.min(own))),
    };
    builder.max_branches = 10_000;
    let before = EXECUTIONS.load(Ordering::Relaxed);
    builder.check(move || {
        EXECUTIONS.fetch_add(1, Ordering::Relaxed);
        model();
    });
    EXECUTIONS.load(Ordering::Relaxed) - before
}

/// Explores every execution of a model in which no thread dies.
pub(crate) fn check(
    name: &str,
    preemptions: Preemptions,
    model: impl Fn() + Sync + Send + 'static,
) {
    let executions = explore(preemptions, model);
    println!("{name}: {executions} executions");
}

/// Explores every execution of a model in which its mortal thread dies at its first step, at its
/// second, and so on until it lives to the end.
pub(crate) fn check_deaths(
    name: &str,
    preemptions: Preemptions,
    model: impl Fn(&Mortality) + Sync + Send + Copy + 'static,
) {
    let mut executions = 0;
    for steps in 0.. {
        let mortality: &'static Mortality = Box::leak(Box::new(Mortality {
            steps,
            has_died: AtomicBool::new(false),
        }));
        executions += explore(preemptions, move || model(mortality));
        if !mortality.has_died.load(Ordering::Relaxed) {
            println!("{name}: {executions} executions, {steps} places to die");
            return;
        }
    }
}
