//! Locks, plain and recursive.

use polyproc::{Acquired, CreateOptions, Lock, Rlock, Status};

use super::{add, in_time, Named};
use crate::case::Case;
use crate::page::{mark, timed};

fn lock() -> Lock {
    Lock::create(None, CreateOptions::default()).unwrap()
}

/// A lock that the parent, which made it, holds.
fn held() -> Lock {
    let lock = lock();
    lock.try_acquire().unwrap();
    lock
}

fn warm_up(lock: &Lock) {
    if lock.try_acquire().is_ok() {
        lock.release().unwrap();
    }
}

/// It is free, and works.
fn work(lock: &Lock) {
    for _ in 0..3 {
        assert_eq!(
            timed(|| lock.acquire_timeout(in_time())),
            Ok(Acquired::Clean)
        );
        assert_eq!(lock.is_locked(), Ok(true));
        lock.release().unwrap();
    }
}

/// The next process gets it; `may_be_clean` if the dead process may have released it.
fn take_over(lock: &Lock, may_be_clean: bool) {
    let acquired = timed(|| lock.acquire_timeout(in_time())).unwrap();
    assert!(
        may_be_clean || acquired == Acquired::OwnerDied,
        "the owner's death is not told"
    );
    lock.release().unwrap();
}

pub fn add_to(all: &mut Vec<Named>) {
    add(all, "lock: acquire and release", || {
        Case::new(lock, |lock| {
            lock.try_acquire().unwrap();
            mark(1);
            lock.release().unwrap();
        })
        .prepare(warm_up)
        .third(warm_up)
        .check(|lock, end| {
            let acquired = timed(|| lock.acquire_timeout(in_time())).unwrap();
            let is_clean = acquired == Acquired::Clean;
            assert!(!end.has_returned || is_clean, "nobody died holding it");
            lock.release().unwrap();
        })
        .work(work)
    });
    add(all, "lock: acquire that waits", || {
        Case::new(held, |lock| {
            lock.acquire_timeout(in_time()).unwrap();
        })
        .prepare(warm_up)
        .third(warm_up)
        .wake(|lock| lock.release().unwrap())
        .check(|lock, end| {
            // The parent still holds it, or has released it.
            if !end.was_woken {
                let refused = timed(|| lock.try_acquire());
                assert_eq!(refused, Err(Status::E_TIMEOUT), "wrongly dead: the holder");
                lock.release().unwrap();
            }
            take_over(lock, !end.has_returned);
        })
        .work(work)
    });
    add(all, "lock: release to one who waits", || {
        Case::new(lock, |lock| lock.release().unwrap())
            .prepare(|lock| {
                lock.try_acquire().unwrap();
            })
            .third(warm_up)
            .third_sleeps(|lock| {
                lock.acquire_timeout(in_time()).unwrap();
                lock.release().unwrap();
            })
            .check(|_, end| end.third.wakes())
            .work(work)
    });
    add(all, "lock: refused to another", || {
        Case::new(held, |lock| {
            assert_eq!(lock.try_acquire(), Err(Status::E_TIMEOUT));
        })
        .prepare(warm_up)
        .third(warm_up)
        .check(|lock, _| {
            let refused = timed(|| lock.try_acquire());
            assert_eq!(refused, Err(Status::E_TIMEOUT), "wrongly dead: the holder");
            timed(|| lock.release().unwrap());
        })
        .work(work)
    });
    add_rlocks(all);
}

fn rlock() -> Rlock {
    Rlock::create(None, CreateOptions::default()).unwrap()
}

fn warm_up_rlock(rlock: &Rlock) {
    assert_eq!(rlock.release(), Err(Status::E_NOT_OWNER));
}

fn work_with_rlock(rlock: &Rlock) {
    // The thread number and the slot of the dead process are of no use to another process.
    assert_eq!(rlock.release(), Err(Status::E_NOT_OWNER));
    for depth in 1..4 {
        assert_eq!(
            timed(|| rlock.acquire_timeout(in_time())),
            Ok(Acquired::Clean)
        );
        assert_eq!(rlock.depth(), Ok(depth));
    }
    (0..3).for_each(|_| rlock.release().unwrap());
    assert_eq!(rlock.depth(), Ok(0));
}

fn add_rlocks(all: &mut Vec<Named>) {
    add(all, "rlock: acquire and release, twice", || {
        Case::new(rlock, |rlock| {
            rlock.try_acquire().unwrap();
            rlock.try_acquire().unwrap();
            rlock.release().unwrap();
            rlock.release().unwrap();
        })
        .prepare(warm_up_rlock)
        .third(warm_up_rlock)
        .check(|rlock, end| {
            assert_eq!(timed(|| rlock.release()), Err(Status::E_NOT_OWNER));
            assert_eq!(rlock.depth(), Ok(0), "the dead hold it");
            let acquired = timed(|| rlock.acquire_timeout(in_time())).unwrap();
            let is_clean = acquired == Acquired::Clean;
            assert!(!end.has_returned || is_clean, "nobody died holding it");
            assert_eq!(rlock.depth(), Ok(1));
            rlock.release().unwrap();
        })
        .work(work_with_rlock)
    });
    add(all, "rlock: release to one who waits", || {
        Case::new(rlock, |rlock| {
            rlock.release().unwrap();
            rlock.release().unwrap();
        })
        .prepare(|rlock| (0..2).for_each(|_| _ = rlock.try_acquire().unwrap()))
        .third(warm_up_rlock)
        .third_sleeps(|rlock| {
            rlock.acquire_as_timeout(7, in_time()).unwrap();
            assert_eq!(rlock.depth(), Ok(1));
            rlock.release_as(7).unwrap();
        })
        .check(|_, end| end.third.wakes())
        .work(work_with_rlock)
    });
    add(all, "rlock: acquire that waits", || {
        let held = || {
            let rlock = rlock();
            (0..2).for_each(|_| _ = rlock.try_acquire_as(3).unwrap());
            rlock
        };
        Case::new(held, |rlock| _ = rlock.acquire_timeout(in_time()).unwrap())
            .prepare(warm_up_rlock)
            .third(warm_up_rlock)
            .wake(|rlock| (0..2).for_each(|_| rlock.release_as(3).unwrap()))
            .check(|rlock, end| {
                if !end.was_woken {
                    assert_eq!(timed(|| rlock.depth()), Ok(2), "wrongly dead: the holder");
                    (0..2).for_each(|_| rlock.release_as(3).unwrap());
                }
                let acquired = timed(|| rlock.acquire_timeout(in_time())).unwrap();
                assert!(!end.has_returned || acquired == Acquired::OwnerDied);
                rlock.release().unwrap();
            })
            .work(work_with_rlock)
    });
}
