//! How a message stands, by its id; the queue's identity; the descriptor of settled messages.

use std::time::{Duration, Instant};

use polyproc::{
    try_wait_any, unlink, wait_any_timeout, CreateOptions, Queue, QueueOptions, Settled, Status,
    Wait, Waitable,
};

/// It only ever makes a test fail.
const DEADLINE: Duration = Duration::from_secs(20);

fn queue(options: QueueOptions) -> Queue {
    Queue::create(None, &options).unwrap()
}

fn joinable() -> QueueOptions {
    QueueOptions {
        joinable: true,
        ..Default::default()
    }
}

fn put(queue: &Queue, message: &[u8]) -> u64 {
    queue.put_id(message, Wait::TRY).unwrap()
}

#[track_caller]
fn stand(queue: &Queue, ids: &[u64], expected: Settled) {
    for id in ids {
        assert_eq!(queue.settled(*id), Ok(expected), "{id} of {ids:?}");
    }
}

#[test]
fn a_put_returns_the_id_that_the_consumer_sees() {
    let queue = queue(QueueOptions {
        max_items: 6,
        ..Default::default()
    });
    let mut last = None;
    // Small ones, ones that are copied outside of the lock, and rings that follow one another.
    for round in 0..200usize {
        let lengths = [0, 1, 100, 5_000, 20_000, 200_000].map(|len| len + round % 7);
        let ids = lengths.map(|len| put(&queue, &vec![1; len]));
        assert_eq!(queue.put_id(b"", Wait::TRY), Err(Status::E_FULL));
        for (id, len) in ids.into_iter().zip(lengths) {
            assert!(last < Some(id), "{id} after {last:?}");
            last = Some(id);
            stand(&queue, &[id], Settled::Waiting);
            let message = queue.try_take().unwrap();
            assert_eq!((message.id(), message.len()), (id, len));
            stand(&queue, &[id], Settled::Leased);
            message.done().unwrap();
            stand(&queue, &[id], Settled::Done);
        }
    }
    queue.shutdown(false).unwrap();
    assert_eq!(queue.put_id(b"", Wait::TRY), Err(Status::E_SHUTDOWN));
    assert_eq!(
        queue.put_id(&vec![0; 20_000], Wait::TRY),
        Err(Status::E_SHUTDOWN)
    );
    assert_eq!(
        queue.settled(last.unwrap() + 100_000),
        Err(Status::E_INVALID)
    );
    assert_eq!(queue.settled(u64::MAX), Err(Status::E_INVALID));
}

/// A put that waits for room, and one that ends in time.
#[test]
fn a_put_that_returns_an_id_waits_as_every_put() {
    let queue = queue(QueueOptions {
        max_items: 1,
        ..Default::default()
    });
    let first = put(&queue, b"first");
    let short = Duration::from_millis(5);
    assert_eq!(queue.put_id(b"second", short), Err(Status::E_FULL));
    std::thread::scope(|scope| {
        let second = scope.spawn(|| queue.put_id(b"second", DEADLINE).unwrap());
        assert_eq!(queue.get_timeout(DEADLINE).unwrap(), b"first");
        let message = queue.take_timeout(DEADLINE).unwrap();
        let second = second.join().unwrap();
        assert_eq!(message.id(), second);
        stand(&queue, &[first], Settled::Done);
        stand(&queue, &[second], Settled::Leased);
        message.done().unwrap();
    });
    let limited = QueueOptions {
        max_bytes: 64,
        ..Default::default()
    };
    let refused = Queue::create(None, &limited)
        .unwrap()
        .put_id(&[0; 100], Wait::TRY);
    assert_eq!(refused, Err(Status::E_TOO_LARGE));
}

#[test]
fn every_state_on_a_plain_queue() {
    let queue = queue(QueueOptions::default());
    let ids = [0u8; 4].map(|_| put(&queue, b"message"));
    queue.get().unwrap();
    stand(&queue, &ids[..1], Settled::Done);
    let (second, third) = (queue.take().unwrap(), queue.take().unwrap());
    stand(&queue, &ids[1..3], Settled::Leased);
    // In another order than they were put: the record of the second is still in use.
    third.done().unwrap();
    stand(&queue, &ids[2..3], Settled::Done);
    second.give_back().unwrap();
    stand(&queue, &ids[1..2], Settled::Waiting);
    stand(&queue, &ids[3..], Settled::Waiting);
    assert_eq!(queue.get().unwrap(), b"message");
    stand(&queue, &ids[..3], Settled::Done);
}

#[test]
fn every_state_on_a_joinable_queue() {
    let queue = queue(joinable());
    let ids = [0u8; 3].map(|_| put(&queue, b"task"));
    queue.get().unwrap();
    stand(&queue, &ids[..1], Settled::Leased);
    queue.task_done().unwrap();
    stand(&queue, &ids[..1], Settled::Done);
    stand(&queue, &ids[1..], Settled::Waiting);
    let rest = queue.take_many(2).unwrap();
    stand(&queue, &ids[1..], Settled::Leased);
    polyproc::Message::done_many(rest).unwrap();
    stand(&queue, &ids, Settled::Done);
}

#[test]
fn a_reservation_is_no_message_before_its_commit() {
    let queue = queue(QueueOptions::default());
    let slot = queue.reserve(100).unwrap();
    // It lies before the message that was put after it.
    let id = put(&queue, b"message");
    assert_eq!(queue.settled(0), Err(Status::E_INVALID));
    let message = queue.take().unwrap();
    assert_eq!(
        (message.id(), queue.settled(0)),
        (id, Err(Status::E_INVALID))
    );
    slot.commit(5).unwrap();
    stand(&queue, &[0], Settled::Waiting);
    queue.take().unwrap().done().unwrap();
    stand(&queue, &[0], Settled::Done);
    drop(queue.reserve(100).unwrap());
}

/// In more rings than one, and when those that were drained have given their memory back.
#[test]
fn a_backlog_in_many_rings() {
    let queue = queue(QueueOptions::default());
    let message = vec![7; 100_000];
    let ids: Vec<u64> = (0..300).map(|_| put(&queue, &message)).collect();
    stand(&queue, &ids, Settled::Waiting);
    let mut taken = queue.take_many(200).unwrap();
    stand(&queue, &ids[..200], Settled::Leased);
    stand(&queue, &ids[200..], Settled::Waiting);
    let kept = taken.remove(50);
    polyproc::Message::done_many(taken).unwrap();
    stand(&queue, &ids[50..51], Settled::Leased);
    stand(&queue, &ids[..50], Settled::Done);
    stand(&queue, &ids[51..200], Settled::Done);
    while queue.try_get().is_ok() {}
    stand(&queue, &ids[51..], Settled::Done);
    kept.give_back().unwrap();
    stand(&queue, &ids[50..51], Settled::Waiting);
    while queue.try_get().is_ok() {}
    stand(&queue, &ids, Settled::Done);
}

#[test]
fn a_dead_letter_is_dead_for_good() {
    let queue = queue(QueueOptions {
        max_deliveries: 2,
        ..joinable()
    });
    let ids = [0u8; 3].map(|_| put(&queue, b"poison"));
    drop(queue.take().unwrap());
    stand(&queue, &ids, Settled::Waiting);
    drop(queue.take().unwrap());
    stand(&queue, &ids[..1], Settled::Dead);
    let letter = queue.take_dead().unwrap();
    assert_eq!(letter.id(), ids[0]);
    stand(&queue, &ids[..1], Settled::Dead);
    letter.done().unwrap();
    stand(&queue, &ids[..1], Settled::Dead);
    while let Ok(message) = queue.try_take() {
        message.done().unwrap();
    }
    stand(&queue, &ids[..1], Settled::Dead);
    stand(&queue, &ids[1..], Settled::Done);
}

/// The queue remembers the last 1,024 of them. Nothing that was not done is ever called done.
#[test]
fn more_dead_letters_than_are_remembered() {
    let queue = queue(QueueOptions {
        max_deliveries: 1,
        ..joinable()
    });
    let ids: Vec<u64> = (0..4_000u32)
        .map(|number| put(&queue, &number.to_ne_bytes()))
        .collect();
    for number in 0..ids.len() {
        let message = queue.try_take().unwrap();
        match number % 2 {
            0 => message.give_back().unwrap(),
            _ => message.done().unwrap(),
        }
    }
    let older = 4_000 - 2 * 1_024;
    for (number, id) in ids.iter().enumerate() {
        let expected = match number % 2 {
            // All up to the last one that was forgotten.
            _ if number + 1 < older => Settled::Unknown,
            0 => Settled::Dead,
            _ => Settled::Done,
        };
        assert_eq!(queue.settled(*id), Ok(expected), "{number}");
    }
}

#[test]
fn what_an_immediate_shutdown_discards_is_not_done() {
    let queue = queue(joinable());
    let message = vec![7; 1_000];
    let ids: Vec<u64> = (0..5_000).map(|_| put(&queue, &message)).collect();
    let mut taken = queue.take_many(10).unwrap();
    polyproc::Message::done_many(taken.drain(..3)).unwrap();
    let mut returned = taken.drain(..3);
    returned.next().unwrap().give_back().unwrap();
    returned.next().unwrap().give_back().unwrap();
    drop(returned);
    // 0 to 2 are done, 3 to 5 came back, 6 to 9 are leased.
    stand(&queue, &ids[..3], Settled::Done);
    stand(&queue, &ids[3..6], Settled::Waiting);
    queue.shutdown(true).unwrap();
    stand(&queue, &ids[..3], Settled::Done);
    stand(&queue, &ids[3..6], Settled::Discarded);
    stand(&queue, &ids[6..10], Settled::Leased);
    stand(&queue, &ids[10..], Settled::Discarded);
    taken.pop().unwrap().done().unwrap();
    taken.pop().unwrap().give_back().unwrap();
    stand(&queue, &ids[9..10], Settled::Done);
    stand(&queue, &ids[8..9], Settled::Discarded);
    drop(taken);
    stand(&queue, &ids[6..8], Settled::Discarded);
    queue.shutdown(true).unwrap();
    assert_eq!(queue.try_take().map(drop), Err(Status::E_SHUTDOWN));
    queue.join().unwrap();
    stand(&queue, &ids[..3], Settled::Done);
    stand(&queue, &ids[3..9], Settled::Discarded);
    stand(&queue, &ids[9..10], Settled::Done);
    stand(&queue, &ids[10..], Settled::Discarded);
}

/// Of a queue that is shut down in order every message is still delivered.
#[test]
fn what_a_shutdown_leaves_is_done_by_its_consumers() {
    let queue = queue(QueueOptions::default());
    let ids = [0u8; 2].map(|_| put(&queue, b"last"));
    queue.shutdown(false).unwrap();
    stand(&queue, &ids, Settled::Waiting);
    for message in &queue {
        message.unwrap().done().unwrap();
    }
    stand(&queue, &ids, Settled::Done);
}

#[test]
fn every_creation_has_another_identity() {
    let name = format!("settled.identity.{}", std::process::id());
    let create = || {
        let options = QueueOptions {
            create: CreateOptions::OPEN_OR_CREATE,
            ..Default::default()
        };
        Queue::create(Some(&name), &options).unwrap()
    };
    let first = create();
    let identity = first.identity().unwrap();
    assert_ne!(identity, [0; 16]);
    assert_eq!(Queue::open(&name).unwrap().identity(), Ok(identity));
    assert_eq!(create().identity(), Ok(identity));
    assert_eq!(first.info().unwrap().identity, identity);
    let seen = polyproc::inspect::object(&name).unwrap().state;
    let Some(polyproc::inspect::State::Queue(seen)) = seen else {
        panic!("{seen:?}");
    };
    assert_eq!(seen.identity, identity);
    let id = put(&first, b"message");
    first.shutdown(false).unwrap();
    assert_eq!(first.identity(), Ok(identity));
    drop(first);
    // In the same file, since no process has it open.
    let second = create();
    let renewed = second.identity().unwrap();
    assert_ne!(renewed, identity);
    assert_eq!(second.settled(id), Err(Status::E_INVALID));
    assert_eq!(put(&second, b"another"), id, "only the identity differs");
    unlink(&name).unwrap();
    let third = create();
    assert!(![identity, renewed].contains(&third.identity().unwrap()));
    unlink(&name).unwrap();
    let anonymous = queue(QueueOptions::default());
    assert_ne!(
        anonymous.identity(),
        queue(QueueOptions::default()).identity()
    );
}

fn is_readable(fd: i32, within: Duration) -> bool {
    let mut poll = libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one descriptor.
    unsafe { libc::poll(&mut poll, 1, within.as_millis() as i32) == 1 }
}

/// Ask for the count until the descriptor is unreadable: the thread that keeps it up to date may
/// raise it a moment later than the first count was asked for.
fn lower(queue: &Queue, fd: i32) {
    let end = Instant::now() + DEADLINE;
    queue.settled_count().unwrap();
    while is_readable(fd, Duration::ZERO) {
        assert!(Instant::now() < end, "it stays readable");
        queue.settled_count().unwrap();
    }
}

#[test]
fn the_descriptor_rises_when_messages_are_settled() {
    for options in [QueueOptions::default(), joinable()] {
        let is_joinable = options.joinable;
        let queue = queue(options);
        let fd = queue.settled_fd().unwrap();
        assert_eq!(queue.settled_fd(), Ok(fd));
        assert!(!is_readable(fd, Duration::ZERO));
        for round in 0..50 {
            let id = put(&queue, b"message");
            // Each second time the watcher has fallen asleep before.
            if round % 2 == 0 {
                assert!(!is_readable(fd, Duration::from_millis(2)));
            }
            match round % 3 {
                0 => queue.take().unwrap().done().unwrap(),
                1 if is_joinable => {
                    queue.get().unwrap();
                    assert!(!is_readable(fd, Duration::ZERO), "{round}");
                    queue.task_done().unwrap();
                }
                1 => drop(queue.get().unwrap()),
                _ => {
                    let message = queue.take().unwrap();
                    assert!(!is_readable(fd, Duration::from_millis(1)), "{round}");
                    let more = put(&queue, b"more");
                    message.done().unwrap();
                    // Another message is still in the queue.
                    assert!(is_readable(fd, DEADLINE), "{round}");
                    lower(&queue, fd);
                    let seen = queue.settled_count().unwrap();
                    stand(&queue, &[more], Settled::Waiting);
                    queue.take().unwrap().done().unwrap();
                    assert!(is_readable(fd, DEADLINE), "{round}");
                    assert_eq!(queue.settled_count(), Ok(seen + 1));
                    lower(&queue, fd);
                    continue;
                }
            }
            assert!(is_readable(fd, DEADLINE), "{round}");
            assert_eq!(try_wait_any(&[Waitable::Settled(&queue)]), Ok(vec![0]));
            lower(&queue, fd);
            stand(&queue, &[id], Settled::Done);
            let nothing = try_wait_any(&[Waitable::Settled(&queue)]);
            assert_eq!(nothing, Err(Status::E_TIMEOUT));
        }
    }
}

/// Every way in which a message can be over.
#[test]
fn the_count_grows_with_every_message_that_is_over() {
    let queue = queue(QueueOptions {
        max_deliveries: 1,
        ..joinable()
    });
    assert_eq!(queue.settled_count(), Ok(0));
    for _ in 0..5 {
        put(&queue, b"task");
    }
    assert_eq!(queue.settled_count(), Ok(0));
    queue.get().unwrap();
    assert_eq!(queue.settled_count(), Ok(0));
    queue.task_done().unwrap();
    assert_eq!(queue.settled_count(), Ok(1));
    drop(queue.take().unwrap());
    assert_eq!(queue.settled_count(), Ok(2), "a dead letter");
    let message = queue.take().unwrap();
    queue.shutdown(true).unwrap();
    assert_eq!(queue.settled_count(), Ok(4), "discarded");
    message.done().unwrap();
    assert_eq!(queue.settled_count(), Ok(5));
}

#[test]
fn wait_any_ends_when_another_thread_settles() {
    let queue = queue(joinable());
    for _ in 0..20 {
        let id = put(&queue, b"task");
        queue.settled_count().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let message = queue.take().unwrap();
                std::thread::sleep(Duration::from_millis(1));
                message.done().unwrap();
            });
            let ready = wait_any_timeout(&[Waitable::Settled(&queue)], DEADLINE);
            assert_eq!(ready, Ok(vec![0]));
        });
        stand(&queue, &[id], Settled::Done);
    }
}
