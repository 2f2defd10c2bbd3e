//! The workers: who sits where, and how one is started.

use std::ffi::CString;
use std::os::fd::{AsRawFd, RawFd};

use super::board::{Board, Phase};
use super::nursery::{self, Nursery};
use super::options::PoolOptions;
use crate::process::{InheritHandle, Process, ProcessOptions};
use crate::queue::Queue;
use crate::segment::Kind;
use crate::status::{Result, Status};
use crate::sync::Wait;
use crate::sys::descriptor::duplicate;
use crate::sys::descriptor::OwnedFd;
use crate::sys::process::exec::SignalMask;
use crate::sys::process::open_path;

/// The environment variable that tells a worker its seat.
pub(super) const SEAT_VARIABLE: &str = "POLYPROC_WORKER";
/// Under these names a worker inherits its pool.
pub(super) const BOARD: &str = "polyproc-pool";
pub(super) const TASKS: &str = "polyproc-pool-tasks";
pub(super) const REPORTS: &str = "polyproc-pool-reports";

/// A seat, as the pool sees it.
pub(super) struct Member {
    pub(super) process: Option<Process>,
    /// Somebody is to sit here while there is something to do.
    pub(super) is_wanted: bool,
    /// The worker has been seen to work.
    pub(super) was_ready: bool,
}

/// What every worker is started with.
struct Recipe {
    argv: Vec<CString>,
    env: Vec<CString>,
    handles: Vec<InheritHandle>,
    /// Descriptors of the pool's own: the caller may close his.
    copies: Vec<OwnedFd>,
    /// Each worker leads a process group of its own.
    group: bool,
    /// What the forked ones block: as the thread that has made the pool, whichever thread starts them.
    mask: SignalMask,
    /// The working directory of a program, in which its path and its arguments may be relative: that of this
    /// process when the pool was made. A descriptor, because the directory may be moved.
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
pub(super) struct Crew {
    pub(super) members: Vec<Member>,
    recipe: Recipe,
    /// Forks workers, where they are no program.
    nursery: Option<Nursery>,
    /// Workers in a row that ended before they worked, or did not start at all.
    pub(super) failures: u32,
    /// When the next one may be started.
    pub(super) not_before: u64,
    /// When those are killed that were asked to end.
    pub(super) kill_at: Option<u64>,
}

impl Crew {
    pub(super) fn new(
        options: &PoolOptions,
        board: &Board,
        tasks: &Queue,
        reports: &Queue,
    ) -> Result<Crew> {
        let recipe = Recipe::new(options, board, tasks, reports)?;
        let nursery = match recipe.argv.is_empty() {
            true => Some(Nursery::start(
                &|seat| recipe.options_of(seat),
                recipe.mask,
            )?),
            false => None,
        };
        let nursery = match nursery {
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
            nursery,
            failures: 0,
            not_before: 0,
            kill_at: None,
        })
    }

    /// Start a worker in an empty seat. `E_TIMEOUT`: it is on its way, to be asked for again.
    pub(super) fn start(&mut self, seat: usize, board: &Board) -> Result<()> {
        if self.nursery.as_ref().and_then(Nursery::asked) != Some(seat as u32) {
            // Not once more: a worker that is on its way may have said something there.
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
        let Some(nursery) = &mut self.nursery else {
            let options = self.recipe.options_of(seat);
            return match options.argv.is_empty() {
                true => nursery::fork_here(&options, self.recipe.mask),
                false => Process::spawn(&options),
            };
        };
        match nursery.fork_worker(seat) {
            Err(Status::E_BROKEN_PIPE) => {}
            other => return other,
        }
        // Somebody has killed it, and its workers ended with it.
        let recipe = &self.recipe;
        let mut fresh = Nursery::start(&|seat| recipe.options_of(seat), recipe.mask)?;
        let process = fresh.fork_worker(seat)?;
        if let Some(killed) = self.nursery.replace(fresh) {
            killed.end();
        }
        Ok(process)
    }

    /// Those that run, as far as is known.
    pub(super) fn processes(&self) -> impl Iterator<Item = &Process> {
        self.members
            .iter()
            .filter_map(|member| member.process.as_ref())
    }

    /// Descriptors that are readable once a worker has ended; `None` where the kernel has none.
    pub(super) fn descriptors(&self) -> Option<Vec<RawFd>> {
        self.processes().map(|process| process.fd().ok()).collect()
    }

    /// Whether a worker works that was seen to.
    pub(super) fn has_ready(&self, board: &Board) -> bool {
        (0..).zip(&self.members).any(|(seat, member)| {
            let seat = board.seat(seat);
            member.process.is_some() && seat.is_ok_and(|seat| seat.phase() == Phase::Ready)
        })
    }

    /// SIGTERM or SIGKILL for all.
    pub(super) fn signal_all(&self, signal: i32) {
        for process in self.processes() {
            // One that ends just now needs none.
            let _ = process.signal(signal);
        }
    }

    /// Kill what was started, and wait for its end.
    pub(super) fn end(&mut self) {
        self.signal_all(libc::SIGKILL);
        for member in &mut self.members {
            if let Some(process) = member.process.take() {
                let _ = process.join(Wait::FOREVER);
            }
        }
        if let Some(nursery) = self.nursery.take() {
            nursery.end();
        }
    }
}
