//! The shared memory of a pool and its workers, beside the two queues: a seat for each worker, and
//! a word for each task that is not over.
//!
//! Each step of a task is one compare-and-swap of its word: by a worker that starts the task, or by
//! the pool when it cancels the task before that or its time limit has passed. If the process is
//! killed, the word stays at the step that was reached.
//!
//! ```text
//! QUEUED ---worker begins--> RUNNING(worker, attempt) ---timed: about to report--> FINISHING(worker, attempt)
//!    |                          |      ^ |                                            |
//!    | cancelled                |      +-+ its worker died: the next attempt  <-------+
//!    v                          v timed out, reported, or died too often
//!   OVER  <---------------------+
//! ```

use std::os::fd::RawFd;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::Arc;

use super::bytes;
use super::message::Ticket;
use crate::segment::{
    fixed_size, CreateOptions, Kind, LazyMapping, ObjectType, Segment, MOST_EXTENTS,
};
use crate::status::detail::because;
use crate::status::{Result, Status};
use crate::sync::lock_wait::Caller;
use crate::sync::owner::Owner;
use crate::sync::shared::shared;
use crate::sys::descriptor::OwnedFd;

/// The most workers of a pool; the queue that they share admits that many processes.
pub(crate) const MAX_WORKERS: u32 = 1000;
/// The longest data of an initialiser.
pub(crate) const MAX_INITIALISER: usize = 1 << 20;
/// The words lie in stretches of the file: the first is a page, and each further one twice as large
/// as the last.
const FIRST_STRETCH: u64 = 4096 / WORD;
const STRETCHES: usize = 15;
const _: () = assert!(STRETCHES <= MOST_EXTENTS);
/// The most tasks that are not over.
const MAX_TASKS: u64 = FIRST_STRETCH * ((1 << STRETCHES) - 1);
const WORD: u64 = size_of::<AtomicU64>() as u64;

shared! {
    /// The words through which the pool and the worker in this seat communicate.
    #[repr(align(64))]
    pub(crate) struct Seat {
        phase: AtomicU32,
        _reserved: AtomicU32,
        /// The ticket of the task that the worker started last.
        pub(crate) current: AtomicU64,
    }
}

shared! {
    struct Body {
        max_attempts: AtomicU32,
        max_tasks_per_worker: AtomicU32,
        /// The length of the initialiser's message, which lies behind the body; 0: there is none.
        initialiser: AtomicU64,
        /// Attempts at tasks whose worker died before.
        retried: AtomicU64,
        seats: [Seat; MAX_WORKERS as usize],
    }
}

/// Where the initialiser lies in the file, and behind it the tasks' words.
const INITIALISER_AT: u64 = fixed_size(Kind::Pool, size_of::<Body>());
const WORDS_AT: u64 = INITIALISER_AT + (MAX_INITIALISER as u64) + 4096;

static TYPE: ObjectType = ObjectType {
    kind: Kind::Pool,
    body: size_of::<Body>(),
    extra: 0,
    over_at: None,
    accounts: None,
    recover,
    wake: |_| Ok(()),
};

/// Nothing here has an owner: the words show the pool what a dead worker had started.
fn recover(_: &Segment, _: Caller<'_>, _: &dyn Fn(Owner) -> bool) -> Result<()> {
    Ok(())
}

/// The position of a task's word.
struct WordAt {
    stretch: usize,
    /// Offset of the stretch in the file.
    begin: u64,
    length: u64,
    /// Offset of the word in its stretch.
    at: u64,
}

impl WordAt {
    fn of(slot: u32) -> Result<WordAt> {
        let slot = u64::from(slot);
        if slot >= MAX_TASKS {
            return Err(because!(E_LIMIT, "{MAX_TASKS} tasks are not over"));
        }
        let stretch = (slot / FIRST_STRETCH + 1).ilog2();
        let before = FIRST_STRETCH * ((1 << stretch) - 1);
        Ok(WordAt {
            stretch: stretch as usize,
            begin: WORDS_AT + before * WORD,
            length: (FIRST_STRETCH << stretch) * WORD,
            at: (slot - before) * WORD,
        })
    }
}

/// The phase of a worker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SeatPhase {
    /// It was started, and has not yet asked for a task.
    Starting = 0,
    /// It takes tasks.
    Ready = 1,
    /// It has done its maximum number of tasks.
    Retired = 2,
    /// It has seen the end of the task queue.
    Left = 3,
}

impl Seat {
    pub(crate) fn phase(&self) -> SeatPhase {
        match self.phase.load(Ordering::Acquire) {
            0 => SeatPhase::Starting,
            2 => SeatPhase::Retired,
            3 => SeatPhase::Left,
            _ => SeatPhase::Ready,
        }
    }

    pub(crate) fn enter(&self, phase: SeatPhase) {
        self.phase.store(phase as u32, Ordering::Release);
    }

    /// Clear an empty seat before a new worker takes it.
    pub(crate) fn clear(&self) {
        self.current.store(u64::MAX, Ordering::Relaxed);
        self.enter(SeatPhase::Starting);
    }
}

/// The step of a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    Queued,
    /// A worker has started it.
    Running,
    /// Its worker is about to report it; only for a task with a time limit.
    Finishing,
    /// No worker may start it any more.
    Over,
}

/// A task's word: its step, and the worker and the number of the attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TaskWord {
    pub(crate) step: Step,
    pub(crate) generation: u32,
    pub(crate) seat: u16,
    pub(crate) attempt: u16,
}

/// Attempts are counted in 12 bits.
pub(crate) const MAX_ATTEMPTS: u32 = (1 << 12) - 1;

impl TaskWord {
    pub(crate) fn queued(generation: u32) -> TaskWord {
        TaskWord {
            step: Step::Queued,
            generation,
            seat: 0,
            attempt: 0,
        }
    }

    fn bits(self) -> u64 {
        let step: u64 = match self.step {
            Step::Queued => 1,
            Step::Running => 2,
            Step::Finishing => 3,
            Step::Over => 4,
        };
        let seat = u64::from(self.seat & 0xFFF);
        let attempt = u64::from(self.attempt & 0xFFF);
        step | attempt << 8 | seat << 20 | u64::from(self.generation) << 32
    }

    fn from_bits(bits: u64) -> TaskWord {
        TaskWord {
            step: match bits & 0xFF {
                1 => Step::Queued,
                2 => Step::Running,
                3 => Step::Finishing,
                _ => Step::Over,
            },
            attempt: (bits >> 8 & 0xFFF) as u16,
            seat: (bits >> 20 & 0xFFF) as u16,
            generation: (bits >> 32) as u32,
        }
    }

    /// Whether this is an attempt that a worker has started and not finished.
    pub(crate) fn is_attempt(self) -> bool {
        matches!(self.step, Step::Running | Step::Finishing)
    }
}

/// The shared memory of a pool.
pub(crate) struct Board {
    segment: Arc<Segment>,
}

impl Board {
    /// `initialiser` is the message of the task that each worker runs first.
    pub(crate) fn create(
        max_attempts: u32,
        max_tasks_per_worker: u32,
        initialiser: &[u8],
    ) -> Result<Board> {
        let fill = |segment: &Segment| {
            let body: &Body = segment.body()?;
            body.max_attempts.store(max_attempts, Ordering::Relaxed);
            body.max_tasks_per_worker
                .store(max_tasks_per_worker, Ordering::Relaxed);
            body.initialiser
                .store(initialiser.len() as u64, Ordering::Relaxed);
            if initialiser.is_empty() {
                return Ok(());
            }
            let len = initialiser.len() as u64;
            segment.allocate(INITIALISER_AT, len)?;
            segment.map(INITIALISER_AT, len)?.write(0, initialiser)
        };
        let options = CreateOptions::default();
        Ok(Board {
            segment: Segment::create(&TYPE, None, &options, &fill, &|_| Ok(()))?,
        })
    }

    pub(crate) fn from_fd(fd: OwnedFd) -> Result<Board> {
        Ok(Board {
            segment: Segment::from_fd(&TYPE, fd)?,
        })
    }

    pub(crate) fn raw_fd(&self) -> RawFd {
        self.segment.raw_fd()
    }

    fn body(&self) -> Result<&Body> {
        self.segment.body()
    }

    pub(crate) fn max_attempts(&self) -> Result<u32> {
        Ok(self.body()?.max_attempts.load(Ordering::Relaxed))
    }

    pub(crate) fn max_tasks_per_worker(&self) -> Result<u32> {
        Ok(self.body()?.max_tasks_per_worker.load(Ordering::Relaxed))
    }

    /// Attempts at tasks whose worker died before.
    pub(crate) fn retried(&self) -> Result<&AtomicU64> {
        Ok(&self.body()?.retried)
    }

    pub(crate) fn seat(&self, seat: usize) -> Result<&Seat> {
        self.body()?.seats.get(seat).ok_or(Status::E_CORRUPT)
    }

    /// The message of the initialiser, `None` where there is none.
    pub(crate) fn initialiser(&self) -> Result<Option<Vec<u8>>> {
        let len = self.body()?.initialiser.load(Ordering::Relaxed);
        if len == 0 {
            return Ok(None);
        }
        if len > WORDS_AT - INITIALISER_AT || self.segment.file_size()? < INITIALISER_AT + len {
            return Err(Status::E_CORRUPT);
        }
        let mapping = self.segment.map(INITIALISER_AT, len)?;
        Ok(Some(bytes::read_all(&mapping, len as usize)?))
    }

    /// Allocate the word of `slot`. The pool calls this under the lock of its table.
    pub(crate) fn ensure(&self, slot: u32) -> Result<()> {
        let place = WordAt::of(slot)?;
        let extent = self.extent(&place)?;
        let map = || {
            self.segment.allocate(place.begin, place.length)?;
            self.segment.map(place.begin, place.length)
        };
        extent.get_or_set(map).map(|_| ())
    }

    fn extent(&self, place: &WordAt) -> Result<&LazyMapping> {
        let extent = self.segment.extent(place.stretch);
        extent.ok_or(Status::E_INTERNAL)
    }

    /// The word of a task; `E_CORRUPT` for one that the file does not hold.
    fn word(&self, slot: u32) -> Result<&AtomicU64> {
        let place = WordAt::of(slot).map_err(|_| Status::E_CORRUPT)?;
        let extent = self.extent(&place)?;
        let map = || {
            if self.segment.file_size()? < place.begin + place.length {
                return Err(Status::E_CORRUPT);
            }
            self.segment.map(place.begin, place.length)
        };
        extent.get_or_set(map)?.view(place.at as usize)
    }

    pub(crate) fn look(&self, slot: u32) -> Result<TaskWord> {
        Ok(TaskWord::from_bits(
            self.word(slot)?.load(Ordering::Acquire),
        ))
    }

    /// Set the word of a new task, before any other process can see it.
    pub(crate) fn set(&self, slot: u32, word: TaskWord) -> Result<()> {
        self.word(slot)?.store(word.bits(), Ordering::Release);
        Ok(())
    }

    /// Change a task's word, unless another process has changed it meanwhile.
    pub(crate) fn change(&self, slot: u32, from: TaskWord, to: TaskWord) -> Result<bool> {
        let order = (Ordering::AcqRel, Ordering::Acquire);
        let word = self.word(slot)?;
        Ok(word
            .compare_exchange(from.bits(), to.bits(), order.0, order.1)
            .is_ok())
    }

    /// No worker starts this task any more. A worker that is running it goes on; its result is
    /// discarded.
    pub(crate) fn close(&self, ticket: Ticket) -> Result<()> {
        loop {
            let word = self.look(ticket.slot)?;
            let over = TaskWord {
                step: Step::Over,
                ..word
            };
            if word.generation != ticket.generation
                || word.step == Step::Over
                || self.change(ticket.slot, word, over)?
            {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_comes_back_as_it_was() {
        for step in [Step::Queued, Step::Running, Step::Finishing, Step::Over] {
            let word = TaskWord {
                step,
                generation: u32::MAX,
                seat: MAX_WORKERS as u16 - 1,
                attempt: MAX_ATTEMPTS as u16,
            };
            assert_eq!(TaskWord::from_bits(word.bits()), word);
        }
    }

    #[test]
    fn stretches_lie_side_by_side() {
        let mut end = WORDS_AT;
        let mut slot = 0;
        for stretch in 0..STRETCHES {
            let first = WordAt::of(slot).unwrap();
            assert_eq!((first.stretch, first.begin, first.at), (stretch, end, 0));
            slot += (first.length / WORD) as u32;
            end += first.length;
            let last = WordAt::of(slot - 1).unwrap();
            assert_eq!((last.stretch, last.at), (stretch, first.length - WORD));
        }
        assert_eq!(u64::from(slot), MAX_TASKS);
    }

    #[test]
    fn a_slot_that_has_no_memory_is_no_task() {
        let board = Board::create(1, 0, b"hello").unwrap();
        assert_eq!(board.initialiser(), Ok(Some(b"hello".to_vec())));
        assert_eq!(board.look(0), Err(Status::E_CORRUPT));
        board.ensure(0).unwrap();
        board.set(0, TaskWord::queued(3)).unwrap();
        assert_eq!(board.look(0), Ok(TaskWord::queued(3)));
        assert_eq!(board.look(FIRST_STRETCH as u32), Err(Status::E_CORRUPT));
        assert_eq!(board.look(u32::MAX), Err(Status::E_CORRUPT));
        assert_eq!(board.ensure(MAX_TASKS as u32), Err(Status::E_LIMIT));
    }
}
