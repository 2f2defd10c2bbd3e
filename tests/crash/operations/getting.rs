//! Gets, takes, and what settles them.

use std::mem::MaybeUninit;

use polyproc::{Queue, QueueOptions, Wait};

use super::queues::{
    bounded, check_got, check_settled, drain, filled, get, get_only, pattern, warm_up, work,
    Messages, LARGE,
};
use super::{add, in_time, Named};
use crate::case::Case;
use crate::page::{mark, timed};

const BEFORE: [&[u8]; 2] = [b"first", b"second"];

fn before() -> Messages {
    BEFORE.iter().map(|message| message.to_vec()).collect()
}

fn plain() -> Queue {
    bounded(false, &BEFORE)
}

fn joinable() -> Queue {
    bounded(true, &BEFORE)
}

/// The dead got the first message for good when its body had returned; it may have, once the body had begun.
fn get_of(make: fn() -> Queue, messages: fn() -> Messages, body: fn(&Queue)) -> Case<Queue> {
    Case::new(make, body)
        .prepare(warm_up)
        .third(warm_up)
        .check(move |queue, end| {
            check_got(
                &drain(queue),
                &messages(),
                usize::from(end.has_returned),
                end,
            );
        })
        .work(work)
}

/// The body marks that it has the first message in its hands, and settles it, for good when it had returned.
fn settle_of(make: fn() -> Queue, body: fn(&Queue)) -> Case<Queue> {
    Case::new(make, body)
        .prepare(warm_up)
        .third(warm_up)
        .check(|queue, end| check_settled(&drain(queue), &before(), 1, end))
        .work(work)
}

fn small_get(queue: &Queue) {
    get_only(queue, &mut [MaybeUninit::uninit(); 16], Wait::TRY);
}

fn large_get(queue: &Queue) {
    get_only(queue, &mut [MaybeUninit::uninit(); LARGE], Wait::TRY);
}

fn take(queue: &Queue) -> u64 {
    let loan = queue.take(Wait::TRY).unwrap();
    mark(1);
    loan.ticket
}

pub fn add_to(all: &mut Vec<Named>) {
    add(all, "get, small", || get_of(plain, before, small_get));
    add(all, "get, large", || {
        let messages = || vec![pattern(LARGE), b"second".to_vec()];
        let make = || filled(QueueOptions::default(), &[&pattern(LARGE), b"second"]);
        get_of(make, messages, large_get)
    });
    add(all, "get that leaves a ring", || {
        let messages = || vec![b"second".to_vec(), pattern(150_000), b"third".to_vec()];
        let make = || {
            let messages: [&[u8]; 4] = [b"first", b"second", &pattern(150_000), b"third"];
            let queue = filled(QueueOptions::default(), &messages);
            get(&queue, Wait::TRY).unwrap();
            queue
        };
        let body = |queue: &Queue| {
            get_only(queue, &mut [MaybeUninit::uninit(); 16], Wait::TRY);
            mark(1);
            get_only(queue, &mut [MaybeUninit::uninit(); 150_000], Wait::TRY);
            mark(2);
        };
        Case::new(make, body)
            .prepare(warm_up)
            .third(warm_up)
            .check(move |queue, end| check_got(&drain(queue), &messages(), end.mark as usize, end))
            .work(work)
    });
    add(all, "get from an empty queue", || {
        let body = |queue: &Queue| {
            get_only(queue, &mut [MaybeUninit::uninit(); 16], in_time());
        };
        Case::new(|| bounded(false, &[]), body)
            .prepare(warm_up)
            .third(warm_up)
            .wake(|queue| queue.put(b"first", Wait::TRY).unwrap())
            .check(|queue, end| {
                let was_put = queue.info().unwrap().puts == 1;
                let messages = if was_put {
                    vec![b"first".to_vec()]
                } else {
                    vec![]
                };
                check_got(&drain(queue), &messages, usize::from(end.has_returned), end);
            })
            .work(work)
    });
    add_joinable(all);
}

fn add_joinable(all: &mut Vec<Named>) {
    add(all, "get, joinable", || {
        Case::new(joinable, |queue: &Queue| {
            small_get(queue);
            mark(1);
        })
        .prepare(warm_up)
        .third(warm_up)
        .check(|queue, end| check_settled(&drain(queue), &before(), 0, end))
        .work(work)
    });
    add(all, "get and task_done", || {
        settle_of(joinable, |queue| {
            small_get(queue);
            mark(1);
            queue.task_done().unwrap();
        })
    });
    add(all, "take and done", || {
        settle_of(plain, |queue| queue.done(take(queue)).unwrap())
    });
    add(all, "take and done, joinable", || {
        settle_of(joinable, |queue| queue.done(take(queue)).unwrap())
    });
    add(all, "take and return", || {
        Case::new(joinable, |queue: &Queue| {
            queue.give_back(take(queue)).unwrap()
        })
        .prepare(warm_up)
        .third(warm_up)
        .check(|queue, end| check_settled(&drain(queue), &before(), 0, end))
        .work(work)
    });
    add(all, "task_done that ends a join", || {
        Case::new(
            || bounded(true, &[b"only"]),
            |queue: &Queue| queue.task_done().unwrap(),
        )
        .prepare(|queue| {
            small_get(queue);
            mark(1);
        })
        .third_sleeps(|queue| queue.join(in_time()).unwrap())
        .check(|queue, end| {
            // Who joins is told, or the task comes back and is done by another.
            if timed(|| queue.len()).unwrap() == 1 || queue.info().unwrap().unfinished == 1 {
                assert!(
                    !end.has_returned,
                    "duplicated: a task that was done comes back"
                );
                assert!(!end.third.is_woken(), "a join came back too early");
                timed(|| get(queue, Wait::TRY)).unwrap();
                queue.task_done().unwrap();
                end.delivered_again(1);
            }
            end.third.wakes();
        })
        .work(work)
    });
}
