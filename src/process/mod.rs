//! Processes: started as a program or forked into a function, joined, signalled, daemonic.
//!
//! A parent starts children with [`Process::spawn`] or `Process::fork`. A child calls [`current`]
//! for its identity and [`inherited`] for its handles.

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

use crate::status::detail::because;
use crate::status::{Result, Status};
use crate::sys::malloc;
use children::{Child, Fate};

/// The highest signal of Linux.
const LAST_SIGNAL: i32 = 64;

/// A child of this process, or another one that was adopted.
///
/// Dropping a `Process` does not affect the process. If it ends later, the next spawn, fork or
/// `active_children` collects it. A forked child that uses its parent's handles can signal and
/// watch these processes; only the parent can collect them.
///
/// ```
/// use polyproc::{Process, ProcessOptions};
/// use std::time::Duration;
///
/// # fn main() -> polyproc::Result<()> {
/// let child = Process::spawn(&ProcessOptions::program(["/bin/sh", "-c", "exit 3"])?)?;
/// child.join_timeout(Duration::from_secs(60))?;
/// assert_eq!(child.exit_code(), Ok(3));
/// # Ok(())
/// # }
/// ```
pub struct Process {
    child: Arc<Child>,
}

impl std::fmt::Debug for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Process")
            .field("pid", &self.pid())
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

impl Process {
    /// A handle of a process that other code started. From now on this library collects the process
    /// if it is a child of this one; any other process can be watched and signalled.
    ///
    /// # Errors
    /// `E_NOT_FOUND`: no such process. `E_INVALID`: not a process id, or the id of this process.
    /// `E_UNSUPPORTED`: not a child, on a kernel without process descriptors.
    pub fn adopt(pid: i32) -> Result<Process> {
        malloc::check()?;
        Ok(Process {
            child: children::adopt(pid)?,
        })
    }

    /// Its exit code: 0 to 255, or the negated number of the signal that ended it.
    ///
    /// # Errors
    /// `E_TIMEOUT` while it runs. `E_NOT_FOUND`: it has ended, other code has collected it, and the
    /// kernel (before Linux 6.15) does not keep the code.
    pub fn exit_code(&self) -> Result<i32> {
        match self.child.fate()? {
            Fate::Running => Err(Status::E_TIMEOUT),
            Fate::Ended(code) => {
                code.ok_or_else(|| because!(E_NOT_FOUND, "somebody else has collected the process"))
            }
        }
    }

    /// Whether the process runs.
    ///
    /// # Errors
    /// Errors of the kernel.
    pub fn is_alive(&self) -> Result<bool> {
        Ok(self.child.fate()? == Fate::Running)
    }

    /// Its process id. After a join the id may belong to another process.
    pub fn pid(&self) -> i32 {
        self.child.pid
    }

    /// Its name at the start; `pid-N` for an adopted process.
    pub fn name(&self) -> &str {
        &self.child.name
    }

    /// Whether it was started as daemonic.
    pub fn is_daemon(&self) -> bool {
        self.child.daemon
    }

    /// Ask the process to end: SIGTERM. No effect when it has ended, as in Python.
    ///
    /// # Errors
    /// `E_PERMISSION` when it now runs as another user.
    pub fn terminate(&self) -> Result<()> {
        self.signal(libc::SIGTERM)
    }

    /// Kill the process: SIGKILL. No effect when it has ended.
    ///
    /// # Errors
    /// `E_PERMISSION` when it now runs as another user.
    pub fn kill(&self) -> Result<()> {
        self.signal(libc::SIGKILL)
    }

    /// Send the process a signal, 1 to 64. The signal reaches this process or none, never a later
    /// process with the same id. No effect when it has ended.
    ///
    /// # Errors
    /// `E_INVALID`: not a signal. `E_PERMISSION` when it now runs as another user. `E_UNSUPPORTED`:
    /// not a child of this process, on a kernel without process descriptors.
    pub fn signal(&self, signal: i32) -> Result<()> {
        if !(1..=LAST_SIGNAL).contains(&signal) {
            return Err(because!(
                E_INVALID,
                "signal is {signal}, not from 1 to {LAST_SIGNAL}"
            ));
        }
        self.child.signal(signal)
    }

    /// A descriptor (a pidfd) that is readable once the process has ended. The handle owns it.
    ///
    /// # Errors
    /// `E_UNSUPPORTED` on a kernel without pidfds.
    pub fn fd(&self) -> Result<RawFd> {
        let fd = self.child.pidfd().ok_or_else(|| {
            because!(E_UNSUPPORTED, "the system gives no descriptor of a process")
        })?;
        Ok(fd.as_raw_fd())
    }
}

impl Process {
    /// Whether the kernel's restrictions let this process watch and signal a process that is not
    /// its child. This is tried with the process of this handle, which must still run.
    pub(crate) fn reaches_strangers(&self) -> bool {
        self.child.reaches_strangers()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        children::let_go(&self.child);
    }
}
