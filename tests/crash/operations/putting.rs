//! Puts, reservations, shutdown.

use polyproc::{Queue, QueueOptions, Wait};

use super::queues::{
    bounded, check_put, drain, filled, get, pattern, warm_up, work, Messages, LARGE,
};
use super::{add, in_time, Named};
use crate::case::Case;
use crate::page::mark;

const BEFORE: [&[u8]; 2] = [b"first", b"second"];

fn before() -> Messages {
    BEFORE.iter().map(|message| message.to_vec()).collect()
}

/// A case in which the dead put one message behind those of `make`.
fn put_of(make: fn() -> Queue, message: Vec<u8>) -> Case<Queue> {
    let put = message.clone();
    Case::new(make, move |queue: &Queue| {
        queue.put(&put, Wait::TRY).unwrap()
    })
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
        queue.put(&block, Wait::TRY).unwrap();
        get(&queue, Wait::TRY).unwrap();
    }
    // What is left of it: room for the two that wait, and for a part of the third.
    queue.put(&[0; 4096 - 16 - 80], Wait::TRY).unwrap();
    get(&queue, Wait::TRY).unwrap();
    BEFORE
        .iter()
        .for_each(|message| queue.put(message, Wait::TRY).unwrap());
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
            |queue: &Queue| queue.put(b"ninth", in_time()).unwrap(),
        )
        .prepare(warm_up)
        .third(warm_up)
        .wake(|queue| assert_eq!(get(queue, Wait::TRY), Ok(vec![0; 5])))
        .check(|queue, end| {
            let mut left = drain(queue);
            // One was got to make room, when it came so far.
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
}

fn add_simple(all: &mut Vec<Named>) {
    add(all, "put, small", || put_of(plain, b"third".to_vec()));
    add(all, "put, small, joinable", || {
        put_of(joinable, b"third".to_vec())
    });
    add(all, "put, large", || put_of(plain, pattern(LARGE)));
    add(all, "put over the end of the ring", || {
        put_of(near_the_wrap, pattern(100))
    });
    add(all, "put that links a ring", || {
        put_of(plain, pattern(150_000))
    });
    add(all, "first use after fork, and put", || {
        put_of(plain, b"third".to_vec()).prepare(|_| ())
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
                    queue.put_many(put.len(), &|at| &put[at], Wait::TRY),
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
