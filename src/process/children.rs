//! The children of this process: how each of them ended, and the list of those that have not.
//!
//! A child whose handle was dropped while it ran stays in the list until it is collected, as in
//! Python's `active_children`.

use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::Arc;

use super::Process;
use crate::status::detail::because;
use crate::status::{Result, Status};
use crate::sync::at_fork::hold_across_forks;
use crate::sync::local_lock::{LocalGuard, LocalLock};
use crate::sys::descriptor::OwnedFd;
use crate::sys::fork::epoch;
use crate::sys::process::exec::Started;
use crate::sys::process::{self, borrow, Ending, Stage};

/// No exit code yet.
const UNKNOWN: i64 = i64::MAX;
/// Collected by other code, and the kernel does not tell the exit code.
const LOST: i64 = i64::MIN;
/// How long the kernel may take between hiding a zombie from its parent and recording its exit
/// code: some instructions, unless the thread that does it is preempted there.
const COLLECTING_MS: i32 = 100;

/// A process that this one has started or adopted.
pub(super) struct Child {
    pub(super) pid: i32,
    pub(super) name: String,
    pub(super) daemon: bool,
    at_exit: AtExit,
    pidfd: Option<OwnedFd>,
    /// The epoch in which this process is its parent; 0 for another process's child.
    parent_epoch: u32,
    /// An exit code, [`UNKNOWN`] or [`LOST`]. Written before the zombie is collected, so a thread
    /// that finds no zombie finds the code here.
    code: AtomicI64,
}

/// How an exit of the parent treats a child.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum AtExit {
    /// The parent waits for the child.
    Join,
    /// The parent asks the child to end. The kernel would end it with its parent in any case.
    Terminate,
    /// Started by other code, which is responsible for its end.
    LetBe,
}

impl AtExit {
    /// How an exit of the parent treats a child that this library started. `is_bound` says that the
    /// kernel ends the child with its parent.
    pub(super) fn of(is_bound: bool) -> AtExit {
        if is_bound {
            AtExit::Terminate
        } else {
            AtExit::Join
        }
    }
}

/// Whether a process runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    Running,
    /// Its exit code, `None` when it cannot be determined any more.
    Ended(Option<i32>),
}

impl Child {
    fn new(started: Started, name: String, parent_epoch: u32) -> Child {
        let Started { pid, pidfd } = started;
        Child {
            pid,
            name,
            daemon: false,
            at_exit: AtExit::LetBe,
            pidfd,
            parent_epoch,
            code: AtomicI64::new(UNKNOWN),
        }
    }

    pub(super) fn pidfd(&self) -> Option<BorrowedFd<'_>> {
        borrow(&self.pidfd)
    }

    /// Whether this process has to collect it. False in a forked child that has a copy of the
    /// handle.
    fn is_ours(&self) -> bool {
        self.parent_epoch == epoch()
    }

    /// Whether the process runs; collects it when it has ended. Any number of threads may call this
    /// at once.
    pub(super) fn fate(&self) -> Result<Fate> {
        if let Some(fate) = self.known() {
            return Ok(fate);
        }
        if !self.is_ours() {
            return Ok(self.fate_of_stranger());
        }
        match self.look()? {
            Ending::Running => Ok(Fate::Running),
            Ending::Ended(code) => Ok(Fate::Ended(Some(code))),
            Ending::NotOurs => Ok(self.fate_of_collected()),
        }
    }

    /// The kernel's answer about a child of this process; a child that has ended is collected.
    fn look(&self) -> Result<Ending> {
        // A signal by number is sent under this lock too, so it never reaches a later process of
        // the same number.
        let _list = list();
        let ending = process::ending(self.pid, self.pidfd(), false)?;
        if let Ending::Ended(code) = ending {
            // Store the code before collecting: a thread that finds no zombie looks for the code.
            self.settle(i64::from(code));
            // The zombie existed, so this fails only when other code has just collected it.
            let _ = process::ending(self.pid, self.pidfd(), true);
        }
        Ok(ending)
    }

    /// Store the exit code; the first store wins.
    fn settle(&self, code: i64) -> Fate {
        let order = (Ordering::AcqRel, Ordering::Acquire);
        let first = self.code.compare_exchange(UNKNOWN, code, order.0, order.1);
        fate_of(first.map_or_else(|earlier| earlier, |_| code))
    }

    fn known(&self) -> Option<Fate> {
        match self.code.load(Ordering::Acquire) {
            UNKNOWN => None,
            code => Some(fate_of(code)),
        }
    }

    /// The kernel says that this process has no such child (any more): another thread of this
    /// library or a SIGCHLD handler collected it, or it was collected at once because SIGCHLD is
    /// ignored.
    fn fate_of_collected(&self) -> Fate {
        if let Some(fate) = self.known() {
            return fate;
        }
        let info = |fd| match process::exit_info(fd) {
            Ok(None) => {
                process::stage(fd, COLLECTING_MS);
                process::exit_info(fd)
            }
            answer => answer,
        };
        let code = self.pidfd().and_then(|fd| info(fd).unwrap_or(None));
        self.settle(code.map_or(LOST, i64::from))
    }

    /// Another process's child: it can be watched, and its exit code is available once it was
    /// collected.
    fn fate_of_stranger(&self) -> Fate {
        let Some(fd) = self.pidfd() else {
            return if process::exists(self.pid) {
                Fate::Running
            } else {
                Fate::Ended(None)
            };
        };
        if process::stage(fd, 0) == Stage::Running {
            return Fate::Running;
        }
        match process::exit_info(fd) {
            Ok(Some(code)) => self.settle(i64::from(code)),
            // Its parent has not collected it yet, so a code may follow later.
            _ => Fate::Ended(None),
        }
    }

    /// Send a signal. No effect on a process that has ended.
    pub(super) fn signal(&self, signal: i32) -> Result<()> {
        if self.known().is_some() {
            return Ok(());
        }
        if let Some(fd) = self.pidfd() {
            match process::send_signal(self.pid, Some(fd), signal) {
                Err(Status::E_NOT_FOUND) => return Ok(()),
                // Some sandboxes and valgrind support the descriptor but not signals through it.
                Err(status) if self.is_ours() && is_refusal(status) => {}
                other => return other,
            }
        }
        if !self.is_ours() {
            return Err(because!(
                E_UNSUPPORTED,
                "not a child, and the system gives no descriptor of it"
            ));
        }
        // By number only while the process, or its zombie, keeps the number from being reused.
        let _list = list();
        match process::ending(self.pid, self.pidfd(), false)? {
            Ending::Running => process::send_signal(self.pid, None, signal),
            Ending::Ended(_) | Ending::NotOurs => Ok(()),
        }
    }
}

impl Child {
    /// Whether this process can watch and signal this child through its descriptor alone, as it
    /// would a process that is not its child.
    pub(super) fn reaches_strangers(&self) -> bool {
        // Signal 0 checks the permission and sends nothing.
        let signals = |fd| process::send_signal(self.pid, Some(fd), 0).is_ok();
        self.pidfd().is_some_and(signals)
    }
}

/// The status that a system call filter gives; EPERM may come from the kernel itself as well.
fn is_refusal(status: Status) -> bool {
    matches!(status, Status::E_PERMISSION | Status::E_UNSUPPORTED)
}

fn fate_of(code: i64) -> Fate {
    Fate::Ended(i32::try_from(code).ok())
}

/// The children of the process in `epoch` that have not been seen to end.
struct List {
    epoch: u32,
    children: Vec<Arc<Child>>,
    /// How many children were given a default name.
    numbered: u64,
}

static LIST: LocalLock<List> = LocalLock::new(List {
    epoch: 0,
    children: Vec::new(),
    numbered: 0,
});

/// The list. A forked child finds it consistent, and empty.
///
/// A thread that holds the list calls nothing that registers with `sync::at_fork`: a fork holds
/// that registry while it waits for the list.
fn list() -> LocalGuard<'static, List> {
    hold_across_forks(&LIST);
    let epoch = epoch();
    let mut list = LIST.lock();
    if list.epoch != epoch {
        *list = List {
            epoch,
            children: Vec::new(),
            numbered: 0,
        };
    }
    list
}

/// `Process-N` for a child without a name.
pub(super) fn default_name() -> String {
    let mut list = list();
    list.numbered += 1;
    format!("Process-{}", list.numbered)
}

/// Add a new child to the list.
pub(super) fn add(started: Started, name: String, daemon: bool, at_exit: AtExit) -> Arc<Child> {
    listed(Child {
        daemon,
        at_exit,
        ..Child::new(started, name, epoch())
    })
}

fn listed(child: Child) -> Arc<Child> {
    let child = Arc::new(child);
    list().children.push(Arc::clone(&child));
    child
}

/// A process that other code started, or the child in the list if it is one.
pub(super) fn adopt(pid: i32) -> Result<Arc<Child>> {
    if pid <= 0 || pid == process::pid() {
        return Err(because!(
            E_INVALID,
            "pid is {pid}: it is above 0, and not this process's own"
        ));
    }
    let is_asked_for = |child: &&Arc<Child>| child.pid == pid && child.known().is_none();
    let known = list().children.iter().find(is_asked_for).cloned();
    if let Some(child) = known {
        // Once the process has ended and is collected, its number may belong to another.
        if child.fate()? == Fate::Running || !process::exists(pid) {
            return Ok(child);
        }
    }
    let pidfd = process::open(pid)?;
    let ours = process::ending(pid, borrow(&pidfd), false)? != Ending::NotOurs;
    if !ours && pidfd.is_none() {
        // Without a descriptor only the number is known, which another process may get at any time.
        let exists = process::exists(pid);
        return Err(if exists {
            because!(
                E_UNSUPPORTED,
                "not a child, and the system gives no descriptor of it"
            )
        } else {
            because!(E_NOT_FOUND, "no process has the id {pid}")
        });
    }
    let (started, name) = (Started { pid, pidfd }, format!("pid-{pid}"));
    if ours {
        return Ok(listed(Child::new(started, name, epoch())));
    }
    Ok(Arc::new(Child::new(started, name, 0)))
}

/// The handle of `child` was dropped: collect the child if it has ended, otherwise keep it in the
/// list.
pub(super) fn let_go(child: &Arc<Child>) {
    if child.is_ours() && matches!(child.fate(), Ok(Fate::Ended(_))) {
        list().children.retain(|other| !Arc::ptr_eq(other, child));
    }
}

/// Collect the children that have ended, so that none stays a zombie forever.
pub(super) fn collect_finished() {
    let children = list().children.clone();
    let ended = |child: &Arc<Child>| matches!(child.fate(), Ok(Fate::Ended(_)));
    if children.iter().filter(|child| ended(child)).count() > 0 {
        list().children.retain(|child| child.known().is_none());
    }
}

/// The ids of the running children. Children that have ended are collected, as by Python's
/// `active_children`.
pub fn active_children() -> Vec<i32> {
    collect_finished();
    list().children.iter().map(|child| child.pid).collect()
}

/// The children with this `AtExit`.
pub(super) fn to(at_exit: AtExit) -> Vec<Process> {
    let list = list();
    let concerned = list
        .children
        .iter()
        .filter(|child| child.at_exit == at_exit);
    let process = |child: &Arc<Child>| Process {
        child: Arc::clone(child),
    };
    concerned.map(process).collect()
}
