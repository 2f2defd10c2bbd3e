//! Locks, plain and recursive.

use polyproc::{Acquired, CreateOptions, Lock, Wait};

use super::{add, in_time, Named};
use crate::case::Case;
use crate::page::timed;

fn lock() -> Lock {
    Lock::create(None, CreateOptions::default()).unwrap()
}

fn warm_up(lock: &Lock) {
    assert_eq!(lock.acquire(Wait::TRY), Ok(Acquired::Clean));
    lock.release().unwrap();
}

/// It is free, and works.
fn work(lock: &Lock) {
    for _ in 0..3 {
        assert_eq!(timed(|| lock.acquire(in_time())), Ok(Acquired::Clean));
        assert_eq!(lock.is_locked(), Ok(true));
        lock.release().unwrap();
    }
}

pub fn add_to(all: &mut Vec<Named>) {
    add(all, "lock: acquire and release", || {
        Case::new(lock, |lock| {
            lock.acquire(Wait::TRY).unwrap();
            lock.release().unwrap();
        })
        .prepare(warm_up)
        .third(warm_up)
        .check(|lock, end| {
            let acquired = timed(|| lock.acquire(in_time())).unwrap();
            assert!(!end.has_returned || acquired == Acquired::Clean);
            lock.release().unwrap();
        })
        .work(work)
    });
}
