//! The process that forks workers.
//!
//! The fork server is forked from the pool's process when the pool is made. All that it does is to
//! fork itself on request. So a replacement worker starts from the same state as the first workers,
//! and no fork happens while the threads of the pool's process run.
//!
//! The fork server ends with the pool's process, and the workers end with the fork server.

use std::os::fd::AsRawFd;

use crate::pace::FORK_ANSWER_NS;
use crate::pool::worker::serve;
use crate::process::{fork_daemon, fork_server_process, Process, ProcessOptions};
use crate::status::detail;
use crate::status::{Result, Status};
use crate::sync::Wait;
use crate::sys::descriptor::OwnedFd;
use crate::sys::process::exec::SignalMask;
use crate::sys::process::fork as kernel;
use crate::sys::{clock, poll, socketpair};

/// How long a process that has nothing left to do may take to end.
const PATIENCE_NS: i64 = 2_000_000_000;

pub(crate) struct ForkServer {
    process: Process,
    channel: OwnedFd,
    /// The seat that the server was asked to fill and has not answered for.
    asked: Option<u32>,
}

/// The options of the worker in a seat.
pub(crate) type OptionsOf<'a> = &'a dyn Fn(u32) -> ProcessOptions;

impl ForkServer {
    /// `mask` holds the signals that the fork server and its workers block.
    pub(crate) fn start(options: OptionsOf<'_>, mask: SignalMask) -> Result<ForkServer> {
        let (ours, theirs) = socketpair::pair()?;
        let mut ends = Some((ours, theirs));
        let own = ProcessOptions {
            name: Some(c"PoolForkServer".to_owned()),
            group: options(0).group,
            ..ProcessOptions::default()
        };
        let process = fork_server_process(&own, mask, &mut || {
            if let Some((ours, theirs)) = ends.take() {
                drop(ours);
                fork_on_request(theirs, options, mask);
            }
            kernel::leave(0)
        })?;
        let (channel, _) = ends.take().ok_or(Status::E_INTERNAL)?;
        Ok(ForkServer {
            process,
            channel,
            asked: None,
        })
    }

    /// Whether the pool can watch and signal a process that is not its own child.
    pub(crate) fn can_be_used(&self) -> bool {
        self.process.reaches_strangers()
    }

    /// The seat for which a worker may be on its way.
    pub(crate) fn asked(&self) -> Option<u32> {
        self.asked
    }

    /// Ask for a worker for a seat.
    ///
    /// # Errors
    /// `E_TIMEOUT` when the fork server, which may be stopped, has not answered yet: call again
    /// with the same seat. `E_BROKEN_PIPE` when the fork server has ended, `E_NOT_FOUND` when the
    /// worker has ended already, and the errors of fork(2).
    pub(crate) fn fork_worker(&mut self, seat: u32) -> Result<Process> {
        match self.asked {
            None => socketpair::send(&self.channel, seat as i32)?,
            Some(other) if other != seat => return Err(Status::E_TIMEOUT),
            Some(_) => {}
        }
        self.asked = Some(seat);
        let deadline = clock::now_ns().saturating_add(FORK_ANSWER_NS);
        match poll::readable(&[self.channel.as_raw_fd()], Some(deadline)) {
            Ok(0) | Err(Status::E_INTERRUPTED) => return Err(Status::E_TIMEOUT),
            other => other?,
        };
        let answer = socketpair::receive(&self.channel);
        self.asked = None;
        let pid = answer?;
        if pid < 0 {
            let why = format_args!("the process that forks the workers could not fork one");
            return Err(detail::note(Status::from_code(pid), why));
        }
        // The worker's process id cannot be reused before the fork server reaps the worker, which
        // it does no sooner than at the next request.
        Process::adopt(pid)
    }

    /// Let the fork server end, and wait for that. It first reaps its workers.
    pub(crate) fn end(self) {
        drop(self.channel);
        if self
            .process
            .join_timeout(Wait::for_ns(PATIENCE_NS))
            .is_err()
        {
            // The server is stopped. The kernel gives the workers that it has not reaped to another
            // parent.
            let _ = self.process.kill();
            let _ = self.process.join();
        }
    }
}

/// Fork a worker from this process: on a kernel without pidfds only its parent can tell whether a
/// worker runs.
pub(crate) fn fork_here(options: &ProcessOptions, mask: SignalMask) -> Result<Process> {
    fork_daemon(options, mask, &mut || work())
}

/// The whole life of a forked worker.
fn work() -> ! {
    kernel::leave_flushed(match serve::run() {
        Ok(()) => 0,
        Err(_) => 1,
    })
}

/// Runs in the fork server until the pool's process or the pool has ended.
fn fork_on_request(channel: OwnedFd, options: OptionsOf<'_>, mask: SignalMask) {
    let mut channel = Some(channel);
    let mut workers: Vec<Process> = Vec::new();
    while let Some(seat) = channel
        .as_ref()
        .and_then(|end| socketpair::receive(end).ok())
    {
        // Dropping the handle of a worker that has ended collects it, not before the pool has seen
        // its end.
        workers.retain(|worker| worker.is_alive().unwrap_or(true));
        let forked = fork_daemon(&options(seat as u32), mask, &mut || {
            // The pool notices the end of the fork server when no process has this end of the
            // channel.
            drop(channel.take());
            work()
        });
        let answer = match &forked {
            Ok(process) => process.pid(),
            Err(status) => status.code(),
        };
        workers.extend(forked);
        let Some(end) = &channel else { return };
        if socketpair::send(end, answer).is_err() {
            break;
        }
    }
    // The workers have ended, or the pool has killed them.
    for worker in workers {
        let _ = worker.join();
    }
}
