//! Killed owners: of a recursive lock, of permits.

use std::sync::mpsc;
use std::time::Instant;

use polyproc::{Acquired, CreateOptions, Rlock, Semaphore, SemaphoreOptions, Status};

use crate::measure::{check, in_time, woken_after, ROUNDS};
use crate::victim::{alone, own_syscall_file, wait_until_asleep, Victim};

fn rlock() -> Rlock {
    Rlock::create(None, CreateOptions::default()).unwrap()
}

#[test]
fn killed_holding_the_rlock() {
    let _alone = alone();
    let times = (0..ROUNDS).map(|round| {
        let rlock = rlock();
        let victim = Victim::that(|| {
            for _ in 0..=round % 3 {
                assert_eq!(rlock.acquire_timeout(in_time()), Ok(Acquired::Clean));
            }
        });
        assert_eq!(rlock.depth(), Ok(round as u32 % 3 + 1));
        assert_eq!(rlock.try_acquire(), Err(Status::E_TIMEOUT));
        let time = woken_after(victim, || {
            assert_eq!(
                rlock.acquire_as_timeout(9, in_time()),
                Ok(Acquired::OwnerDied)
            );
        });
        assert_eq!(rlock.depth(), Ok(1));
        rlock.release_as(9).unwrap();
        assert_eq!(rlock.try_acquire(), Ok(Acquired::Clean));
        time
    });
    check("killed holding the rlock", times.collect());
}

fn owned(initial: i64) -> Semaphore {
    Semaphore::create(
        None,
        &SemaphoreOptions {
            initial,
            owned: true,
            ..Default::default()
        },
    )
    .unwrap()
}

#[test]
fn four_waiters_get_the_permits_of_four_killed_holders() {
    let _alone = alone();
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let semaphore = owned(4);
        let take = || semaphore.acquire_timeout(in_time()).unwrap();
        let victims: Vec<Victim> = (0..4).map(|_| Victim::that(take)).collect();
        assert_eq!(semaphore.value(), Ok(0));
        std::thread::scope(|scope| {
            let (file_to, file_from) = mpsc::channel();
            let (end_to, end_from) = mpsc::channel();
            for _ in 0..4 {
                let (file_to, end_to, semaphore) = (file_to.clone(), end_to.clone(), &semaphore);
                scope.spawn(move || {
                    file_to.send(own_syscall_file()).unwrap();
                    semaphore.acquire_timeout(in_time()).unwrap();
                    end_to.send(Instant::now()).unwrap();
                });
            }
            for _ in 0..4 {
                wait_until_asleep(&file_from.recv().unwrap());
            }
            for victim in victims {
                // One death, one permit, one waiter.
                let killed = Instant::now();
                victim.kill();
                times.push(end_from.recv().unwrap().saturating_duration_since(killed));
            }
        });
        assert_eq!(semaphore.value(), Ok(0));
        semaphore.release(4).unwrap();
        assert_eq!(semaphore.value(), Ok(4));
    }
    check("killed holding an owned permit", times);
}

#[test]
fn killed_holding_all_that_others_wait_for() {
    let _alone = alone();
    let times = (0..ROUNDS).map(|_| {
        let semaphore = owned(3);
        let victim =
            Victim::that(|| (0..3).for_each(|_| semaphore.acquire_timeout(in_time()).unwrap()));
        // Other processes sleep too: the one that the kernel wakes wakes them.
        let others: Vec<Victim> = (0..2)
            .map(|_| Victim::inside(|| semaphore.acquire_timeout(in_time()).unwrap()))
            .collect();
        others.iter().for_each(Victim::wait_until_asleep);
        let time = woken_after(victim, || semaphore.acquire_timeout(in_time()).unwrap());
        others.iter().for_each(Victim::wait_until_awake);
        assert_eq!(semaphore.value(), Ok(0));
        drop(others);
        assert_eq!(semaphore.value(), Ok(2));
        time
    });
    check("killed holding three owned permits", times.collect());
}
