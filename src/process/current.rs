//! The identity of this process.

use super::inherit::identity;
use crate::sys::process;

/// The name of a process that polyproc did not start, as in Python.
const MAIN_NAME: &str = "MainProcess";

/// Identity of a process.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProcessInfo {
    /// The process id.
    pub pid: i32,
    /// The id of its parent, or of the process that adopted it after its parent ended; 0 when the
    /// parent lies outside of its pid namespace.
    pub parent_pid: i32,
    /// The name that it was started with; `MainProcess` when polyproc did not start it.
    pub name: String,
    /// Whether it is daemonic: it dies with its parent and may have no children.
    pub daemon: bool,
}

/// The identity of this process.
pub fn current() -> ProcessInfo {
    let identity = identity();
    let name = identity.name.as_deref().unwrap_or(MAIN_NAME).to_owned();
    ProcessInfo {
        pid: process::pid(),
        parent_pid: process::parent_pid(),
        name,
        daemon: identity.daemon,
    }
}
