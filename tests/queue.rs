//! The queue in one process: order, limits, joins, loans, growth.

use std::mem::MaybeUninit;
use std::time::{Duration, Instant};

use polyproc::{try_wait_any, Cancel, Got, Queue, QueueOptions, Status, Wait, Waitable};

fn get(queue: &Queue) -> Result<Vec<u8>, Status> {
    get_within(queue, Wait::TRY)
}

fn get_within(queue: &Queue, wait: Wait<'_>) -> Result<Vec<u8>, Status> {
    queue.get_timeout(wait)
}

fn queue(options: QueueOptions) -> Queue {
    Queue::create(None, &options).unwrap()
}

fn joinable() -> QueueOptions {
    QueueOptions {
        joinable: true,
        ..Default::default()
    }
}

#[test]
fn first_in_first_out_and_exact_counts() {
    let queue = queue(QueueOptions {
        max_items: 3,
        ..Default::default()
    });
    assert!(queue.is_empty().unwrap());
    for text in ["a", "b", "c"] {
        assert!(!queue.is_full().unwrap());
        queue.try_put(text.as_bytes()).unwrap();
    }
    assert!(queue.is_full().unwrap());
    assert_eq!(queue.len(), Ok(3));
    assert_eq!(queue.try_put(b"d"), Err(Status::E_FULL));
    assert_eq!(
        queue.put_timeout(b"d", Wait::for_ns(5_000_000)),
        Err(Status::E_FULL)
    );
    for text in ["a", "b", "c"] {
        assert_eq!(get(&queue).unwrap(), text.as_bytes());
    }
    assert_eq!(get(&queue), Err(Status::E_EMPTY));
    assert_eq!(
        get_within(&queue, Wait::for_ns(5_000_000)),
        Err(Status::E_EMPTY)
    );
}

#[test]
fn messages_of_every_length_survive_many_rounds_of_the_ring() {
    let queue = queue(QueueOptions {
        max_items: 8,
        ..Default::default()
    });
    let mut waiting = std::collections::VecDeque::new();
    for round in 0..20_000usize {
        let len = match round % 7 {
            0 => 0,
            1 => 1,
            2 => 64,
            3 => 1000 + round % 17,
            4 => 16 * 1024,
            5 => 16 * 1024 + 1,
            _ => round % 3000,
        };
        let message: Vec<u8> = (0..len).map(|at| (at * 31 + round) as u8).collect();
        queue.try_put(&message).unwrap();
        waiting.push_back(message);
        if waiting.len() == 8 || round % 3 == 0 {
            assert_eq!(
                get(&queue).unwrap(),
                waiting.pop_front().unwrap(),
                "round {round}"
            );
        }
    }
}

#[test]
fn an_unlimited_queue_grows_and_gives_its_memory_back() {
    let queue = queue(QueueOptions::default());
    let resident = || {
        let stat = std::fs::metadata(format!("/proc/self/fd/{}", queue.raw_fd())).unwrap();
        std::os::unix::fs::MetadataExt::blocks(&stat) * 512
    };
    assert!(resident() <= 256 * 1024, "{}", resident());
    let message = vec![7; 4000];
    for round in 0..3 {
        for number in 0..16_000u32 {
            let mut message = message.clone();
            message[..4].copy_from_slice(&number.to_le_bytes());
            queue.try_put(&message).unwrap();
        }
        assert_eq!(queue.len(), Ok(16_000));
        assert!(resident() > 60_000_000, "round {round}: {}", resident());
        for number in 0..16_000u32 {
            assert_eq!(get(&queue).unwrap()[..4], number.to_le_bytes());
        }
        assert_eq!(get(&queue), Err(Status::E_EMPTY));
        assert!(resident() < 4 << 20, "round {round}: {}", resident());
    }
}

#[test]
fn a_small_buffer_leaves_the_message_first_in_line() {
    let queue = queue(QueueOptions::default());
    queue.try_put(b"four").unwrap();
    let mut buffer = [0; 3];
    assert_eq!(queue.try_get_into(&mut buffer), Ok(Got::TooSmall(4)));
    assert_eq!(get(&queue).unwrap(), b"four");
}

#[test]
fn byte_limits_count_payload_and_headers() {
    let queue = queue(QueueOptions {
        max_bytes: 64,
        ..Default::default()
    });
    assert_eq!(queue.try_put(&[0; 49]), Err(Status::E_TOO_LARGE));
    queue.try_put(&[0; 16]).unwrap();
    queue.try_put(&[0; 16]).unwrap();
    assert_eq!(queue.try_put(&[]), Err(Status::E_FULL));
    get(&queue).unwrap();
    queue.try_put(&[]).unwrap();
    assert_eq!(queue.info().unwrap().bytes, 48);
}

#[test]
fn joinable_tasks_are_settled_oldest_first() {
    let queue = queue(joinable());
    for text in ["a", "b"] {
        queue.try_put(text.as_bytes()).unwrap();
    }
    assert_eq!(queue.task_done(), Err(Status::E_OVER_RELEASE));
    get(&queue).unwrap();
    get(&queue).unwrap();
    assert_eq!(queue.try_join(), Err(Status::E_TIMEOUT));
    let info = queue.info().unwrap();
    assert_eq!((info.items, info.in_flight, info.unfinished), (0, 2, 2));
    queue.task_done().unwrap();
    queue.task_done().unwrap();
    assert_eq!(queue.task_done(), Err(Status::E_OVER_RELEASE));
    queue.try_join().unwrap();
}

#[test]
fn a_returned_message_is_first_in_line_and_counts_its_deliveries() {
    let queue = queue(QueueOptions {
        max_deliveries: 2,
        ..joinable()
    });
    for text in ["a", "b"] {
        queue.try_put(text.as_bytes()).unwrap();
    }
    let first = queue.take_raw(Wait::TRY).unwrap();
    assert_eq!(first.deliveries, 1);
    queue.give_back_raw(first.ticket).unwrap();
    assert_eq!(queue.give_back_raw(first.ticket), Err(Status::E_INVALID));
    assert_eq!(queue.len(), Ok(2));
    let again = queue.take_raw(Wait::TRY).unwrap();
    assert_eq!((again.deliveries, again.id), (2, first.id));
    queue.give_back_raw(again.ticket).unwrap();
    assert_eq!(queue.info().unwrap().dead_letters, 1);
    let dead = queue.take_dead_raw().unwrap();
    assert_eq!((dead.id, dead.len, dead.deliveries), (first.id, 1, 2));
    queue.done_raw(dead.ticket).unwrap();
    assert_eq!(queue.take_dead_raw().err(), Some(Status::E_EMPTY));
    let second = queue.take_raw(Wait::TRY).unwrap();
    assert!(second.id > first.id);
    queue.done_raw(second.ticket).unwrap();
    assert_eq!(queue.done_raw(second.ticket), Err(Status::E_INVALID));
    queue.try_join().unwrap();
}

#[test]
fn a_reservation_holds_up_nobody() {
    let queue = queue(QueueOptions::default());
    let slow = queue.reserve_raw(100, Wait::TRY).unwrap();
    queue.try_put(b"quick").unwrap();
    assert_eq!(queue.len(), Ok(1));
    assert_eq!(get(&queue).unwrap(), b"quick");
    assert!(queue.is_empty().unwrap());
    assert_eq!(get(&queue), Err(Status::E_EMPTY));
    // SAFETY: 100 bytes were reserved and not committed yet.
    unsafe { std::ptr::write_bytes(slow.data, b'x', 3) };
    assert_eq!(queue.commit_raw(&slow, 101), Err(Status::E_TOO_LARGE));
    queue.commit_raw(&slow, 3).unwrap();
    assert_eq!(queue.commit_raw(&slow, 3), Err(Status::E_INVALID));
    assert_eq!(queue.len(), Ok(1));
    assert_eq!(get(&queue).unwrap(), b"xxx");
}

#[test]
fn an_aborted_reservation_was_never_there() {
    let queue = queue(QueueOptions {
        max_items: 2,
        ..joinable()
    });
    let first = queue.reserve_raw(10, Wait::TRY).unwrap();
    let second = queue.reserve_raw(10, Wait::TRY).unwrap();
    assert!(queue.is_full().unwrap());
    queue.abort_raw(&second).unwrap();
    assert!(!queue.is_full().unwrap());
    assert_eq!(queue.len(), Ok(0));
    queue.try_put(b"third").unwrap();
    assert_eq!(queue.try_put(b"fourth"), Err(Status::E_FULL));
    queue.abort_raw(&first).unwrap();
    assert_eq!(queue.len(), Ok(1));
    assert_eq!(get(&queue).unwrap(), b"third");
    queue.task_done().unwrap();
    queue.try_join().unwrap();
    let info = queue.info().unwrap();
    assert_eq!((info.puts, info.gets, info.items, info.bytes), (1, 1, 0, 0));
}

/// While a slot is open, the stream of a queue that is shut down has not ended, wherever its record
/// is. Then it ends, for every call that waits.
#[test]
fn the_end_of_the_stream_waits_for_slots() {
    for (is_passed, is_committed) in [(false, false), (false, true), (true, false), (true, true)] {
        let queue = queue(QueueOptions::default());
        let slot = queue.reserve_raw(1, Wait::TRY).unwrap();
        if is_passed {
            queue.try_put(b"behind it").unwrap();
            assert_eq!(get(&queue).unwrap(), b"behind it");
        }
        queue.shutdown(false).unwrap();
        assert_eq!(get(&queue), Err(Status::E_EMPTY));
        let can_get = || try_wait_any(&[Waitable::Get(&queue)]);
        assert_eq!(can_get(), Err(Status::E_TIMEOUT));
        let ends = std::thread::scope(|scope| {
            let waiters = [0; 3].map(|_| scope.spawn(|| get_within(&queue, Wait::FOREVER)));
            while queue.info().unwrap().waiting < 3 {
                std::thread::yield_now();
            }
            match is_committed {
                true => queue.commit_raw(&slot, 1).unwrap(),
                false => queue.abort_raw(&slot).unwrap(),
            }
            waiters.map(|waiter| waiter.join().unwrap())
        });
        let got = ends.iter().filter(|end| end.is_ok()).count();
        assert_eq!(got, usize::from(is_committed));
        let ended = |end: &Result<Vec<u8>, Status>| *end == Err(Status::E_SHUTDOWN);
        assert_eq!(ends.iter().filter(|end| ended(end)).count(), 3 - got);
    }
}

/// A call that only tries gets the end at once, also if only given up slots are ahead.
#[test]
fn the_end_of_the_stream_after_an_aborted_slot() {
    let queue = queue(QueueOptions::default());
    let slot = queue.reserve_raw(1, Wait::TRY).unwrap();
    queue.shutdown(false).unwrap();
    queue.abort_raw(&slot).unwrap();
    assert_eq!(try_wait_any(&[Waitable::Get(&queue)]), Ok(vec![0]));
    assert_eq!(get(&queue), Err(Status::E_SHUTDOWN));
}

/// Messages that were written in place are counted also while another one among them is being
/// written.
#[test]
fn slots_among_messages_are_not_counted() {
    let queue = queue(joinable());
    let slots: Vec<_> = (0..3)
        .map(|_| queue.reserve_raw(1, Wait::TRY).unwrap())
        .collect();
    queue.try_put(b"x").unwrap();
    queue.commit_raw(&slots[0], 1).unwrap();
    assert_eq!(queue.len(), Ok(2));
    queue.commit_raw(&slots[2], 1).unwrap();
    assert_eq!(queue.len(), Ok(3));
    queue.abort_raw(&slots[1]).unwrap();
    assert_eq!((queue.len(), queue.len()), (Ok(3), Ok(3)));
    let late = queue.reserve_raw(1, Wait::TRY).unwrap();
    assert_eq!(queue.len(), Ok(3));
    for _ in 0..3 {
        assert_eq!(queue.try_join(), Err(Status::E_TIMEOUT));
        get(&queue).unwrap();
        queue.task_done().unwrap();
    }
    // A slot that is not committed is no task yet.
    queue.try_join().unwrap();
    queue.commit_raw(&late, 1).unwrap();
    assert_eq!(queue.len(), Ok(1));
}

#[test]
fn shutdown_drains_or_discards() {
    for immediate in [false, true] {
        let queue = queue(QueueOptions::default());
        queue.try_put(b"left").unwrap();
        queue.shutdown(immediate).unwrap();
        assert_eq!(queue.put(b"late"), Err(Status::E_SHUTDOWN));
        if !immediate {
            assert_eq!(get(&queue).unwrap(), b"left");
        }
        assert_eq!(get_within(&queue, Wait::FOREVER), Err(Status::E_SHUTDOWN));
        queue.shutdown(immediate).unwrap();
    }
}

#[test]
fn batches_go_in_and_out() {
    let queue = queue(QueueOptions {
        max_items: 100,
        ..Default::default()
    });
    let texts: Vec<String> = (0..150).map(|number| number.to_string()).collect();
    assert_eq!(queue.try_put_many(&texts), Ok(100));
    let mut seen = 0;
    while seen < 100 {
        for message in queue.try_take_many(32).unwrap() {
            assert_eq!(&message[..], texts[seen].as_bytes());
            message.done().unwrap();
            seen += 1;
        }
    }
    assert_eq!(queue.take_raw(Wait::TRY).err(), Some(Status::E_EMPTY));
}

#[test]
fn an_old_unfinished_message_does_not_block_the_flow() {
    let queue = queue(QueueOptions {
        max_bytes: 4 << 20,
        ..joinable()
    });
    queue.try_put(b"old").unwrap();
    let old = queue.take_raw(Wait::TRY).unwrap();
    let message = vec![1; 1000];
    for _ in 0..20_000 {
        queue.try_put(&message).unwrap();
        let loan = queue.take_raw(Wait::TRY).unwrap();
        queue.done_raw(loan.ticket).unwrap();
    }
    queue.done_raw(old.ticket).unwrap();
    queue.try_join().unwrap();
    assert_eq!(queue.info().unwrap().bytes, 0);
}

#[test]
fn many_threads_lose_and_double_nothing() {
    const EACH: u64 = 30_000;
    let queue = queue(QueueOptions {
        max_items: 64,
        ..Default::default()
    });
    let total: u64 = std::thread::scope(|scope| {
        for producer in 0..3u64 {
            let queue = &queue;
            scope.spawn(move || {
                for number in 0..EACH {
                    queue
                        .put(&(producer * EACH + number).to_le_bytes())
                        .unwrap();
                }
            });
        }
        let consumers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let (mut sum, mut last) = (0, [None; 3]);
                    while let Ok(message) = get_small(&queue) {
                        let producer = (message / EACH) as usize;
                        assert!(last[producer] < Some(message), "order of one producer");
                        last[producer] = Some(message);
                        sum += message;
                    }
                    sum
                })
            })
            .collect();
        while queue.info().unwrap().puts < 3 * EACH {
            std::thread::yield_now();
        }
        queue.shutdown(false).unwrap();
        consumers
            .into_iter()
            .map(|consumer| consumer.join().unwrap())
            .sum()
    });
    assert_eq!(total, (0..3 * EACH).sum());
}

fn get_small(queue: &Queue) -> Result<u64, Status> {
    let mut buffer = [MaybeUninit::uninit(); 8];
    match queue.get_raw(&mut buffer, Wait::FOREVER)? {
        // SAFETY: a get writes the bytes that it reports.
        Got::Message(8) => Ok(u64::from_le_bytes(
            buffer.map(|byte| unsafe { byte.assume_init() }),
        )),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_long_spin_ends_with_the_wait() {
    let options = QueueOptions {
        spin_ns: u32::MAX,
        ..Default::default()
    };
    let queue = Queue::create(None, &options).unwrap();
    let mut buffer = [MaybeUninit::uninit(); 8];
    let began = Instant::now();
    let wait = Wait::for_ns(1_000_000);
    assert_eq!(queue.get_raw(&mut buffer, wait), Err(Status::E_EMPTY));
    let cancel = Cancel::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(20));
            cancel.fire();
        });
        let wait = Wait::FOREVER.or_cancel(&cancel);
        assert_eq!(queue.get_raw(&mut buffer, wait), Err(Status::E_CANCELED));
    });
    assert!(began.elapsed() < Duration::from_secs(3));
}

/// Returns how much memory the named queue occupies, and unlinks it.
fn bytes_of(name: &str) -> u64 {
    let objects = polyproc::list().unwrap();
    polyproc::unlink(name).unwrap();
    let own = objects.iter().find(|object| object.name == name);
    own.unwrap().bytes
}

/// An empty queue goes back to a small ring when a get finds nothing; one that was shut down
/// returned E_SHUTDOWN before that.
#[test]
fn a_stream_that_has_ended_keeps_no_memory_of_its_backlog() {
    for immediate in [false, true] {
        let name = format!("queue.ended.{}", std::process::id());
        let queue = Queue::create(Some(&name), &QueueOptions::default()).unwrap();
        for _ in 0..20_000 {
            queue.try_put(&[7; 500]).unwrap();
        }
        queue.shutdown(immediate).unwrap();
        while get(&queue) != Err(Status::E_SHUTDOWN) {}
        let bytes = bytes_of(&name);
        assert!(bytes < 2 << 20, "{bytes} bytes");
    }
}

/// Dead letters stayed in a ring of the size that their largest number had needed.
#[test]
fn dead_letters_that_are_taken_keep_no_memory() {
    let name = format!("queue.letters.{}", std::process::id());
    let options = QueueOptions {
        max_deliveries: 1,
        ..joinable()
    };
    let queue = Queue::create(Some(&name), &options).unwrap();
    for round in [20_000, 3] {
        for _ in 0..round {
            queue.try_put(&[7; 500]).unwrap();
            let ticket = queue.take_raw(Wait::TRY).unwrap().ticket;
            queue.give_back_raw(ticket).unwrap();
        }
        for _ in 0..round {
            let letter = queue.take_dead_raw().unwrap();
            assert_eq!((letter.len, letter.deliveries), (500, 1));
            queue.done_raw(letter.ticket).unwrap();
        }
        assert_eq!(
            queue.take_dead_raw().map(|loan| loan.id),
            Err(Status::E_EMPTY)
        );
    }
    assert_eq!(get(&queue), Err(Status::E_EMPTY));
    let bytes = bytes_of(&name);
    assert!(bytes < 2 << 20, "{bytes} bytes");
}
