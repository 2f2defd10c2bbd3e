//! The condition: a notification reaches a waiter, though its notifier dies or another waiter does.

use loom::sync::Arc;
use loom::thread;

use crate::model::{check_deaths, Preemptions};
use crate::sync::condition::{ConditionWord, Place};
use crate::sync::owner::Owner;
use crate::sync::wait::{Patience, Wait};
use crate::sys::Zero;
use crate::world::{process, Gate, Machine, Process};

struct Model {
    machine: Machine,
    condition: ConditionWord,
}

impl Model {
    fn new() -> Arc<Model> {
        Arc::new(Model {
            machine: Machine::new(),
            condition: ConditionWord::zero(),
        })
    }

    fn with_world<T>(&self, number: u32, body: impl FnOnce(&Process<'_>) -> T) -> T {
        let recover = |world: &Process<'_>, gone: &dyn Fn(Owner) -> bool| {
            self.condition.recover(world, world.me, gone);
        };
        body(&Process::new(&self.machine, number, &recover))
    }
}

impl Model {
    fn notify(&self, number: u32) {
        self.with_world(number, |world| self.condition.notify(world, 1));
    }
}

fn sleep(place: Place<'_>, world: &Process<'_>) {
    let slept = place.sleep(world, &mut Patience::new(&Wait::FOREVER));
    slept.expect("it waits for ever");
    place.leave();
}

/// A thread that waits from now on, and rings a bell when it was notified.
fn waits(model: &Arc<Model>, number: u32) -> thread::JoinHandle<()> {
    let has_entered = Arc::new(Gate::new());
    let (model, enters) = (Arc::clone(model), Arc::clone(&has_entered));
    let thread = thread::spawn(move || {
        model.with_world(number, |world| {
            let place = model.condition.enter(world.me).expect("a place");
            enters.open();
            sleep(place, world);
        });
        model.notify(number);
    });
    has_entered.pass();
    thread
}

#[test]
fn a_notifier_that_dies_has_notified_or_not() {
    check_deaths(
        "condition, the notifier dies",
        Preemptions::AtMost(3),
        |mortality| {
            let model = Model::new();
            let other = waits(&model, 1);
            if mortality.run(|| model.notify(0)).is_none() {
                model.machine.end(process(0));
                model.notify(2);
            }
            other.join().expect("no panic");
        },
    );
}

/// One notification for two waiters: if one dies before it has used the notification, the other one
/// gets it.
#[test]
fn a_waiter_that_dies_passes_on_what_it_was_told() {
    check_deaths(
        "condition, a waiter dies",
        Preemptions::AtMost(2),
        |mortality| {
            let model = Model::new();
            let (mine, other, notifier) = model.with_world(0, |world| {
                let place = model.condition.enter(world.me).expect("a place");
                let other = waits(&model, 1);
                let notifier = {
                    let model = Arc::clone(&model);
                    thread::spawn(move || model.notify(2))
                };
                (mortality.run(|| sleep(place, world)), other, notifier)
            });
            match mine {
                Some(()) => model.notify(0),
                None => model.machine.end(process(0)),
            }
            notifier.join().expect("no panic");
            other.join().expect("no panic");
        },
    );
}
