//! A worker: a process of a pool that runs one task after another.

pub(super) mod serve;

use std::sync::atomic::Ordering;
use std::sync::Arc;

use super::protocol::board::{Board, Seat, SeatPhase, Step, TaskWord};
use super::protocol::bytes;
use super::protocol::message::{Report, ReportHead, TaskMessage, Ticket};
use super::protocol::names::{BOARD, REPORTS, SEAT_VARIABLE, TASKS};
use crate::process::inherited;
use crate::queue::{Loan, Queue};
use crate::segment::Kind;
use crate::status::detail::because;
use crate::status::{Result, Status};
use crate::sync::at_fork::hold_across_forks;
use crate::sync::local_lock::LocalLock;
use crate::sync::wait::{Patience, Wait};
use crate::sys::process::pid;
use crate::sys::{clock, fork};

/// A task that this worker has started.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    /// The name of the function.
    pub function: &'a str,
    /// The task's data, in shared memory: valid until the reply.
    pub data: &'a [u8],
    /// How many items the data has; 0: it is no chunk.
    pub count: u32,
    /// 1 the first time, more if earlier workers died in the task; 0 for the initialiser.
    pub attempt: u32,
}

/// The job in progress.
enum Open {
    Initialiser,
    Task {
        /// Settles the task's message.
        loan: u64,
        ticket: Ticket,
        word: TaskWord,
        is_timed: bool,
    },
}

struct Progress {
    open: Option<Open>,
    has_begun: bool,
    done: u32,
    /// The worker runs no more tasks.
    has_ended: bool,
}

/// This process, as a worker of the pool that it inherited.
pub(crate) struct Worker {
    seat: u16,
    board: Board,
    tasks: Queue,
    reports: Queue,
    max_attempts: u32,
    max_tasks: u32,
    initialiser: Option<Vec<u8>>,
    progress: LocalLock<Progress>,
}

/// The worker that this process is, by the epoch in which it became one.
static HERE: LocalLock<Option<(u32, Arc<Worker>)>> = LocalLock::new(None);

/// The worker that this process is.
///
/// # Errors
/// `E_NOT_FOUND` when no pool has started it.
pub(crate) fn here() -> Result<Arc<Worker>> {
    hold_across_forks(&HERE);
    let epoch = fork::epoch();
    let known = |here: &Option<(u32, Arc<Worker>)>| match here {
        Some((then, worker)) if *then == epoch => Some(Arc::clone(worker)),
        _ => None,
    };
    if let Some(worker) = known(&HERE.lock()) {
        return Ok(worker);
    }
    // Without the lock, since this takes other locks.
    let fresh = Arc::new(Worker::inherited()?);
    let mut here = HERE.lock();
    match known(&here) {
        Some(quicker) => Ok(quicker),
        None => {
            *here = Some((epoch, Arc::clone(&fresh)));
            Ok(fresh)
        }
    }
}

impl Worker {
    fn inherited() -> Result<Worker> {
        let seat = std::env::var(SEAT_VARIABLE).ok();
        let seat = seat.and_then(|seat| seat.parse::<u16>().ok());
        let seat =
            seat.ok_or_else(|| because!(E_NOT_FOUND, "this process is no worker of a pool"))?;
        let board = Board::from_fd(inherited(BOARD, Kind::Pool)?.into())?;
        board.seat(seat.into())?;
        Ok(Worker {
            seat,
            max_attempts: board.max_attempts()?,
            max_tasks: board.max_tasks_per_worker()?,
            initialiser: board.initialiser()?,
            board,
            tasks: Queue::from_fd(inherited(TASKS, Kind::Queue)?)?,
            reports: Queue::from_fd(inherited(REPORTS, Kind::Queue)?)?,
            progress: LocalLock::new(Progress {
                open: None,
                has_begun: false,
                done: 0,
                has_ended: false,
            }),
        })
    }

    fn seat(&self) -> Result<&Seat> {
        self.board.seat(self.seat.into())
    }

    /// The queue on which [`next`](Self::next) waits.
    pub(crate) fn tasks(&self) -> &Queue {
        &self.tasks
    }

    /// Wait for the next task and start it. The initialiser, if there is one, comes first.
    ///
    /// # Errors
    /// `E_SHUTDOWN` when there are no more tasks, `E_EMPTY`, `E_CANCELED`, `E_INTERRUPTED`;
    /// `E_INVALID` while a job has no reply yet.
    pub(crate) fn next(&self, wait: &Wait<'_>) -> Result<Job<'_>> {
        {
            let mut progress = self.progress.lock();
            if progress.open.is_some() {
                return Err(because!(
                    E_INVALID,
                    "a job is open: reply to it before the next"
                ));
            }
            if progress.has_ended {
                return Err(Status::E_SHUTDOWN);
            }
            if !progress.has_begun {
                if let Some(initialiser) = &self.initialiser {
                    progress.open = Some(Open::Initialiser);
                    let task = TaskMessage::read(initialiser)?;
                    return Ok(Job {
                        function: task.name,
                        data: task.data,
                        count: 0,
                        attempt: 0,
                    });
                }
                progress.has_begun = true;
                self.seat()?.enter(SeatPhase::Ready);
            }
            if self.max_tasks > 0 && progress.done >= self.max_tasks {
                progress.has_ended = true;
                self.seat()?.enter(SeatPhase::Retired);
                return Err(Status::E_SHUTDOWN);
            }
        }
        let mut patience = Patience::new(wait);
        loop {
            let left = patience.deadline().map(|deadline| {
                let left = deadline.saturating_sub(clock::now_ns());
                i64::try_from(left).unwrap_or(i64::MAX)
            });
            let loan = match self.tasks.take_raw(wait.with_timeout(left)) {
                Err(Status::E_SHUTDOWN) => {
                    self.progress.lock().has_ended = true;
                    self.seat()?.enter(SeatPhase::Left);
                    return Err(Status::E_SHUTDOWN);
                }
                other => other?,
            };
            if let Some(job) = self.begin(loan)? {
                return Ok(job);
            }
        }
    }

    /// Start a task, unless it was canceled, is over, or has no attempt left; a task that is not
    /// started is settled. A task that cannot be started for lack of memory fails with that status.
    /// If even that cannot be reported, this returns an error and the worker ends, and the pool
    /// settles the task.
    ///
    /// Killed before the change of the word: nothing has started. After it: the pool sees which
    /// worker's attempt it was.
    fn begin(&self, loan: Loan) -> Result<Option<Job<'_>>> {
        let Ok(task) = TaskMessage::read(bytes::of_loan(&loan)) else {
            return self.pass_over(loan);
        };
        let word = match self.board.look(task.ticket.slot) {
            Err(refused @ Status::E_NO_MEMORY) => {
                let head = self.head(Report::Result, task.ticket, refused.code());
                bytes::put(&self.reports, &[&head.to_bytes()], Wait::FOREVER)?;
                return self.pass_over(loan);
            }
            other => other?,
        };
        let may_begin = word.generation == task.ticket.generation
            && match word.step {
                Step::Queued => true,
                // The message came back, so that worker is dead.
                Step::Running | Step::Finishing => u32::from(word.attempt) < self.max_attempts,
                Step::Over => false,
            };
        if !may_begin {
            return self.pass_over(loan);
        }
        let mine = TaskWord {
            step: Step::Running,
            generation: word.generation,
            seat: self.seat,
            attempt: word.attempt + 1,
        };
        let ticket = task.ticket;
        let current = &self.seat()?.current;
        current.store(ticket.bits(), Ordering::Release);
        if !self.board.change(ticket.slot, word, mine)? {
            return self.pass_over(loan);
        }
        if mine.attempt > 1 {
            self.board.retried()?.fetch_add(1, Ordering::Relaxed);
        }
        self.progress.lock().open = Some(Open::Task {
            loan: loan.ticket,
            ticket,
            word: mine,
            is_timed: task.is_timed,
        });
        if task.is_timed {
            let head = self.head(Report::Started, ticket, mine.attempt.into());
            let parts: [&[u8]; 2] = [&head.to_bytes(), &pid().to_ne_bytes()];
            if let Err(refused) = bytes::put(&self.reports, &parts, Wait::FOREVER) {
                // Without that report the pool would not watch the task's time limit.
                self.reply(refused, b"")?;
                return Ok(None);
            }
        }
        Ok(Some(Job {
            function: task.name,
            data: task.data,
            count: task.count,
            attempt: mine.attempt.into(),
        }))
    }

    fn pass_over(&self, loan: Loan) -> Result<Option<Job<'_>>> {
        self.tasks.done_raw(loan.ticket)?;
        Ok(None)
    }

    fn head(&self, kind: Report, ticket: Ticket, detail: i32) -> ReportHead {
        ReportHead {
            kind,
            ticket,
            seat: self.seat,
            detail,
        }
    }

    /// Report the outcome of the open job. A result that does not fit is reported as that failure.
    ///
    /// Killed before the report is put: the attempt counts as died. Killed after it and before the
    /// task's message is settled: the message comes back, and the next worker sees that the task is
    /// over, or runs it once more and its result is discarded.
    ///
    /// # Errors
    /// `E_INVALID` when no job is open; `E_TIMEOUT` when its time limit has passed and this worker
    /// is about to be killed. `E_NO_MEMORY` when not even its failure can be reported: the job
    /// stays open.
    pub(crate) fn reply(&self, status: Status, data: &[u8]) -> Result<()> {
        let open = self.progress.lock().open.take();
        let open = open.ok_or_else(|| because!(E_INVALID, "no job is open"))?;
        let done = self.reply_to(&open, status, data);
        if done.is_err_and(|refused| refused != Status::E_TIMEOUT) {
            self.progress.lock().open = Some(open);
        }
        done
    }

    fn reply_to(&self, open: &Open, status: Status, data: &[u8]) -> Result<()> {
        match *open {
            Open::Initialiser => self.reply_to_initialiser(status, data),
            Open::Task {
                loan,
                ticket,
                word,
                is_timed,
            } => {
                let finishing = TaskWord {
                    step: Step::Finishing,
                    ..word
                };
                // The step is FINISHING already if an earlier reply could not be put.
                let may_reply = || -> Result<bool> {
                    Ok(self.board.change(ticket.slot, word, finishing)?
                        || self.board.look(ticket.slot)? == finishing)
                };
                if is_timed && !may_reply()? {
                    self.progress.lock().has_ended = true;
                    return Err(Status::E_TIMEOUT);
                }
                let head = self.head(Report::Result, ticket, status.code());
                match bytes::put(&self.reports, &[&head.to_bytes(), data], Wait::FOREVER) {
                    Err(refused @ (Status::E_TOO_LARGE | Status::E_NO_MEMORY)) => {
                        let head = self.head(Report::Result, ticket, refused.code());
                        bytes::put(&self.reports, &[&head.to_bytes()], Wait::FOREVER)?;
                    }
                    other => other?,
                }
                self.tasks.done_raw(loan)?;
                self.progress.lock().done += 1;
                Ok(())
            }
        }
    }

    fn reply_to_initialiser(&self, status: Status, data: &[u8]) -> Result<()> {
        let mut progress = self.progress.lock();
        if status == Status::OK {
            progress.has_begun = true;
            return self.seat().map(|seat| seat.enter(SeatPhase::Ready));
        }
        progress.has_ended = true;
        let head = self.head(Report::InitialiserFailed, Ticket::default(), status.code());
        bytes::put(&self.reports, &[&head.to_bytes(), data], Wait::FOREVER)
    }
}
