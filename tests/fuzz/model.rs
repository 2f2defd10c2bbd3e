//! Sequences of operations on a queue, each compared with a model that is a plain list.

use std::collections::VecDeque;
use std::mem::MaybeUninit;

use arbitrary::Arbitrary;
use polyproc::{Got, Loan, Queue, QueueOptions, Reservation, Status, Wait};

use crate::steps::Steps;

#[derive(Arbitrary, Clone, Debug)]
pub struct Input {
    joinable: bool,
    max_items: u8,
    max_deliveries: u8,
    steps: Steps<Step>,
}

#[derive(Arbitrary, Clone, Debug)]
pub enum Step {
    Put(Length),
    PutMany(u8, Length),
    Get,
    GetInto(u8),
    Take,
    TakeMany(u8),
    Done(u8),
    GiveBack(u8),
    TaskDone,
    Reserve(Length),
    Commit(u8, Length),
    Abort(u8),
    TakeDead,
    Join,
    Shutdown(bool),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Length {
    Tiny(u8),
    Small(u16),
    /// Longer than messages that are copied under the lock.
    Large(u16),
    /// Longer than the smallest ring.
    Huge(u8),
}

impl Length {
    fn bytes(self) -> usize {
        match self {
            Length::Tiny(len) => usize::from(len),
            Length::Small(len) => usize::from(len) % 4000,
            Length::Large(len) => 16_000 + usize::from(len),
            Length::Huge(len) => 120_000 + usize::from(len) * 1000,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Place {
    Waiting,
    Got,
    Taken(u64),
    Reserved(u64),
}

/// A message, which its number tells from every other.
struct Message {
    number: u32,
    len: usize,
    deliveries: u32,
    place: Place,
}

struct Dead {
    number: u32,
    len: usize,
    deliveries: u32,
}

/// The queue as it should be: every message that is not over, in the order in which they got their
/// place.
struct Model {
    messages: Vec<Message>,
    dead: VecDeque<Dead>,
    loans: Vec<Loan>,
    dead_loans: Vec<(Loan, Dead)>,
    reservations: Vec<Reservation>,
    numbers: u32,
    joinable: bool,
    max_items: usize,
    max_deliveries: u32,
    shutdown: bool,
    /// The queue has a record that is no message, or a message after records that are over: how
    /// full it is depends on how far the consumers have come.
    is_ragged: bool,
}

/// Returns the bytes of a message: its number, repeated.
fn contents(number: u32, len: usize) -> Vec<u8> {
    let number = number.to_le_bytes();
    (0..len)
        .map(|at| number[at % 4] ^ (at >> 8) as u8)
        .collect()
}

fn read(data: *const u8, len: usize) -> Vec<u8> {
    // SAFETY: a loan that is not settled.
    unsafe { std::slice::from_raw_parts(data, len) }.to_vec()
}

pub fn run(input: &Input) {
    let options = QueueOptions {
        joinable: input.joinable,
        max_items: u64::from(input.max_items),
        max_deliveries: u32::from(input.max_deliveries),
        ..Default::default()
    };
    let queue = Queue::create(None, &options).unwrap();
    let mut model = Model {
        messages: Vec::new(),
        dead: VecDeque::new(),
        loans: Vec::new(),
        dead_loans: Vec::new(),
        reservations: Vec::new(),
        numbers: 0,
        joinable: input.joinable,
        max_items: usize::from(input.max_items),
        max_deliveries: u32::from(input.max_deliveries),
        shutdown: false,
        is_ragged: false,
    };
    for step in input.steps.iter() {
        model.step(&queue, step);
        model.compare(&queue);
    }
    model.drain(&queue);
}

impl Model {
    fn waiting(&self) -> usize {
        self.count(|place| place == Place::Waiting)
    }

    fn in_flight(&self) -> usize {
        self.count(|place| matches!(place, Place::Got | Place::Taken(_)))
    }

    fn count(&self, which: impl Fn(Place) -> bool) -> usize {
        self.messages.iter().filter(|one| which(one.place)).count()
    }

    fn at(&self, place: Place) -> usize {
        let at = self.messages.iter().position(|one| one.place == place);
        at.expect("a message that the model has lost")
    }

    fn first_waiting(&self) -> Option<usize> {
        self.messages
            .iter()
            .position(|one| one.place == Place::Waiting)
    }

    /// Checks the result of a put.
    fn check_put(&self, answer: Result<(), Status>) -> bool {
        if self.shutdown {
            assert_eq!(answer, Err(Status::E_SHUTDOWN));
            return false;
        }
        let is_full = self.max_items != 0 && self.waiting() >= self.max_items;
        match answer {
            Ok(()) => assert!(self.is_ragged || !is_full, "more than max_items"),
            Err(Status::E_FULL) => assert!(self.is_ragged || is_full, "full before max_items"),
            Err(other) => panic!("{other:?}"),
        }
        answer.is_ok()
    }

    /// Checks the result of a get or take that found nothing.
    fn check_nothing(&self, status: Status) {
        assert_eq!(self.waiting(), 0, "{status:?} although messages wait");
        match status {
            Status::E_EMPTY => {
                assert!(!self.shutdown || !self.reservations.is_empty() || self.in_flight() > 0)
            }
            Status::E_SHUTDOWN => assert!(self.shutdown),
            other => panic!("{other:?}"),
        }
    }

    fn push(&mut self, len: usize, place: Place) {
        self.messages.push(Message {
            number: self.numbers,
            len,
            deliveries: 0,
            place,
        });
        self.numbers += 1;
    }

    fn step(&mut self, queue: &Queue, step: &Step) {
        match step {
            Step::Put(length) => self.put(queue, length.bytes()),
            Step::PutMany(count, length) => {
                self.put_many(queue, usize::from(count % 20), length.bytes())
            }
            Step::Get => self.get(queue, 400_000),
            Step::GetInto(room) => self.get(queue, usize::from(*room)),
            Step::Take => self.take_many(queue, 1),
            Step::TakeMany(max) => self.take_many(queue, usize::from(max % 30) + 1),
            Step::Done(which) => self.settle(queue, *which, false),
            Step::GiveBack(which) => self.settle(queue, *which, true),
            Step::TaskDone => self.task_done(queue),
            Step::Reserve(length) => self.reserve(queue, length.bytes()),
            Step::Commit(which, length) => self.commit(queue, *which, length.bytes()),
            Step::Abort(which) => self.abort(queue, *which),
            Step::TakeDead => self.take_dead(queue),
            Step::Join => self.join(queue),
            Step::Shutdown(immediate) => self.shut_down(queue, *immediate),
        }
    }

    fn put(&mut self, queue: &Queue, len: usize) {
        let answer = queue.try_put(&contents(self.numbers, len));
        if self.check_put(answer) {
            self.push(len, Place::Waiting);
        }
    }

    fn put_many(&mut self, queue: &Queue, count: usize, len: usize) {
        let items: Vec<_> = (0..count)
            .map(|at| contents(self.numbers + at as u32, len))
            .collect();
        match queue.put_many_raw(count, &|at| &items[at], Wait::TRY) {
            Ok(put) => {
                assert!(put <= count);
                for _ in 0..put {
                    assert!(self.check_put(Ok(())));
                    self.push(len, Place::Waiting);
                }
                if put < count {
                    self.check_put(Err(Status::E_FULL));
                }
            }
            Err(status) => assert!(!self.check_put(Err(status))),
        }
    }

    fn get(&mut self, queue: &Queue, room: usize) {
        let mut buffer = vec![MaybeUninit::uninit(); room];
        let answer = queue.get_raw(&mut buffer, Wait::TRY);
        let Some(at) = self.first_waiting() else {
            return self.check_nothing(answer.expect_err("a message out of nothing"));
        };
        let first = &mut self.messages[at];
        if first.len > room {
            assert_eq!(answer, Ok(Got::TooSmall(first.len)));
            return;
        }
        assert_eq!(answer, Ok(Got::Message(first.len)));
        // SAFETY: a get writes the bytes that it reports.
        let bytes = buffer[..first.len]
            .iter()
            .map(|byte| unsafe { byte.assume_init() });
        assert!(bytes.eq(contents(first.number, first.len)), "other bytes");
        if self.joinable {
            first.place = Place::Got;
        } else {
            self.messages.remove(at);
        }
    }

    fn take_many(&mut self, queue: &Queue, max: usize) {
        let mut loans = Vec::new();
        let answer = queue.take_many_raw(max, &mut |_, loan| loans.push(loan), Wait::TRY);
        if self.waiting() == 0 {
            return self.check_nothing(answer.expect_err("a message out of nothing"));
        }
        let expected = max.min(self.waiting());
        assert_eq!(answer, Ok(expected));
        for loan in loans {
            let at = self.first_waiting().expect("as many as wait");
            let first = &mut self.messages[at];
            assert_eq!(loan.len, first.len);
            assert_eq!(loan.deliveries, first.deliveries + 1);
            assert!(
                read(loan.data, loan.len) == contents(first.number, first.len),
                "other bytes"
            );
            first.place = Place::Taken(loan.ticket);
            self.loans.push(loan);
        }
    }

    fn settle(&mut self, queue: &Queue, which: u8, gives_back: bool) {
        let settle = |loan: &Loan| match gives_back {
            true => queue.give_back_raw(loan.ticket),
            false => queue.done_raw(loan.ticket),
        };
        let count = self.loans.len() + self.dead_loans.len();
        if count == 0 {
            return;
        }
        let which = usize::from(which) % count;
        if which >= self.loans.len() {
            let (loan, dead) = self.dead_loans.swap_remove(which - self.loans.len());
            assert!(
                read(loan.data, loan.len) == contents(dead.number, dead.len),
                "other bytes"
            );
            assert_eq!(settle(&loan), Ok(()));
            assert_eq!(settle(&loan), Err(Status::E_INVALID), "settled twice");
            if gives_back {
                self.dead.push_front(dead);
                let order = |one: &Dead| one.number;
                self.dead.make_contiguous().sort_by_key(order);
            }
            return;
        }
        let loan = self.loans.swap_remove(which);
        let at = self.at(Place::Taken(loan.ticket));
        let message = &mut self.messages[at];
        assert!(
            read(loan.data, loan.len) == contents(message.number, message.len),
            "other bytes"
        );
        assert_eq!(settle(&loan), Ok(()));
        assert_eq!(settle(&loan), Err(Status::E_INVALID), "settled twice");
        message.deliveries += 1;
        if !gives_back {
            self.messages.remove(at);
        } else if self.max_deliveries != 0 && message.deliveries >= self.max_deliveries {
            let message = self.messages.remove(at);
            self.dead.push_back(Dead {
                number: message.number,
                len: message.len,
                deliveries: message.deliveries,
            });
        } else {
            message.place = Place::Waiting;
            self.is_ragged = true;
        }
    }

    fn task_done(&mut self, queue: &Queue) {
        let answer = queue.task_done();
        let oldest = self.messages.iter().position(|one| one.place == Place::Got);
        match oldest {
            _ if !self.joinable => assert_eq!(answer, Err(Status::E_INVALID)),
            None => assert_eq!(answer, Err(Status::E_OVER_RELEASE)),
            Some(at) => {
                assert_eq!(answer, Ok(()));
                self.messages.remove(at);
            }
        }
    }

    fn reserve(&mut self, queue: &Queue, len: usize) {
        let answer = queue.reserve_raw(len, Wait::TRY);
        if self.check_put(answer.map(|_| ())) {
            let reservation = answer.expect("checked");
            assert_eq!(reservation.len, len);
            self.push(len, Place::Reserved(reservation.ticket));
            self.reservations.push(reservation);
            self.is_ragged = true;
        }
    }

    fn picked(&mut self, which: u8) -> Option<Reservation> {
        let count = self.reservations.len();
        (count > 0).then(|| self.reservations.swap_remove(usize::from(which) % count))
    }

    fn commit(&mut self, queue: &Queue, which: u8, len: usize) {
        let Some(reservation) = self.picked(which) else {
            return;
        };
        let longer = queue.commit_raw(&reservation, reservation.len + 1);
        assert_eq!(longer, Err(Status::E_TOO_LARGE));
        let len = len.min(reservation.len);
        let at = self.at(Place::Reserved(reservation.ticket));
        let bytes = contents(self.messages[at].number, len);
        // SAFETY: as many bytes were reserved at least.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), reservation.data, len) };
        match queue.commit_raw(&reservation, len) {
            Ok(()) => {
                self.messages[at].len = len;
                self.messages[at].place = Place::Waiting;
            }
            Err(status) => {
                assert_eq!(status, Status::E_SHUTDOWN);
                assert!(self.shutdown);
                self.messages.remove(at);
            }
        }
        assert_eq!(
            queue.abort_raw(&reservation),
            Err(Status::E_INVALID),
            "settled twice"
        );
    }

    fn abort(&mut self, queue: &Queue, which: u8) {
        if let Some(reservation) = self.picked(which) {
            assert_eq!(queue.abort_raw(&reservation), Ok(()));
            assert_eq!(
                queue.commit_raw(&reservation, 0),
                Err(Status::E_INVALID),
                "settled twice"
            );
            let at = self.at(Place::Reserved(reservation.ticket));
            self.messages.remove(at);
        }
    }

    fn take_dead(&mut self, queue: &Queue) {
        match (queue.take_dead_raw(), self.dead.is_empty()) {
            (answer, true) => assert_eq!(answer.err(), Some(Status::E_EMPTY)),
            (answer, false) => {
                let loan = answer.expect("a dead letter");
                let bytes = read(loan.data, loan.len);
                let same = |one: &Dead| contents(one.number, one.len) == bytes;
                let at = self
                    .dead
                    .iter()
                    .position(same)
                    .expect("a dead letter that was buried");
                let dead = self.dead.remove(at).expect("just found");
                assert_eq!(loan.deliveries, dead.deliveries);
                self.dead_loans.push((loan, dead));
            }
        }
    }

    fn join(&mut self, queue: &Queue) {
        let unfinished = self.waiting() + self.in_flight();
        let expected = match (self.joinable, unfinished) {
            (false, _) => Err(Status::E_INVALID),
            (true, 0) => Ok(()),
            (true, _) => Err(Status::E_TIMEOUT),
        };
        assert_eq!(queue.try_join(), expected);
    }

    fn shut_down(&mut self, queue: &Queue, immediate: bool) {
        assert_eq!(queue.shutdown(immediate), Ok(()));
        self.shutdown = true;
        if immediate {
            self.messages.retain(|one| one.place != Place::Waiting);
            // From now on returned messages are discarded as well.
            self.settle_all(queue);
        }
    }

    fn settle_all(&mut self, queue: &Queue) {
        while !self.loans.is_empty() {
            self.settle(queue, 0, false);
        }
        while !self.reservations.is_empty() {
            self.abort(queue, 0);
        }
    }

    /// Compares the queue's figures.
    fn compare(&self, queue: &Queue) {
        let waiting = self.waiting() as u64;
        assert_eq!(queue.len(), Ok(waiting));
        let info = queue.info().expect("numbers");
        assert_eq!(info.items, waiting, "items");
        assert_eq!(info.in_flight, self.in_flight() as u64, "in flight");
        assert_eq!(info.dead_letters, self.dead.len() as u64, "dead letters");
        assert_eq!(info.shutdown, self.shutdown);
    }

    /// Whatever happened, every waiting message comes out and then nothing is left.
    fn drain(&mut self, queue: &Queue) {
        self.settle_all(queue);
        while self.waiting() > 0 {
            self.get(queue, 400_000);
        }
        while self.joinable && self.messages.iter().any(|one| one.place == Place::Got) {
            self.task_done(queue);
        }
        // Goes past the records that were given up at the end.
        self.get(queue, 0);
        self.compare(queue);
        assert_eq!(queue.info().expect("numbers").bytes, 0, "bytes of nothing");
    }
}
