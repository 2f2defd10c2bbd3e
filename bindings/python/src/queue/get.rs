//! Getting a value, and taking a message.

use polyproc::{Got, OwnedMessage, Status};
use pyo3::exceptions::PyStopIteration;
use pyo3::prelude::*;
use pyo3::types::PyByteArray;

use super::{message, Parts, Queue};
use crate::errors::{self, OrRaise};
use crate::wait::{wait, Patience};

/// Longer messages are read in place, or copied into an object of their own.
const SHORT: usize = 512;

#[pymethods]
impl Queue {
    /// Get the first object. `queue.Empty` if there is none and `block` is False or the timeout is
    /// over.
    #[pyo3(signature = (block = true, timeout = None))]
    fn get<'py>(
        slf: &Bound<'py, Self>,
        block: bool,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let parts = Queue::open(slf)?;
        get(slf.py(), parts, Patience::new(block, timeout)?)
    }

    /// Get the first object if there is one, else raise `queue.Empty`.
    fn get_nowait<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let parts = Queue::open(slf)?;
        get(slf.py(), parts, Patience::Try)
    }

    /// Take the first message without a copy: see `Message`. It comes back if this process dies
    /// before it is settled.
    #[pyo3(signature = (block = true, timeout = None))]
    fn take<'py>(
        slf: &Bound<'py, Self>,
        block: bool,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, message::Message>> {
        let (py, parts) = (slf.py(), Queue::open(slf)?);
        let message = take(py, parts, Patience::new(block, timeout)?)?.or_empty(py)?;
        message::new(py, message, parts.format)
    }

    /// Take the oldest dead letter: a message that was delivered too often. `queue.Empty` if there
    /// is none.
    fn take_dead<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, message::Message>> {
        let (py, parts) = (slf.py(), Queue::open(slf)?);
        let message = parts.queue.take_dead_owned().or_empty(py)?;
        message::new(py, message, parts.format)
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    /// The next object; the iteration ends when the queue is shut down and drained.
    fn __next__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let parts = Queue::open(slf)?;
        match get_or_status(slf.py(), parts, Patience::Forever)? {
            Ok(value) => Ok(value),
            Err(Status::E_SHUTDOWN) => Err(PyStopIteration::new_err(())),
            Err(status) => Err(errors::exception(slf.py(), status)),
        }
    }
}

pub fn take(
    py: Python<'_>,
    parts: &Parts,
    patience: Patience,
) -> PyResult<Result<OwnedMessage, Status>> {
    let queue = &parts.queue;
    wait(py, patience, |wait| queue.take_owned_timeout(wait))
}

#[inline]
pub fn get<'py>(py: Python<'py>, parts: &Parts, patience: Patience) -> PyResult<Bound<'py, PyAny>> {
    get_or_status(py, parts, patience)?.or_empty(py)
}

#[inline]
pub fn get_or_status<'py>(
    py: Python<'py>,
    parts: &Parts,
    patience: Patience,
) -> PyResult<Result<Bound<'py, PyAny>, Status>> {
    let queue = &*parts.queue;
    let mut short = [0; SHORT];
    loop {
        let room = &mut short;
        let needed = match wait(py, patience, |wait| queue.get_into_timeout(room, wait))? {
            Ok(Got::Message(len)) => return parts.format.decode(py, &short[..len]).map(Ok),
            Ok(Got::TooSmall(needed)) => needed,
            Err(status) => return Ok(Err(status)),
        };
        if let Some(value) = get_long(py, parts, needed)? {
            return Ok(Ok(value));
        }
        // Another consumer was faster.
    }
}

/// Get the first message, which was `needed` bytes long a moment ago.
#[cold]
fn get_long<'py>(
    py: Python<'py>,
    parts: &Parts,
    needed: usize,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    if !parts.is_joinable {
        let message = match parts.queue.try_take() {
            Err(Status::E_EMPTY | Status::E_TIMEOUT) => return Ok(None),
            other => other.or_raise(py)?,
        };
        let value = parts.format.decode(py, &message);
        message.done().or_raise(py)?;
        return value.map(Some);
    }
    // The message stays unfinished until task_done, so it is copied.
    let mut got = Err(Status::E_EMPTY);
    let room = PyByteArray::new_with(py, needed, |room| {
        got = parts.queue.try_get_into(room);
        Ok(())
    })?;
    match got {
        Ok(Got::Message(len)) => {
            room.resize(len)?;
            parts.format.decode_kept(room.as_any()).map(Some)
        }
        Ok(Got::TooSmall(_)) | Err(Status::E_EMPTY | Status::E_TIMEOUT) => Ok(None),
        Err(status) => Err(errors::exception(py, status)),
    }
}
