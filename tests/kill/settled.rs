//! Killed consumers: how their messages stand.

use std::time::Duration;

use polyproc::{Queue, QueueOptions, Settled, Status, Wait, Waitable};

use crate::victim::{alone, Victim, DEADLINE};

fn queue(max_deliveries: u32) -> Queue {
    let options = QueueOptions {
        joinable: true,
        max_deliveries,
        ..Default::default()
    };
    Queue::create(None, &options).unwrap()
}

#[test]
fn a_dead_consumers_messages_wait_again_or_are_dead() {
    let _alone = alone();
    for (max_deliveries, expected) in [(0, Settled::Waiting), (1, Settled::Dead)] {
        let queue = queue(max_deliveries);
        let ids = [0u8; 4].map(|_| queue.put_id(b"task", Wait::TRY).unwrap());
        let victim = Victim::that(|| {
            let taken: Vec<_> = (0..3).map(|_| queue.take_raw(Wait::TRY).unwrap()).collect();
            queue.done_raw(taken[1].ticket).unwrap();
        });
        assert_eq!(queue.settled(ids[0]), Ok(Settled::Leased));
        victim.kill();
        for (id, expected) in
            ids.into_iter()
                .zip([expected, Settled::Done, expected, Settled::Waiting])
        {
            assert_eq!(queue.settled(id), Ok(expected));
        }
    }
}

#[test]
fn a_dead_consumers_messages_are_discarded_after_an_immediate_shutdown() {
    let _alone = alone();
    let queue = queue(0);
    let ids = [0u8; 2].map(|_| queue.put_id(b"task", Wait::TRY).unwrap());
    let victim = Victim::that(|| {
        queue.take_raw(Wait::TRY).unwrap();
    });
    queue.shutdown(true).unwrap();
    assert_eq!(queue.settled(ids[0]), Ok(Settled::Leased));
    assert_eq!(queue.settled(ids[1]), Ok(Settled::Discarded));
    victim.kill();
    assert_eq!(queue.settled(ids[0]), Ok(Settled::Discarded));
    assert_eq!(queue.try_join(), Ok(()));
}

/// The descriptor and `wait_any` also tell of what happens because a consumer died.
#[test]
fn a_death_that_makes_a_dead_letter_ends_a_wait_for_settled_messages() {
    let _alone = alone();
    let queue = queue(1);
    let id = queue.put_id(b"poison", Wait::TRY).unwrap();
    let victim = Victim::that(|| {
        queue.take_raw(Wait::TRY).unwrap();
    });
    let items = [Waitable::Settled(&queue)];
    let short = Duration::from_millis(2);
    assert_eq!(
        polyproc::wait_any_timeout(&items, short),
        Err(Status::E_TIMEOUT)
    );
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| polyproc::wait_any_timeout(&items, DEADLINE));
        std::thread::sleep(short);
        victim.kill();
        assert_eq!(waiter.join().unwrap(), Ok(vec![0]));
    });
    assert_eq!(queue.settled(id), Ok(Settled::Dead));
}
