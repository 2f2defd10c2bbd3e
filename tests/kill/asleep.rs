//! How soon a sleeper goes on when a process dies on which it depends; and no living process is
//! taken for dead.

use std::mem::MaybeUninit;
use std::time::Instant;

use polyproc::{
    Acquired, CreateOptions, Event, Lock, Queue, QueueOptions, Semaphore, SemaphoreOptions, Status,
    Wait,
};

use crate::measure::{check, in_time, woken_after, ROUNDS};
use crate::victim::{alone, Victim};

fn queue(joinable: bool) -> Queue {
    Queue::create(
        None,
        &QueueOptions {
            joinable,
            ..Default::default()
        },
    )
    .unwrap()
}

#[test]
fn killed_holding_the_lock() {
    let _alone = alone();
    let times = (0..ROUNDS).map(|_| {
        let lock = Lock::create(None, CreateOptions::default()).unwrap();
        let victim =
            Victim::that(|| assert_eq!(lock.acquire_timeout(in_time()), Ok(Acquired::Clean)));
        assert!(lock.is_locked().unwrap());
        let time = woken_after(victim, || {
            assert_eq!(lock.acquire_timeout(in_time()), Ok(Acquired::OwnerDied))
        });
        lock.release().unwrap();
        assert_eq!(lock.try_acquire(), Ok(Acquired::Clean));
        time
    });
    check("killed holding the lock", times.collect());
}

#[test]
fn killed_with_unfinished_tasks() {
    let _alone = alone();
    let times = (0..ROUNDS).map(|round| {
        let queue = queue(true);
        for text in ["first", "second", "third"] {
            queue.try_put(text.as_bytes()).unwrap();
        }
        let victim = Victim::that(|| {
            let mut buffer = [MaybeUninit::uninit(); 8];
            match round % 2 {
                0 => drop(queue.get_raw(&mut buffer, Wait::TRY).unwrap()),
                _ => drop(queue.take_raw(Wait::TRY).unwrap()),
            }
            queue.take_raw(Wait::TRY).unwrap();
        });
        let third = queue.take_raw(Wait::TRY).unwrap();
        queue.done_raw(third.ticket).unwrap();
        let time = woken_after(victim, || {
            let first = queue.take_raw(in_time()).unwrap();
            assert_eq!((first.len, first.deliveries), (5, 2));
            queue.done_raw(first.ticket).unwrap();
        });
        let second = queue.take_raw(Wait::TRY).unwrap();
        assert_eq!((second.len, second.deliveries), (6, 2));
        queue.done_raw(second.ticket).unwrap();
        queue.try_join().unwrap();
        let info = queue.info().unwrap();
        assert_eq!(
            (
                info.puts,
                info.gets,
                info.redelivered,
                info.in_flight,
                info.bytes
            ),
            (3, 3, 2, 0, 0)
        );
        time
    });
    check("killed with unfinished tasks", times.collect());
}

#[test]
fn killed_while_others_join() {
    let _alone = alone();
    let times = (0..ROUNDS).map(|_| {
        let queue = Queue::create(
            None,
            &QueueOptions {
                joinable: true,
                max_deliveries: 1,
                ..Default::default()
            },
        )
        .unwrap();
        queue.try_put(b"deadly").unwrap();
        let victim = Victim::that(|| {
            queue.take_raw(Wait::TRY).unwrap();
        });
        // The only delivery that is allowed kills its consumer: the message becomes a dead letter,
        // and nothing is unfinished.
        let time = woken_after(victim, || queue.join_timeout(in_time()).unwrap());
        assert_eq!(queue.info().unwrap().dead_letters, 1);
        assert_eq!(queue.take_dead_raw().unwrap().len, 6);
        time
    });
    check("killed while others join", times.collect());
}

#[test]
fn killed_in_the_middle_of_a_large_put() {
    let _alone = alone();
    let times = (0..ROUNDS).map(|_| {
        let queue = Queue::create(
            None,
            &QueueOptions {
                max_items: 1,
                joinable: true,
                ..Default::default()
            },
        )
        .unwrap();
        // As a large put does until its payload is written.
        let victim = Victim::that(|| {
            queue.reserve_raw(100_000, Wait::TRY).unwrap();
        });
        assert_eq!(queue.try_put(b"next"), Err(Status::E_FULL));
        assert_eq!(queue.len(), Ok(0));
        let time = woken_after(victim, || queue.put_timeout(b"next", in_time()).unwrap());
        let next = queue.take_raw(Wait::TRY).unwrap();
        assert_eq!(next.len, 4);
        queue.done_raw(next.ticket).unwrap();
        queue.try_join().unwrap();
        let info = queue.info().unwrap();
        assert_eq!(
            (info.puts, info.gets, info.discarded, info.bytes),
            (1, 1, 1, 0)
        );
        time
    });
    check("killed in the middle of a large put", times.collect());
}

#[test]
fn killed_while_asleep() {
    let _alone = alone();
    let times = (0..ROUNDS).map(|round| {
        let queue = queue(false);
        let event = Event::create(None, CreateOptions::default()).unwrap();
        let semaphore = Semaphore::create(None, &SemaphoreOptions::default()).unwrap();
        let victim = Victim::inside(|| match round % 3 {
            0 => drop(queue.take_raw(Wait::FOREVER)),
            1 => drop(event.wait()),
            _ => drop(semaphore.acquire()),
        });
        victim.wait_until_asleep();
        victim.kill();
        // Another sleeper is woken although the dead one was first.
        let second = Victim::inside(|| match round % 3 {
            0 => drop(
                queue
                    .take_raw(Wait::FOREVER)
                    .and_then(|loan| queue.done_raw(loan.ticket)),
            ),
            1 => drop(event.wait()),
            _ => drop(semaphore.acquire()),
        });
        second.wait_until_asleep();
        let woken = Instant::now();
        match round % 3 {
            0 => queue.try_put(b"wake up").unwrap(),
            1 => event.set().unwrap(),
            _ => semaphore.release(1).unwrap(),
        }
        second.wait_until_awake();
        woken.elapsed()
    });
    check("killed while asleep", times.collect());
}

#[test]
fn a_stopped_holder_is_not_taken_for_dead() {
    let _alone = alone();
    let lock = Lock::create(None, CreateOptions::default()).unwrap();
    let queue = queue(true);
    queue.try_put(b"task").unwrap();
    let victim = Victim::that(|| {
        lock.try_acquire().unwrap();
        queue.take_raw(Wait::TRY).unwrap();
    });
    victim.signal(libc::SIGSTOP);
    let three_seconds = std::time::Duration::from_secs(3);
    std::thread::scope(|scope| {
        scope.spawn(|| assert_eq!(lock.acquire_timeout(three_seconds), Err(Status::E_TIMEOUT)));
        scope.spawn(|| {
            assert_eq!(
                queue.take_timeout(three_seconds).err(),
                Some(Status::E_EMPTY)
            )
        });
        scope.spawn(|| assert_eq!(queue.join_timeout(three_seconds), Err(Status::E_TIMEOUT)));
    });
    assert!(lock.is_locked().unwrap());
    assert_eq!(queue.info().unwrap().in_flight, 1);
    victim.kill();
    assert_eq!(lock.acquire_timeout(in_time()), Ok(Acquired::OwnerDied));
    assert_eq!(queue.take_raw(in_time()).unwrap().deliveries, 2);
}
