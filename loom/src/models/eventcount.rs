//! The eventcount: a thread that makes a condition true wakes the waiters, and so does its death.

use loom::sync::Arc;
use loom::thread;

use crate::model::{check, check_deaths, Preemptions};
use crate::sync::atomic::{AtomicU32, Ordering};
use crate::sync::eventcount::EventCount;
use crate::sync::owner::Owner;
use crate::sync::wait::{Patience, Wait};
use crate::sys::Zero;
use crate::world::{process, Machine, Process};

struct Model {
    machine: Machine,
    items: AtomicU32,
    waiters: EventCount,
}

impl Model {
    fn new() -> Arc<Model> {
        Arc::new(Model {
            machine: Machine::new(),
            items: AtomicU32::zero(),
            waiters: EventCount::zero(),
        })
    }

    /// As `View::notify_after_recovery`: one for each item, and all at the end, which is the end of
    /// the process that puts.
    fn wake_after_recovery(&self, world: &Process<'_>, from: Owner) {
        match self.items.load(Ordering::Relaxed) {
            _ if self.machine.is_gone(from) => self.waiters.notify_all(world),
            0 => {}
            count => self.waiters.notify(world, count),
        }
    }

    fn put(&self, number: u32, count: u32) {
        let world = Process::new(&self.machine, number, &|_, _| ());
        self.items.fetch_add(count, Ordering::Release);
        self.waiters.notify(&world, count);
    }

    fn try_get(&self) -> bool {
        let mut items = self.items.load(Ordering::Relaxed);
        while items > 0 {
            let taken =
                self.items
                    .compare_exchange(items, items - 1, Ordering::Acquire, Ordering::Relaxed);
            match taken {
                Ok(_) => return true,
                Err(now) => items = now,
            }
        }
        false
    }

    /// Gets one, or finds that the process that could have put it is gone.
    fn get(&self, number: u32, from: Owner) -> bool {
        let wake = |world: &Process<'_>| self.wake_after_recovery(world, from);
        let world = Process::new(&self.machine, number, &|_, _| ()).waking(&wake);
        let mut patience = Patience::new(&Wait::FOREVER);
        loop {
            if self.try_get() {
                return true;
            }
            let seen = self.waiters.announce();
            // Read before the condition: an item that is put after this is seen below.
            let is_gone = self.machine.is_gone(from);
            if self.try_get() {
                return true;
            }
            if is_gone {
                return false;
            }
            let slept = self.waiters.sleep(&world, seen, &mut patience);
            slept.expect("it waits for ever");
        }
    }
}

fn gets(model: &Arc<Model>, number: u32) -> thread::JoinHandle<bool> {
    let model = Arc::clone(model);
    thread::spawn(move || model.get(number, process(0)))
}

#[test]
fn whoever_waits_gets_what_is_put() {
    check("eventcount", Preemptions::AtMost(3), || {
        let model = Model::new();
        let others = [gets(&model, 1), gets(&model, 2)];
        model.put(0, 1);
        model.put(0, 1);
        for other in others {
            assert!(other.join().expect("no panic"));
        }
    });
}

#[test]
fn a_producer_that_dies_leaves_nobody_asleep() {
    check_deaths(
        "eventcount, the producer dies",
        Preemptions::AtMost(3),
        |mortality| {
            let model = Model::new();
            let others = [gets(&model, 1), gets(&model, 2)];
            if mortality.run(|| model.put(0, 2)).is_none() {
                model.machine.end(process(0));
            }
            let got = others.map(|other| other.join().expect("no panic"));
            // Both or none: it put both with one step.
            assert_eq!(got[0], got[1]);
        },
    );
}

#[test]
fn a_consumer_that_dies_takes_no_wake_up_along() {
    check_deaths(
        "eventcount, a consumer dies",
        Preemptions::AtMost(2),
        |mortality| {
            let model = Model::new();
            let other = gets(&model, 1);
            let puts = {
                let model = Arc::clone(&model);
                thread::spawn(move || model.put(0, 2))
            };
            if mortality.run(|| model.get(2, process(0))).is_none() {
                model.machine.end(process(2));
            }
            puts.join().expect("no panic");
            assert!(other.join().expect("no panic"));
        },
    );
}
