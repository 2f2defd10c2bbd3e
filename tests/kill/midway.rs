//! Killed after n instructions inside a call, for points spread over the whole of it: the others find
//! an object that is whole and do real work on it.

use std::mem::MaybeUninit;

use polyproc::{Acquired, CreateOptions, Got, Lock, Queue, QueueOptions, Status, Wait};

use crate::measure::{in_time, spread};
use crate::victim::killed_after;

fn queue(joinable: bool) -> Queue {
    let queue = Queue::create(
        None,
        &QueueOptions {
            joinable,
            max_items: 8,
            ..Default::default()
        },
    )
    .unwrap();
    for text in ["first", "second"] {
        queue.put(text.as_bytes(), Wait::TRY).unwrap();
    }
    queue
}

fn get(queue: &Queue) -> Result<Vec<u8>, Status> {
    let mut buffer = vec![MaybeUninit::uninit(); 200_000];
    match queue.get(&mut buffer, Wait::TRY)? {
        // SAFETY: a get writes the bytes that it reports.
        Got::Message(len) => Ok(buffer[..len]
            .iter()
            .map(|byte| unsafe { byte.assume_init() })
            .collect()),
        Got::TooSmall(len) => panic!("{len} bytes"),
    }
}

/// All that is left, in order, and real work afterwards.
fn drain(queue: &Queue) -> Vec<Vec<u8>> {
    let before = queue.info().unwrap();
    assert_eq!(before.in_flight, 0, "the dead hold nothing");
    let mut left = Vec::new();
    loop {
        match get(queue) {
            Ok(message) => left.push(message),
            Err(Status::E_EMPTY) => break,
            Err(status) => panic!("{status:?}"),
        }
    }
    assert_eq!(left.len() as u64, before.items);
    if queue.options().unwrap().joinable {
        (0..left.len()).for_each(|_| queue.task_done().unwrap());
        queue.join(in_time()).unwrap();
    }
    for number in 0..100u32 {
        queue.put(&number.to_le_bytes(), in_time()).unwrap();
        let loan = queue.take(Wait::TRY).unwrap();
        queue.done(loan.ticket).unwrap();
    }
    let info = queue.info().unwrap();
    assert_eq!((info.items, info.in_flight, info.bytes), (0, 0, 0));
    assert_eq!(info.puts, info.gets);
    left
}

/// What lies before the killed put is untouched, and its own message is there whole or not at all.
fn check_put(queue: &Queue, message: &[u8], has_returned: bool) {
    let left = drain(queue);
    assert_eq!(left[..2], [b"first".to_vec(), b"second".to_vec()]);
    match &left[2..] {
        [] => assert!(!has_returned, "a put that had returned is lost"),
        [third] => assert_eq!(third, message),
        more => panic!("{} messages out of one put", more.len()),
    }
}

/// The killed get's message comes back, or was over; the one behind it is untouched.
fn check_get(queue: &Queue, has_returned: bool) {
    let left = drain(queue);
    match left.len() {
        1 => assert_eq!(left, [b"second".to_vec()]),
        2 => assert_eq!(left, [b"first".to_vec(), b"second".to_vec()]),
        other => panic!("{other} messages"),
    }
    if has_returned && !queue.options().unwrap().joinable {
        assert_eq!(left.len(), 1, "a message was delivered twice");
    }
}

fn warm_up(queue: &Queue) {
    queue.len().unwrap();
}

#[test]
fn small_put() {
    let put = |queue: &Queue| queue.put(b"third", Wait::TRY).unwrap();
    spread(
        || queue(false),
        warm_up,
        put,
        |queue, returned| check_put(queue, b"third", returned),
    );
}

#[test]
fn large_put() {
    let message: Vec<u8> = (0..40_000u32).map(|at| at as u8).collect();
    let put = |queue: &Queue| queue.put(&message, Wait::TRY).unwrap();
    spread(
        || queue(true),
        warm_up,
        put,
        |queue, returned| check_put(queue, &message, returned),
    );
}

#[test]
fn put_that_links_a_ring() {
    let message = vec![3; 150_000];
    let put = |queue: &Queue| queue.put(&message, Wait::TRY).unwrap();
    spread(
        || queue(true),
        warm_up,
        put,
        |queue, returned| check_put(queue, &message, returned),
    );
}

#[test]
fn first_use_and_put() {
    let put = |queue: &Queue| queue.put(b"third", Wait::TRY).unwrap();
    spread(
        || queue(false),
        |_| (),
        put,
        |queue, returned| check_put(queue, b"third", returned),
    );
}

#[test]
fn plain_get() {
    let get = |queue: &Queue| drop(get(queue).unwrap());
    spread(|| queue(false), warm_up, get, check_get);
}

#[test]
fn joinable_get() {
    let get = |queue: &Queue| drop(get(queue).unwrap());
    spread(
        || queue(true),
        warm_up,
        get,
        |queue, _| {
            assert_eq!(
                drain(queue),
                [b"first".to_vec(), b"second".to_vec()],
                "an unfinished task comes back"
            );
        },
    );
}

#[test]
fn take_and_done() {
    let take = |queue: &Queue| {
        let loan = queue.take(Wait::TRY).unwrap();
        queue.done(loan.ticket).unwrap();
    };
    spread(|| queue(true), warm_up, take, check_get);
}

#[test]
fn get_and_task_done() {
    let get = |queue: &Queue| {
        get(queue).unwrap();
        queue.task_done().unwrap();
    };
    spread(|| queue(true), warm_up, get, check_get);
}

#[test]
fn give_back() {
    let give_back = |queue: &Queue| {
        let loan = queue.take(Wait::TRY).unwrap();
        queue.give_back(loan.ticket).unwrap();
    };
    spread(
        || queue(true),
        warm_up,
        give_back,
        |queue, _| {
            assert_eq!(drain(queue), [b"first".to_vec(), b"second".to_vec()]);
        },
    );
}

#[test]
fn recovery_of_another() {
    let make = || {
        let queue = queue(true);
        killed_after(
            usize::MAX,
            || warm_up(&queue),
            || {
                queue.take(Wait::TRY).unwrap();
            },
        );
        queue
    };
    // The second process is killed while it recovers what the first had.
    let recover = |queue: &Queue| {
        queue.info().unwrap();
    };
    spread(
        make,
        |_| (),
        recover,
        |queue, _| {
            assert_eq!(drain(queue), [b"first".to_vec(), b"second".to_vec()]);
        },
    );
}

#[test]
fn lock_and_release() {
    let make = || Lock::create(None, CreateOptions::default()).unwrap();
    let use_it = |lock: &Lock| {
        lock.acquire(Wait::TRY).unwrap();
        lock.release().unwrap();
    };
    spread(
        make,
        |lock| {
            lock.is_locked().unwrap();
        },
        use_it,
        |lock, returned| {
            let acquired = lock.acquire(in_time()).unwrap();
            assert!(!returned || acquired == Acquired::Clean);
            lock.release().unwrap();
            assert_eq!(lock.acquire(Wait::TRY), Ok(Acquired::Clean));
        },
    );
}
