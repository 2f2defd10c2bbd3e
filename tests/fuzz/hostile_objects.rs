//! Every operation of the small objects, between and during writes of nonsense to their memory:
//! each must return.

use arbitrary::Arbitrary;
use polyproc::{
    Barrier, Condition, CreateOptions, Event, Lock, Rlock, Semaphore, SemaphoreOptions,
};

use crate::hostile::{answered, Poke, Storm, Target, SOON};
use crate::steps::Steps;

#[derive(Arbitrary, Clone, Debug)]
pub struct Input {
    object: Object,
    storm: Storm,
    steps: Steps<Step>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Object {
    Lock,
    Rlock,
    Semaphore {
        owned: bool,
        initial: u8,
        maximum: u8,
    },
    Event,
    Condition,
    Barrier {
        parties: u8,
    },
}

#[derive(Arbitrary, Clone, Debug)]
enum Step {
    Poke(Poke),
    Open(Option<u16>),
    /// An operation of the object and its argument.
    Act(u8, i16),
}

/// Behind header and participants.
const WORDS: u64 = 15_616;
const WORDS_LEN: u64 = 8 * 1024 + 512;

pub fn run(input: &Input) {
    let none = CreateOptions::default();
    match input.object {
        Object::Lock => {
            let lock = Lock::create(None, none).unwrap();
            drive(lock.raw_fd(), input, |what, _| match what % 3 {
                0 => answered(lock.acquire_timeout(SOON)),
                1 => answered(lock.release()),
                _ => answered(lock.is_locked()),
            });
        }
        Object::Rlock => {
            let rlock = Rlock::create(None, none).unwrap();
            drive(rlock.raw_fd(), input, |what, argument| match what % 3 {
                0 => answered(rlock.acquire_as_timeout(argument as u64 % 3, SOON)),
                1 => answered(rlock.release_as(argument as u64 % 3)),
                _ => answered(rlock.depth()),
            });
        }
        Object::Semaphore {
            owned,
            initial,
            maximum,
        } => {
            let options = SemaphoreOptions {
                initial: i64::from(initial),
                maximum: if maximum == 0 {
                    0
                } else {
                    i64::from(maximum.max(initial))
                },
                owned,
                ..Default::default()
            };
            let semaphore = Semaphore::create(None, &options).unwrap();
            drive(semaphore.raw_fd(), input, |what, argument| match what % 3 {
                0 => answered(semaphore.acquire_timeout(SOON)),
                1 => answered(semaphore.release(i64::from(argument))),
                _ => answered(semaphore.value()),
            });
        }
        Object::Event => {
            let event = Event::create(None, none).unwrap();
            drive(event.raw_fd(), input, |what, _| match what % 4 {
                0 => answered(event.wait_timeout(SOON)),
                1 => answered(event.set()),
                2 => answered(event.clear()),
                _ => answered(event.is_set()),
            });
        }
        Object::Condition => {
            let condition = Condition::create(None, none).unwrap();
            let lock = Lock::create(None, none).unwrap();
            drive(condition.raw_fd(), input, |what, argument| match what % 3 {
                0 => {
                    answered(lock.try_acquire());
                    answered(condition.wait_on(&lock, SOON));
                    answered(lock.release());
                }
                1 => answered(condition.notify(argument as u32)),
                _ => answered(condition.notify_all()),
            });
        }
        Object::Barrier { parties } => {
            let parties = u32::from(parties % 4) + 1;
            let barrier = Barrier::create(None, none, parties).unwrap();
            drive(barrier.raw_fd(), input, |what, argument| match what % 6 {
                0 => answered(barrier.wait_timeout(SOON)),
                1 => answered(barrier.arrive_timeout(SOON)),
                2 => answered(barrier.complete(argument > 0)),
                3 => answered(barrier.abort()),
                4 => answered(barrier.reset()),
                _ => answered((barrier.parties(), barrier.waiting(), barrier.is_broken())),
            });
        }
    }
}

fn drive(fd: i32, input: &Input, act: impl Fn(u8, i16)) {
    let target = Target::new(fd, WORDS..WORDS + WORDS_LEN, WORDS + WORDS_LEN);
    input
        .storm
        .around(&target, input.steps.iter(), |step| match step {
            Step::Poke(poke) => target.poke(*poke),
            Step::Open(cut) => target.open(*cut),
            Step::Act(what, argument) => act(*what, *argument),
        });
}
