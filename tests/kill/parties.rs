//! Killed parties of a barrier: the others are told at once, and all of a round go or none.

use std::time::{Duration, Instant};

use polyproc::{Arrival, Barrier, CreateOptions, Semaphore, SemaphoreOptions, Status, Wait};

use crate::measure::{check, in_time, spread, woken_after, ROUNDS};
use crate::victim::{alone, Victim, DEADLINE};

fn barrier(parties: u32) -> Barrier {
    Barrier::create(None, CreateOptions::default(), parties).unwrap()
}

fn counter() -> Semaphore {
    Semaphore::create(None, &SemaphoreOptions::default()).unwrap()
}

/// Wait until the process at the barrier counts there, and sleeps.
fn until_waits(barrier: &Barrier, victim: &Victim) {
    let end = Instant::now() + DEADLINE;
    while barrier.waiting().unwrap() != 1 {
        assert!(Instant::now() < end, "it does not come");
        std::thread::yield_now();
    }
    victim.wait_until_asleep();
}

/// Real work afterwards: a round whose parties each have an index of their own.
fn works(barrier: &Barrier) {
    std::thread::scope(|scope| {
        let party = || barrier.wait(in_time()).unwrap();
        let other = scope.spawn(party);
        let mine = party();
        assert_eq!(mine + other.join().unwrap(), 1);
    });
    assert_eq!(barrier.waiting(), Ok(0));
}

#[test]
fn killed_while_it_waits() {
    let _alone = alone();
    let times = (0..ROUNDS).map(|_| {
        let barrier = barrier(3);
        let victim = Victim::inside(|| _ = barrier.wait(Wait::FOREVER));
        until_waits(&barrier, &victim);
        let time = woken_after(victim, || {
            assert_eq!(barrier.wait(in_time()), Err(Status::E_BROKEN_BARRIER));
        });
        assert_eq!((barrier.is_broken(), barrier.waiting()), (Ok(true), Ok(0)));
        time
    });
    check("killed at the barrier", times.collect());
}

#[test]
fn killed_while_it_leads() {
    let _alone = alone();
    let times = (0..ROUNDS).map(|_| {
        let barrier = barrier(2);
        let other = Victim::inside(|| _ = barrier.arrive(Wait::FOREVER));
        until_waits(&barrier, &other);
        let leader = Victim::that(|| _ = barrier.arrive(Wait::TRY));
        assert_eq!(barrier.complete(true), Err(Status::E_NOT_OWNER));
        // At the gate: it comes while others are held.
        let time = woken_after(leader, || {
            assert_eq!(barrier.wait(in_time()), Err(Status::E_BROKEN_BARRIER));
        });
        other.wait_until_awake();
        time
    });
    check("killed leading a round", times.collect());
}

#[test]
fn a_stopped_party_holds_up_nobody() {
    let _alone = alone();
    let times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let barrier = barrier(2);
            let stopped = Victim::inside(|| _ = barrier.wait(Wait::FOREVER));
            until_waits(&barrier, &stopped);
            stopped.signal(libc::SIGSTOP);
            let came = Instant::now();
            assert_eq!(barrier.wait(Wait::TRY), Ok(1));
            let time = came.elapsed();
            // It has its answer already, whatever becomes of the barrier.
            barrier.abort().unwrap();
            stopped.signal(libc::SIGCONT);
            stopped.wait_until_awake();
            time
        })
        .collect();
    check("a stopped party at the barrier", times);
}

/// A barrier of two at which another process waits, and counters of what it was told.
struct Waited {
    other: Victim,
    barrier: Barrier,
    let_go: Semaphore,
    refused: Semaphore,
}

fn waited() -> Waited {
    let (barrier, let_go, refused) = (barrier(2), counter(), counter());
    let other = Victim::inside(|| match barrier.wait(Wait::FOREVER) {
        Ok(_) => let_go.release(1).unwrap(),
        Err(_) => refused.release(1).unwrap(),
    });
    until_waits(&barrier, &other);
    Waited {
        other,
        barrier,
        let_go,
        refused,
    }
}

impl Waited {
    /// What the other was told: it is in accord with whether it waits still.
    fn told(&self) -> Option<bool> {
        match self.barrier.waiting().unwrap() {
            1 => None,
            _ => {
                self.other.wait_until_awake();
                let told = (self.let_go.value().unwrap(), self.refused.value().unwrap());
                assert!(told == (1, 0) || told == (0, 1), "{told:?}");
                Some(told.0 == 1)
            }
        }
    }

    /// It waits on, so the next one lets it go.
    fn meets_it(&self) {
        assert_eq!(self.barrier.wait(Wait::TRY), Ok(1));
        self.other.wait_until_awake();
        assert_eq!(self.let_go.value(), Ok(1));
    }
}

#[test]
fn last_party() {
    spread(
        waited,
        |waited| assert_eq!(waited.barrier.waiting(), Ok(1)),
        |waited| assert_eq!(waited.barrier.wait(Wait::TRY), Ok(1)),
        |waited, returned| {
            match waited.told() {
                None => {
                    assert!(!returned, "who came last lets the others go");
                    waited.meets_it();
                }
                Some(let_go) => assert!(let_go, "nothing has broken it"),
            }
            works(&waited.barrier);
        },
    );
}

#[test]
fn first_party_that_gives_up() {
    spread(
        || barrier(2),
        |barrier| assert_eq!(barrier.waiting(), Ok(0)),
        |barrier| assert_eq!(barrier.wait(Wait::TRY), Err(Status::E_TIMEOUT)),
        |barrier, returned| {
            let broken = barrier.is_broken().unwrap();
            assert!(broken || !returned);
            assert_eq!(barrier.waiting(), Ok(0), "the dead do not wait");
            if broken {
                assert_eq!(barrier.wait(in_time()), Err(Status::E_BROKEN_BARRIER));
                barrier.reset().unwrap();
            }
            works(barrier);
        },
    );
}

#[test]
fn leader_that_completes() {
    let lead = |waited: &Waited| {
        let leads = Arrival {
            index: 1,
            leader: true,
        };
        assert_eq!(waited.barrier.arrive(Wait::TRY), Ok(leads));
        waited.barrier.complete(true).unwrap();
    };
    spread(
        waited,
        |waited| assert_eq!(waited.barrier.waiting(), Ok(1)),
        lead,
        |waited, returned| {
            match waited.told() {
                None => {
                    assert!(!returned);
                    waited.meets_it();
                }
                Some(true) => {}
                // It died between the two steps.
                Some(false) => {
                    assert!(!returned && waited.barrier.is_broken().unwrap());
                    waited.barrier.reset().unwrap();
                }
            }
            works(&waited.barrier);
        },
    );
}

#[test]
fn reset_and_abort() {
    spread(
        waited,
        |waited| assert_eq!(waited.barrier.waiting(), Ok(1)),
        |waited| {
            waited.barrier.reset().unwrap();
            waited.barrier.abort().unwrap();
        },
        |waited, returned| {
            match waited.told() {
                None => {
                    assert!(!returned);
                    waited.meets_it();
                }
                Some(let_go) => assert!(!let_go, "only three parties would let it go"),
            }
            assert!(waited.barrier.is_broken().unwrap() || !returned);
            waited.barrier.reset().unwrap();
            works(&waited.barrier);
        },
    );
}

#[test]
fn recovery_of_a_party() {
    let make = || {
        let barrier = barrier(2);
        let victim = Victim::inside(|| _ = barrier.wait(Wait::FOREVER));
        until_waits(&barrier, &victim);
        victim.kill();
        barrier
    };
    // The second process is killed while it breaks the barrier for the first.
    spread(
        make,
        |_| (),
        |barrier| assert_eq!(barrier.is_broken(), Ok(true)),
        |barrier, _| {
            assert_eq!(barrier.wait(in_time()), Err(Status::E_BROKEN_BARRIER));
            barrier.reset().unwrap();
            works(barrier);
        },
    );
}
