//! Every operation of a queue, between and during writes of nonsense to its memory: each must
//! return.

use std::mem::MaybeUninit;

use arbitrary::Arbitrary;
use polyproc::{Loan, Queue, QueueOptions, Reservation, Wait};

use crate::hostile::{answered, Poke, Storm, Target};
use crate::steps::Steps;

#[derive(Arbitrary, Clone, Debug)]
pub struct Input {
    joinable: bool,
    max_items: u8,
    max_kib: u8,
    max_deliveries: u8,
    storm: Storm,
    steps: Steps<Step>,
}

#[derive(Arbitrary, Clone, Debug)]
enum Step {
    Poke(Poke),
    Open(Option<u16>),
    Put(u16),
    PutLarge(u8),
    PutMany(u8, u16),
    Get(u16),
    Take,
    TakeMany(u8),
    Done(u8),
    GiveBack(u8),
    TaskDone,
    Reserve(u16),
    Commit(u8, u16),
    Abort(u8),
    TakeDead,
    Look,
    Join,
    Shutdown(bool),
}

/// Behind header and participants. No call believes the accounts behind the other words.
const WORDS: u64 = 65_792;
const ACCOUNTS: u64 = 92_544;
const RINGS: u64 = 126_976;

struct Hands {
    loans: Vec<Loan>,
    reservations: Vec<Reservation>,
}

pub fn run(input: &Input) {
    let options = QueueOptions {
        joinable: input.joinable,
        max_items: u64::from(input.max_items),
        max_bytes: u64::from(input.max_kib) * 1024,
        max_deliveries: u32::from(input.max_deliveries),
        // Whatever the memory says, a try does not spin.
        spin_ns: 1,
        ..Default::default()
    };
    let queue = Queue::create(None, &options).unwrap();
    let target = Target::new(queue.raw_fd(), WORDS..ACCOUNTS, RINGS);
    let mut hands = Hands {
        loans: Vec::new(),
        reservations: Vec::new(),
    };
    input
        .storm
        .around(&target, input.steps.iter(), |step| match step {
            Step::Poke(poke) => target.poke(*poke),
            Step::Open(cut) => target.open(*cut),
            other => act(&queue, &mut hands, other),
        });
}

fn picked<T: Copy>(from: &mut Vec<T>, at: u8) -> Option<T> {
    let len = from.len();
    (len > 0).then(|| from.swap_remove(usize::from(at) % len))
}

fn act(queue: &Queue, hands: &mut Hands, step: &Step) {
    let bytes = [7; 70_000];
    let mut buffer = [MaybeUninit::uninit(); 70_000];
    let (loans, reservations) = (&mut hands.loans, &mut hands.reservations);
    match step {
        Step::Poke(_) | Step::Open(_) => {}
        Step::Put(len) => answered(queue.try_put(&bytes[..usize::from(*len) % 2000])),
        Step::PutLarge(len) => answered(queue.try_put(&bytes[..17_000 + usize::from(*len) * 200])),
        Step::PutMany(count, len) => answered(queue.put_many_raw(
            usize::from(*count % 40),
            &|at| &bytes[..(usize::from(*len) + at) % 1000],
            Wait::TRY,
        )),
        Step::Get(room) => answered(queue.get_raw(&mut buffer[..usize::from(*room)], Wait::TRY)),
        Step::Take => loans.extend(queue.take_raw(Wait::TRY).ok()),
        Step::TakeMany(max) => {
            let mut each = |_, loan| loans.push(loan);
            answered(queue.take_many_raw(usize::from(*max), &mut each, Wait::TRY));
        }
        Step::Done(which) => {
            if let Some(loan) = picked(loans, *which) {
                read_all(loan.data, loan.len);
                answered(queue.done_raw(loan.ticket));
            }
        }
        Step::GiveBack(which) => {
            if let Some(loan) = picked(loans, *which) {
                read_all(loan.data, loan.len);
                answered(queue.give_back_raw(loan.ticket));
            }
        }
        Step::TaskDone => answered(queue.task_done()),
        Step::Reserve(len) => {
            reservations.extend(queue.reserve_raw(usize::from(*len), Wait::TRY).ok())
        }
        Step::Commit(which, len) => {
            if let Some(reservation) = picked(reservations, *which) {
                let len = usize::from(*len).min(reservation.len);
                // SAFETY: the reservation says so; the test is whether that is true.
                unsafe { reservation.data.write_bytes(3, len) };
                answered(queue.commit_raw(&reservation, len));
            }
        }
        Step::Abort(which) => {
            if let Some(reservation) = picked(reservations, *which) {
                answered(queue.abort_raw(&reservation));
            }
        }
        Step::TakeDead => loans.extend(queue.take_dead_raw().ok()),
        Step::Look => {
            answered((queue.len(), queue.is_full(), queue.info(), queue.options()));
        }
        Step::Join => answered(queue.try_join()),
        Step::Shutdown(immediate) => answered(queue.shutdown(*immediate)),
    }
}

/// Reads all of a loan, as a user would.
fn read_all(data: *const u8, len: usize) {
    let mut sum = 0u64;
    for at in (0..len).step_by(64) {
        // SAFETY: the loan says so; the test is whether that is true.
        sum = sum.wrapping_add(u64::from(unsafe { data.add(at).read_volatile() }));
    }
    std::hint::black_box(sum);
}
