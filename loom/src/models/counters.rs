//! Semaphores: no permit is lost or made, and a death sends the wake-up that the dead process owed.

use loom::sync::Arc;
use loom::thread;

use crate::model::{check, check_deaths, Preemptions};
use crate::status::Status;
use crate::sync::owned_permits::OwnedPermits;
use crate::sync::owner::Owner;
use crate::sync::semaphore::Counter;
use crate::sync::wait::{Patience, Wait};
use crate::sys::Zero;
use crate::world::{process, Bell, Machine, Process};

struct Plain {
    machine: Machine,
    counter: Counter,
    bell: Bell,
}

impl Plain {
    fn new(initial: i64) -> Arc<Plain> {
        let counter = Counter::zero();
        counter.fill(initial, 0);
        Arc::new(Plain {
            machine: Machine::new(),
            counter,
            bell: Bell::new(),
        })
    }

    fn with_world<T>(&self, number: u32, body: impl FnOnce(&Process<'_>) -> T) -> T {
        let wake = |world: &Process<'_>| self.counter.wake_all(world);
        body(&Process::new(&self.machine, number, &|_, _| ()).waking(&wake))
    }

    fn acquire(&self, number: u32) -> Result<(), Status> {
        let wait = Wait::until(&self.bell);
        self.with_world(number, |world| {
            self.counter.acquire(world, &mut Patience::new(&wait))
        })
    }
}

fn acquires(model: &Arc<Plain>, number: u32) -> thread::JoinHandle<Result<(), Status>> {
    let model = Arc::clone(model);
    thread::spawn(move || model.acquire(number))
}

#[test]
fn permits_reach_those_who_wait() {
    check("semaphore", Preemptions::AtMost(3), || {
        let model = Plain::new(0);
        let others = [acquires(&model, 1), acquires(&model, 2)];
        for _ in 0..2 {
            model
                .with_world(0, |world| model.counter.release(world, 1))
                .expect("room");
        }
        for other in others {
            assert_eq!(other.join().expect("no panic"), Ok(()));
        }
        assert_eq!(model.counter.value(), 0);
    });
}

#[test]
fn a_releaser_that_dies_has_released_or_not() {
    check_deaths(
        "semaphore, the releaser dies",
        Preemptions::AtMost(3),
        |mortality| {
            let model = Plain::new(0);
            let others = [acquires(&model, 1), acquires(&model, 2)];
            let lived =
                mortality.run(|| model.with_world(0, |world| model.counter.release(world, 2)));
            if lived.is_none() {
                model.machine.end(process(0));
                if model.counter.value() == 0 {
                    // Not released, or already taken: end the wait of the thread that would wait in
                    // vain.
                    model.bell.ring(&model.machine);
                }
            }
            let got = others.map(|other| other.join().expect("no panic").is_ok());
            let taken = got.iter().filter(|one| **one).count() as i64;
            let released = taken + model.counter.value();
            assert!(
                released == 2 || released == 0 && lived.is_none(),
                "{released}"
            );
        },
    );
}

/// A permit that belongs to the process that takes it.
struct Owned {
    machine: Machine,
    permits: OwnedPermits,
}

impl Owned {
    fn new() -> Arc<Owned> {
        let permits = OwnedPermits::zero();
        permits.fill(1);
        Arc::new(Owned {
            machine: Machine::new(),
            permits,
        })
    }

    fn use_one(&self, number: u32) -> Result<(), Status> {
        let recover = |world: &Process<'_>, gone: &dyn Fn(Owner) -> bool| {
            self.permits.forget(world, gone);
        };
        let wake = |world: &Process<'_>| self.permits.wake_all(world);
        let world = Process::new(&self.machine, number, &recover).waking(&wake);
        let without_recovery = world.without_recovery();
        self.permits
            .acquire(&world, &without_recovery, world.me, &Wait::FOREVER)?;
        self.permits.release(&without_recovery, world.me, 1)
    }
}

#[test]
fn the_permit_of_a_dead_owner_comes_back() {
    check_deaths(
        "owned permits, a holder dies",
        Preemptions::AtMost(2),
        |mortality| {
            let model = Owned::new();
            let other = {
                let model = Arc::clone(&model);
                thread::spawn(move || model.use_one(1))
            };
            if mortality.run(|| model.use_one(0)).is_none() {
                model.machine.end(process(0));
            }
            assert_eq!(other.join().expect("no panic"), Ok(()));
            assert_eq!(model.use_one(2), Ok(()));
        },
    );
}
