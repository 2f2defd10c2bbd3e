//! Puts, reservations, shutdown.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use polyproc::{Queue, QueueOptions, Reservation, Settled, Status, Wait};

use super::queues::{
    bounded, check_put, drain, filled, get, pattern, take_all, warm_up, work, Messages, LARGE,
};
use super::{add, in_time, Named};
use crate::case::Case;
use crate::page::{mark, timed};

const BEFORE: [&[u8]; 2] = [b"first", b"second"];

fn before() -> Messages {
    BEFORE.iter().map(|message| message.to_vec()).collect()
}

/// A case in which the dead process put one message behind those of `make`.
fn put_of(make: fn() -> Queue, message: Vec<u8>) -> Case<Queue> {
    let put = message.clone();
    Case::new(make, move |queue: &Queue| queue.try_put(&put).unwrap())
        .prepare(warm_up)
        .third(warm_up)
        .check(move |queue, end| {
            let returned = usize::from(end.has_returned);
            check_put(
                &drain(queue),
                &before(),
                std::slice::from_ref(&message),
                returned,
            );
        })
        .work(work)
}

fn plain() -> Queue {
    bounded(false, &BEFORE)
}

fn joinable() -> Queue {
    bounded(true, &BEFORE)
}

/// The next small message goes over the end of the ring.
fn near_the_wrap() -> Queue {
    let queue = filled(QueueOptions::default(), &[]);
    // The first ring has 128 KiB; a header takes 16 bytes.
    let block = [0; 4096 - 16];
    for _ in 0..31 {
        queue.try_put(&block).unwrap();
        get(&queue, Wait::TRY).unwrap();
    }
    // The rest of the ring: room for the two that wait, and for a part of the third.
    queue.try_put(&[0; 4096 - 16 - 80]).unwrap();
    get(&queue, Wait::TRY).unwrap();
    BEFORE
        .iter()
        .for_each(|message| queue.try_put(message).unwrap());
    queue
}

/// The next large message needs more memory in a ring that has grown. It goes to a smaller ring,
/// which has been in use before.
fn grown_and_drained() -> Queue {
    let queue = filled(QueueOptions::default(), &[]);
    let large = pattern(LARGE);
    let put = || queue.try_put(&large).unwrap();
    let get = || assert!(get(&queue, Wait::TRY).unwrap() == large);
    // Rings of 128 KiB, 256 KiB and 1 MiB hold 3, 6 and 26 records. The fourth is chosen for a backlog
    // of 35: it has 4 MiB, and memory for 26 at first.
    (0..36).for_each(|_| put());
    (0..36).for_each(|_| get());
    for _ in 1..26 {
        put();
        get();
    }
    // The rest of this memory has room for the two that wait.
    BEFORE
        .iter()
        .for_each(|message| queue.try_put(message).unwrap());
    queue
}

fn add_full(all: &mut Vec<Named>) {
    add(all, "put into a full queue", || {
        Case::new(
            || {
                let messages: Messages = (0..8).map(|number| vec![number; 5]).collect();
                bounded(
                    false,
                    &messages.iter().map(Vec::as_slice).collect::<Vec<_>>(),
                )
            },
            |queue: &Queue| queue.put_timeout(b"ninth", in_time()).unwrap(),
        )
        .prepare(warm_up)
        .third(warm_up)
        .wake(|queue| assert_eq!(get(queue, Wait::TRY), Ok(vec![0; 5])))
        .check(|queue, end| {
            let mut left = drain(queue);
            // One was got to make room, if the call came so far.
            if left.first() == Some(&vec![0; 5]) {
                left.remove(0);
            }
            let before: Messages = (1..8).map(|number| vec![number; 5]).collect();
            check_put(
                &left,
                &before,
                &[b"ninth".to_vec()],
                usize::from(end.has_returned),
            );
        })
        .work(work)
    });
}

pub fn add_to(all: &mut Vec<Named>) {
    add_simple(all);
    add_full(all);
    add_reservations(all);
    add_shutdowns(all);
}

fn add_simple(all: &mut Vec<Named>) {
    add(all, "put, small", || put_of(plain, b"third".to_vec()));
    add(all, "put, small, joinable", || {
        put_of(joinable, b"third".to_vec())
    });
    add(all, "put, large", || put_of(plain, pattern(LARGE)));
    for (name, message) in [
        ("put with its id, small", b"third".to_vec()),
        ("put with its id, large", pattern(LARGE)),
    ] {
        add(all, name, move || {
            let put = message.clone();
            let mut case = put_of(plain, message.clone());
            case.body = Box::new(move |queue: &Queue| {
                queue.put_id_raw(&put, Wait::TRY).unwrap();
            });
            case
        });
    }
    add(all, "settled", || {
        Case::new(joinable, |queue: &Queue| {
            assert_eq!(queue.settled(0), Ok(Settled::Waiting));
            assert_eq!(queue.settled_count(), Ok(0));
        })
        .prepare(warm_up)
        .third(warm_up)
        .check(|queue, _| {
            assert_eq!(timed(|| queue.settled(0)), Ok(Settled::Waiting));
            assert_eq!(drain(queue), before(), "lost or duplicated");
            assert_eq!(timed(|| queue.settled(0)), Ok(Settled::Done));
            assert_eq!(queue.settled_count(), Ok(2));
        })
        .work(work)
    });
    add(all, "put over the end of the ring", || {
        put_of(near_the_wrap, pattern(100))
    });
    add(all, "put that links a ring", || {
        put_of(plain, pattern(150_000))
    });
    add(all, "put that goes back to a small ring", || {
        put_of(grown_and_drained, pattern(LARGE))
    });
    add(all, "first use after fork, and put", || {
        put_of(plain, b"third".to_vec()).prepare(|_| ())
    });
    add(all, "put to one who waits", || {
        Case::new(
            || bounded(false, &[]),
            |queue: &Queue| queue.try_put(b"first").unwrap(),
        )
        .prepare(warm_up)
        .third(warm_up)
        .third_sleeps(|queue| match queue.take_raw(in_time()) {
            Ok(loan) => queue.done_raw(loan.ticket).unwrap(),
            // With STOP=1 the other processes also shut the queue down.
            Err(status) => assert_eq!(status, Status::E_SHUTDOWN),
        })
        .check(|queue, end| {
            // A message in the queue reaches a waiter, although its producer died before it could
            // wake one.
            let is_put = timed(|| queue.info()).unwrap().puts == 1;
            assert!(is_put || !end.has_returned, "lost: a put that had returned");
            if !is_put {
                queue.try_put(b"another").unwrap();
            }
            end.third.wakes();
            assert!(drain(queue).is_empty(), "duplicated");
        })
        .work(work)
    });
    add(all, "put beside a living holder", || {
        let held: fn() -> Queue = || bounded(true, &[b"held", b"first", b"second"]);
        put_of(held, b"third".to_vec())
            .third(|queue| mark_held(queue.take_raw(Wait::TRY).unwrap().ticket))
            .check(|queue, end| {
                assert_eq!(
                    timed(|| queue.info()).unwrap().in_flight,
                    1,
                    "wrongly dead: a holder"
                );
                let left = take_all(queue);
                check_put(
                    &left,
                    &before(),
                    &[b"third".to_vec()],
                    usize::from(end.has_returned),
                );
            })
            .work(|queue| {
                if let Some(ticket) = held_ticket() {
                    queue.done_raw(ticket).unwrap();
                }
                work(queue);
            })
    });
    add(all, "put_many", || {
        let batch: Messages = (0..20)
            .map(|number| vec![number; 30 + usize::from(number)])
            .collect();
        let put = batch.clone();
        Case::new(
            || filled(QueueOptions::default(), &BEFORE),
            move |queue: &Queue| {
                assert_eq!(
                    queue.put_many_raw(put.len(), &|at| &put[at], Wait::TRY),
                    Ok(put.len())
                );
                mark(1);
            },
        )
        .prepare(warm_up)
        .third(warm_up)
        .check(move |queue, end| {
            let returned = if end.mark == 1 { batch.len() } else { 0 };
            check_put(&drain(queue), &before(), &batch, returned);
        })
        .work(work)
    });
}

/// The third process's reservation meanwhile; unused in the other processes.
static HELD: AtomicU64 = AtomicU64::new(u64::MAX);

fn mark_held(ticket: u64) {
    HELD.store(ticket, Ordering::Relaxed);
}

fn held_ticket() -> Option<u64> {
    Some(HELD.load(Ordering::Relaxed)).filter(|ticket| *ticket != u64::MAX)
}

fn room_of(reservation: &Reservation, data: &[u8]) {
    // SAFETY: reserved for as many bytes, and not settled yet.
    unsafe { std::ptr::copy_nonoverlapping(data.as_ptr(), reservation.data, data.len()) };
}

/// A reservation that the child makes and commits.
fn commit_of(message: Vec<u8>) -> Case<Queue> {
    let put = message.clone();
    Case::new(plain, move |queue: &Queue| {
        let reservation = queue.reserve_raw(put.len(), Wait::TRY).unwrap();
        room_of(&reservation, &put);
        mark(1);
        queue.commit_raw(&reservation, put.len()).unwrap();
    })
    .prepare(warm_up)
    .third(warm_up)
    .check(move |queue, end| {
        let left = drain(queue);
        assert!(
            left.len() == 2 || end.mark == 1,
            "put before it was written"
        );
        check_put(
            &left,
            &before(),
            std::slice::from_ref(&message),
            usize::from(end.has_returned),
        );
    })
    .work(work)
}

fn add_reservations(all: &mut Vec<Named>) {
    add(all, "reserve and commit", || commit_of(b"third".to_vec()));
    add(all, "reserve and commit, large", || {
        commit_of(pattern(LARGE))
    });
    add(all, "reserve and abort", || {
        Case::new(plain, |queue: &Queue| {
            let reservation = queue.reserve_raw(LARGE, Wait::TRY).unwrap();
            queue.abort_raw(&reservation).unwrap();
        })
        .prepare(warm_up)
        .third(warm_up)
        .check(|queue, _| check_put(&drain(queue), &before(), &[], 0))
        .work(work)
    });
    add(all, "commit of what consumers went past", || {
        Case::new(
            || filled(QueueOptions::default(), &[]),
            |queue: &Queue| {
                let reservation = PASSED.with(Cell::get).unwrap();
                queue.commit_raw(&reservation, 5).unwrap();
            },
        )
        .prepare(|queue| {
            let reservation = queue.reserve_raw(5, Wait::TRY).unwrap();
            room_of(&reservation, b"first");
            PASSED.with(|passed| passed.set(Some(reservation)));
            queue.try_put(b"after").unwrap();
            assert_eq!(get(queue, Wait::TRY), Ok(b"after".to_vec()));
        })
        .third(warm_up)
        .check(|queue, end| {
            check_put(
                &drain(queue),
                &[],
                &[b"first".to_vec()],
                usize::from(end.has_returned),
            );
        })
        .work(work)
    });
}

std::thread_local! {
    /// The child's reservation from before it is stepped.
    static PASSED: Cell<Option<Reservation>> = const { Cell::new(None) };
}

fn add_shutdowns(all: &mut Vec<Named>) {
    /// Puts are refused, and at the end gets too.
    fn is_shut_down(queue: &Queue) {
        assert_eq!(
            timed(|| queue.put_timeout(b"late", in_time())),
            Err(Status::E_SHUTDOWN)
        );
        assert_eq!(timed(|| get(queue, in_time())), Err(Status::E_SHUTDOWN));
    }
    add(all, "shutdown", || {
        Case::new(
            || bounded(false, &[]),
            |queue: &Queue| queue.shutdown(false).unwrap(),
        )
        .prepare(warm_up)
        .third(warm_up)
        .third_sleeps(|queue| {
            let refused = queue.take_raw(in_time()).err();
            assert_eq!(refused, Some(Status::E_SHUTDOWN));
        })
        .check(|queue, end| {
            if !timed(|| queue.info()).unwrap().shutdown {
                assert!(!end.has_returned, "a shutdown that had returned is lost");
                timed(|| queue.shutdown(false).unwrap());
            }
            end.third.wakes();
        })
        .work(is_shut_down)
    });
    add(all, "shutdown at once", || {
        Case::new(joinable, |queue: &Queue| queue.shutdown(true).unwrap())
            .prepare(warm_up)
            .third(warm_up)
            .third_sleeps(|queue| queue.join_timeout(in_time()).unwrap())
            .check(|queue, end| {
                if !end.has_returned {
                    timed(|| queue.shutdown(true).unwrap());
                }
                end.third.wakes();
                let info = queue.info().unwrap();
                assert_eq!(
                    (info.items, info.unfinished, info.bytes),
                    (0, 0, 0),
                    "{info:?}"
                );
                // The first record takes 32 bytes, and an id counts units of 16.
                for id in [0, 2] {
                    let found = timed(|| queue.settled(id));
                    assert_eq!(found, Ok(Settled::Discarded), "lost: it counts as done");
                }
            })
            .work(is_shut_down)
    });
}
