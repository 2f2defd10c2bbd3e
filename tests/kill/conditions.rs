//! Killed and stopped waiters of a condition and of an event, and killed notifiers.

use std::time::{Duration, Instant};

use polyproc::{Acquired, Condition, CreateOptions, Event, Lock, Status, Wait};

use crate::measure::{check, in_time, spread, woken_after, ROUNDS};
use crate::victim::{alone, Victim};

fn condition() -> Condition {
    Condition::create(None, CreateOptions::default()).unwrap()
}

fn lock() -> Lock {
    Lock::create(None, CreateOptions::default()).unwrap()
}

/// A process that waits until it is notified, and is through when it has the lock and has released it.
fn waiter(condition: &Condition, lock: &Lock) -> Victim {
    let inside = Event::create(None, CreateOptions::default()).unwrap();
    let waiter = Victim::inside(|| {
        lock.acquire(in_time()).unwrap();
        inside.set().unwrap();
        condition.wait(lock, Wait::FOREVER).unwrap();
        lock.release().unwrap();
    });
    inside.wait(in_time()).unwrap();
    // Its wait has begun when the lock is to be had again.
    lock.acquire(in_time()).unwrap();
    lock.release().unwrap();
    waiter.wait_until_asleep();
    waiter
}

#[test]
fn killed_after_it_was_notified() {
    let _alone = alone();
    let times = (0..ROUNDS).map(|_| {
        let (condition, theirs, mine) = (condition(), lock(), lock());
        let victim = waiter(&condition, &theirs);
        // It is notified, and cannot return: its lock is taken.
        theirs.acquire(Wait::TRY).unwrap();
        condition.notify(1).unwrap();
        mine.acquire(Wait::TRY).unwrap();
        let time = woken_after(victim, || {
            assert_eq!(condition.wait(&mine, in_time()), Ok(Acquired::Clean));
        });
        mine.release().unwrap();
        time
    });
    check("killed after it was notified", times.collect());
}

/// How long `tell` takes, which tells a killed, a stopped and a living waiter.
fn telling(wait: impl Fn() -> Victim, tell: impl Fn()) -> (Duration, Duration) {
    let (killed, stopped, living) = (wait(), wait(), wait());
    killed.kill();
    stopped.signal(libc::SIGSTOP);
    let told = Instant::now();
    tell();
    let (returned, told) = (told.elapsed(), Instant::now());
    living.wait_until_awake();
    let woken = told.elapsed();
    stopped.signal(libc::SIGCONT);
    stopped.wait_until_awake();
    (returned, woken)
}

#[test]
fn notify_all_waits_for_nobody() {
    let _alone = alone();
    let times = (0..ROUNDS).map(|_| {
        let (condition, lock) = (condition(), lock());
        telling(
            || waiter(&condition, &lock),
            || condition.notify_all().unwrap(),
        )
    });
    let (returned, woken) = times.unzip();
    check("notify_all, one killed and one stopped: returns", returned);
    check(
        "notify_all, one killed and one stopped: wakes the third",
        woken,
    );
}

#[test]
fn set_waits_for_nobody() {
    let _alone = alone();
    let times = (0..ROUNDS).map(|_| {
        let event = Event::create(None, CreateOptions::default()).unwrap();
        let wait = || {
            let waiter = Victim::inside(|| event.wait(Wait::FOREVER).unwrap());
            waiter.wait_until_asleep();
            waiter
        };
        telling(wait, || event.set().unwrap())
    });
    let (returned, woken) = times.unzip();
    check("set, one killed and one stopped: returns", returned);
    check("set, one killed and one stopped: wakes the third", woken);
}

/// A condition, its lock, and a process that waits there.
struct Waited {
    condition: Condition,
    lock: Lock,
    other: Victim,
}

fn waited() -> Waited {
    let (condition, lock) = (condition(), lock());
    let other = waiter(&condition, &lock);
    Waited {
        condition,
        lock,
        other,
    }
}

/// The lock is to be had, and one notification reaches the one who waits.
fn works(condition: &Condition, lock: &Lock) {
    lock.acquire(in_time()).unwrap();
    assert_eq!(condition.wait(lock, Wait::TRY), Err(Status::E_TIMEOUT));
    lock.release().unwrap();
    let one = waiter(condition, lock);
    condition.notify(1).unwrap();
    one.wait_until_awake();
    assert_eq!(lock.acquire(Wait::TRY), Ok(Acquired::Clean));
}

#[test]
fn notify() {
    for count in [1, u32::MAX] {
        spread(
            waited,
            |waited| waited.condition.notify(0).unwrap(),
            |waited| waited.condition.notify(count).unwrap(),
            |waited, returned| {
                if !returned {
                    waited.condition.notify(1).unwrap();
                }
                waited.other.wait_until_awake();
                works(&waited.condition, &waited.lock);
            },
        );
    }
}

#[test]
fn wait_that_times_out() {
    spread(
        || (condition(), lock()),
        |(condition, lock)| {
            condition.notify(0).unwrap();
            lock.acquire(Wait::TRY).unwrap();
            lock.release().unwrap();
        },
        |(condition, lock)| {
            lock.acquire(Wait::TRY).unwrap();
            assert_eq!(condition.wait(lock, Wait::TRY), Err(Status::E_TIMEOUT));
            lock.release().unwrap();
        },
        |(condition, lock), _| works(condition, lock),
    );
}

#[test]
fn wait_that_is_notified() {
    // A second process notifies all the while, so the wait ends at once, and is killed anywhere in it.
    let make = || {
        let (condition, lock) = (condition(), lock());
        let notifier = Victim::inside(|| loop {
            condition.notify(1).unwrap();
            std::thread::yield_now();
        });
        (condition, lock, notifier)
    };
    spread(
        make,
        |(condition, lock, _)| {
            condition.notify(0).unwrap();
            lock.acquire(Wait::TRY).unwrap();
            lock.release().unwrap();
        },
        |(condition, lock, _)| {
            lock.acquire(Wait::TRY).unwrap();
            condition.wait(lock, in_time()).unwrap();
            lock.release().unwrap();
        },
        |(condition, lock, notifier), _| {
            notifier.signal(libc::SIGKILL);
            works(condition, lock);
        },
    );
}

#[test]
fn recovery_of_a_notified_waiter() {
    let make = || {
        let (condition, theirs) = (condition(), lock());
        let victim = waiter(&condition, &theirs);
        theirs.acquire(Wait::TRY).unwrap();
        let lock = lock();
        let other = waiter(&condition, &lock);
        // Nobody is there to pass on what the victim was told, but the process that is killed doing so.
        other.signal(libc::SIGSTOP);
        condition.notify(1).unwrap();
        victim.kill();
        Waited {
            condition,
            lock,
            other,
        }
    };
    spread(
        make,
        |_| (),
        |waited| waited.condition.notify(0).unwrap(),
        |waited, _| {
            waited.other.signal(libc::SIGCONT);
            waited.other.wait_until_awake();
            works(&waited.condition, &waited.lock);
        },
    );
}
