//! Semaphores, with and without owned permits, and events.

use polyproc::{CreateOptions, Event, Semaphore, SemaphoreOptions, Status, Wait};

use super::{add, in_time, Named};
use crate::case::Case;
use crate::page::{mark, timed};

fn semaphore(owned: bool, initial: i64) -> Semaphore {
    let options = SemaphoreOptions {
        initial,
        owned,
        ..Default::default()
    };
    Semaphore::create(None, &options).unwrap()
}

fn warm_up(semaphore: &Semaphore) {
    match semaphore.try_acquire() {
        Ok(()) => semaphore.release(1).unwrap(),
        Err(status) => assert_eq!(status, Status::E_TIMEOUT),
    }
}

/// Permits come and go.
fn work(semaphore: &Semaphore) {
    let value = semaphore.value().unwrap();
    (0..value).for_each(|_| timed(|| semaphore.try_acquire()).unwrap());
    assert_eq!(semaphore.try_acquire(), Err(Status::E_TIMEOUT));
    if value > 0 {
        semaphore.release(value).unwrap();
    }
    assert_eq!(semaphore.value(), Ok(value));
}

pub fn add_to(all: &mut Vec<Named>) {
    add(all, "semaphore: acquire and release", || {
        Case::new(
            || semaphore(false, 2),
            |semaphore| {
                semaphore.try_acquire().unwrap();
                mark(1);
                semaphore.release(1).unwrap();
            },
        )
        .prepare(warm_up)
        .third(warm_up)
        .check(|semaphore, end| {
            let value = timed(|| semaphore.value()).unwrap();
            // Permits have no owner: the dead process's permit is gone.
            let expected = if end.has_returned { 2..=2 } else { 1..=2 };
            assert!(expected.contains(&value), "{value} permits of 2");
        })
        .work(work)
    });
    add(all, "semaphore: acquire that waits", || {
        Case::new(
            || semaphore(false, 0),
            |semaphore| semaphore.acquire_timeout(in_time()).unwrap(),
        )
        .prepare(warm_up)
        .third(warm_up)
        .wake(|semaphore| semaphore.release(1).unwrap())
        .check(|semaphore, end| {
            let value = timed(|| semaphore.value()).unwrap();
            let most = i64::from(end.was_woken && !end.has_returned);
            assert!((0..=most).contains(&value), "{value} permits");
        })
        .work(work)
    });
    add(all, "semaphore: release to one who waits", || {
        Case::new(
            || semaphore(false, 0),
            |semaphore| semaphore.release(1).unwrap(),
        )
        .prepare(warm_up)
        .third(warm_up)
        .third_sleeps(|semaphore| semaphore.acquire_timeout(in_time()).unwrap())
        .check(|semaphore, end| {
            // A permit reaches a waiter, although the process that released it died before it could
            // wake one.
            let is_there = timed(|| semaphore.value()).unwrap() == 1;
            if !is_there && !end.has_returned {
                semaphore.release(1).unwrap();
            }
            end.third.wakes();
            let value = semaphore.value().unwrap();
            let most = i64::from(!is_there && !end.has_returned);
            assert!((0..=most).contains(&value), "{value} permits");
        })
        .work(work)
    });
    add_owned(all);
    add_events(all);
}

fn add_owned(all: &mut Vec<Named>) {
    /// The dead process's permits have come back, and no more.
    fn whole(semaphore: &Semaphore) {
        assert_eq!(
            timed(|| semaphore.value()),
            Ok(2),
            "the dead hold a permit, or wrongly dead: the third"
        );
        assert_eq!(semaphore.release(1), Err(Status::E_NOT_OWNER));
    }
    /// The third process has one of three permits, until it works.
    fn holder(semaphore: &Semaphore) {
        semaphore.try_acquire().unwrap();
    }
    add(all, "owned semaphore: acquire and release", || {
        Case::new(
            || semaphore(true, 3),
            |semaphore| {
                semaphore.try_acquire().unwrap();
                semaphore.try_acquire().unwrap();
                semaphore.release(2).unwrap();
                semaphore.try_acquire().unwrap();
            },
        )
        .prepare(warm_up)
        .third(holder)
        .check(|semaphore, _| whole(semaphore))
        .work(work)
    });
    add(all, "owned semaphore: acquire that waits", || {
        let make = || {
            let semaphore = semaphore(true, 3);
            (0..2).for_each(|_| semaphore.try_acquire().unwrap());
            semaphore
        };
        Case::new(make, |semaphore| {
            semaphore.acquire_timeout(in_time()).unwrap()
        })
        .prepare(warm_up)
        .third(holder)
        .wake(|semaphore| semaphore.release(2).unwrap())
        .check(|semaphore, end| {
            if !end.was_woken {
                assert_eq!(
                    timed(|| semaphore.value()),
                    Ok(0),
                    "wrongly dead: the parent"
                );
                semaphore.release(2).unwrap();
            }
            whole(semaphore);
        })
        .work(work)
    });
    add(all, "owned semaphore: release to one who waits", || {
        Case::new(
            || semaphore(true, 1),
            |semaphore| semaphore.release(1).unwrap(),
        )
        .prepare(|semaphore| semaphore.try_acquire().unwrap())
        .third(warm_up)
        .third_sleeps(|semaphore| {
            semaphore.acquire_timeout(in_time()).unwrap();
            semaphore.release(1).unwrap();
        })
        .check(|_, end| end.third.wakes())
        .work(work)
    });
}

fn event() -> Event {
    Event::create(None, CreateOptions::default()).unwrap()
}

/// A set needs no participant, because a signal handler may do it; a sleep needs one.
fn warm_up_event(event: &Event) {
    let _ = event.wait_timeout(Wait::for_ns(1000));
}

fn work_with_event(event: &Event) {
    for _ in 0..3 {
        timed(|| event.set().unwrap());
        assert_eq!(timed(|| event.wait_timeout(in_time())), Ok(()));
        event.clear().unwrap();
        assert_eq!(event.is_set(), Ok(false));
        assert_eq!(event.wait_timeout(Wait::TRY), Err(Status::E_TIMEOUT));
    }
}

fn add_events(all: &mut Vec<Named>) {
    add(all, "event: set", || {
        Case::new(event, |event| event.set().unwrap())
            .prepare(warm_up_event)
            .third(warm_up_event)
            .third_sleeps(|event| event.wait_timeout(in_time()).unwrap())
            .check(|event, end| {
                let is_set = timed(|| event.is_set()).unwrap();
                assert!(
                    is_set || !end.has_returned,
                    "a set that had returned is lost"
                );
                if !is_set {
                    assert!(!end.third.is_woken());
                    event.set().unwrap();
                }
                end.third.wakes();
            })
            .work(work_with_event)
    });
    add(all, "event: set and clear", || {
        let body = |event: &Event| {
            event.set().unwrap();
            mark(1);
            event.clear().unwrap();
        };
        Case::new(event, body)
            .prepare(warm_up_event)
            .third(warm_up_event)
            .third_sleeps(|event| event.wait_timeout(in_time()).unwrap())
            .check(|event, end| {
                // A set that had returned wakes the waiters, though a clear followed.
                if end.mark == 0 && !timed(|| event.is_set()).unwrap() && !end.third.is_woken() {
                    event.set().unwrap();
                }
                end.third.wakes();
                assert!(!end.has_returned || !event.is_set().unwrap());
            })
            .work(work_with_event)
    });
    add(all, "event: wait", || {
        Case::new(event, |event| event.wait_timeout(in_time()).unwrap())
            .prepare(warm_up_event)
            .third(warm_up_event)
            .wake(|event| event.set().unwrap())
            .check(|event, end| {
                assert_eq!(timed(|| event.is_set()), Ok(end.was_woken));
            })
            .work(work_with_event)
    });
}
