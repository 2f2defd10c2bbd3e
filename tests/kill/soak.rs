//! Producers and consumers killed at random while they work, every message accounted for.

use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicU32, AtomicU8, Ordering};
use std::time::{Duration, Instant};

use polyproc::{Got, Queue, QueueOptions, Status, Wait};

use crate::victim::{alone, Victim, DEADLINE};

/// Lives of producers, one after the other, and the most messages that each may put.
const LIVES: usize = 400;
const EACH: usize = 20_000;
const PRODUCERS: usize = 3;
const CONSUMERS: usize = 3;
const LASTS: Duration = Duration::from_secs(4);

/// What all processes write down beside the queue: messages are numbered by life and sequence.
struct Ledger {
    /// Puts that had begun, and puts that had returned, for each life.
    begun: [AtomicU32; LIVES],
    returned: [AtomicU32; LIVES],
    /// How often each message was consumed.
    consumed: [[AtomicU8; EACH]; LIVES],
    stop: AtomicU32,
}

fn ledger() -> &'static Ledger {
    let (read_write, shared) = (
        libc::PROT_READ | libc::PROT_WRITE,
        libc::MAP_SHARED | libc::MAP_ANONYMOUS,
    );
    let size = size_of::<Ledger>();
    // SAFETY: a fresh mapping of zeros, which is a valid ledger; checked, and never unmapped.
    unsafe {
        let page = libc::mmap(
            std::ptr::null_mut(),
            size,
            read_write,
            shared | libc::MAP_NORESERVE,
            -1,
            0,
        );
        assert_ne!(page, libc::MAP_FAILED);
        &*page.cast::<Ledger>()
    }
}

fn message(life: usize, number: usize) -> Vec<u8> {
    // Small ones, and now and then one that is copied outside the lock.
    let len = if number % 50 == 7 {
        20_000
    } else {
        8 + number % 100
    };
    let mut message = vec![number as u8; len];
    message[..4].copy_from_slice(&(life as u32).to_le_bytes());
    message[4..8].copy_from_slice(&(number as u32).to_le_bytes());
    message
}

fn produce(queue: &Queue, ledger: &Ledger, life: usize) {
    for number in 0..EACH {
        if ledger.stop.load(Ordering::Relaxed) != 0 {
            return;
        }
        ledger.begun[life].store(number as u32 + 1, Ordering::SeqCst);
        queue.put(&message(life, number), Wait::FOREVER).unwrap();
        ledger.returned[life].store(number as u32 + 1, Ordering::SeqCst);
    }
}

fn write_down(ledger: &Ledger, data: &[u8]) {
    let number = |at: usize| u32::from_le_bytes(data[at..at + 4].try_into().unwrap()) as usize;
    let (life, number) = (number(0), number(4));
    assert_eq!(data, message(life, number), "a message came out of nothing");
    ledger.consumed[life][number].fetch_add(1, Ordering::SeqCst);
}

fn consume(queue: &Queue, ledger: &Ledger) {
    let mut buffer = vec![MaybeUninit::uninit(); 30_000];
    for round in 0.. {
        if round % 2 == 0 {
            let Ok(loan) = queue.take(Wait::FOREVER) else {
                return;
            };
            // SAFETY: taken and not settled yet.
            write_down(ledger, unsafe {
                std::slice::from_raw_parts(loan.data, loan.len)
            });
            queue.done(loan.ticket).unwrap();
        } else {
            let Ok(Got::Message(len)) = queue.get(&mut buffer, Wait::FOREVER) else {
                return;
            };
            // SAFETY: a get writes the bytes that it reports.
            write_down(ledger, unsafe {
                std::slice::from_raw_parts(buffer.as_ptr().cast(), len)
            });
            queue.task_done().unwrap();
        }
    }
}

/// Small, fast and repeatable enough for a test: which process dies next.
fn random(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state >> 33) as usize
}

/// Wait until nothing is unfinished. However slow the machine is, it becomes less.
fn drain(queue: &Queue) {
    let mut before = u64::MAX;
    while queue
        .join(Wait::for_ns(DEADLINE.as_nanos() as i64))
        .is_err()
    {
        let info = queue.info().unwrap();
        assert!(info.unfinished < before, "it stands still: {info:?}");
        before = info.unfinished;
    }
}

fn account(options: QueueOptions) {
    let _alone = alone();
    let ledger = ledger();
    let queue = Queue::create(None, &options).unwrap();
    let mut lives = 0;
    let mut producer = || {
        lives += 1;
        let life = lives - 1;
        Victim::inside(|| produce(&queue, ledger, life))
    };
    let consumer = || Victim::inside(|| consume(&queue, ledger));
    let mut producers: Vec<Victim> = (0..PRODUCERS).map(|_| producer()).collect();
    let mut consumers: Vec<Victim> = (0..CONSUMERS).map(|_| consumer()).collect();
    let (mut seed, mut kills) = (0x9e37_79b9_7f4a_7c15 ^ std::process::id() as u64, 0u64);
    let end = Instant::now() + LASTS;
    while Instant::now() < end && kills < (LIVES - PRODUCERS) as u64 {
        std::thread::sleep(Duration::from_micros(random(&mut seed) as u64 % 20_000));
        let place = random(&mut seed) % (PRODUCERS + CONSUMERS);
        if place < PRODUCERS {
            producers[place] = producer();
        } else {
            consumers[place - PRODUCERS] = consumer();
        }
        kills += 1;
    }
    ledger.stop.store(1, Ordering::SeqCst);
    // Producers see it and end by themselves; those who are left drain the queue.
    producers.iter().for_each(Victim::wait_until_awake);
    drain(&queue);
    let info = queue.info().unwrap();
    assert_eq!(
        (info.items, info.in_flight, info.bytes),
        (0, 0, 0),
        "{info:?}"
    );
    drop(consumers);
    drop(producers);

    let (mut returned, mut extra, mut again) = (0u64, 0u64, 0u64);
    for life in 0..lives {
        let (has_begun, has_returned) = (&ledger.begun[life], &ledger.returned[life]);
        let (begun, done) = (
            has_begun.load(Ordering::SeqCst) as usize,
            has_returned.load(Ordering::SeqCst) as usize,
        );
        for (number, consumed) in ledger.consumed[life].iter().enumerate() {
            let times = consumed.load(Ordering::SeqCst);
            assert!(
                times > 0 || number >= done,
                "message {number} of life {life} is lost"
            );
            assert!(
                times == 0 || number < begun,
                "message {number} of life {life} was never put"
            );
            extra += u64::from(times > 0 && number >= done);
            again += u64::from(times.saturating_sub(1));
        }
        returned += done as u64;
    }
    println!("{kills} kills, {returned} puts returned, {extra} more by dying producers, {again} consumed again, {info:?}");
    assert!(
        extra <= kills && again <= kills,
        "more than one message per kill"
    );
    assert_eq!(info.puts, returned + extra);
    assert_eq!(queue.put(b"it goes on", Wait::TRY), Ok(()));
    assert_eq!(
        queue.take(Wait::TRY).map(|loan| loan.len),
        Ok::<_, Status>(10)
    );
}

#[test]
fn a_bounded_queue_accounts_for_every_message() {
    account(QueueOptions {
        joinable: true,
        max_items: 16,
        ..Default::default()
    });
}

#[test]
fn an_unlimited_queue_accounts_for_every_message() {
    account(QueueOptions {
        joinable: true,
        ..Default::default()
    });
}
