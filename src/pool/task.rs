//! A task as its submitter sees it.

use std::os::fd::RawFd;
use std::sync::Arc;

use super::owner::submitted::{Outcome, Submitted};
use super::owner::tasks::Shared;
use crate::status::{Result, Status};
use crate::sync::wait::Wait;

/// A task that was submitted. Dropping it lets the task run and discards its result.
pub struct Task {
    pub(super) pool: Arc<Shared>,
    pub(super) core: Arc<Submitted>,
}

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Task")
            .field("outcome", &self.outcome())
            .finish_non_exhaustive()
    }
}

impl Task {
    /// Wait until the task is over, in whatever way, and return how it ended.
    ///
    /// # Errors
    /// Those of [`wait_timeout`](Self::wait_timeout); they say nothing about the task.
    pub fn wait(&self) -> Result<&Outcome> {
        self.wait_timeout(Wait::FOREVER)
    }

    /// How the task ended, or `E_TIMEOUT` while it is not over.
    ///
    /// # Errors
    /// Those of [`wait_timeout`](Self::wait_timeout).
    pub fn try_wait(&self) -> Result<&Outcome> {
        self.wait_timeout(Wait::TRY)
    }

    /// As [`wait`](Self::wait), no longer than `wait`.
    ///
    /// # Errors
    /// `E_TIMEOUT`, `E_CANCELED`, `E_INTERRUPTED`: the task is not over. `E_NOT_OWNER` in a forked
    /// child.
    pub fn wait_timeout<'w>(&self, wait: impl Into<Wait<'w>>) -> Result<&Outcome> {
        self.pool.check_owner()?;
        let is_over = || self.core.outcome().is_some();
        self.pool
            .wait_until(&is_over, &self.core.waiters, &wait.into())?;
        self.core.outcome().ok_or(Status::E_INTERNAL)
    }

    /// Wait until the task is over, and return its result.
    ///
    /// # Errors
    /// The status with which the task ended, as in [`Outcome::status`]; those of
    /// [`wait`](Self::wait).
    pub fn result(&self) -> Result<Vec<u8>> {
        self.wait()?.result().map(<[u8]>::to_vec)
    }

    /// Whether the task is over, even if no thread has read the worker's report yet.
    pub(crate) fn is_over(&self) -> Result<bool> {
        match self.try_wait() {
            Ok(_) => Ok(true),
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
