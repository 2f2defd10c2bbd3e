//! Killed consumers: the messages that they held.

use polyproc::{Queue, QueueOptions, Status, Wait};

use crate::victim::{alone, Victim};

/// So long that the ring behind it gives its memory back at once.
const LEN: usize = 5 << 20;

/// Returns a queue whose consumer was killed with messages in a large ring that all others have
/// left: its messages are the last ones in that ring.
fn left_by_a_killed_consumer(max_deliveries: u32, shutdown: bool) -> Queue {
    let options = QueueOptions {
        joinable: true,
        max_deliveries,
        ..Default::default()
    };
    let queue = Queue::create(None, &options).unwrap();
    let message = vec![7; LEN];
    for _ in 0..6 {
        queue.try_put(&message).unwrap();
    }
    let victim = Victim::that(|| {
        let taken: Vec<_> = (0..5).map(|_| queue.take_raw(Wait::TRY).unwrap()).collect();
        // The first stays in flight; those after it are over.
        queue.done_raw(taken[1].ticket).unwrap();
        queue.done_raw(taken[2].ticket).unwrap();
    });
    if shutdown {
        queue.shutdown(true).unwrap();
    }
    victim.kill();
    queue
}

/// Recovery gave the ring's memory back when the first message was over, in the middle of its walk,
/// and read the zeros that were left.
#[test]
fn recovery_does_not_read_a_ring_that_it_has_given_back() {
    let _alone = alone();
    let message = vec![7; LEN];
    for (max_deliveries, shutdown) in [(1, false), (0, true)] {
        let queue = || left_by_a_killed_consumer(max_deliveries, shutdown);
        let (refused, none, joined) = match shutdown {
            true => (Err(Status::E_SHUTDOWN), Status::E_SHUTDOWN, Ok(())),
            false => (Ok(()), Status::E_EMPTY, Err(Status::E_TIMEOUT)),
        };
        assert_eq!(queue().try_join(), joined);
        assert_eq!(queue().try_put(&message), refused);
        let queue = queue();
        if !shutdown {
            let last = queue.take_raw(Wait::TRY).unwrap();
            queue.done_raw(last.ticket).unwrap();
            for deliveries in [1; 3] {
                let letter = queue.take_dead_raw().unwrap();
                assert_eq!((letter.len, letter.deliveries), (LEN, deliveries));
                queue.done_raw(letter.ticket).unwrap();
            }
        }
        assert_eq!(queue.take_raw(Wait::TRY).map(|loan| loan.id), Err(none));
        let info = queue.info().unwrap();
        assert_eq!((info.unfinished, info.dead_letters), (0, 0));
    }
}

/// A get reported that nothing is left before it had looked for dead consumers: their messages
/// stayed, and a join waited for ever.
#[test]
fn a_shut_down_queue_has_not_ended_before_what_the_dead_held_is_got() {
    let _alone = alone();
    for wait in [Wait::TRY, Wait::FOREVER] {
        let options = QueueOptions {
            joinable: true,
            ..Default::default()
        };
        let queue = Queue::create(None, &options).unwrap();
        queue.try_put(b"task").unwrap();
        let victim = Victim::that(|| {
            queue.take_raw(Wait::TRY).unwrap();
        });
        queue.shutdown(false).unwrap();
        victim.kill();
        let loan = queue.take_raw(wait).unwrap();
        assert_eq!(loan.deliveries, 2);
        queue.done_raw(loan.ticket).unwrap();
        assert_eq!(
            queue.take_raw(wait).map(|loan| loan.id),
            Err(Status::E_SHUTDOWN)
        );
        queue.try_join().unwrap();
    }
}
