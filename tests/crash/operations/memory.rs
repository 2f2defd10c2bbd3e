//! Queues in a /dev/shm that is full, or too small for two of their messages. Runs only where there
//! is one.

use std::sync::OnceLock;

use polyproc::{Queue, Status, Wait};

use super::queues::{check_got, check_put, pattern, queue, warm_up, work, Messages};
use super::{add, in_time, Named};
use crate::case::Case;
use crate::page::timed;
use crate::small;

/// A message of which about so many fit.
const MESSAGES: u64 = 10;

fn long(number: u8) -> Vec<u8> {
    let len = small::size().expect("a small /dev/shm") / MESSAGES;
    let mut message = pattern(len as usize);
    message[0] = number;
    message
}

/// The longest message that a fresh queue takes, to within a page.
fn largest() -> usize {
    static LARGEST: OnceLock<usize> = OnceLock::new();
    *LARGEST.get_or_init(|| {
        let fits = |len: usize| {
            let queue = queue(Default::default());
            queue.try_put(&vec![1; len]).is_ok()
        };
        let (mut least, mut most) = (0, small::size().expect("a small /dev/shm") as usize);
        while most - least > 4096 {
            let middle = (least + most) / 2;
            match fits(middle) {
                true => least = middle,
                false => most = middle,
            }
        }
        least
    })
}

/// As many long messages as memory allows, and then short ones.
fn full() -> Queue {
    largest();
    let queue = queue(Default::default());
    for message in all() {
        match queue.try_put(&message) {
            Ok(()) => {}
            Err(status) => assert_eq!(status, Status::E_NO_MEMORY),
        }
    }
    queue
}

/// The messages that `full` tries to put: of two lengths, told apart by their first byte.
fn all() -> Messages {
    let short = |number: u8| vec![100 + number; 20_000];
    (0..2 * MESSAGES as u8)
        .map(long)
        .chain((0..100).map(short))
        .collect()
}

fn take(queue: &Queue, wait: Wait<'_>) -> Result<Vec<u8>, Status> {
    let loan = queue.take_raw(wait)?;
    // SAFETY: taken and not settled yet.
    let message = unsafe { std::slice::from_raw_parts(loan.data, loan.len) }.to_vec();
    queue.done_raw(loan.ticket)?;
    Ok(message)
}

fn drain(queue: &Queue) -> Messages {
    let items = timed(|| queue.info()).unwrap().items;
    let left: Messages = std::iter::from_fn(|| timed(|| take(queue, Wait::TRY)).ok()).collect();
    assert_eq!(left.len() as u64, items, "lost or duplicated");
    left
}

/// It is empty, and takes every message that a fresh one takes.
fn is_like_fresh(queue: &Queue) {
    let (message, short) = (vec![2; largest()], [3; 1000]);
    for message in [&message[..], &short, &message, &long(7)] {
        assert_eq!(queue.try_put(message), Ok(()), "{}", message.len());
        assert!(take(queue, in_time()).unwrap() == *message);
    }
}

fn in_full(body: fn(&Queue)) -> Case<Queue> {
    Case::new(full, body)
        .prepare(warm_up)
        .third(warm_up)
        .work(work)
}

/// The messages of `all` that a full queue has.
fn kept() -> &'static Messages {
    static KEPT: OnceLock<Messages> = OnceLock::new();
    KEPT.get_or_init(|| drain(&full()))
}

pub fn add_to(all: &mut Vec<Named>) {
    if small::size().is_none() {
        return;
    }
    add(all, "put into full memory", || {
        kept();
        in_full(|queue| {
            let refused = queue.try_put(&[9; 50_000]);
            assert!(refused.is_err_and(|status| status == Status::E_NO_MEMORY));
        })
        .check(|queue, _| {
            check_put(&drain(queue), kept(), &[], 0);
            is_like_fresh(queue);
        })
    });
    add(all, "take and done in full memory", || {
        kept();
        in_full(|queue| {
            let loan = queue.take_raw(Wait::TRY).unwrap();
            queue.done_raw(loan.ticket).unwrap();
        })
        .check(|queue, end| {
            check_got(&drain(queue), kept(), usize::from(end.has_returned), end);
            is_like_fresh(queue);
        })
    });
    // Stepping through the copy of a longer message would take minutes.
    if small::size().is_some_and(|size| size > 8 << 20) {
        return;
    }
    add(all, "put of the longest after the longest", || {
        let make = || {
            let message = vec![1; largest()];
            let queue = queue(Default::default());
            queue.try_put(&message).unwrap();
            take(&queue, Wait::TRY).unwrap();
            queue
        };
        static MESSAGE: OnceLock<Vec<u8>> = OnceLock::new();
        MESSAGE.get_or_init(|| pattern(largest()));
        let body = |queue: &Queue| {
            let message = MESSAGE.get().expect("made before");
            queue.try_put(message).unwrap();
        };
        Case::new(make, body)
            .prepare(warm_up)
            .third(warm_up)
            .check(|queue, end| {
                let left = drain(queue);
                let put = [MESSAGE.get().expect("made before").clone()];
                check_put(&left, &[], &put, usize::from(end.has_returned));
                is_like_fresh(queue);
            })
            .work(work)
    });
}
