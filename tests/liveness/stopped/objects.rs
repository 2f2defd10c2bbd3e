//! A process is stopped in a call of a semaphore, a barrier or a condition.

use std::time::Instant;

use polyproc::{
    Barrier, Condition, CreateOptions, Lock, Semaphore, SemaphoreOptions, Status, Wait,
};

use super::{at_once, in_time, own, within, Stopped, OWN};
use crate::child::{Child, DEADLINE};

#[test]
fn an_owned_acquire_that_is_stopped_holds_up_no_call_longer_than_its_time() {
    let options = SemaphoreOptions {
        initial: 2,
        owned: true,
        ..Default::default()
    };
    let semaphore = Semaphore::create(None, &options).unwrap();
    semaphore.try_acquire().unwrap();
    let stopped = Stopped::within(
        || assert_eq!(semaphore.value(), Ok(1)),
        || {
            semaphore.try_acquire().unwrap();
            semaphore.release(1).unwrap();
        },
        || semaphore.value() == Err(Status::E_TIMEOUT),
    );
    let refused = Err(Status::E_TIMEOUT);
    assert_eq!(at_once(|| semaphore.try_acquire()), refused);
    assert_eq!(within(OWN, || semaphore.acquire_timeout(own())), refused);
    assert_eq!(at_once(|| semaphore.release(1)), refused);
    stopped.goes_on();
    semaphore.release(1).unwrap();
    assert_eq!(semaphore.value(), Ok(2));
}

fn barrier(parties: u32) -> Barrier {
    Barrier::create(None, CreateOptions::default(), parties).unwrap()
}

#[test]
fn a_party_that_is_stopped_holds_up_no_call_longer_than_its_time() {
    let barrier = barrier(3);
    let party = Child::started(|| {
        let told = barrier.wait_timeout(in_time());
        assert_eq!(told, Err(Status::E_BROKEN_BARRIER));
        // SAFETY: no preconditions.
        unsafe { libc::_exit(0) };
    });
    crate::child::eventually("a party", || barrier.waiting() == Ok(1));
    let stopped = Stopped::within(
        || assert_eq!(barrier.waiting(), Ok(1)),
        || {
            assert_eq!(
                barrier.wait_timeout(in_time()),
                Err(Status::E_BROKEN_BARRIER)
            )
        },
        || barrier.complete(true) == Err(Status::E_TIMEOUT),
    );
    assert_eq!(at_once(|| barrier.reset()), Err(Status::E_TIMEOUT));
    assert_eq!(at_once(|| barrier.abort()), Err(Status::E_TIMEOUT));
    assert_eq!(
        within(OWN, || barrier.wait_timeout(own())),
        Err(Status::E_TIMEOUT)
    );
    // Its time was over, which breaks the barrier: for the others as soon as the stopped process
    // goes on.
    stopped.goes_on();
    assert_eq!(barrier.is_broken(), Ok(true));
    let mut status = 0;
    // SAFETY: our own child; `status` is writable.
    unsafe { libc::waitpid(party.pid, &mut status, 0) };
    std::mem::forget(party);
    assert_eq!(status, 0, "the party that waited");
    barrier.reset().unwrap();
    assert_eq!(barrier.waiting(), Ok(0));
}

/// A party that waits gives up while another one is stopped inside.
#[test]
fn a_party_gives_up_beside_a_stopped_peer() {
    let barrier = barrier(2);
    let (begun, told) = std::thread::scope(|scope| {
        let party = scope.spawn(|| {
            let begin = Instant::now();
            (begin, barrier.wait_timeout(Wait::for_ns(2_000_000_000)))
        });
        crate::child::eventually("a party", || barrier.waiting() == Ok(1));
        let stopped = Stopped::within(
            || assert_eq!(barrier.waiting(), Ok(1)),
            || {
                let _ = barrier.reset();
            },
            || barrier.complete(true) == Err(Status::E_TIMEOUT),
        );
        let told = party.join().unwrap();
        stopped.goes_on();
        told
    });
    assert_eq!(told, Err(Status::E_TIMEOUT));
    assert!(begun.elapsed() < DEADLINE);
    // Nothing of the party that gave up is left.
    barrier.reset().unwrap();
    assert_eq!(barrier.waiting(), Ok(0));
    let both = std::thread::scope(|scope| {
        let other = scope.spawn(|| barrier.wait_timeout(in_time()));
        [barrier.wait_timeout(in_time()), other.join().unwrap()]
    });
    assert!(both.contains(&Ok(0)) && both.contains(&Ok(1)), "{both:?}");
}

/// A notifier waits for no waiter, wherever that is stopped.
#[test]
fn a_notifier_that_is_stopped_holds_up_nobody() {
    let (condition, lock) = (
        Condition::create(None, CreateOptions::default()).unwrap(),
        Lock::create(None, CreateOptions::default()).unwrap(),
    );
    for steps in (0..400).step_by(40) {
        let left = std::cell::Cell::new(steps);
        let stopped = Stopped::within(
            || condition.notify(1).unwrap(),
            || (0..100).for_each(|_| condition.notify_all().unwrap()),
            || left.replace(left.get() - 1) == 0,
        );
        lock.try_acquire().unwrap();
        let waited = within(OWN, || condition.wait_on(&lock, own()));
        assert_eq!(waited, Err(Status::E_TIMEOUT));
        lock.release().unwrap();
        at_once(|| condition.notify_all()).unwrap();
        stopped.goes_on();
    }
}
