//! How a Python thread waits: one try with the interpreter lock, then without it.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use polyproc::{Signals, Status, Wait};
use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;

/// How long a call may wait.
#[derive(Clone, Copy)]
pub enum Patience {
    Try,
    Until(Instant),
    Forever,
}

/// A signal that arrives between the last look at Python's flag and the moment at which the thread
/// sleeps ends no wait. So the sleep is cut, and the flag looked at again. A wait that cannot be
/// cut looks during its sleep: see [`wait_whole`].
const SLICE: Duration = Duration::from_millis(100);

impl Patience {
    /// From Python's `block` and `timeout`; a negative timeout tries once.
    pub fn new(block: bool, timeout: Option<f64>) -> PyResult<Patience> {
        let seconds = match (block, timeout) {
            (false, _) => return Ok(Patience::Try),
            (true, None) => return Ok(Patience::Forever),
            (true, Some(seconds)) => seconds,
        };
        if seconds.is_nan() {
            return Err(pyo3::exceptions::PyValueError::new_err(
                "Invalid value NaN (not a number)",
            ));
        }
        if seconds <= 0.0 {
            return Ok(Patience::Try);
        }
        let limit = || PyOverflowError::new_err("timeout value is too large");
        let wait = Duration::try_from_secs_f64(seconds).map_err(|_| limit())?;
        let end = Instant::now().checked_add(wait).ok_or_else(limit)?;
        Ok(Patience::Until(end))
    }

    fn left(self) -> Option<Duration> {
        match self {
            Patience::Try => Some(Duration::ZERO),
            Patience::Until(end) => Some(end.saturating_duration_since(Instant::now())),
            Patience::Forever => None,
        }
    }

    /// The seconds that are left of a timeout.
    pub fn left_seconds(self) -> f64 {
        self.left().unwrap_or_default().as_secs_f64()
    }

    fn is_try(self) -> bool {
        matches!(self, Patience::Try)
    }
}

fn is_over(status: Status) -> bool {
    matches!(status, Status::E_TIMEOUT | Status::E_EMPTY | Status::E_FULL)
}

/// Call `call` until it succeeds, fails, or the patience is over. The outer result is an exception
/// of a signal handler.
#[inline]
pub fn wait<T: Send>(
    py: Python<'_>,
    patience: Patience,
    mut call: impl FnMut(Wait<'_>) -> Result<T, Status> + Send,
) -> PyResult<Result<T, Status>> {
    match call(Wait::TRY) {
        Err(status) if is_over(status) && !patience.is_try() => {
            wait_without_lock(py, patience, call)
        }
        other => Ok(other),
    }
}

thread_local! {
    /// What [`look`] does in this thread.
    static LOOKS: Cell<Looks> = const { Cell::new(Looks::No) };
    /// The exception of a signal handler that [`look`] has run.
    static RAISED: RefCell<Option<PyErr>> = const { RefCell::new(None) };
}

#[derive(Clone, Copy)]
enum Looks {
    No,
    /// Python runs signal handlers in the main thread only.
    AsMainThread,
    AsOtherThread,
}

/// Run the handlers of signals that came. Called by the library during [`wait_whole`].
pub fn look() -> Signals {
    match LOOKS.get() {
        Looks::No => return Signals::Unseen,
        Looks::AsOtherThread => return Signals::Handled,
        // The wait ends as soon as it can.
        Looks::AsMainThread if RAISED.with_borrow(Option::is_some) => return Signals::Handled,
        Looks::AsMainThread => {}
    }
    // A handler may wait for something else.
    LOOKS.set(Looks::No);
    let handled = Python::attach(|py| py.check_signals());
    LOOKS.set(Looks::AsMainThread);
    match handled {
        Ok(()) => Signals::Handled,
        Err(error) => {
            RAISED.set(Some(error));
            Signals::EndWait
        }
    }
}

/// As [`wait`], for a call that cannot be cut into slices: the timeout of a barrier breaks it, and
/// a waiter at a condition would miss the notifications between two slices. Without a try. If a
/// handler has raised an exception although the call succeeded, `undo` gets the result of the call.
pub fn wait_whole<T: Send>(
    py: Python<'_>,
    patience: Patience,
    call: impl FnOnce(Wait<'_>) -> Result<T, Status> + Send,
    undo: impl FnOnce(T),
) -> PyResult<Result<T, Status>> {
    // By number: the C libraries before 2.30 have no gettid.
    // SAFETY: neither call has a precondition.
    let thread = unsafe { libc::syscall(libc::SYS_gettid) };
    // SAFETY: as above.
    let is_main_thread = thread == i64::from(unsafe { libc::getpid() });
    let before = LOOKS.replace(match is_main_thread {
        true => Looks::AsMainThread,
        false => Looks::AsOtherThread,
    });
    let waited = py.detach(|| call(Wait::from(patience.left())));
    LOOKS.set(before);
    match RAISED.take() {
        None => Ok(waited),
        Some(error) => {
            let _ = waited.map(undo);
            Err(error)
        }
    }
}

fn wait_without_lock<T: Send>(
    py: Python<'_>,
    patience: Patience,
    mut call: impl FnMut(Wait<'_>) -> Result<T, Status> + Send,
) -> PyResult<Result<T, Status>> {
    loop {
        let left = patience.left();
        let slice = match left {
            Some(left) if left <= SLICE => Some(left),
            _ => Some(SLICE),
        };
        let call = &mut call;
        match py.detach(move || call(Wait::from(slice))) {
            Err(Status::E_INTERRUPTED) => {}
            Err(status) if is_over(status) && (left.is_none() || left > slice) => {}
            other => return Ok(other),
        }
        py.check_signals()?;
    }
}
