//! Getting a value, and taking a message.

use std::mem::MaybeUninit;

use polyproc::{Got, Loan, Status};
use pyo3::exceptions::PyStopIteration;
use pyo3::prelude::*;

use super::format::room_for;
use super::{message, Parts, Queue, Sendable};
use crate::errors::{self, OrRaise};
use crate::wait::{wait, Patience};

/// Longer messages are read in place, or copied into an object of their own.
const SHORT: usize = 1024;

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
        let loan = take(py, parts, Patience::new(block, timeout)?)?.or_raise(py)?;
        message::new(py, &parts.queue, loan, parts.format)
    }

    /// Take the oldest dead letter: a message that was delivered too often. `queue.Empty` if there
    /// is none.
    fn take_dead<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, message::Message>> {
        let (py, parts) = (slf.py(), Queue::open(slf)?);
        let loan = parts.queue.take_dead_raw().or_raise(py)?;
        message::new(py, &parts.queue, loan, parts.format)
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

pub fn take(py: Python<'_>, parts: &Parts, patience: Patience) -> PyResult<Result<Loan, Status>> {
    let queue = &*parts.queue;
    let taken = wait(py, patience, |wait| queue.take_raw(wait).map(Sendable))?;
    Ok(taken.map(|Sendable(loan)| loan))
}

#[inline]
pub fn get<'py>(py: Python<'py>, parts: &Parts, patience: Patience) -> PyResult<Bound<'py, PyAny>> {
    match get_or_status(py, parts, patience)? {
        Ok(value) => Ok(value),
        Err(status) => Err(errors::exception(py, status)),
    }
}

#[inline]
pub fn get_or_status<'py>(
    py: Python<'py>,
    parts: &Parts,
    patience: Patience,
) -> PyResult<Result<Bound<'py, PyAny>, Status>> {
    let queue = &*parts.queue;
    let mut short = [MaybeUninit::<u8>::uninit(); SHORT];
    loop {
        let buffer = &mut short;
        let needed = match wait(py, patience, |wait| queue.get_raw(&mut *buffer, wait))? {
            Ok(Got::Message(len)) => {
                // SAFETY: the get has written that many bytes.
                let data = unsafe { std::slice::from_raw_parts(short.as_ptr().cast(), len) };
                return parts.format.decode(py, data).map(Ok);
            }
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
        let loan = match take(py, parts, Patience::Try)? {
            Err(Status::E_EMPTY) => return Ok(None),
            other => other.or_raise(py)?,
        };
        // SAFETY: the loan's memory is ours until it is settled.
        let data = unsafe { std::slice::from_raw_parts(loan.data, loan.len) };
        let value = parts.format.decode(py, data);
        parts.queue.done_raw(loan.ticket).or_raise(py)?;
        return value.map(Some);
    }
    // The message stays unfinished until task_done, so it is copied.
    let room = room_for(py, needed)?;
    // SAFETY: nobody else knows the object.
    let bytes = unsafe { room.as_bytes_mut() };
    // SAFETY: the same memory, of which only written bytes are read.
    let buffer = unsafe { std::slice::from_raw_parts_mut(bytes.as_mut_ptr().cast(), bytes.len()) };
    match parts.queue.get_raw(buffer, polyproc::Wait::TRY) {
        Ok(Got::Message(len)) => {
            room.resize(len)?;
            parts.format.decode_kept(room.as_any()).map(Some)
        }
        Ok(Got::TooSmall(_)) | Err(Status::E_EMPTY) => Ok(None),
        Err(status) => Err(errors::exception(py, status)),
    }
}
