//! How a Python thread waits: one try with the interpreter lock, then without it.

use std::time::{Duration, Instant};

use polyproc::{Status, Wait};
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
/// sleeps ends no wait. So the sleep is cut, and the flag looked at again. A wait whose timeout has
/// an effect on others (a barrier breaks) is not cut.
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

    /// The whole wait in one piece.
    pub fn whole(self) -> Wait<'static> {
        Wait::from(self.left())
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
            wait_without_lock(py, patience, true, call)
        }
        other => Ok(other),
    }
}

/// As [`wait`], for a call that may time out only once: without a try, and in one piece.
pub fn wait_whole<T: Send>(
    py: Python<'_>,
    patience: Patience,
    call: impl FnMut(Wait<'_>) -> Result<T, Status> + Send,
) -> PyResult<Result<T, Status>> {
    wait_without_lock(py, patience, false, call)
}

fn wait_without_lock<T: Send>(
    py: Python<'_>,
    patience: Patience,
    in_slices: bool,
    mut call: impl FnMut(Wait<'_>) -> Result<T, Status> + Send,
) -> PyResult<Result<T, Status>> {
    loop {
        let left = patience.left();
        let slice = match left {
            Some(left) if !in_slices || left <= SLICE => Some(left),
            None if !in_slices => None,
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
