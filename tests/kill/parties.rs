//! Killed parties of a barrier: the others get the result at once, and of a round all go or none.

use std::time::{Duration, Instant};

use polyproc::{Barrier, CreateOptions, Status, Wait};

use crate::measure::{check, in_time, woken_after, ROUNDS};
use crate::victim::{alone, Victim, DEADLINE};

fn barrier(parties: u32) -> Barrier {
    Barrier::create(None, CreateOptions::default(), parties).unwrap()
}

/// Waits until the barrier counts the process, and the process sleeps.
fn until_waits(barrier: &Barrier, victim: &Victim) {
    let end = Instant::now() + DEADLINE;
    while barrier.waiting().unwrap() != 1 {
        assert!(Instant::now() < end, "it does not come");
        std::thread::yield_now();
    }
    victim.wait_until_asleep();
}

#[test]
fn killed_while_it_waits() {
    let _alone = alone();
    let times = (0..ROUNDS).map(|_| {
        let barrier = barrier(3);
        let victim = Victim::inside(|| _ = barrier.wait());
        until_waits(&barrier, &victim);
        let time = woken_after(victim, || {
            assert_eq!(
                barrier.wait_timeout(in_time()),
                Err(Status::E_BROKEN_BARRIER)
            );
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
        let other = Victim::inside(|| _ = barrier.arrive());
        until_waits(&barrier, &other);
        let leader = Victim::that(|| _ = barrier.arrive_timeout(Wait::TRY));
        assert_eq!(barrier.complete(true), Err(Status::E_NOT_OWNER));
        // At the gate: it arrives while others are held.
        let time = woken_after(leader, || {
            assert_eq!(
                barrier.wait_timeout(in_time()),
                Err(Status::E_BROKEN_BARRIER)
            );
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
            let stopped = Victim::inside(|| _ = barrier.wait());
            until_waits(&barrier, &stopped);
            stopped.signal(libc::SIGSTOP);
            let came = Instant::now();
            assert_eq!(barrier.wait_timeout(Wait::TRY), Ok(1));
            let time = came.elapsed();
            // It already has its result, whatever happens to the barrier.
            barrier.abort().unwrap();
            stopped.signal(libc::SIGCONT);
            stopped.wait_until_awake();
            time
        })
        .collect();
    check("a stopped party at the barrier", times);
}
