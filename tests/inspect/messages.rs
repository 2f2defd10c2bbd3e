//! The numbers and the messages of queues.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use polyproc::inspect::{self, Hold, Intake, Place, Tail, Verdict};
use polyproc::{Queue, QueueOptions};

use crate::support::{eventually, options, Name, JOINABLE};

#[test]
fn the_numbers_of_a_queue_are_those_of_its_users() {
    let name = Name::new();
    let queue = Queue::create(
        Some(&name.0),
        &options(|options| {
            options.joinable = true;
            options.max_items = 1000;
            options.max_deliveries = 1;
        }),
    )
    .unwrap();
    for number in 0..100u32 {
        queue.put(&vec![7; number as usize * 50]).unwrap();
    }
    let taken: Vec<_> = (0..10).map(|_| queue.take().unwrap()).collect();
    let slot = queue.reserve(10).unwrap();
    let (seen, info) = (name.queue(), queue.info().unwrap());
    assert!(seen.is_complete);
    assert_eq!(
        (seen.waiting, seen.in_flight, seen.puts, seen.gets),
        (info.items, info.in_flight, info.puts, info.gets)
    );
    assert_eq!(seen.bytes, info.bytes);
    assert_eq!((seen.waiting, seen.in_flight), (90, 10));
    assert_eq!((seen.options.max_items, seen.intake), (1000, Intake::Open));
    let mine = &name.look().participants[0];
    assert_eq!(mine.holds, [Hold::Messages(10), Hold::Reservations(1)]);
    let oldest = seen.oldest_lease.expect("a lease");
    assert_eq!((oldest.id, oldest.slot), (taken[0].id(), mine.slot));
    slot.commit(10).unwrap();
    assert_eq!(name.queue().waiting, 91);
    // A message that comes back at its last delivery is a dead letter.
    drop(taken);
    let (seen, info) = (name.queue(), queue.info().unwrap());
    assert_eq!(seen.dead_letters, info.dead_letters);
    assert_eq!(
        (seen.dead_letters, seen.redelivered),
        (10, info.redelivered)
    );
    queue.shutdown(true).unwrap();
    let seen = name.queue();
    assert_eq!((seen.waiting, seen.intake), (0, Intake::Discarded));
    assert_eq!(seen.discarded, queue.info().unwrap().discarded);
}

#[test]
fn a_peek_reads_each_place_and_takes_nothing() {
    let name = Name::new();
    let queue = Queue::create(
        Some(&name.0),
        &QueueOptions {
            max_deliveries: 1,
            ..JOINABLE
        },
    )
    .unwrap();
    for text in ["one", "two", "three", "four"] {
        queue.put(text.as_bytes()).unwrap();
    }
    queue.take().unwrap().give_back().unwrap();
    let held = queue.take().unwrap();
    let texts = |place, count, most| {
        let letters = inspect::peek(&name.0, place, count, most).unwrap();
        let texts = letters.iter();
        texts
            .map(|one| String::from_utf8(one.bytes.clone()).unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(texts(Place::Waiting, 10, 100), ["three", "four"]);
    assert_eq!(texts(Place::Waiting, 1, 2), ["th"]);
    assert_eq!(texts(Place::InFlight, 10, 100), ["two"]);
    assert_eq!(texts(Place::DeadLetters, 10, 100), ["one"]);
    let letters = inspect::peek(&name.0, Place::InFlight, 10, 100).unwrap();
    assert_eq!((letters[0].id, letters[0].length), (held.id(), 3));
    assert_eq!(letters[0].slot, Some(name.look().participants[0].slot));
    // As the message says: this delivery included. One that waits has had none.
    assert_eq!(letters[0].deliveries, u64::from(held.deliveries()));
    let lease = name.queue().oldest_lease.unwrap();
    assert_eq!(lease.deliveries, held.deliveries());
    let deliveries = |place| inspect::peek(&name.0, place, 1, 0).unwrap()[0].deliveries;
    assert_eq!(deliveries(Place::Waiting), 0);
    assert_eq!(deliveries(Place::DeadLetters), 1);
    held.done().unwrap();
    assert_eq!(queue.get().unwrap(), b"three");
    queue.task_done().unwrap();
    assert_eq!(queue.len().unwrap(), 1);
}

/// A backlog over several rings, with gaps of every state.
#[test]
fn a_peek_sees_every_message_of_many_rings() {
    let name = Name::new();
    let queue = Queue::create(Some(&name.0), &JOINABLE).unwrap();
    let mut kept = Vec::new();
    for number in 0..20_000u32 {
        queue
            .put(&[number.to_ne_bytes(), [7; 4]].concat().repeat(8))
            .unwrap();
        if number % 7 == 0 {
            let message = queue.take().unwrap();
            if number % 2 == 0 {
                kept.push(message);
            } else {
                message.done().unwrap();
            }
        }
    }
    let seen = name.queue();
    assert_eq!(seen.in_flight, kept.len() as u64);
    assert_eq!(seen.waiting, queue.len().unwrap());
    let first = |bytes: &[u8]| u32::from_ne_bytes(*bytes.first_chunk().unwrap());
    let waiting = inspect::peek(&name.0, Place::Waiting, usize::MAX, 64).unwrap();
    assert_eq!(waiting.len() as u64, seen.waiting);
    let numbers: Vec<_> = waiting.iter().map(|one| first(&one.bytes)).collect();
    assert!(numbers.is_sorted());
    let in_flight = inspect::peek(&name.0, Place::InFlight, usize::MAX, 64).unwrap();
    let held = kept.iter().map(|message| first(message));
    assert!(in_flight.iter().map(|one| first(&one.bytes)).eq(held));
}

#[test]
fn a_tail_follows_and_counts_what_it_missed() {
    let name = Name::new();
    let queue = Queue::create(Some(&name.0), &QueueOptions::default()).unwrap();
    queue.put(b"before").unwrap();
    let mut tail = Tail::open(&name.0).unwrap();
    assert!(tail.step(100).unwrap().letters.is_empty());
    let (mut read, mut skipped) = (0, 0);
    let mut next = 0u64;
    let mut add = |step: inspect::Step| {
        for letter in step.letters {
            let number = u64::from_ne_bytes(*letter.bytes.first_chunk().unwrap());
            assert!(number >= next, "in order");
            next = number + 1;
            read += 1;
        }
        skipped += step.skipped;
        (read, skipped)
    };
    for number in 0..5u64 {
        queue.put(&number.to_ne_bytes()).unwrap();
    }
    assert_eq!(add(tail.step(100).unwrap()), (5, 0));
    let mut whole = Tail::open_at_head(&name.0).unwrap();
    let seen = whole.step(100).unwrap();
    assert_eq!((seen.letters.len(), seen.skipped), (6, 0));
    assert_eq!(seen.letters[0].bytes, b"before");
    // Meanwhile others get everything, and the ring is written over many times.
    for number in 5..200_000u64 {
        queue.put(&number.to_ne_bytes()).unwrap();
        queue.get().unwrap();
    }
    let (mut read, mut skipped) = (0, 0);
    while read + skipped < 200_000 {
        let step = tail.step(100).unwrap();
        assert!(!step.letters.is_empty() || step.skipped > 0);
        (read, skipped) = add(step);
    }
    assert_eq!(read + skipped, 200_000);
    assert!(skipped > 0 && read > 5, "{read} read");
    queue.shutdown(false).unwrap();
    assert!(tail.step(100).unwrap().is_over);
}

/// While two threads put and get as fast as they can, and rings are linked and left, no look finds
/// damage.
#[test]
fn a_busy_queue_is_never_taken_for_damaged() {
    let name = Name::new();
    let queue = Queue::create(Some(&name.0), &JOINABLE).unwrap();
    let is_over = AtomicU32::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _end = OnDrop(|| eventually(|| queue.shutdown(false).is_ok()));
            let mut size = 1;
            while is_over.load(Ordering::Relaxed) == 0 {
                for _ in 0..2000 {
                    size = size * 31 % 3001;
                    queue.put(&vec![1; size]).unwrap();
                }
                // A thread that holds a lock may be without a core for longer than `len` waits.
                eventually(|| queue.len().is_ok_and(|items| items < 20_000));
            }
        });
        scope.spawn(|| {
            while let Ok(message) = queue.take() {
                message.done().unwrap();
            }
        });
        // A panic in here must not leave the two threads running: the scope waits for them.
        let _over = OnDrop(|| is_over.store(1, Ordering::Relaxed));
        let end = Instant::now() + Duration::from_secs(2);
        let mut tail = Tail::open(&name.0).unwrap();
        while Instant::now() < end {
            let seen = name.look();
            assert_eq!(seen.verdict, Verdict::Sound);
            for letter in inspect::peek(&name.0, Place::Waiting, 50, 5000).unwrap() {
                assert!(letter.bytes.iter().all(|byte| *byte == 1));
                assert_eq!(letter.bytes.len() as u64, letter.length);
            }
            for letter in tail.step(5000).unwrap().letters {
                assert!(letter.bytes.iter().all(|byte| *byte == 1));
            }
        }
    });
}

/// Runs its closure when it is dropped, also by a panic.
struct OnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
