//! The robust mutex: one holder at a time, no thread waits in vain, and a holder that dies is
//! succeeded.

use std::sync::atomic::{AtomicU32 as Count, Ordering};

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

use crate::model::{check, check_deaths, Preemptions};
use crate::status::Status;
use crate::sync::mutex::RobustMutex;
use crate::sync::wait::{Patience, Wait};
use crate::sync::world::World;
use crate::sync::Acquired;
use crate::sys::Zero;
use crate::world::{Bell, Machine, Process};

struct Model {
    machine: Machine,
    mutex: RobustMutex,
    /// loom reports concurrent accesses.
    guarded: UnsafeCell<u32>,
}

// SAFETY: loom checks each access.
unsafe impl Sync for Model {}
// SAFETY: as above.
unsafe impl Send for Model {}

fn nothing(_: &Process<'_>, _: &dyn Fn(crate::sync::owner::Owner) -> bool) {}

impl Model {
    fn new() -> Arc<Model> {
        Arc::new(Model {
            machine: Machine::new(),
            mutex: RobustMutex::zero(),
            guarded: UnsafeCell::new(0),
        })
    }

    fn touch(&self) {
        // SAFETY: under the mutex, which loom checks.
        self.guarded.with_mut(|value| unsafe { *value += 1 });
    }

    /// Lock, touch, unlock, as one of the queue's sides does.
    fn pass(&self, number: u32, world: &impl World, wait: &Wait<'_>) -> Result<Acquired, Status> {
        let me = crate::world::process(number);
        let acquired = self.mutex.lock(world, me, &mut Patience::new(wait))?;
        self.touch();
        self.mutex.unlock(world);
        Ok(acquired)
    }
}

fn passes(model: &Arc<Model>, number: u32) -> thread::JoinHandle<Acquired> {
    let model = Arc::clone(model);
    thread::spawn(move || {
        let world = Process::new(&model.machine, number, &nothing).without_recovery();
        model
            .pass(number, &world, &Wait::FOREVER)
            .expect("the lock")
    })
}

#[test]
fn one_at_a_time() {
    check("mutex, two", Preemptions::All, || {
        let model = Model::new();
        let other = passes(&model, 1);
        let world = Process::new(&model.machine, 0, &nothing).without_recovery();
        model.pass(0, &world, &Wait::FOREVER).expect("the lock");
        assert_eq!(other.join().expect("no panic"), Acquired::Clean);
    });
}

#[test]
fn nobody_of_three_waits_in_vain() {
    check("mutex, three", Preemptions::AtMost(3), || {
        let model = Model::new();
        let others = [passes(&model, 1), passes(&model, 2)];
        let world = Process::new(&model.machine, 0, &nothing).without_recovery();
        model.pass(0, &world, &Wait::FOREVER).expect("the lock");
        for other in others {
            assert_eq!(other.join().expect("no panic"), Acquired::Clean);
        }
    });
}

/// One gives up, and may have got the wake-up that was the other's.
#[test]
fn who_gives_up_takes_no_wake_up_along() {
    check("mutex, one gives up", Preemptions::AtMost(3), || {
        let model = Model::new();
        let bell = Arc::new(Bell::new());
        let waits = passes(&model, 1);
        let gives_up = {
            let (model, bell) = (Arc::clone(&model), Arc::clone(&bell));
            thread::spawn(move || {
                let world = Process::new(&model.machine, 2, &nothing).without_recovery();
                let _ = model.pass(2, &world, &Wait::until(&bell));
            })
        };
        let world = Process::new(&model.machine, 0, &nothing).without_recovery();
        let me = crate::world::process(0);
        let mut patience = Patience::new(&Wait::FOREVER);
        model
            .mutex
            .lock(&world, me, &mut patience)
            .expect("the lock");
        model.touch();
        bell.ring(&model.machine);
        model.mutex.unlock(&world);
        waits.join().expect("no panic");
        gives_up.join().expect("no panic");
    });
}

/// The last stage of the mortal thread.
const INSIDE: u32 = 1;
const OUTSIDE: u32 = 2;

#[test]
fn who_dies_inside_is_followed() {
    check_deaths("mutex, one dies", Preemptions::All, |mortality| {
        let model = Model::new();
        let stage: &Count = Box::leak(Box::new(Count::new(0)));
        let other = passes(&model, 1);
        let world = Process::new(&model.machine, 0, &nothing).without_recovery();
        let me = crate::world::process(0);
        let lived = mortality.run(|| {
            let mut patience = Patience::new(&Wait::FOREVER);
            model
                .mutex
                .lock(&world, me, &mut patience)
                .expect("the lock");
            stage.store(INSIDE, Ordering::Relaxed);
            model.touch();
            crate::model::step();
            stage.store(OUTSIDE, Ordering::Relaxed);
            model.mutex.unlock(&world);
        });
        if lived.is_none() {
            model.machine.end(me);
        }
        let acquired = other.join().expect("no panic");
        if acquired == Acquired::OwnerDied {
            assert!(lived.is_none(), "it lives");
        }
        let next = model.pass(
            2,
            &Process::new(&model.machine, 2, &nothing).without_recovery(),
            &Wait::FOREVER,
        );
        // The next holder after one that died inside gets OwnerDied, once.
        let told = [acquired, next.expect("the lock")];
        let count = told
            .iter()
            .filter(|one| **one == Acquired::OwnerDied)
            .count();
        assert!(count <= 1);
        if lived.is_none() && stage.load(Ordering::Relaxed) == INSIDE {
            assert_eq!(count, 1);
        }
    });
}

#[test]
fn two_go_on_when_one_dies() {
    check_deaths(
        "mutex, one of three dies",
        Preemptions::AtMost(2),
        |mortality| {
            let model = Model::new();
            let others = [passes(&model, 1), passes(&model, 2)];
            let world = Process::new(&model.machine, 0, &nothing).without_recovery();
            let lived = mortality.run(|| model.pass(0, &world, &Wait::FOREVER));
            if lived.is_none() {
                model.machine.end(crate::world::process(0));
            }
            let told = others.map(|other| other.join().expect("no panic"));
            let count = told
                .iter()
                .filter(|one| **one == Acquired::OwnerDied)
                .count();
            assert!(count <= usize::from(lived.is_none()));
        },
    );
}
