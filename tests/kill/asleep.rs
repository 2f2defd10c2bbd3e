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
        let victim = Victim::that(|| assert_eq!(lock.acquire(in_time()), Ok(Acquired::Clean)));
        assert!(lock.is_locked().unwrap());
        let time = woken_after(victim, || {
            assert_eq!(lock.acquire(in_time()), Ok(Acquired::OwnerDied))
        });
        lock.release().unwrap();
        assert_eq!(lock.acquire(Wait::TRY), Ok(Acquired::Clean));
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
            queue.put(text.as_bytes(), Wait::TRY).unwrap();
        }
        let victim = Victim::that(|| {
            let mut buffer = [MaybeUninit::uninit(); 8];
            match round % 2 {
                0 => drop(queue.get(&mut buffer, Wait::TRY).unwrap()),
                _ => drop(queue.take(Wait::TRY).unwrap()),
            }
            queue.take(Wait::TRY).unwrap();
        });
        let third = queue.take(Wait::TRY).unwrap();
        queue.done(third.ticket).unwrap();
        let time = woken_after(victim, || {
            let first = queue.take(in_time()).unwrap();
            assert_eq!((first.len, first.deliveries), (5, 2));
            queue.done(first.ticket).unwrap();
        });
        let second = queue.take(Wait::TRY).unwrap();
        assert_eq!((second.len, second.deliveries), (6, 2));
        queue.done(second.ticket).unwrap();
        queue.join(Wait::TRY).unwrap();
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
        queue.put(b"deadly", Wait::TRY).unwrap();
        let victim = Victim::that(|| {
            queue.take(Wait::TRY).unwrap();
        });
        // The only delivery that is allowed kills its consumer: the message becomes a dead letter,
        // and nothing is unfinished.
        let time = woken_after(victim, || queue.join(in_time()).unwrap());
        assert_eq!(queue.info().unwrap().dead_letters, 1);
        assert_eq!(queue.take_dead().unwrap().len, 6);
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
            queue.reserve(100_000, Wait::TRY).unwrap();
        });
        assert_eq!(queue.put(b"next", Wait::TRY), Err(Status::E_FULL));
        assert_eq!(queue.len(), Ok(0));
        let time = woken_after(victim, || queue.put(b"next", in_time()).unwrap());
        let next = queue.take(Wait::TRY).unwrap();
        assert_eq!(next.len, 4);
        queue.done(next.ticket).unwrap();
        queue.join(Wait::TRY).unwrap();
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
            0 => drop(queue.take(Wait::FOREVER)),
            1 => drop(event.wait(Wait::FOREVER)),
            _ => drop(semaphore.acquire(Wait::FOREVER)),
        });
        victim.wait_until_asleep();
        victim.kill();
        // Another sleeper is woken although the dead one was first.
        let second = Victim::inside(|| match round % 3 {
            0 => drop(
                queue
                    .take(Wait::FOREVER)
                    .and_then(|loan| queue.done(loan.ticket)),
            ),
            1 => drop(event.wait(Wait::FOREVER)),
            _ => drop(semaphore.acquire(Wait::FOREVER)),
        });
        second.wait_until_asleep();
        let woken = Instant::now();
        match round % 3 {
            0 => queue.put(b"wake up", Wait::TRY).unwrap(),
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
    queue.put(b"task", Wait::TRY).unwrap();
    let victim = Victim::that(|| {
        lock.acquire(Wait::TRY).unwrap();
        queue.take(Wait::TRY).unwrap();
    });
    victim.signal(libc::SIGSTOP);
    let three_seconds = Wait::for_ns(3_000_000_000);
    std::thread::scope(|scope| {
        scope.spawn(|| assert_eq!(lock.acquire(three_seconds), Err(Status::E_TIMEOUT)));
        scope.spawn(|| assert_eq!(queue.take(three_seconds).err(), Some(Status::E_EMPTY)));
        scope.spawn(|| assert_eq!(queue.join(three_seconds), Err(Status::E_TIMEOUT)));
    });
    assert!(lock.is_locked().unwrap());
    assert_eq!(queue.info().unwrap().in_flight, 1);
    victim.kill();
    assert_eq!(lock.acquire(in_time()), Ok(Acquired::OwnerDied));
    assert_eq!(queue.take(in_time()).unwrap().deliveries, 2);
}
