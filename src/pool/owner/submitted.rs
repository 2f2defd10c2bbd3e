//! A task that is not over, or that still has a handle.

use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::AtomicU64;
use std::sync::OnceLock;

use super::leadership::Local;
use crate::pool::protocol::message::Ticket;
use crate::status::detail::because;
use crate::status::{Result, Status};
use crate::sync::eventcount::EventCount;
use crate::sync::local_lock::LocalLock;
use crate::sys::descriptor::OwnedFd;
use crate::sys::eventfd;

/// How a task ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// `OK`, `E_TASK_FAILED` (its function failed), `E_NOT_FOUND` (the worker knows no such
    /// function), `E_WORKER_DIED`, `E_TIMEOUT`, `E_CANCELED`, `E_SHUTDOWN` (the pool was
    /// terminated), `E_TOO_LARGE` and `E_NO_MEMORY` (there is no room for its result).
    pub status: Status,
    /// The result, or the error message.
    pub data: Box<[u8]>,
}

impl Outcome {
    /// The result of a task that succeeded.
    ///
    /// # Errors
    /// [`status`](Self::status), unless that is `OK`.
    pub fn result(&self) -> Result<&[u8]> {
        self.answer().map(|_| &*self.data)
    }

    /// The status as the answer of a call. Memory that a worker lacks has no cause in this process,
    /// so the cause is noted here.
    pub(crate) fn answer(&self) -> Result<Status> {
        match self.status {
            Status::E_NO_MEMORY => Err(because!(
                E_NO_MEMORY,
                "the worker has no memory for the task or its result"
            )),
            status => status.ok(),
        }
    }

    pub(crate) fn without_data(status: Status) -> Outcome {
        Outcome {
            status,
            data: Box::default(),
        }
    }
}

/// The pool's record of a task, kept while the task has a handle or is not over.
pub(crate) struct Submitted {
    pub(crate) ticket: Ticket,
    pub(crate) timeout_ns: u64,
    pub(crate) tag: Option<u64>,
    /// The task's deadline, once it has started; 0: none.
    pub(crate) deadline: AtomicU64,
    outcome: OnceLock<Outcome>,
    pub(crate) waiters: EventCount,
    /// Readable once the task is over; made on request.
    event: LocalLock<Option<OwnedFd>>,
}

impl Submitted {
    pub(crate) fn new(ticket: Ticket, timeout_ns: u64, tag: Option<u64>) -> Submitted {
        Submitted {
            ticket,
            timeout_ns,
            tag,
            deadline: AtomicU64::new(0),
            outcome: OnceLock::new(),
            waiters: EventCount::new(),
            event: LocalLock::new(None),
        }
    }

    pub(crate) fn outcome(&self) -> Option<&Outcome> {
        self.outcome.get()
    }

    /// Store the task's outcome; the first one stored wins.
    pub(crate) fn finish(&self, outcome: Outcome) {
        if self.outcome.set(outcome).is_err() {
            return;
        }
        // After the outcome is stored: `event` checks the outcome once more after it has stored a
        // descriptor.
        if let Some(event) = &*self.event.lock() {
            eventfd::raise(event.as_raw_fd());
        }
        self.waiters.notify_all(&Local);
    }

    /// A descriptor that is readable once the task is over.
    pub(crate) fn event(&self) -> Result<RawFd> {
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
