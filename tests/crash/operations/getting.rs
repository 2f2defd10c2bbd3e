//! Gets, takes, and the calls that settle them.

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

/// If the body had returned, the dead process has consumed the first message; once it had begun, it
/// may have.
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

/// The body marks that it holds the first message, and settles it; the message is consumed if the
/// body had returned.
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
    let loan = queue.take_raw(Wait::TRY).unwrap();
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
            .wake(|queue| queue.try_put(b"first").unwrap())
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
        settle_of(plain, |queue| queue.done_raw(take(queue)).unwrap())
    });
    add(all, "take and done, joinable", || {
        settle_of(joinable, |queue| queue.done_raw(take(queue)).unwrap())
    });
    add(all, "take and return", || {
        Case::new(joinable, |queue: &Queue| {
            queue.give_back_raw(take(queue)).unwrap()
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
        .third_sleeps(|queue| queue.join_timeout(in_time()).unwrap())
        .check(|queue, end| {
            // A join returns, or the task comes back and another process does it.
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
    add(all, "join", || {
        let make = || {
            let queue = bounded(true, &[b"only"]);
            get(&queue, Wait::TRY).unwrap();
            queue
        };
        Case::new(make, |queue: &Queue| queue.join_timeout(in_time()).unwrap())
            .prepare(warm_up)
            .third(warm_up)
            .wake(|queue| queue.task_done().unwrap())
            .check(|queue, end| {
                let unfinished = timed(|| queue.info()).unwrap().unfinished;
                let expected = u64::from(!end.was_woken);
                assert_eq!(unfinished, expected, "lost, or wrongly dead: who has it");
                if !end.was_woken {
                    queue.task_done().unwrap();
                }
                assert!(drain(queue).is_empty());
            })
            .work(work)
    });
    add(all, "take_many and done", || {
        let body = |queue: &Queue| {
            let mut tickets = [0; 2];
            let taken =
                queue.take_many_raw(2, &mut |at, loan| tickets[at] = loan.ticket, Wait::TRY);
            assert_eq!(taken, Ok(2));
            mark(2);
            tickets
                .iter()
                .for_each(|ticket| queue.done_raw(*ticket).unwrap());
        };
        Case::new(|| bounded(true, &[b"zeroth", b"first", b"second"]), body)
            .prepare(warm_up)
            .third(warm_up)
            .check(|queue, end| {
                let all = vec![b"zeroth".to_vec(), b"first".to_vec(), b"second".to_vec()];
                check_settled(&drain(queue), &all, 2, end);
            })
            .work(work)
    });
    add_dead_letters(all);
}

/// A queue that delivers each message once at most.
fn once() -> Queue {
    let options = QueueOptions {
        joinable: true,
        max_deliveries: 1,
        ..Default::default()
    };
    filled(options, &BEFORE)
}

fn take_dead(queue: &Queue) -> Vec<u8> {
    let loan = timed(|| queue.take_dead_raw()).unwrap();
    // SAFETY: taken and not settled yet.
    let data = unsafe { std::slice::from_raw_parts(loan.data, loan.len) }.to_vec();
    queue.done_raw(loan.ticket).unwrap();
    data
}

fn add_dead_letters(all: &mut Vec<Named>) {
    add(all, "return of what becomes a dead letter", || {
        Case::new(once, |queue: &Queue| {
            queue.give_back_raw(take(queue)).unwrap()
        })
        .prepare(warm_up)
        .third(warm_up)
        .check(|queue, end| {
            // In exactly one of the two places.
            let letters = timed(|| queue.info()).unwrap().dead_letters;
            assert!(letters <= 1, "duplicated: {letters} dead letters");
            let mut all = Messages::new();
            if letters == 1 {
                all.push(take_dead(queue));
            }
            assert!(
                letters == 1 || end.mark == 0,
                "lost: it was delivered as often as it may be"
            );
            all.extend(drain(queue));
            assert_eq!(all, before(), "lost or duplicated");
        })
        .work(work)
    });
    add(all, "take_dead and done", || {
        let make = || {
            let queue = once();
            let loan = queue.take_raw(Wait::TRY).unwrap();
            queue.give_back_raw(loan.ticket).unwrap();
            queue
        };
        let body = |queue: &Queue| {
            let letter = queue.take_dead_raw().unwrap();
            mark(1);
            queue.done_raw(letter.ticket).unwrap();
        };
        Case::new(make, body)
            .prepare(warm_up)
            .third(warm_up)
            .check(|queue, end| {
                let letters = timed(|| queue.info()).unwrap().dead_letters;
                assert!(letters == 1 || end.mark == 1, "lost: a dead letter");
                assert!(
                    letters == 0 || !end.has_returned,
                    "duplicated: a dead letter"
                );
                if letters == 1 {
                    assert_eq!(take_dead(queue), b"first");
                }
                assert_eq!(drain(queue), [b"second".to_vec()]);
            })
            .work(work)
    });
}
