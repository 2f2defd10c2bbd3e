//! What a process can ask about itself.

use super::inherit::identity;
use crate::sys::process;

/// The name of a process that polyproc did not start, as in Python.
const MAIN_NAME: &str = "MainProcess";

/// Who a process is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProcessInfo {
    /// Its id.
    pub pid: i32,
    /// The id of its parent: whoever has adopted it when the one that made it has ended, 0 when the
    /// parent lies outside of its pid namespace.
    pub parent_pid: i32,
    /// The name that it was started with, `MainProcess` when polyproc did not start it.
    pub name: String,
    /// Whether it is daemonic: it dies with its parent and may have no children.
    pub daemon: bool,
}

/// Who this process is.
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
