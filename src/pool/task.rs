//! A task as its submitter sees it.

use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use super::collect::Local;
use super::message::Ticket;
use super::shared::Shared;
use crate::status::{Result, Status};
use crate::sync::eventcount::EventCount;
use crate::sync::local_lock::LocalLock;
use crate::sync::wait::Wait;
use crate::sys::descriptor::OwnedFd;
use crate::sys::eventfd;

/// How a task ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// `OK`, `E_TASK_FAILED` (its function failed), `E_NOT_FOUND` (the worker knows no such function),
    /// `E_WORKER_DIED`, `E_TIMEOUT`, `E_CANCELED`, `E_SHUTDOWN` (the pool was terminated), `E_TOO_LARGE` and `E_NO_MEMORY`
    /// (there is no room for its result).
    pub status: Status,
    /// The result, or the message of what went wrong.
    pub data: Box<[u8]>,
}

impl Outcome {
    pub(super) fn without_data(status: Status) -> Outcome {
        Outcome {
            status,
            data: Box::default(),
        }
    }
}

/// What the pool knows of a task, as long as somebody has a handle of it or it is not over.
pub(super) struct Core {
    pub(super) ticket: Ticket,
    pub(super) timeout_ns: u64,
    pub(super) tag: Option<u64>,
    /// When its time is over, once it has begun; 0: not so.
    pub(super) deadline: AtomicU64,
    outcome: OnceLock<Outcome>,
    pub(super) waiters: EventCount,
    /// Readable once it is over, where somebody asked for it.
    event: LocalLock<Option<OwnedFd>>,
}

impl Core {
    pub(super) fn new(ticket: Ticket, timeout_ns: u64, tag: Option<u64>) -> Core {
        Core {
            ticket,
            timeout_ns,
            tag,
            deadline: AtomicU64::new(0),
            outcome: OnceLock::new(),
            waiters: EventCount::new(),
            event: LocalLock::new(None),
        }
    }

    pub(super) fn outcome(&self) -> Option<&Outcome> {
        self.outcome.get()
    }

    /// It is over. The first to know decides.
    pub(super) fn finish(&self, outcome: Outcome) {
        if self.outcome.set(outcome).is_err() {
            return;
        }
        // After the outcome: `event` looks for that once more when it has placed one.
        if let Some(event) = &*self.event.lock() {
            eventfd::raise(event.as_raw_fd());
        }
        self.waiters.notify_all(&Local);
    }

    /// A descriptor that is readable once the task is over.
    fn event(&self) -> Result<RawFd> {
        let mut event = self.event.lock();
        if event.is_none() {
            *event = Some(eventfd::event()?);
        }
        let fd = event.as_ref().map_or(-1, AsRawFd::as_raw_fd);
        if self.outcome.get().is_some() {
            eventfd::raise(fd);
        }
        Ok(fd)
    }
}

/// A task that was submitted. Dropping it lets the task run, and its result go.
pub struct Task {
    pub(super) pool: Arc<Shared>,
    pub(super) core: Arc<Core>,
}

impl Task {
    /// Wait until the task is over, in whatever way.
    ///
    /// # Errors
    /// `E_TIMEOUT`, `E_CANCELED`, `E_CLOSED`, `E_INTERRUPTED`: it is not. `E_NOT_OWNER` in a forked child.
    pub fn wait(&self, wait: Wait<'_>) -> Result<()> {
        self.pool.check_owner()?;
        self.pool
            .wait_until(&|| self.core.outcome().is_some(), &self.core.waiters, &wait)
    }

    /// Whether it is over, also where nobody has read the workers' reports yet.
    pub(crate) fn is_over(&self) -> Result<bool> {
        match self.wait(Wait::TRY) {
            Ok(()) => Ok(true),
            Err(Status::E_TIMEOUT) => Ok(false),
            Err(status) => Err(status),
        }
    }

    /// How it ended; `None` while it is not over.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.core.outcome()
    }

    /// Keep it from being begun; whether that came in time.
    ///
    /// # Errors
    /// `E_NOT_OWNER` in a forked child.
    pub fn cancel(&self) -> Result<bool> {
        self.pool.check_owner()?;
        self.pool.cancel(self.core.ticket)
    }

    /// A descriptor that is readable once the task is over, for epoll and its like. It stays the task's.
    ///
    /// # Errors
    /// `E_LIMIT` when this process has no descriptor or thread left, `E_NOT_OWNER` in a forked child.
    pub fn fd(&self) -> Result<RawFd> {
        self.pool.check_owner()?;
        self.pool.collect_in_background()?;
        self.core.event()
    }
}
