//! Daemonic processes: they die with their parent, however it ends, and have no children.
//!
//! The kernel sends the signal of PR_SET_PDEATHSIG when the *thread* that made the child ends. So
//! the keeper thread, which lives as long as its process, starts a program. A fork has to happen in
//! the calling thread. If that is the first thread of the process, the child uses the same signal;
//! a pthread_exit of that thread then ends the child too. If it is another thread, a thread of the
//! child, the watcher, waits for the end of the parent.
//!
//! The signal survives an exec, except of a set-uid program; the watcher does not. So if the child
//! of another thread executes a program, the program outlives the parent. The kernel offers nothing
//! better. The keeper cannot fork in place of the caller, since a fork copies the stack and the
//! thread-locals of the thread that forks; and only the child itself can request the signal, which
//! an executed program does not do.

use std::os::fd::{AsFd, AsRawFd};

use super::inherit::identity;
use crate::segment::keeper::run_on_keeper;
use crate::status::detail;
use crate::status::{Result, Status};
use crate::sys::descriptor::OwnedFd;
use crate::sys::process::exec::{self, Program, Started};
use crate::sys::process::{self, Stage};
use crate::sys::{clock, poll, thread};

/// How often a watcher without a process descriptor looks whether its parent is there.
const LOOK_NS: u64 = 50_000_000;

/// `E_DAEMONIC` in a daemonic process: its children would outlive it.
pub(super) fn refuse_children() -> Result<()> {
    if identity().daemon {
        Err(Status::E_DAEMONIC)
    } else {
        Ok(())
    }
}

/// Start a program that is killed when this process ends.
pub(super) fn start(program: &Program<'_>) -> Result<Started> {
    let mut started = Err(Status::E_INTERNAL);
    let mut why = None;
    run_on_keeper(&mut || {
        started = exec::start(program);
        why = detail::of_this_thread();
    })?;
    detail::from_another_thread(why, started)
}

/// How a forked child arranges to die with its parent. Made by the parent.
pub(super) struct Bond {
    parent: i32,
    forked_by_leader: bool,
}

impl Bond {
    pub(super) fn new() -> Bond {
        Bond {
            parent: process::pid(),
            forked_by_leader: process::is_leader(),
        }
    }

    /// Called in the child before any other code of the child. `parent_fd` is the parent's
    /// descriptor, where the kernel has such descriptors.
    pub(super) fn tie(&self, parent_fd: Option<OwnedFd>) -> Result<()> {
        if self.forked_by_leader {
            if !process::die_with_parent(self.parent) {
                process::kill_self();
            }
            return Ok(());
        }
        let seen = process::parent_pid();
        if seen != self.parent && seen != 0 {
            process::kill_self();
        }
        let watcher = Box::leak(Box::new(Watcher { parent_fd, seen }));
        thread::start(watcher)
    }
}

/// A thread of a daemonic child that waits for the end of the parent.
struct Watcher {
    parent_fd: Option<OwnedFd>,
    /// The parent as the child sees it: 0 when it lies outside of the child's pid namespace.
    seen: i32,
}

impl Watcher {
    fn parent_ended(&self) -> bool {
        let fd = self.parent_fd.as_ref().map(AsFd::as_fd);
        process::parent_pid() != self.seen
            || fd.is_some_and(|fd| process::stage(fd, 0) != Stage::Running)
    }
}

impl thread::Body for Watcher {
    fn run(&'static self) {
        thread::set_name(c"polyproc-watch");
        if let Some(fd) = &self.parent_fd {
            // Every signal is blocked here, so this wait ends when the parent ends, or when some
            // code closes a descriptor that it does not own.
            let _ = poll::readable(&[fd.as_raw_fd()], None);
        }
        while !self.parent_ended() {
            let _ = poll::readable(&[], Some(clock::now_ns().saturating_add(LOOK_NS)));
        }
        process::kill_self();
    }
}
