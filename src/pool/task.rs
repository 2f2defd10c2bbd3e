//! A task as its submitter sees it.

use super::owner::submitted::{Outcome, Submitted};
use std::os::fd::RawFd;
use std::sync::Arc;

use super::owner::tasks::Shared;
use crate::status::{Result, Status};
use crate::sync::wait::Wait;

/// A task that was submitted. Dropping it lets the task run and discards its result.
pub struct Task {
    pub(super) pool: Arc<Shared>,
    pub(super) core: Arc<Submitted>,
}

impl Task {
    /// Wait until the task is over, in whatever way.
    ///
    /// # Errors
    /// `E_TIMEOUT`, `E_CANCELED`, `E_CLOSED`, `E_INTERRUPTED`: the task is not over. `E_NOT_OWNER`
    /// in a forked child.
    pub fn wait(&self, wait: Wait<'_>) -> Result<()> {
        self.pool.check_owner()?;
        self.pool
            .wait_until(&|| self.core.outcome().is_some(), &self.core.waiters, &wait)
    }

    /// Whether the task is over, even if no thread has read the worker's report yet.
    pub(crate) fn is_over(&self) -> Result<bool> {
        match self.wait(Wait::TRY) {
            Ok(()) => Ok(true),
            Err(Status::E_TIMEOUT) => Ok(false),
            Err(status) => Err(status),
        }
    }

    /// The outcome; `None` while the task is not over.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.core.outcome()
    }

    /// Keep the task from being started. Returns whether that came in time.
    ///
    /// # Errors
    /// `E_NOT_OWNER` in a forked child.
    pub fn cancel(&self) -> Result<bool> {
        self.pool.check_owner()?;
        self.pool.cancel(self.core.ticket)
    }

    /// A descriptor that is readable once the task is over, for epoll and similar. The task owns
    /// it.
    ///
    /// # Errors
    /// `E_LIMIT` when this process has no descriptor or thread left, `E_NOT_OWNER` in a forked
    /// child.
    pub fn fd(&self) -> Result<RawFd> {
        self.pool.check_owner()?;
        self.pool.collect_in_background()?;
        self.core.event()
    }
}
