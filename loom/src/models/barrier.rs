//! The barrier: all parties of a round are let go or none, and a party that dies breaks it for the
//! others.

use loom::sync::Arc;
use loom::thread;

use crate::model::{check, check_deaths, Preemptions};
use crate::status::Status;
use crate::sync::barrier::{Arrival, Barrier};
use crate::sync::lock_wait::{Caller, LockWait};
use crate::sync::owner::Owner;
use crate::sync::wait::Wait;
use crate::sys::Zero;
use crate::world::{process, Bell, Machine, Process};

struct Model {
    machine: Machine,
    barrier: Barrier,
    /// The other party has its result.
    done: Bell,
}

impl Model {
    fn new(parties: u32) -> Arc<Model> {
        let barrier = Barrier::zero();
        barrier.fill(parties);
        Arc::new(Model {
            machine: Machine::new(),
            barrier,
            done: Bell::new(),
        })
    }

    fn arrive(&self, number: u32, wait: &Wait<'_>) -> Result<Arrival, Status> {
        let recover = |world: &Process<'_>, gone: &dyn Fn(Owner) -> bool| {
            let locks = LockWait::brief();
            let me = Caller::new(world.me, &locks);
            let recovered = self.barrier.recover(&world.without_recovery(), me, gone);
            recovered.expect("nothing is corrupt");
        };
        let wake = |world: &Process<'_>| self.barrier.wake_all(&world.without_recovery());
        let world = Process::new(&self.machine, number, &recover).waking(&wake);
        self.barrier
            .arrive(&world, &world.without_recovery(), world.me, false, wait)
    }
}

fn arrives(model: &Arc<Model>, number: u32) -> thread::JoinHandle<Result<Arrival, Status>> {
    let model = Arc::clone(model);
    thread::spawn(move || {
        let told = model.arrive(number, &Wait::FOREVER);
        model.done.ring(&model.machine);
        told
    })
}

#[test]
fn two_meet() {
    check("barrier, two", Preemptions::AtMost(3), || {
        let model = Model::new(2);
        let other = arrives(&model, 1);
        let mine = model.arrive(0, &Wait::FOREVER).expect("no death").index;
        let theirs = other.join().expect("no panic").expect("no death").index;
        assert_eq!(mine + theirs, 1, "each index once");
    });
}

#[test]
fn a_party_that_dies_breaks_it_or_has_arrived() {
    check_deaths(
        "barrier, a party dies",
        Preemptions::AtMost(2),
        |mortality| {
            let model = Model::new(2);
            let other = arrives(&model, 1);
            let lived = mortality.run(|| model.arrive(0, &Wait::FOREVER));
            if lived.is_none() {
                model.machine.end(process(0));
                // It may have died before another thread could know that it would come. Then the
                // other one waits for a party, and this thread is one for as long as that waits.
                let _ = model.arrive(2, &Wait::until(&model.done));
            }
            let told = other.join().expect("no panic");
            match lived {
                Some(mine) => assert!(mine.is_ok() && told.is_ok()),
                None => assert!(matches!(told, Ok(_) | Err(Status::E_BROKEN_BARRIER))),
            }
        },
    );
}
