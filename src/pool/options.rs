//! Options of a pool and of a task, and the checks that need no kernel.

use std::ffi::CString;
use std::time::Duration;

use super::protocol::board::{MAX_ATTEMPTS, MAX_INITIALISER, MAX_WORKERS};
use super::protocol::message::check_name;
use crate::process::InheritHandle;
use crate::status::detail::because;
use crate::status::{Result, Status};
use crate::sys::syscall;

/// Options of a pool. By default it forks as many workers as there are CPUs.
#[derive(Clone, Default, Debug)]
pub struct PoolOptions {
    /// How many workers, up to 1,000; 0: the CPUs that this process may use.
    pub workers: u32,
    /// The worker program and its arguments; empty: a fork of this process as it is when the pool
    /// is made.
    pub argv: Vec<CString>,
    /// `K=V`: added to the workers' environment, or replacing the variable `K`.
    pub env: Vec<CString>,
    /// A worker ends after this many tasks and is replaced; 0: no limit.
    pub max_tasks_per_worker: u32,
    /// How many times a task is started when its workers die, up to 4,095; 0 and 1: once.
    pub max_attempts: u32,
    /// A function that each worker calls before its first task, and its data.
    pub initialiser: Option<(String, Vec<u8>)>,
    /// The objects that the workers inherit.
    pub handles: Vec<InheritHandle>,
    /// Each worker leads its own process group: signals of the terminal (Ctrl-C, Ctrl-Z) reach only
    /// the pool's process, which can then shut down in order.
    pub group: bool,
}

impl PoolOptions {
    pub(super) fn check(&self) -> Result<()> {
        let limits = [
            ("workers", self.workers, MAX_WORKERS),
            ("max_attempts", self.max_attempts, MAX_ATTEMPTS),
        ];
        for (option, given, most) in limits {
            if given > most {
                return Err(because!(E_INVALID, "{option} is {given}, over {most}"));
            }
        }
        if let Some((name, data)) = &self.initialiser {
            check_name(name)?;
            if data.len() > MAX_INITIALISER {
                return Err(Status::E_TOO_LARGE);
            }
        }
        Ok(())
    }

    pub(super) fn worker_count(&self) -> u32 {
        if self.workers > 0 {
            return self.workers;
        }
        let cpus = syscall::without_cancellation(std::thread::available_parallelism)
            .map_or(1, usize::from);
        u32::try_from(cpus).unwrap_or(MAX_WORKERS).min(MAX_WORKERS)
    }
}

/// Options of a task, beside its function and data.
#[derive(Clone, Copy, Default, Debug)]
pub struct TaskOptions {
    /// The limit counts from the task's start in a worker. A task that exceeds it fails with
    /// `E_TIMEOUT`, and its worker is killed and replaced. `None`: no limit.
    pub timeout: Option<Duration>,
    /// Reported by [`finished`](super::Pool::finished) when the task is over.
    pub tag: Option<u64>,
}

impl TaskOptions {
    /// The limit in nanoseconds; 0: none.
    pub(super) fn timeout_ns(&self) -> u64 {
        self.timeout.map_or(0, |timeout| {
            u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX).max(1)
        })
    }
}
