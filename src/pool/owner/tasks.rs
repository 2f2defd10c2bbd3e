//! The state of a pool, shared by its threads: its tasks, their outcomes, and its settings.

use std::collections::{BTreeMap, VecDeque};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::Arc;

use super::crew::Crew;
use super::leadership::{Leadership, Local};
use super::submitted::{Outcome, Submitted};
use super::table::TaskTable;
use crate::pool::options::TaskOptions;
use crate::pool::protocol::board::{Board, Step, TaskWord};
use crate::pool::protocol::bytes;
use crate::pool::protocol::message::{Report, ReportHead, TaskHead, Ticket};
use crate::queue::Queue;
use crate::status::{Result, Status};
use crate::sync::eventcount::EventCount;
use crate::sync::local_lock::LocalLock;
use crate::sync::wait::Wait;
use crate::sync::Cancel;
use crate::sys::descriptor::OwnedFd;
use crate::sys::eventfd;
use crate::sys::malloc;
use crate::sys::{clock, fork};

/// The number of tasks has no limit, so a submit waits only for a lock. The bound covers a lock
/// that a stopped process holds.
const SUBMITTING: Wait<'_> = Wait::for_ns(50_000_000);

/// The state of a pool.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Debug)]
pub(crate) enum PoolState {
    Open = 0,
    /// No more tasks are accepted; the remaining ones are finished.
    Closed = 1,
    /// Its workers are terminated; its tasks are over.
    Terminated = 2,
    /// Its workers do not start; its tasks are over.
    Broken = 3,
}

/// A task that has started and has a time limit.
pub(crate) struct Limit {
    pub(crate) seat: u16,
    pub(crate) attempt: u16,
    pub(crate) pid: i32,
}

/// Limits by their end and ticket.
pub(crate) type Limits = BTreeMap<(u64, u64), Limit>;

/// Finished tasks whose tags were not taken yet.
struct Finished {
    tags: LocalLock<VecDeque<u64>>,
    waiters: EventCount,
    /// Readable while there are tags.
    event: OwnedFd,
    /// The descriptor was requested.
    is_watched: AtomicBool,
}

/// Counts of events, for `info`.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) submitted: AtomicU64,
    pub(crate) succeeded: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) started_workers: AtomicU64,
    pub(crate) died_workers: AtomicU64,
}

pub(crate) struct Shared {
    /// The epoch of the process that made the pool; a forked child may not use the pool.
    epoch: u32,
    pub(crate) board: Board,
    pub(crate) tasks: Queue,
    pub(crate) reports: Queue,
    pub(crate) max_attempts: u32,
    state: AtomicU32,
    /// The state announced to the workers by a shutdown of the task queue.
    told: AtomicU32,
    table: LocalLock<TaskTable>,
    pub(crate) leadership: Leadership,
    /// Joins wait here for the last task and the last worker.
    pub(crate) joins: EventCount,
    finished: Finished,
    pub(crate) crew: LocalLock<Crew>,
    pub(crate) workers_gone: AtomicBool,
    /// Wakes the monitor.
    pub(crate) kick: OwnedFd,
    /// Fires when the pool's handle is dropped.
    pub(crate) gone: Cancel,
    pub(crate) limits: LocalLock<Limits>,
    /// The reason why workers do not start.
    failure: LocalLock<Vec<u8>>,
    pub(crate) counters: Counters,
}

impl Shared {
    pub(crate) fn new(
        board: Board,
        tasks: Queue,
        reports: Queue,
        max_attempts: u32,
        crew: Crew,
        [event, kick]: [OwnedFd; 2],
    ) -> Shared {
        Shared {
            epoch: fork::epoch(),
            board,
            tasks,
            reports,
            max_attempts,
            state: AtomicU32::new(PoolState::Open as u32),
            told: AtomicU32::new(PoolState::Open as u32),
            table: LocalLock::new(TaskTable::default()),
            leadership: Leadership::new(),
            joins: EventCount::new(),
            finished: Finished {
                tags: LocalLock::new(VecDeque::new()),
                waiters: EventCount::new(),
                event,
                is_watched: AtomicBool::new(false),
            },
            crew: LocalLock::new(crew),
            workers_gone: AtomicBool::new(false),
            kick,
            gone: Cancel::new(),
            limits: LocalLock::new(Limits::new()),
            failure: LocalLock::new(Vec::new()),
            counters: Counters::default(),
        }
    }

    pub(crate) fn is_own(&self) -> bool {
        self.epoch == fork::epoch()
    }

    /// `E_NOT_OWNER` in a forked child: the pool belongs to its parent.
    pub(crate) fn check_owner(&self) -> Result<()> {
        if !self.is_own() {
            return Err(Status::E_NOT_OWNER);
        }
        Ok(())
    }

    pub(crate) fn state(&self) -> PoolState {
        match self.state.load(Ordering::SeqCst) {
            0 => PoolState::Open,
            1 => PoolState::Closed,
            2 => PoolState::Terminated,
            _ => PoolState::Broken,
        }
    }

    /// Advance to `state`, unless the pool is past it. Under the table's lock, so that no task is
    /// added meanwhile.
    pub(crate) fn advance(&self, state: PoolState) {
        let _table = self.table.lock();
        self.state.fetch_max(state as u32, Ordering::SeqCst);
    }

    /// Announce to the workers that no more tasks come. Returns whether that is done. While a
    /// stopped process holds the queue's locks it cannot be done, and the monitor tries again.
    pub(crate) fn tell_workers(&self) -> bool {
        let state = self.state();
        if state as u32 <= self.told.load(Ordering::SeqCst) {
            return true;
        }
        match self.tasks.shutdown(state != PoolState::Closed) {
            Ok(()) => {}
            Err(Status::E_CORRUPT) => {
                // A damaged queue can announce nothing.
                self.advance(PoolState::Broken);
                self.end_all(Status::E_CORRUPT);
                self.told
                    .fetch_max(PoolState::Broken as u32, Ordering::SeqCst);
            }
            Err(_) => return false,
        }
        self.told.fetch_max(state as u32, Ordering::SeqCst);
        true
    }

    fn check_open(&self) -> Result<()> {
        match self.state() {
            PoolState::Open => Ok(()),
            PoolState::Closed | PoolState::Terminated => Err(Status::E_SHUTDOWN),
            PoolState::Broken => Err(Status::E_WORKER_DIED),
        }
    }

    pub(crate) fn kick_monitor(&self) {
        eventfd::raise(self.kick.as_raw_fd());
    }

    /// How many tasks are not over.
    pub(crate) fn outstanding(&self) -> usize {
        self.table.lock().len()
    }

    /// Hand a task to the workers; the data is the concatenation of `parts`.
    pub(crate) fn submit(
        self: &Arc<Shared>,
        function: &str,
        parts: &[&[u8]],
        count: u32,
        options: &TaskOptions,
    ) -> Result<Arc<Submitted>> {
        crate::pool::protocol::message::check_name(function)?;
        malloc::check()?;
        let is_timed = options.timeout.is_some();
        if is_timed {
            // A thread has to notice that the task has started.
            self.collect_in_background()?;
        }
        let core = self.enter(options)?;
        let head = TaskHead::new(core.ticket, function, count, is_timed)?;
        let put = match *parts {
            [data] => bytes::put(&self.tasks, &[head.as_bytes(), data], SUBMITTING),
            _ => {
                let parts = [&[head.as_bytes()], parts].concat();
                bytes::put(&self.tasks, &parts, SUBMITTING)
            }
        };
        if let Err(status) = put {
            // No caller has seen the task. If the pool ended meanwhile, the task was settled
            // without effect.
            self.table.lock().remove(core.ticket);
            self.after_the_last();
            self.wake_leader();
            return Err(status);
        }
        self.counters.submitted.fetch_add(1, Ordering::Relaxed);
        Ok(core)
    }

    /// Allocate the task's place in the table and on the board.
    fn enter(&self, options: &TaskOptions) -> Result<Arc<Submitted>> {
        let mut table = self.table.lock();
        self.check_open()?;
        let ticket = table.next();
        self.board.ensure(ticket.slot)?;
        self.board
            .set(ticket.slot, TaskWord::queued(ticket.generation))?;
        let core = Arc::new(Submitted::new(ticket, options.timeout_ns(), options.tag));
        table.insert(ticket, Arc::clone(&core));
        Ok(core)
    }

    /// Settle a task. Returns whether it was not over yet.
    pub(crate) fn finish(&self, ticket: Ticket, outcome: Outcome) -> bool {
        let (core, is_empty) = {
            let mut table = self.table.lock();
            let core = table.remove(ticket);
            if core.is_some() {
                // Before the place is reused: workers skip a message of this task that comes back.
                let _ = self.board.close(ticket);
            }
            (core, table.len() == 0)
        };
        let Some(core) = core else {
            return false;
        };
        self.tell(&core, outcome);
        if is_empty {
            self.after_the_last();
        }
        true
    }

    /// Called when the last task is over: wake joins, and the monitor, which then lets the last
    /// worker end.
    fn after_the_last(&self) {
        self.joins.notify_all(&Local);
        if self.state() != PoolState::Open {
            self.kick_monitor();
        }
    }

    fn tell(&self, core: &Submitted, outcome: Outcome) {
        let counter = match outcome.status {
            Status::OK => &self.counters.succeeded,
            _ => &self.counters.failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        let deadline = core.deadline.swap(0, Ordering::AcqRel);
        if deadline != 0 {
            self.limits.lock().remove(&(deadline, core.ticket.bits()));
        }
        core.finish(outcome);
        if let Some(tag) = core.tag {
            let mut tags = self.finished.tags.lock();
            if tags.is_empty() && self.finished.is_watched.load(Ordering::SeqCst) {
                eventfd::raise(self.finished.event.as_raw_fd());
            }
            tags.push_back(tag);
            drop(tags);
            self.finished.waiters.notify_all(&Local);
        }
    }

    /// Settle every task that is not over.
    pub(crate) fn end_all(&self, status: Status) {
        let why = match status {
            Status::E_WORKER_DIED => self.failure.lock().clone(),
            _ => Vec::new(),
        };
        let tickets = self.table.lock().tickets();
        for ticket in tickets {
            let data = why.clone().into_boxed_slice();
            self.finish(ticket, Outcome { status, data });
        }
        self.joins.notify_all(&Local);
        self.wake_leader();
    }

    /// Settle one report. An invalid report is ignored.
    pub(crate) fn settle(&self, message: &[u8]) {
        let Ok((head, data)) = ReportHead::read(message) else {
            return;
        };
        match head.kind {
            Report::Result => {
                let status = Status::from_code(head.detail);
                let data = Box::from(data);
                self.finish(head.ticket, Outcome { status, data });
            }
            Report::Started => self.begin_limit(&head, data),
            Report::Died => self.settle_death(&head),
            Report::InitialiserFailed => *self.failure.lock() = data.to_vec(),
            Report::Broken => self.end_all(Status::E_WORKER_DIED),
        }
    }

    /// A worker died in this attempt: another worker gets the task, unless no attempt is left.
    fn settle_death(&self, head: &ReportHead) {
        let Ok(word) = self.board.look(head.ticket.slot) else {
            return;
        };
        let is_that_attempt = word.is_attempt()
            && word.generation == head.ticket.generation
            && word.seat == head.seat
            && i32::from(word.attempt) == head.detail;
        if is_that_attempt && u32::from(word.attempt) >= self.max_attempts {
            // No worker starts the task again, so its word stays unchanged until here.
            self.finish(head.ticket, Outcome::without_data(Status::E_WORKER_DIED));
        }
    }

    fn begin_limit(&self, head: &ReportHead, data: &[u8]) {
        let pid = data.first_chunk().map_or(0, |pid| i32::from_ne_bytes(*pid));
        let table = self.table.lock();
        let Some(core) = table.get(head.ticket) else {
            return;
        };
        let deadline = clock::now_ns().saturating_add(core.timeout_ns).max(1);
        let before = core.deadline.swap(deadline, Ordering::AcqRel);
        let limit = Limit {
            seat: head.seat,
            attempt: head.detail as u16,
            pid,
        };
        let mut limits = self.limits.lock();
        limits.remove(&(before, head.ticket.bits()));
        let key = (deadline, head.ticket.bits());
        limits.insert(key, limit);
        let is_next = limits.keys().next() == Some(&key);
        drop(limits);
        drop(table);
        if is_next {
            self.kick_monitor();
        }
    }

    /// Keep a task from being started. Returns whether that came in time.
    pub(crate) fn cancel(&self, ticket: Ticket) -> Result<bool> {
        let queued = TaskWord::queued(ticket.generation);
        let over = TaskWord {
            step: Step::Over,
            ..queued
        };
        // A place that was never used has no memory, and no task.
        let canceled = self.board.change(ticket.slot, queued, over)?;
        if canceled {
            self.finish(ticket, Outcome::without_data(Status::E_CANCELED));
            self.wake_leader();
        }
        Ok(canceled)
    }

    /// Wait for tasks with a tag to be over, and take up to `max` tags.
    pub(crate) fn take_finished(
        &self,
        max: usize,
        each: &mut dyn FnMut(u64),
        wait: &Wait<'_>,
    ) -> Result<usize> {
        loop {
            let has_some = || !self.finished.tags.lock().is_empty();
            self.wait_until(&has_some, &self.finished.waiters, wait)?;
            // One call also returns tags that arrived meanwhile.
            self.settle_while(&|| self.finished.tags.lock().len() < max);
            let mut tags = self.finished.tags.lock();
            let count = max.min(tags.len());
            tags.drain(..count).for_each(&mut *each);
            if tags.is_empty() && self.finished.is_watched.load(Ordering::SeqCst) {
                eventfd::lower(self.finished.event.as_raw_fd());
            }
            if count > 0 {
                return Ok(count);
            }
        }
    }

    /// A descriptor that is readable while there are tags.
    pub(crate) fn finished_fd(&self) -> RawFd {
        let tags = self.finished.tags.lock();
        let fd = self.finished.event.as_raw_fd();
        if !self.finished.is_watched.swap(true, Ordering::SeqCst) && !tags.is_empty() {
            eventfd::raise(fd);
        }
        fd
    }
}
