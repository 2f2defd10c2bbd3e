//! Processes: started as a program or forked into a function, joined, signalled, daemonic.
//!
//! A parent starts with [`Process::spawn`] or `Process::fork`; a child asks with [`current`] and
//! [`inherited`] who it is and what it was given.

#![deny(unsafe_code)]

mod children;
mod current;
mod daemon;
mod exit;
mod fork;
mod inherit;
mod join;
mod options;
mod spawn;

use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;

pub use children::active_children;
pub use current::{current, ProcessInfo};
pub(crate) use exit::is_exiting;
pub use exit::{exit_children, exit_children_at_exit};
pub(crate) use fork::{fork_daemon, fork_server_process};
pub use inherit::inherited;
pub use options::{InheritHandle, ProcessOptions, Stdio};

use crate::status::{Result, Status};
use crate::sys::malloc;
use children::{Child, Fate};

/// The highest signal of Linux.
const LAST_SIGNAL: i32 = 64;

/// A child of this process, or another one that was adopted.
///
/// Dropping it leaves the process alone. One that ends later is collected at the next spawn, fork or
/// `active_children`. A forked child that uses its parent's handles can signal and watch these
/// processes; they stay its parent's to collect.
pub struct Process {
    child: Arc<Child>,
}

impl Process {
    /// A handle of a process that was started by other means. From now on this library collects
    /// it, when it is a child of this one; what is not can be watched and signalled.
    ///
    /// # Errors
    /// `E_NOT_FOUND`: no such process. `E_INVALID`: not a process id, or this process's own.
    /// `E_UNSUPPORTED`: not a child, on a kernel without process descriptors.
    pub fn adopt(pid: i32) -> Result<Process> {
        malloc::check()?;
        Ok(Process {
            child: children::adopt(pid)?,
        })
    }

    /// Its exit code: 0 to 255, or its signal negated when one ended it.
    ///
    /// # Errors
    /// `E_TIMEOUT` while it runs. `E_NOT_FOUND`: it has ended, somebody else has collected it, and the
    /// kernel (before Linux 6.15) does not tell any more.
    pub fn exit_code(&self) -> Result<i32> {
        match self.child.fate()? {
            Fate::Running => Err(Status::E_TIMEOUT),
            Fate::Ended(code) => code.ok_or(Status::E_NOT_FOUND),
        }
    }

    /// Whether it runs.
    ///
    /// # Errors
    /// Those of the kernel.
    pub fn is_alive(&self) -> Result<bool> {
        Ok(self.child.fate()? == Fate::Running)
    }

    /// Its id. Another process may have it once this one was joined.
    pub fn pid(&self) -> i32 {
        self.child.pid
    }

    /// The name that it was started with; `pid-N` for an adopted one.
    pub fn name(&self) -> &str {
        &self.child.name
    }

    /// Whether it was started as daemonic.
    pub fn is_daemon(&self) -> bool {
        self.child.daemon
    }

    /// Ask it to end: SIGTERM. Nothing happens when it has ended, as in Python.
    ///
    /// # Errors
    /// `E_PERMISSION` when it runs as another user now.
    pub fn terminate(&self) -> Result<()> {
        self.signal(libc::SIGTERM)
    }

    /// End it: SIGKILL. Nothing happens when it has ended.
    ///
    /// # Errors
    /// `E_PERMISSION` when it runs as another user now.
    pub fn kill(&self) -> Result<()> {
        self.signal(libc::SIGKILL)
    }

    /// Send it a signal, 1 to 64. It reaches this process or none, never one that got its id
    /// later. Nothing happens when it has ended.
    ///
    /// # Errors
    /// `E_INVALID`: not a signal. `E_PERMISSION` when it runs as another user now. `E_UNSUPPORTED`: not
    /// a child of this process, on a kernel without process descriptors.
    pub fn signal(&self, signal: i32) -> Result<()> {
        if !(1..=LAST_SIGNAL).contains(&signal) {
            return Err(Status::E_INVALID);
        }
        self.child.signal(signal)
    }

    /// A descriptor (a pidfd) that is readable once the process has ended. It stays the handle's.
    ///
    /// # Errors
    /// `E_UNSUPPORTED` on a kernel without them.
    pub fn fd(&self) -> Result<RawFd> {
        let fd = self.child.pidfd().ok_or(Status::E_UNSUPPORTED)?;
        Ok(fd.as_raw_fd())
    }
}

impl Process {
    /// Whether a process like this one could be watched and signalled if it were not a child, by what the kernel
    /// lets this process do with it. For one that runs.
    pub(crate) fn reaches_strangers(&self) -> bool {
        self.child.reaches_strangers()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        children::let_go(&self.child);
    }
}
