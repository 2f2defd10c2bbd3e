//! Killed and stopped waiters of a condition and of an event, and killed notifiers.

use std::time::{Duration, Instant};

use polyproc::{Acquired, Condition, CreateOptions, Event, Lock, Wait};

use crate::measure::{check, in_time, woken_after, ROUNDS};
use crate::victim::{alone, Victim};

fn condition() -> Condition {
    Condition::create(None, CreateOptions::default()).unwrap()
}

fn lock() -> Lock {
    Lock::create(None, CreateOptions::default()).unwrap()
}

/// A process that waits until it is notified, and has returned when it has acquired and released
/// the lock.
fn waiter(condition: &Condition, lock: &Lock) -> Victim {
    let inside = Event::create(None, CreateOptions::default()).unwrap();
    let waiter = Victim::inside(|| {
        lock.acquire_timeout(in_time()).unwrap();
        inside.set().unwrap();
        condition.wait_on(lock, Wait::FOREVER).unwrap();
        lock.release().unwrap();
    });
    inside.wait_timeout(in_time()).unwrap();
    // Its wait has begun when the lock can be acquired again.
    lock.acquire_timeout(in_time()).unwrap();
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
        // It is notified, and cannot return, because its lock is held.
        theirs.try_acquire().unwrap();
        condition.notify(1).unwrap();
        mine.try_acquire().unwrap();
        let time = woken_after(victim, || {
            assert_eq!(condition.wait_on(&mine, in_time()), Ok(Acquired::Clean));
        });
        mine.release().unwrap();
        time
    });
    check("killed after it was notified", times.collect());
}

/// Returns how long `tell` takes with a killed, a stopped and a living waiter.
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
            let waiter = Victim::inside(|| event.wait().unwrap());
            waiter.wait_until_asleep();
            waiter
        };
        telling(wait, || event.set().unwrap())
    });
    let (returned, woken) = times.unzip();
    check("set, one killed and one stopped: returns", returned);
    check("set, one killed and one stopped: wakes the third", woken);
}
