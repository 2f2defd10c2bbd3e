//! Conditions and barriers.

use polyproc::{
    Acquired, Arrival, Barrier, Condition, CreateOptions, Lock, Semaphore, SemaphoreOptions,
    Status, Wait,
};

use super::{add, in_time, Named};
use crate::case::{Case, End};
use crate::page::timed;

/// A condition and its lock, and how many waits were let go and how many refused.
pub struct Meeting<T> {
    pub place: T,
    pub lock: Lock,
    let_go: Semaphore,
    refused: Semaphore,
}

fn meeting<T>(place: T) -> Meeting<T> {
    let counter = || Semaphore::create(None, &SemaphoreOptions::default()).unwrap();
    Meeting {
        place,
        lock: Lock::create(None, CreateOptions::default()).unwrap(),
        let_go: counter(),
        refused: counter(),
    }
}

fn condition() -> Meeting<Condition> {
    meeting(Condition::create(None, CreateOptions::default()).unwrap())
}

/// Become a participant of everything.
fn warm_up(at: &Meeting<Condition>) {
    at.place.notify(0).unwrap();
    if at.lock.try_acquire().is_ok() {
        at.lock.release().unwrap();
    }
}

fn wait_once(at: &Meeting<Condition>) {
    at.lock.acquire_timeout(in_time()).unwrap();
    let waited = at.place.wait_on(&at.lock, in_time());
    assert!(waited.is_ok(), "{waited:?}");
    at.let_go.release(1).unwrap();
    at.lock.release().unwrap();
}

/// The lock can be acquired, and a wait ends in time.
fn work(at: &Meeting<Condition>) {
    assert_eq!(
        timed(|| at.lock.acquire_timeout(in_time())),
        Ok(Acquired::Clean)
    );
    timed(|| at.place.notify_all().unwrap());
    // A notification before the wait is lost.
    assert_eq!(
        at.place.wait_on(&at.lock, Wait::TRY),
        Err(Status::E_TIMEOUT)
    );
    assert_eq!(at.lock.is_locked(), Ok(true));
    at.lock.release().unwrap();
}

/// One notification lets the next waiter go.
fn lets_go(at: &Meeting<Condition>, end: &End<'_>) {
    if at.let_go.value().unwrap() == 0 {
        timed(|| at.place.notify(1).unwrap());
    }
    end.third.wakes();
    assert_eq!(at.let_go.value(), Ok(1));
}

fn add_conditions(all: &mut Vec<Named>) {
    for (name, count) in [
        ("condition: notify", 1),
        ("condition: notify_all", u32::MAX),
    ] {
        add(all, name, move || {
            Case::new(condition, move |at| at.place.notify(count).unwrap())
                .prepare(warm_up)
                .third(warm_up)
                .third_sleeps(wait_once)
                .check(|at, end| match end.has_returned {
                    true => end.third.wakes(),
                    false => lets_go(at, end),
                })
                .work(work)
        });
    }
    add(all, "condition: wait", || {
        let body = |at: &Meeting<Condition>| {
            at.lock.try_acquire().unwrap();
            at.place.wait_on(&at.lock, in_time()).unwrap();
            at.lock.release().unwrap();
        };
        Case::new(condition, body)
            .prepare(warm_up)
            .third(warm_up)
            .wake(|at| at.place.notify(1).unwrap())
            .check(|at, end| {
                let acquired = timed(|| at.lock.acquire_timeout(in_time())).unwrap();
                assert!(!end.has_returned || acquired == Acquired::Clean);
                // A notification that the dead process got and did not act on goes to another
                // waiter.
                let passed_on = timed(|| at.place.wait_on(&at.lock, Wait::TRY));
                assert!(
                    end.was_woken || passed_on == Err(Status::E_TIMEOUT),
                    "told of nothing"
                );
                at.lock.release().unwrap();
            })
            .work(work)
    });
    add(all, "condition: wait that gives up", || {
        let body = |at: &Meeting<Condition>| {
            at.lock.try_acquire().unwrap();
            assert_eq!(
                at.place.wait_on(&at.lock, Wait::TRY),
                Err(Status::E_TIMEOUT)
            );
            at.lock.release().unwrap();
        };
        Case::new(condition, body)
            .prepare(warm_up)
            .third(warm_up)
            .third_sleeps(wait_once)
            .check(|at, end| {
                // The dead process's place is free: a notification reaches the other waiter.
                lets_go(at, end);
            })
            .work(work)
    });
}

fn barrier(parties: u32) -> Meeting<Barrier> {
    meeting(Barrier::create(None, CreateOptions::default(), parties).unwrap())
}

fn warm_up_barrier(at: &Meeting<Barrier>) {
    at.place.waiting().unwrap();
    at.let_go.value().unwrap();
    at.refused.value().unwrap();
}

fn party(at: &Meeting<Barrier>) {
    match at.place.wait_timeout(in_time()) {
        Ok(_) => at.let_go.release(1).unwrap(),
        Err(status) => {
            assert_eq!(status, Status::E_BROKEN_BARRIER);
            at.refused.release(1).unwrap();
        }
    }
}

/// The answer of the third process, None if it still waits.
fn told(at: &Meeting<Barrier>, end: &End<'_>) -> Option<bool> {
    if timed(|| at.place.waiting()).unwrap() == 1 {
        return None;
    }
    end.third.wakes();
    let told = (at.let_go.value().unwrap(), at.refused.value().unwrap());
    assert!(told == (1, 0) || told == (0, 1), "{told:?}");
    Some(told.0 == 1)
}

/// It still waits, so the next party lets it go.
fn meets(at: &Meeting<Barrier>, end: &End<'_>) {
    assert_eq!(timed(|| at.place.wait_timeout(Wait::TRY)), Ok(1));
    end.third.wakes();
    assert_eq!(at.let_go.value(), Ok(1));
}

/// Several rounds of all parties, which one process plays in threads.
fn rounds(at: &Meeting<Barrier>) {
    let parties = at.place.parties().unwrap();
    for _ in 0..2 {
        let indices = std::thread::scope(|scope| {
            let parties: Vec<_> = (0..parties)
                .map(|_| scope.spawn(|| at.place.wait_timeout(in_time()).unwrap()))
                .collect();
            parties
                .into_iter()
                .map(|party| party.join().unwrap())
                .sum::<u32>()
        });
        assert_eq!(
            indices,
            parties * (parties - 1) / 2,
            "an index that was not there once"
        );
    }
    assert_eq!(
        (at.place.waiting(), at.place.is_broken()),
        (Ok(0), Ok(false))
    );
}

fn at_barrier(body: fn(&Meeting<Barrier>)) -> Case<Meeting<Barrier>> {
    Case::new(|| barrier(2), body)
        .prepare(warm_up_barrier)
        .third(warm_up_barrier)
        .third_sleeps(party)
        .work(rounds)
}

fn add_barriers(all: &mut Vec<Named>) {
    add(all, "barrier: the last party", || {
        at_barrier(|at| assert_eq!(at.place.wait_timeout(Wait::TRY), Ok(1))).check(|at, end| {
            match told(at, end) {
                None => {
                    assert!(!end.has_returned, "who came last lets the others go");
                    meets(at, end);
                }
                Some(let_go) => assert!(let_go, "nothing has broken it"),
            }
        })
    });
    add(all, "barrier: a party that waits", || {
        Case::new(
            || barrier(2),
            |at| _ = at.place.wait_timeout(in_time()).unwrap(),
        )
        .prepare(warm_up_barrier)
        .third(warm_up_barrier)
        .wake(|at| assert_eq!(at.place.wait_timeout(Wait::TRY), Ok(1)))
        .check(|at, end| {
            // It died waiting, so the barrier is broken; or it was let go before, or had not
            // arrived.
            let is_broken = timed(|| at.place.is_broken()).unwrap();
            assert_eq!(at.place.waiting(), Ok(0), "the dead wait");
            assert!(
                !is_broken || !end.was_woken,
                "it was let go, and breaks the barrier"
            );
            if is_broken {
                let refused = timed(|| at.place.wait_timeout(in_time()));
                assert_eq!(refused, Err(Status::E_BROKEN_BARRIER));
                at.place.reset().unwrap();
            }
        })
        .work(rounds)
    });
    add(all, "barrier: a party that gives up", || {
        Case::new(
            || barrier(2),
            |at| assert_eq!(at.place.wait_timeout(Wait::TRY), Err(Status::E_TIMEOUT)),
        )
        .prepare(warm_up_barrier)
        .third(warm_up_barrier)
        .check(|at, end| {
            let is_broken = timed(|| at.place.is_broken()).unwrap();
            assert!(is_broken || !end.has_returned);
            assert_eq!(at.place.waiting(), Ok(0), "the dead wait");
            at.place.reset().unwrap();
        })
        .work(rounds)
    });
    add(all, "barrier: a leader that completes", || {
        at_barrier(|at| {
            let leads = Arrival {
                index: 1,
                leader: true,
            };
            assert_eq!(at.place.arrive_timeout(Wait::TRY), Ok(leads));
            at.place.complete(true).unwrap();
        })
        .check(|at, end| match told(at, end) {
            None => {
                assert!(!end.has_returned);
                meets(at, end);
            }
            Some(true) => {}
            // It died between the two steps.
            Some(false) => {
                assert!(!end.has_returned && at.place.is_broken().unwrap());
                at.place.reset().unwrap();
            }
        })
    });
    add(all, "barrier: reset and abort", || {
        at_barrier(|at| {
            at.place.reset().unwrap();
            at.place.abort().unwrap();
        })
        .check(|at, end| {
            match told(at, end) {
                None => {
                    assert!(!end.has_returned);
                    meets(at, end);
                }
                Some(let_go) => assert!(!let_go, "only two parties would let it go"),
            }
            assert!(at.place.is_broken().unwrap() || !end.has_returned);
            at.place.reset().unwrap();
        })
    });
}

pub fn add_to(all: &mut Vec<Named>) {
    add_conditions(all);
    add_barriers(all);
}
