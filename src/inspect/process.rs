//! The process behind a participant, as /proc shows it.

use std::time::Duration;

use crate::sys::procfs;

/// The name of each keeper thread: see `segment::keeper`.
const KEEPER: &[u8] = b"polyproc-keeper";

/// A process that uses an object.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Process {
    /// The program and its arguments, separated by spaces; empty if /proc does not tell. Other
    /// processes choose this text: it may hold any character.
    pub command: String,
    /// How long the process has been running.
    pub age: Duration,
    /// Whether a signal such as SIGSTOP, or a debugger, has stopped it. What it holds stays held.
    pub is_stopped: bool,
}

/// Where the process of a participant is.
#[derive(Clone, Debug)]
pub enum Whereabouts {
    /// /proc shows it.
    Here(Process),
    /// It has ended.
    Ended,
    /// It lives, but its number means nothing here: it is in another pid namespace, such as another
    /// container, or /proc hides it.
    Elsewhere,
}

/// Look for a process that lives. Its number was read from shared memory; the keeper's number,
/// which the kernel checks when it marks a death, tells whether it is the number of that process
/// here.
pub(super) fn find(pid: u32, keeper: Option<u32>) -> Whereabouts {
    if let Some(keeper) = keeper {
        if procfs::thread_name(pid, keeper).as_deref() != Some(KEEPER) {
            return Whereabouts::Elsewhere;
        }
    }
    let Some(account) = procfs::account_of(pid) else {
        return Whereabouts::Elsewhere;
    };
    let arguments = account.arguments.split(|byte| *byte == 0);
    let mut arguments: Vec<_> = arguments.map(String::from_utf8_lossy).collect();
    if arguments.last().is_some_and(|last| last.is_empty()) {
        arguments.pop();
    }
    Whereabouts::Here(Process {
        command: arguments.join(" "),
        age: account.age,
        is_stopped: account.is_stopped,
    })
}
