//! The workers: which process has which seat, and how workers are started.

use std::ffi::CString;
use std::os::fd::{AsRawFd, RawFd};

use super::fork_server;
use super::fork_server::ForkServer;
use crate::pool::options::PoolOptions;
use crate::pool::protocol::board::{Board, SeatPhase};
use crate::pool::protocol::names::{BOARD, REPORTS, SEAT_VARIABLE, TASKS};
use crate::process::{InheritHandle, Process, ProcessOptions};
use crate::queue::Queue;
use crate::segment::Kind;
use crate::status::{Result, Status};
use crate::sys::descriptor::duplicate;
use crate::sys::descriptor::OwnedFd;
use crate::sys::process::exec::SignalMask;
use crate::sys::process::open_path;

/// A seat, as the pool sees it.
pub(crate) struct Member {
    pub(crate) process: Option<Process>,
    /// The seat has to be filled while there is work.
    pub(crate) is_wanted: bool,
    /// The worker has been seen to work.
    pub(crate) was_ready: bool,
}

/// The settings with which every worker is started.
struct Recipe {
    argv: Vec<CString>,
    env: Vec<CString>,
    handles: Vec<InheritHandle>,
    /// The pool's own descriptors, so that the caller may close the originals.
    copies: Vec<OwnedFd>,
    /// Each worker leads a process group of its own.
    group: bool,
    /// The signals that forked workers block: those of the thread that made the pool, whichever
    /// thread forks.
    mask: SignalMask,
    /// The working directory of this process when the pool was made, to which a program's path and
    /// arguments may be relative. A descriptor, because the directory may be moved.
    directory: Option<OwnedFd>,
}

impl Recipe {
    fn new(options: &PoolOptions, board: &Board, tasks: &Queue, reports: &Queue) -> Result<Recipe> {
        let mut recipe = Recipe {
            argv: options.argv.clone(),
            env: options.env.clone(),
            handles: Vec::new(),
            copies: Vec::new(),
            group: options.group,
            mask: SignalMask::of_a_copy(),
            directory: match options.argv.is_empty() {
                true => None,
                false => open_path(c".", libc::O_PATH | libc::O_DIRECTORY).ok(),
            },
        };
        let own = |name: &str, kind, fd| InheritHandle {
            name: name.to_owned(),
            kind,
            fd,
        };
        let pool = [
            own(BOARD, Kind::Pool, board.raw_fd()),
            own(TASKS, Kind::Queue, tasks.raw_fd()),
            own(REPORTS, Kind::Queue, reports.raw_fd()),
        ];
        for handle in pool.iter().chain(&options.handles) {
            let copy = duplicate(handle.fd)?;
            recipe.handles.push(InheritHandle {
                fd: copy.as_raw_fd(),
                ..handle.clone()
            });
            recipe.copies.push(copy);
        }
        Ok(recipe)
    }

    fn options_of(&self, seat: u32) -> ProcessOptions {
        let text = |text: String| CString::new(text).unwrap_or_default();
        let mut env = self.env.clone();
        env.push(text(format!("{SEAT_VARIABLE}={seat}")));
        ProcessOptions {
            name: Some(text(format!("PoolWorker-{}", seat + 1))),
            argv: self.argv.clone(),
            // The child looks it up among its own descriptors, before those are closed on exec.
            cwd: (self.directory.as_ref())
                .map(|directory| text(format!("/proc/self/fd/{}", directory.as_raw_fd()))),
            env,
            daemon: true,
            group: self.group,
            handles: self.handles.clone(),
            ..ProcessOptions::default()
        }
    }
}

/// All workers of a pool.
pub(crate) struct Crew {
    pub(crate) members: Vec<Member>,
    recipe: Recipe,
    /// Forks workers, if they are no program.
    fork_server: Option<ForkServer>,
    /// Workers in a row that ended before they worked, or did not start at all.
    pub(crate) failures: u32,
    /// The earliest time of the next start.
    pub(crate) not_before: u64,
    /// The time to kill workers that were asked to end.
    pub(crate) kill_at: Option<u64>,
}

impl Crew {
    pub(crate) fn new(
        options: &PoolOptions,
        board: &Board,
        tasks: &Queue,
        reports: &Queue,
    ) -> Result<Crew> {
        let recipe = Recipe::new(options, board, tasks, reports)?;
        let fork_server = match recipe.argv.is_empty() {
            true => Some(ForkServer::start(
                &|seat| recipe.options_of(seat),
                recipe.mask,
            )?),
            false => None,
        };
        let fork_server = match fork_server {
            Some(unusable) if !unusable.can_be_used() => {
                unusable.end();
                None
            }
            other => other,
        };
        let seats = 0..options.worker_count();
        let members = seats.map(|_| Member {
            process: None,
            is_wanted: true,
            was_ready: false,
        });
        Ok(Crew {
            members: members.collect(),
            recipe,
            fork_server,
            failures: 0,
            not_before: 0,
            kill_at: None,
        })
    }

    /// Start a worker in an empty seat. `E_TIMEOUT`: the worker is being forked; ask again.
    pub(crate) fn start(&mut self, seat: usize, board: &Board) -> Result<()> {
        if self.fork_server.as_ref().and_then(ForkServer::asked) != Some(seat as u32) {
            // Not on a retry: a worker that is being forked may already have written to its seat.
            board.seat(seat)?.clear();
        }
        let process = self.start_process(seat as u32)?;
        if let Some(member) = self.members.get_mut(seat) {
            member.process = Some(process);
            member.is_wanted = false;
            member.was_ready = false;
        }
        Ok(())
    }

    fn start_process(&mut self, seat: u32) -> Result<Process> {
        let Some(fork_server) = &mut self.fork_server else {
            let options = self.recipe.options_of(seat);
            return match options.argv.is_empty() {
                true => fork_server::fork_here(&options, self.recipe.mask),
                false => Process::spawn(&options),
            };
        };
        match fork_server.fork_worker(seat) {
            Err(Status::E_BROKEN_PIPE) => {}
            other => return other,
        }
        // The fork server was killed, and its workers ended with it.
        let recipe = &self.recipe;
        let mut fresh = ForkServer::start(&|seat| recipe.options_of(seat), recipe.mask)?;
        let process = fresh.fork_worker(seat)?;
        if let Some(killed) = self.fork_server.replace(fresh) {
            killed.end();
        }
        Ok(process)
    }

    /// The workers that run, as far as the pool knows.
    pub(crate) fn processes(&self) -> impl Iterator<Item = &Process> {
        self.members
            .iter()
            .filter_map(|member| member.process.as_ref())
    }

    /// Descriptors that become readable when a worker ends; `None` on a kernel without pidfds.
    pub(crate) fn descriptors(&self) -> Option<Vec<RawFd>> {
        self.processes().map(|process| process.fd().ok()).collect()
    }

    /// Whether some worker is ready and still runs.
    pub(crate) fn has_ready(&self, board: &Board) -> bool {
        (0..).zip(&self.members).any(|(seat, member)| {
            let seat = board.seat(seat);
            member.process.is_some() && seat.is_ok_and(|seat| seat.phase() == SeatPhase::Ready)
        })
    }

    /// SIGTERM or SIGKILL for all.
    pub(crate) fn signal_all(&self, signal: i32) {
        for process in self.processes() {
            // A worker that ends at this moment needs no signal.
            let _ = process.signal(signal);
        }
    }

    /// Kill all workers that were started, and wait for their end.
    pub(crate) fn end(&mut self) {
        self.signal_all(libc::SIGKILL);
        for member in &mut self.members {
            if let Some(process) = member.process.take() {
                let _ = process.join();
            }
        }
        if let Some(fork_server) = self.fork_server.take() {
            fork_server.end();
        }
    }
}
