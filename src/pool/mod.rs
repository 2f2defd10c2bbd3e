//! A pool of worker processes: functions by name, bytes in, bytes out. A worker that is killed
//! costs at most the task it was running.
//!
//! ```text
//! options, task   the types that users call, beside `Pool`
//! owner           the process of the pool: tasks that are not over, reports, the crew of workers
//! worker          the worker process: taking tasks, calling functions
//! protocol        shared by both sides: messages, and the words in shared memory
//! ```
//!
//! A task is a message in a queue that all workers take from. The message stays in flight until its
//! worker has put the result into the queue of reports, so it comes back when the worker is killed.
//! The task's word on the board says which worker's attempt is running and its number: from that
//! the pool recognizes a task whose workers died too often, and a worker recognizes a canceled
//! task.

mod options;
mod owner;
mod protocol;
mod task;
pub(crate) mod worker;

use std::os::fd::RawFd;
use std::sync::atomic::Ordering;
use std::sync::Arc;

pub use options::{PoolOptions, TaskOptions};
pub use owner::submitted::Outcome;
pub use protocol::message::{pack, unpack};
pub use task::Task;
pub use worker::serve::{register, run, Function, Reply};

pub(crate) use protocol::board::MAX_WORKERS;

use owner::crew::Crew;
use owner::tasks::{PoolState, Shared};
use protocol::board::Board;
use protocol::message::{TaskHead, Ticket};

use crate::process::Process;
use crate::queue::{Queue, QueueOptions};
use crate::segment::WaitSet;
use crate::status::detail::because;
use crate::status::{Result, Status};
use crate::sync::wait::{Patience, Wait};
use crate::sys::eventfd;
use crate::sys::malloc;

/// Worker processes, and the tasks given to them. Dropping the pool ends both.
///
/// A task names a function that the workers know: those that this process registered with
/// [`worker::register`](crate::worker::register) before the pool was made, or those of a worker
/// program in any language. A worker that is killed costs only its own task.
///
/// ```
/// use polyproc::{worker, Pool, PoolOptions, Reply, TaskOptions};
/// use std::sync::Arc;
///
/// # fn main() -> polyproc::Result<()> {
/// let shout = |data: &[u8], reply: &mut Reply| {
///     reply.write(&data.to_ascii_uppercase());
///     0 // success
/// };
/// worker::register("shout", Arc::new(shout))?;
/// let pool = Pool::create(&PoolOptions { workers: 1, ..Default::default() })?;
/// let task = pool.submit("shout", b"hello", &TaskOptions::default())?;
/// assert_eq!(task.result()?, b"HELLO");
/// # Ok(())
/// # }
/// ```
pub struct Pool {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool")
            .field("outstanding", &self.shared.outstanding())
            .finish_non_exhaustive()
    }
}

/// The numbers of a pool at one moment.
#[derive(Clone, Copy, Default, Debug)]
pub struct PoolInfo {
    /// Workers that the pool has when it is open.
    pub workers: u32,
    /// Workers that run.
    pub alive: u32,
    /// Tasks that are not over.
    pub outstanding: u64,
    /// Of these, tasks that no worker has taken yet.
    pub queued: u64,
    /// Tasks ever submitted.
    pub submitted: u64,
    /// Tasks that ended with a result.
    pub succeeded: u64,
    /// Tasks that ended in another way.
    pub failed: u64,
    /// Attempts that ended with the death of their worker and were followed by another.
    pub retried: u64,
    /// Workers ever started.
    pub started_workers: u64,
    /// Workers that died while they worked.
    pub died_workers: u64,
}

impl Pool {
    /// Make a pool and start its workers.
    ///
    /// # Errors
    /// `E_NOT_FOUND` and `E_PERMISSION` for the worker program, `E_INVALID`, `E_TOO_LARGE` (the
    /// initialiser's data), `E_DAEMONIC` in a daemonic process, `E_LIMIT`, `E_NO_MEMORY`. Nothing
    /// is left behind.
    pub fn create(options: &PoolOptions) -> Result<Pool> {
        malloc::check()?;
        options.check()?;
        let max_attempts = options.max_attempts.max(1);
        let initialiser = match &options.initialiser {
            Some((name, data)) => {
                let head = TaskHead::new(Ticket::default(), name, 0, false)?;
                [head.as_bytes(), data].concat()
            }
            None => Vec::new(),
        };
        let board = Board::create(max_attempts, options.max_tasks_per_worker, &initialiser)?;
        let tasks = Queue::create(None, &QueueOptions::default())?;
        let reports = Queue::create(None, &QueueOptions::default())?;
        // Before the workers start, so that a failure here leaves no worker to end.
        let events = [eventfd::event()?, eventfd::event()?];
        let mut crew = Crew::new(options, &board, &tasks, &reports)?;
        for seat in 0..crew.members.len() {
            match crew.start(seat, &board) {
                // The monitor retries.
                Ok(()) | Err(Status::E_TIMEOUT) => {}
                Err(status) => {
                    crew.end();
                    return Err(status);
                }
            }
        }
        let count = crew.processes().count();
        let shared = Arc::new(Shared::new(
            board,
            tasks,
            reports,
            max_attempts,
            crew,
            events,
        ));
        shared
            .counters
            .started_workers
            .store(count as u64, Ordering::Relaxed);
        if let Err(status) = shared.start_monitor() {
            shared.crew.lock().end();
            shared.workers_gone.store(true, Ordering::SeqCst);
            return Err(status);
        }
        Ok(Pool { shared })
    }

    /// Hand a task to the workers.
    ///
    /// # Errors
    /// `E_SHUTDOWN` when the pool is shut down or terminated, `E_WORKER_DIED` when its workers do
    /// not start, `E_INVALID` (not a name), `E_TOO_LARGE`, `E_NO_MEMORY`, `E_LIMIT`, `E_NOT_OWNER`
    /// in a forked child.
    pub fn submit(&self, function: &str, data: &[u8], options: &TaskOptions) -> Result<Task> {
        self.submit_parts(function, &[data], 0, options)
    }

    /// Hand a chunk to the workers: one task, whose function is called for each item that was
    /// [`pack`]ed into `chunk`. The result has as many items, to be [`unpack`]ed. If the function
    /// fails for an item, the task ends with that failure.
    ///
    /// # Errors
    /// Those of [`submit`](Self::submit), and `E_INVALID` when `chunk` does not hold `count` items.
    pub fn submit_chunk(
        &self,
        function: &str,
        chunk: &[u8],
        count: u32,
        options: &TaskOptions,
    ) -> Result<Task> {
        let mut items = 0;
        let mut rest = chunk;
        while let Ok(Some((_, after))) = unpack(rest) {
            items += 1;
            rest = after;
        }
        if count == 0 || items != count || !rest.is_empty() {
            return Err(because!(
                E_INVALID,
                "a chunk has at least 1 item, and as many as n says"
            ));
        }
        self.submit_parts(function, &[chunk], count, options)
    }

    fn submit_parts(
        &self,
        function: &str,
        parts: &[&[u8]],
        count: u32,
        options: &TaskOptions,
    ) -> Result<Task> {
        self.shared.check_owner()?;
        let core = self.shared.submit(function, parts, count, options)?;
        Ok(Task {
            pool: Arc::clone(&self.shared),
            core,
        })
    }

    /// Wait until a task that was submitted with a tag is over. Returns the tags of up to `max`
    /// such tasks, each tag once.
    ///
    /// # Errors
    /// Those of [`finished_timeout`](Self::finished_timeout).
    pub fn finished(&self, max: usize) -> Result<Vec<u64>> {
        self.finished_timeout(max, Wait::FOREVER)
    }

    /// The tags of up to `max` tasks that are over, as [`finished`](Self::finished), without a
    /// wait.
    ///
    /// # Errors
    /// Those of [`finished_timeout`](Self::finished_timeout).
    pub fn try_finished(&self, max: usize) -> Result<Vec<u64>> {
        self.finished_timeout(max, Wait::TRY)
    }

    /// As [`finished`](Self::finished), waiting no longer than `wait`.
    ///
    /// # Errors
    /// `E_TIMEOUT`, `E_CANCELED`, `E_INTERRUPTED`, `E_INVALID` when `max` is 0, `E_NOT_OWNER` in a
    /// forked child.
    pub fn finished_timeout<'w>(&self, max: usize, wait: impl Into<Wait<'w>>) -> Result<Vec<u64>> {
        let mut tags = Vec::new();
        self.finished_raw(max, &mut |tag| tags.push(tag), wait.into())?;
        Ok(tags)
    }

    /// As [`finished_timeout`](Self::finished_timeout); `each` gets the tags. Returns their number.
    pub(crate) fn finished_raw(
        &self,
        max: usize,
        each: &mut dyn FnMut(u64),
        wait: Wait<'_>,
    ) -> Result<usize> {
        self.shared.check_owner()?;
        if max == 0 {
            return Err(because!(E_INVALID, "cap is 0"));
        }
        self.shared.take_finished(max, each, &wait)
    }

    /// A descriptor that is readable while [`finished`](Self::finished) would not wait, for epoll
    /// and similar. The pool owns it. From the first call on, a thread of this process reads the
    /// workers' reports.
    ///
    /// # Errors
    /// `E_LIMIT` when this process has no thread left, `E_NOT_OWNER` in a forked child.
    pub fn fd(&self) -> Result<RawFd> {
        self.shared.check_owner()?;
        self.shared.collect_in_background()?;
        Ok(self.shared.finished_fd())
    }

    /// Accept no more tasks. The workers finish the remaining tasks and end. A second call has no
    /// effect.
    ///
    /// # Errors
    /// `E_NOT_OWNER` in a forked child.
    pub fn shutdown(&self) -> Result<()> {
        self.shared.check_owner()?;
        self.shared.advance(PoolState::Closed);
        self.shared.tell_workers();
        self.shared.kick_monitor();
        Ok(())
    }

    /// Wait until every task is over and every worker has ended.
    ///
    /// # Errors
    /// Those of [`join_timeout`](Self::join_timeout).
    pub fn join(&self) -> Result<()> {
        self.join_timeout(Wait::FOREVER)
    }

    /// Whether every task is over and every worker has ended, as `Ok` or `E_TIMEOUT`.
    ///
    /// # Errors
    /// Those of [`join_timeout`](Self::join_timeout).
    pub fn try_join(&self) -> Result<()> {
        self.join_timeout(Wait::TRY)
    }

    /// As [`join`](Self::join), no longer than `wait`.
    ///
    /// # Errors
    /// `E_INVALID` while the pool is open; `E_TIMEOUT`, `E_CANCELED`, `E_INTERRUPTED`;
    /// `E_NOT_OWNER` in a forked child.
    pub fn join_timeout<'w>(&self, wait: impl Into<Wait<'w>>) -> Result<()> {
        let wait = wait.into();
        self.shared.check_owner()?;
        if self.shared.state() == PoolState::Open {
            return Err(because!(
                E_INVALID,
                "the pool is open: shut it down or terminate it first"
            ));
        }
        let is_over =
            || self.shared.workers_gone.load(Ordering::SeqCst) && self.shared.outstanding() == 0;
        self.shared.wait_until(&is_over, &self.shared.joins, &wait)
    }

    /// Terminate the workers; every task that is not over ends with `E_SHUTDOWN`. Does not wait for
    /// the workers: `join` does. A worker gets SIGTERM, and SIGKILL if it still runs two seconds
    /// later.
    ///
    /// # Errors
    /// `E_NOT_OWNER` in a forked child.
    pub fn terminate(&self) -> Result<()> {
        self.shared.check_owner()?;
        self.shared.advance(PoolState::Terminated);
        self.shared.end_all(Status::E_SHUTDOWN);
        self.shared.tell_workers();
        self.shared.kick_monitor();
        Ok(())
    }

    /// The process ids of the running workers.
    ///
    /// # Errors
    /// `E_NOT_OWNER` in a forked child.
    pub fn worker_pids(&self) -> Result<Vec<i32>> {
        self.shared.check_owner()?;
        let crew = self.shared.crew.lock();
        Ok(crew.processes().map(Process::pid).collect())
    }

    /// The pool's numbers at this moment.
    ///
    /// # Errors
    /// `E_NOT_OWNER` in a forked child.
    pub fn info(&self) -> Result<PoolInfo> {
        self.shared.check_owner()?;
        let counters = &self.shared.counters;
        let (workers, alive) = {
            let crew = self.shared.crew.lock();
            (crew.members.len(), crew.processes().count())
        };
        Ok(PoolInfo {
            workers: workers as u32,
            alive: alive as u32,
            outstanding: self.shared.outstanding() as u64,
            queued: self.shared.tasks.len()?,
            submitted: counters.submitted.load(Ordering::Relaxed),
            succeeded: counters.succeeded.load(Ordering::Relaxed),
            failed: counters.failed.load(Ordering::Relaxed),
            retried: self.shared.board.retried()?.load(Ordering::Relaxed),
            started_workers: counters.started_workers.load(Ordering::Relaxed),
            died_workers: counters.died_workers.load(Ordering::Relaxed),
        })
    }
}

impl Drop for Pool {
    /// Kills the workers and waits for their end; tasks that are not over end with `E_SHUTDOWN`.
    fn drop(&mut self) {
        if !self.shared.is_own() {
            return;
        }
        self.shared.advance(PoolState::Terminated);
        self.shared.end_all(Status::E_SHUTDOWN);
        self.shared.crew.lock().signal_all(libc::SIGKILL);
        self.shared.kick_monitor();
        // Wait until the workers have ended. Read no reports, since reading them could fail.
        let mut patience = Patience::new(&Wait::FOREVER);
        loop {
            let joins = self.shared.joins.watch();
            if self.shared.workers_gone.load(Ordering::SeqCst) {
                break;
            }
            let _ =
                WaitSet::beside(&[joins], &[]).and_then(|wait_set| wait_set.sleep(&mut patience));
        }
        self.shared.gone.fire();
    }
}
