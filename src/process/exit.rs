//! Handling of the children when this process exits.
//!
//! As in Python, daemonic children are asked to end, and the others are waited for. This runs as an
//! atexit handler, registered when the first child is started. A process that ends in another way
//! (a signal, `_exit`, a runtime that makes the system call itself) does not run it; then the
//! kernel kills the daemonic children.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::children::{self, AtExit};
use super::Process;
use crate::status::{Result, Status};
use crate::sys::{clock, process};

/// The time between SIGTERM and SIGKILL for a daemonic child.
const GRACE_NS: u64 = 5_000_000_000;

static AT_EXIT: AtomicBool = AtomicBool::new(true);

/// Choose whether [`exit_children`] runs when this process exits normally. On by default.
pub fn exit_children_at_exit(on: bool) {
    AT_EXIT.store(on, Ordering::Relaxed);
}

/// End the children of this process: send SIGTERM to the daemonic ones, wait for the others without
/// limit, then wait for the daemonic ones; those that still run 5 s after SIGTERM are killed.
/// Adopted processes are left alone.
///
/// # Errors
/// `E_INTERRUPTED` where waits are interruptible: some children still run. Errors of the kernel.
pub fn exit_children() -> Result<()> {
    let daemons = children::to(AtExit::Terminate);
    let others = children::to(AtExit::Join);
    for daemon in &daemons {
        // A daemon that may not be signalled (it has changed its user) is killed by the kernel all
        // the same.
        let _ = daemon.terminate();
    }
    let end = clock::now_ns() + GRACE_NS;
    let mut result = Ok(());
    for child in &others {
        result = result.and(child.join());
    }
    for daemon in &daemons {
        result = result.and(end_by(daemon, end));
    }
    result
}

/// Wait for a daemonic child until `end`, then kill it.
fn end_by(daemon: &Process, end: u64) -> Result<()> {
    let left = end.saturating_sub(clock::now_ns());
    match daemon.join_timeout(Duration::from_nanos(left)) {
        Err(Status::E_TIMEOUT) => {
            daemon.kill()?;
            daemon.join()
        }
        other => other,
    }
}

/// Register [`run`] for the exit of this process.
///
/// # Errors
/// `E_NO_MEMORY`.
pub(super) fn prepare() -> Result<()> {
    static IS_REGISTERED: AtomicBool = AtomicBool::new(false);
    if IS_REGISTERED.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    process::at_exit(at_exit).inspect_err(|_| IS_REGISTERED.store(false, Ordering::Relaxed))
}

/// Set when this process exits normally.
static IS_EXITING: AtomicBool = AtomicBool::new(false);

/// Whether this process is in exit(3): a worker that ends now is not replaced.
pub(crate) fn is_exiting() -> bool {
    IS_EXITING.load(Ordering::Relaxed)
}

extern "C" fn at_exit() {
    run();
}

/// Runs when this process exits, and at the end of a forked child, which does not call exit(3).
pub(super) fn run() {
    IS_EXITING.store(true, Ordering::Relaxed);
    if AT_EXIT.load(Ordering::Relaxed) {
        // There is no caller to return an error to.
        let _ = exit_children();
    }
}
