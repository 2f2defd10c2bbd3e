//! The event: a wait that has begun before a set ends, even if a clear follows at once.

use loom::sync::Arc;
use loom::thread;

use crate::model::{check, check_deaths, Preemptions};
use crate::sync::event::EventWord;
use crate::sync::wait::{Patience, Wait};
use crate::sys::Zero;
use crate::world::{process, Machine, Process};

struct Model {
    machine: Machine,
    event: EventWord,
}

impl Model {
    fn new() -> Arc<Model> {
        Arc::new(Model {
            machine: Machine::new(),
            event: EventWord::zero(),
        })
    }

    fn with_world<T>(&self, number: u32, body: impl FnOnce(&Process<'_>) -> T) -> T {
        let wake = |world: &Process<'_>| self.event.wake_all(world);
        body(&Process::new(&self.machine, number, &|_, _| ()).waking(&wake))
    }
}

fn waits(model: &Arc<Model>, number: u32) -> thread::JoinHandle<()> {
    let model = Arc::clone(model);
    let sets = model.event.sets();
    thread::spawn(move || {
        model.with_world(number, |world| {
            let mut patience = Patience::new(&Wait::FOREVER);
            let waited = model.event.wait_since(world, sets, &mut patience);
            waited.expect("it waits for ever");
        });
    })
}

#[test]
fn a_set_reaches_all_who_wait_before_a_clear() {
    check("event, set and clear", Preemptions::AtMost(3), || {
        let model = Model::new();
        let others = [waits(&model, 1), waits(&model, 2)];
        model.with_world(0, |world| {
            model.event.set(world);
            model.event.clear(world);
        });
        for other in others {
            other.join().expect("no panic");
        }
    });
}

#[test]
fn a_setter_that_dies_has_set_it_or_not() {
    check_deaths("event, the setter dies", Preemptions::All, |mortality| {
        let model = Model::new();
        let other = waits(&model, 1);
        let lived = mortality.run(|| {
            model.with_world(0, |world| {
                model.event.set(world);
                model.event.clear(world);
            });
        });
        if lived.is_none() {
            model.machine.end(process(0));
            // If it died before its only step, the event was never set, and only then another set
            // is needed.
            if model.event.sets() == 0 {
                model.with_world(2, |world| model.event.set(world));
            }
        }
        other.join().expect("no panic");
    });
}
