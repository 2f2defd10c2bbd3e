//! The ring's two words: the cursor, whose store commits, and the record's state, which is claimed.

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

use super::layout::cursor::{Side, Totals};
use super::layout::record::{Record, State, Word};
use crate::model::{check_deaths, Mortality, Preemptions};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::owner::Owner;
use crate::sync::wait::{Patience, Wait};
use crate::sync::Acquired;
use crate::sys::Zero;
use crate::world::{process, Machine, Process};

const SLOTS: usize = 4;
const SLOT: u64 = 16;

/// A ring of few records, each with a payload of one word.
struct Ring {
    machine: Machine,
    tail: Side,
    records: [Record; SLOTS],
    payloads: [UnsafeCell<u64>; SLOTS],
    /// The payloads that the consumers have seen.
    seen: AtomicU64,
}

// SAFETY: loom checks each access.
unsafe impl Sync for Ring {}
// SAFETY: as above.
unsafe impl Send for Ring {}

fn nothing(_: &Process<'_>, _: &dyn Fn(Owner) -> bool) {}

impl Ring {
    fn new() -> Arc<Ring> {
        Arc::new(Ring {
            machine: Machine::new(),
            tail: Side::zero(),
            records: Zero::zero(),
            payloads: std::array::from_fn(|_| UnsafeCell::new(0)),
            seen: AtomicU64::zero(),
        })
    }

    /// Puts one message as `put` does: the stores of a `Pen`, and its commit.
    fn put(&self, number: u32, payload: u64) {
        let world = Process::new(&self.machine, number, &nothing).without_recovery();
        let mut patience = Patience::new(&Wait::FOREVER);
        let locked = self.tail.mutex.lock(&world, process(number), &mut patience);
        locked.expect("the lock");
        let from = self.tail.cursor();
        assert_eq!(
            from.totals.count * SLOT,
            from.position.at(),
            "totals of another cursor"
        );
        let slot = (from.position.at() / SLOT) as usize;
        // SAFETY: before the commit only the producer accesses it, which loom checks.
        self.payloads[slot].with_mut(|place| unsafe { *place = payload });
        self.records[slot].write(Word::new(State::Ready, 0, None), 8, SLOT);
        let to = from.position.forward(SLOT);
        let totals = Totals {
            count: from.totals.count + 1,
            bytes: from.totals.bytes + SLOT,
        };
        self.tail.commit(&from, to, totals);
        self.tail.mutex.unlock(&world);
    }

    /// Looks as a consumer without the producers' lock: every record before the cursor is whole.
    fn look(&self) -> u64 {
        let end = self.tail.position().at();
        for slot in 0..(end / SLOT) as usize {
            assert_eq!(self.records[slot].word().state(), Some(State::Ready));
            assert_eq!(self.records[slot].size(), (8, SLOT));
            // SAFETY: published by the cursor, which loom checks.
            let payload = self.payloads[slot].with(|place| unsafe { *place });
            assert_eq!(payload % 10, 7, "half a message");
        }
        end / SLOT
    }
}

#[test]
fn a_put_is_there_or_not_whoever_dies() {
    check_deaths(
        "ring, a producer dies",
        Preemptions::AtMost(3),
        |mortality| {
            let ring = Ring::new();
            let looks = {
                let ring = Arc::clone(&ring);
                thread::spawn(move || {
                    let first = ring.look();
                    assert!(ring.look() >= first);
                })
            };
            let puts = {
                let ring = Arc::clone(&ring);
                thread::spawn(move || ring.put(1, 17))
            };
            let lived = mortality.run(|| {
                ring.put(0, 27);
                ring.put(0, 37);
            });
            if lived.is_none() {
                ring.machine.end(process(0));
            }
            puts.join().expect("no panic");
            looks.join().expect("no panic");
            let count = ring.look();
            assert!(if lived.is_some() {
                count == 3
            } else {
                (1..=3).contains(&count)
            });
            assert_eq!(ring.tail.snapshot().totals.count, count);
        },
    );
}

/// `info` and the limits read cursor and totals without the lock.
#[test]
fn cursor_and_totals_agree_at_every_moment() {
    check_deaths("ring, totals", Preemptions::AtMost(3), |mortality| {
        let ring = Ring::new();
        let looks = {
            let ring = Arc::clone(&ring);
            thread::spawn(move || {
                let cursor = ring.tail.snapshot();
                assert_eq!(cursor.totals.count * SLOT, cursor.position.at());
                assert_eq!(cursor.totals.bytes, cursor.position.at());
            })
        };
        let lived = mortality.run(|| (0..3).for_each(|_| ring.put(0, 7)));
        if lived.is_none() {
            ring.machine.end(process(0));
        }
        looks.join().expect("no panic");
    });
}

/// A reserved record: its writer commits it while a consumer passes it.
struct Reserved {
    machine: Machine,
    record: Record,
    payload: UnsafeCell<u64>,
}

// SAFETY: loom checks each access.
unsafe impl Sync for Reserved {}
// SAFETY: as above.
unsafe impl Send for Reserved {}

const WRITER: u32 = 0;

/// `reserve::commit` up to where it needs the locks: returns whether the consumers will find the
/// record by themselves.
fn commit(reserved: &Reserved, mortality: &Mortality) -> Option<bool> {
    mortality.run(|| {
        // SAFETY: only the writer accesses it until the commit, which loom checks.
        reserved.payload.with_mut(|place| unsafe { *place = 7 });
        let seen = reserved.record.word();
        let ready = seen.with(State::Ready, None);
        seen.state() == Some(State::Writing) && reserved.record.change(seen, ready)
    })
}

#[test]
fn a_reservation_is_committed_or_gone_past_and_never_both() {
    check_deaths(
        "record, commit and go past",
        Preemptions::All,
        |mortality| {
            let reserved = Arc::new(Reserved {
                machine: Machine::new(),
                record: Record::zero(),
                payload: UnsafeCell::new(0),
            });
            let writing = Word::new(State::Writing, 0, Some(process(WRITER)));
            reserved.record.write(writing, 8, 32);
            let consumer = {
                let reserved = Arc::clone(&reserved);
                thread::spawn(move || loop {
                    let seen = reserved.record.word();
                    match seen.state() {
                        Some(State::Ready) => {
                            // SAFETY: committed, which loom checks.
                            let payload = reserved.payload.with(|place| unsafe { *place });
                            assert_eq!(payload, 7);
                            return State::Ready;
                        }
                        Some(State::Writing) => {
                            let owner = seen.owner().expect("a writer");
                            let next = match reserved.machine.is_gone(owner) {
                                true => State::Void,
                                false => State::Passed,
                            };
                            if reserved.record.change(seen, seen.with(next, Some(owner))) {
                                return next;
                            }
                        }
                        other => panic!("{other:?}"),
                    }
                })
            };
            let committed = commit(&reserved, mortality);
            if committed.is_none() {
                reserved.machine.end(process(WRITER));
            }
            let found = consumer.join().expect("no panic");
            match committed {
                Some(true) => assert_eq!(found, State::Ready),
                Some(false) => assert_eq!(found, State::Passed, "the writer commits it behind"),
                None => assert_ne!(found, State::Ready, "nobody committed it"),
            }
            if found == State::Void {
                assert!(committed.is_none(), "its writer lives");
            }
        },
    );
}

/// If a consumer claims it, the consumer has it, or else another one gets it.
#[test]
fn a_claim_of_a_dead_consumer_comes_back() {
    check_deaths("record, claim", Preemptions::AtMost(3), |mortality| {
        let ring = Ring::new();
        ring.records[0].write(Word::new(State::Ready, 0, None), 8, SLOT);
        let claim = |ring: &Ring, number: u32| {
            let me = process(number);
            let world = Process::new(&ring.machine, number, &nothing).without_recovery();
            let mut patience = Patience::new(&Wait::FOREVER);
            let acquired = ring
                .tail
                .mutex
                .lock(&world, me, &mut patience)
                .expect("the lock");
            let record = &ring.records[0];
            let mut seen = record.word();
            // Recovery: the record is in flight with a process that is gone.
            if acquired == Acquired::OwnerDied || seen.owner().is_some() {
                let is_gone = seen
                    .owner()
                    .is_some_and(|owner| ring.machine.is_gone(owner));
                if is_gone {
                    let deliveries = seen.deliveries() + 1;
                    record.set(Word::new(State::Returned, deliveries, None));
                    seen = record.word();
                }
            }
            let is_there = matches!(seen.state(), Some(State::Ready | State::Returned));
            if is_there {
                record.set(seen.with(State::Taken, Some(me)));
            }
            ring.tail.mutex.unlock(&world);
            is_there
        };
        let other = {
            let ring = Arc::clone(&ring);
            thread::spawn(move || claim(&ring, 1))
        };
        let mine = mortality.run(|| claim(&ring, 0));
        if mine.is_none() {
            ring.machine.end(process(0));
        }
        let theirs = other.join().expect("no panic");
        match mine {
            Some(mine) => assert!(mine != theirs, "exactly one has it"),
            // It died with the record or without it: the next consumer finds it, or the other one
            // has it.
            None => assert!(theirs != claim(&ring, 2)),
        }
        let _ = ring.seen.load(Ordering::Relaxed);
    });
}
