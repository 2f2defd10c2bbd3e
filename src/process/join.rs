//! Waiting for the end of a process.

use super::children::Fate;
use super::Process;
use crate::status::{Result, Status};
use crate::sync::wait::Patience;
use crate::sync::{Cancel, Wait};
use crate::sys::{clock, poll};

impl Process {
    /// Wait until the process has ended. Any number of threads may wait for the same one.
    ///
    /// # Errors
    /// Those of [`join_timeout`](Self::join_timeout).
    pub fn join(&self) -> Result<()> {
        self.join_timeout(Wait::FOREVER)
    }

    /// Whether the process has ended, as `Ok` or `E_TIMEOUT`.
    ///
    /// # Errors
    /// Those of [`join_timeout`](Self::join_timeout).
    pub fn try_join(&self) -> Result<()> {
        self.join_timeout(Wait::TRY)
    }

    /// As [`join`](Self::join), no longer than `wait`.
    ///
    /// # Errors
    /// `E_TIMEOUT`, `E_CANCELED`, `E_INTERRUPTED`: the process still runs.
    pub fn join_timeout<'w>(&self, wait: impl Into<Wait<'w>>) -> Result<()> {
        let wait = wait.into();
        if self.has_ended()? {
            return Ok(());
        }
        if let Ok(fd) = self.fd() {
            wait.poll(fd)?;
            if self.has_ended()? {
                return Ok(());
            }
        }
        // There is no descriptor; or the process has ended, but a debugger that traces it collects
        // it first.
        self.join_in_slices(&wait)
    }

    fn has_ended(&self) -> Result<bool> {
        Ok(self.child.fate()? != Fate::Running)
    }

    /// Look repeatedly, between sleeps that the tokens can end. Return `Ok` only if the kernel says
    /// that the process has ended, never because time has passed.
    fn join_in_slices(&self, wait: &Wait<'_>) -> Result<()> {
        let mut patience = Patience::new(wait);
        let tokens = patience
            .tokens()
            .map(Cancel::fd)
            .collect::<Result<Vec<_>>>()?;
        while !self.has_ended()? {
            patience.check()?;
            let end = patience.next_slice(clock::now_ns());
            match poll::readable(&tokens, Some(end)) {
                Err(Status::E_INTERRUPTED) => patience.interrupted()?,
                other => drop(other?),
            }
        }
        Ok(())
    }
}
