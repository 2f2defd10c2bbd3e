//! One operation that is killed halfway: the object before it, and what must hold afterwards.

use std::cell::Cell;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::Ordering;

use crate::page::page;
use crate::stepper::{record, run, Body, Ended, Path};
use crate::stops::stop::{self, How, Setup, States, Stop};
use crate::stops::Others;
use crate::third::Third;

type On<T> = Box<dyn Fn(&T)>;
type Check<T> = Box<dyn Fn(&T, &End<'_>)>;

/// An operation on a `T`. Each kill gets a fresh one.
pub struct Case<T> {
    pub make: Box<dyn Fn() -> T>,
    pub prepare: On<T>,
    pub body: On<T>,
    wake: Option<On<T>>,
    third: On<T>,
    pub third_sleeps: Option<On<T>>,
    check: Check<T>,
    work: On<T>,
}

/// How the killed call ended, for the check of what it left.
pub struct End<'a> {
    /// The call had returned.
    pub has_returned: bool,
    /// The last stage that its body has marked.
    pub mark: u32,
    /// The event that its body waited for had come.
    pub was_woken: bool,
    pub third: &'a Third,
    with_the_dead: Cell<u64>,
    again: Cell<u64>,
}

impl<'a> End<'a> {
    pub fn new(has_returned: bool, third: &'a Third) -> End<'a> {
        End {
            has_returned,
            was_woken: page().woken.load(Ordering::SeqCst) != 0,
            mark: page().mark.load(Ordering::SeqCst),
            third,
            with_the_dead: 0.into(),
            again: 0.into(),
        }
    }
}

impl End<'_> {
    /// A message was lost with its consumer, as the model allows: its get had not returned yet.
    pub fn went_with_the_dead(&self, messages: usize) {
        self.with_the_dead.set(messages as u64);
    }

    /// An unsettled message of the dead process was delivered again, as the model requires.
    pub fn delivered_again(&self, messages: usize) {
        self.again.set(messages as u64);
    }
}

/// The result of one kill.
pub struct Outcome {
    /// None if the kill did not happen.
    pub ended: Option<Ended>,
    pub survivors: u64,
    pub with_the_dead: u64,
    pub again: u64,
    pub stall_ns: u64,
    /// The broken promise.
    pub breach: Option<String>,
}

/// A case of any type.
pub trait Operation {
    /// Runs it completely, instruction by instruction.
    fn path(&self) -> Path;
    /// Kills it after so many steps, and lets the others go on.
    fn killed_after(&self, steps: usize, path: &Path) -> Outcome;
    /// Runs it as `path` does, and finds the steps that look the same to others.
    fn states(&self, setup: Setup) -> States;
    /// Stops it after so many steps, lets others make every call, and lets it go on.
    fn stopped_after(&self, steps: usize, path: &Path, how: How) -> Stop;
}

impl<T: 'static> Case<T> {
    /// `make` runs in the parent, `body` in the child that is killed.
    pub fn new(make: impl Fn() -> T + 'static, body: impl Fn(&T) + 'static) -> Case<T> {
        Case {
            make: Box::new(make),
            prepare: Box::new(|_| ()),
            body: Box::new(body),
            wake: None,
            third: Box::new(|_| ()),
            third_sleeps: None,
            check: Box::new(|_, _| ()),
            work: Box::new(|_| ()),
        }
    }

    /// Runs in the child before it is stepped: the child becomes a participant, and holds what the
    /// body needs.
    pub fn prepare(mut self, prepare: impl Fn(&T) + 'static) -> Self {
        self.prepare = Box::new(prepare);
        self
    }

    /// Runs in the parent once the body sleeps.
    pub fn wake(mut self, wake: impl Fn(&T) + 'static) -> Self {
        self.wake = Some(Box::new(wake));
        self
    }

    /// Runs in the third process before the kill.
    pub fn third(mut self, third: impl Fn(&T) + 'static) -> Self {
        self.third = Box::new(third);
        self
    }

    /// The third process is in this call while the child is killed.
    pub fn third_sleeps(mut self, sleep: impl Fn(&T) + 'static) -> Self {
        self.third_sleeps = Some(Box::new(sleep));
        self
    }

    /// Runs in the parent after the kill: checks the promises of the model.
    pub fn check(mut self, check: impl Fn(&T, &End<'_>) + 'static) -> Self {
        self.check = Box::new(check);
        self
    }

    /// Real work with the same object: by the third process, then by the parent.
    pub fn work(mut self, work: impl Fn(&T) + 'static) -> Self {
        self.work = Box::new(work);
        self
    }

    /// Runs with a child that is about to begin the body, and the third process, which may sleep
    /// meanwhile.
    pub fn with_child<R>(&self, object: &T, third: &Third, go: impl FnOnce(&Body<'_>) -> R) -> R {
        let wake = self.wake.as_ref().map(|wake| {
            move || {
                page().woken.store(1, Ordering::SeqCst);
                wake(object);
            }
        });
        go(&Body {
            prepare: &|| (self.prepare)(object),
            is_ready: &|| third.may_sleep(self.third_sleeps.is_some()),
            body: &|| (self.body)(object),
            wake: wake.as_ref().map(|wake| wake as &dyn Fn()),
            may_fail: false,
        })
    }

    pub fn third_process(&self, object: &T) -> Third {
        Third::start(
            &|| (self.third)(object),
            &|| {
                if let Some(sleep) = &self.third_sleeps {
                    sleep(object);
                }
            },
            &|| (self.work)(object),
        )
    }

    /// The rest of one kill, in which any check may fail.
    pub fn go_on(&self, object: &T, end: &End<'_>) {
        (self.check)(object, end);
        end.third.works();
        (self.work)(object);
    }
}

impl<T: Others + 'static> Operation for Case<T> {
    fn path(&self) -> Path {
        page().reset();
        let object = (self.make)();
        let third = self.third_process(&object);
        self.with_child(&object, &third, record)
    }

    fn killed_after(&self, steps: usize, path: &Path) -> Outcome {
        page().reset();
        let mut outcome = Outcome {
            ended: None,
            survivors: 0,
            with_the_dead: 0,
            again: 0,
            stall_ns: 0,
            breach: None,
        };
        let went = catch_unwind(AssertUnwindSafe(|| {
            let object = (self.make)();
            let third = self.third_process(&object);
            let ended = self.with_child(&object, &third, |body| run(steps, path, body));
            outcome.ended = Some(ended);
            let end = End::new(ended != Ended::Killed, &third);
            self.go_on(&object, &end);
            outcome.survivors = 2;
            outcome.with_the_dead = end.with_the_dead.get();
            outcome.again = end.again.get();
        }));
        outcome.stall_ns = page().stall_ns.load(Ordering::SeqCst);
        outcome.breach = went.err().map(|panic| said(&*panic));
        outcome
    }

    fn states(&self, setup: Setup) -> States {
        stop::states(self, setup)
    }

    fn stopped_after(&self, steps: usize, path: &Path, how: How) -> Stop {
        stop::stopped_after(self, steps, path, how)
    }
}

std::thread_local! {
    static PLACE: Cell<Option<String>> = const { Cell::new(None) };
}

/// From now on [`said`] reports panics of this process, and they print nothing: those of the
/// stopped are expected.
pub fn panic_quietly() {
    std::panic::set_hook(Box::new(|panic| {
        PLACE.set(panic.location().map(ToString::to_string));
    }));
}

/// Returns the message of this thread's panic.
pub fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or(panic.downcast_ref::<&str>().copied());
    let place = PLACE.take().map(|place| format!(" ({place})"));
    text.unwrap_or("a panic").to_owned() + &place.unwrap_or_default()
}
