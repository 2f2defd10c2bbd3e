//! One stop of one operation: the calls of others meanwhile, and how it goes on.

use std::cell::{Cell, OnceCell, RefCell};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::time::Duration;

use super::calls::{Calls, Own, Seen, GRACE, HELD_UP};
use super::leaver::Leaver;
use super::memory::Memory;
use super::others::{served_meanwhile, Others};
use super::Tally;
use crate::case::{said, Case, End};
use crate::page::{page, DEADLINE};
use crate::stepper::{record_beside, stop, Body, Effect, Path, Stands, Tracee};
use crate::third::Third;

/// The calls that other processes make while the operation is stopped.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Setup {
    /// As in a kill: calls that change nothing, so that the same must hold afterwards.
    Untouched,
    /// Every call.
    Shared,
    /// Every call, by processes that also hold something of the object.
    Holding,
}

/// One way to stop.
#[derive(Clone, Copy)]
pub struct How {
    pub setup: Setup,
    /// Whether others also make the calls that change the object for good, such as shutdown.
    pub last_calls: bool,
    /// The third process dies while the other one is stopped.
    pub with_death: bool,
}

/// A path, and for each of its steps whether others see a change before it. The end is one step
/// more.
#[derive(Default)]
pub struct States {
    pub path: Path,
    pub is_new: Vec<bool>,
}

/// The result of one stop.
#[derive(Default)]
pub struct Stop {
    /// None if the stop did not happen.
    pub stands: Option<Stands>,
    /// Calls that were checked.
    pub calls: u64,
    /// A call that does not block took so long that another process must have held an internal
    /// lock.
    pub is_inside: bool,
    /// The longest time of a call beyond its own, and which call that was.
    pub beyond: Duration,
    pub latest: String,
    /// The broken promise, apart from late calls.
    pub breach: Option<String>,
}

impl Stop {
    pub fn is_late(&self) -> bool {
        self.beyond > GRACE
    }

    fn count(&mut self, seen: &[Seen]) {
        self.calls = seen.len() as u64;
        for one in seen {
            self.is_inside |= one.own == Own::Nothing && one.beyond > HELD_UP;
            if one.beyond > self.beyond {
                (self.beyond, self.latest) = (one.beyond, one.to_string());
            }
            if let (Some(wrong), None) = (&one.wrong, &self.breach) {
                self.breach = Some(format!("{one}: {wrong}"));
            }
        }
    }
}

/// The other processes of one stop.
struct Company<'a, T: Others> {
    object: &'a T,
    third: Third,
    leaver: Option<Leaver>,
    holding: OnceCell<T::Holding>,
}

impl<'a, T: Others + 'static> Company<'a, T> {
    fn of(case: &Case<T>, object: &'a T, setup: Setup) -> Company<'a, T> {
        Company {
            object,
            third: case.third_process(object),
            leaver: (setup != Setup::Untouched).then(|| Leaver::start(object)),
            holding: OnceCell::new(),
        }
    }

    /// Runs with a child that is about to begin the operation.
    fn with_child<R>(&self, case: &Case<T>, setup: Setup, go: impl FnOnce(&Body<'_>) -> R) -> R {
        case.with_child(self.object, &self.third, |body| {
            let is_ready = || {
                (body.is_ready)();
                if setup == Setup::Holding {
                    let _ = self.holding.set(self.object.hold());
                    self.leaver.iter().for_each(Leaver::holds);
                }
            };
            go(&Body {
                is_ready: &is_ready,
                may_fail: setup != Setup::Untouched,
                ..*body
            })
        })
    }
}

pub fn states<T: Others + 'static>(case: &Case<T>, setup: Setup) -> States {
    page().reset();
    let object = (case.make)();
    let company = Company::of(case, &object, setup);
    let mut states = States::default();
    company.with_child(case, setup, |body| {
        let memory = RefCell::new(None);
        let is_ready = || {
            (body.is_ready)();
            memory.replace(Some(Memory::of(object.files())));
        };
        let body = Body {
            is_ready: &is_ready,
            ..*body
        };
        let is_new = &mut states.is_new;
        // Rounds of a loop that were not looked at may have stored something.
        let mut is_stale = true;
        states.path = record_beside(&body, &mut |is_early, effect| {
            let mut memory = memory.borrow_mut();
            is_stale |= effect != Effect::Nothing;
            let mut has_changed = false;
            if is_early && is_stale {
                has_changed = memory.as_mut().is_none_or(Memory::has_changed);
                is_stale = false;
            }
            is_new.push(has_changed || effect == Effect::Anything);
        });
    });
    states
}

pub fn stopped_after<T: Others + 'static>(
    case: &Case<T>,
    steps: usize,
    path: &Path,
    how: How,
) -> Stop {
    page().reset();
    let mut result = Stop::default();
    let went = catch_unwind(AssertUnwindSafe(|| {
        let object = (case.make)();
        let company = Company::of(case, &object, how.setup);
        let tally = Tally::default();
        let (is_over, is_killed) = company.with_child(case, how.setup, |body| {
            let (child, stands) = stop(steps, path, body);
            result.stands = Some(stands);
            if how.with_death {
                company.third.dies();
            }
            let seen = call(&company, &child, how, &tally);
            result.count(&seen.0);
            (!seen.1 && goes_on(&child, how), seen.1)
        });
        if is_killed {
            return;
        }
        if how.setup == Setup::Untouched {
            assert!(is_over, "stuck: it does not go on");
            object.catch_up(&tally);
            case.go_on(&object, &End::new(true, &company.third));
        } else {
            let Company {
                third,
                leaver,
                holding,
                ..
            } = company;
            drop((third, leaver));
            object.settle(holding.into_inner(), &tally, how.last_calls);
        }
    }));
    if let (Err(panic), None) = (went, &result.breach) {
        result.breach = Some(said(&*panic));
    }
    result
}

/// Returns the results of the others, and whether the stopped process had to be killed so that they
/// returned.
fn call<'a, T: Others + 'static>(
    company: &'a Company<'_, T>,
    child: &Tracee<'_>,
    how: How,
    tally: &'a Tally,
) -> (Vec<Seen>, bool) {
    let is_killed = Cell::new(false);
    let mut calls = Calls::default();
    let object = company.object;
    match how {
        How {
            setup: Setup::Untouched,
            ..
        } => object.harmless(tally, &mut calls),
        How {
            last_calls: true, ..
        } => object.last(tally, &mut calls),
        _ => object.all(company.holding.get(), tally, &mut calls),
    }
    served_meanwhile(&mut calls);
    if let Some(leaver) = &company.leaver {
        calls.at_once("close", &[], || leaver.closes());
    }
    let seen = calls.run(&|| {
        is_killed.set(true);
        child.kill();
    });
    (seen, is_killed.get())
}

/// A body that relies on what others have taken may sleep for ever.
fn goes_on(child: &Tracee<'_>, how: How) -> bool {
    const PATIENCE: Duration = Duration::from_millis(300);
    child.goes_on(match how.setup {
        Setup::Untouched => DEADLINE,
        _ => PATIENCE,
    })
}
