//! Several messages in one call.

use polyproc::{Message, Status};
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::put::Batch;
use super::{get, message, Queue};
use crate::errors::OrRaise;
use crate::wait::{wait, Patience};

#[pymethods]
impl Queue {
    /// Put all objects of an iterable, waiting for room. Return how many were put: fewer than all
    /// if the time is over. `queue.Full` if none was.
    #[pyo3(signature = (items, block = true, timeout = None))]
    fn put_many(
        slf: &Bound<'_, Self>,
        items: &Bound<'_, PyAny>,
        block: bool,
        timeout: Option<f64>,
    ) -> PyResult<usize> {
        let (py, parts) = (slf.py(), Queue::open(slf)?);
        let patience = Patience::new(block, timeout)?;
        let batch = Batch::of(parts, items)?;
        let queue = &*parts.queue;
        let messages = batch.messages();
        let mut put = 0;
        while put < messages.len() {
            let rest = &messages[put..];
            let some = wait(py, patience, |wait| queue.put_many_timeout(rest, wait))?;
            match some {
                Ok(some) => put += some,
                Err(Status::E_FULL | Status::E_TIMEOUT | Status::E_SHUTDOWN) if put > 0 => break,
                Err(status) => return Err(status).or_full(py),
            }
        }
        Ok(put)
    }

    /// Get up to `max` objects, waiting for the first one only.
    #[pyo3(signature = (max, block = true, timeout = None))]
    fn get_many<'py>(
        slf: &Bound<'py, Self>,
        max: usize,
        block: bool,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyList>> {
        let (py, parts) = (slf.py(), Queue::open(slf)?);
        let patience = Patience::new(block, timeout)?;
        let values = PyList::empty(py);
        if parts.is_joinable {
            // Each message stays unfinished until its task_done.
            values.append(get::get(py, parts, patience)?)?;
            while values.len() < max {
                match get::get_or_status(py, parts, Patience::Try)? {
                    Ok(value) => values.append(value)?,
                    Err(_) => break,
                }
            }
            return Ok(values);
        }
        let queue = &*parts.queue;
        let messages =
            wait(py, patience, |wait| queue.take_many_timeout(max, wait))?.or_empty(py)?;
        let mut failed = None;
        for message in &messages {
            match parts.format.decode(py, message) {
                Ok(value) => values.append(value)?,
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        Message::done_many(messages).or_raise(py)?;
        match failed {
            Some(error) => Err(error),
            None => Ok(values),
        }
    }

    /// Take up to `max` messages without a copy, waiting for the first one only.
    #[pyo3(signature = (max, block = true, timeout = None))]
    fn take_many<'py>(
        slf: &Bound<'py, Self>,
        max: usize,
        block: bool,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyList>> {
        let (py, parts) = (slf.py(), Queue::open(slf)?);
        let (queue, patience) = (&parts.queue, Patience::new(block, timeout)?);
        let taken = wait(py, patience, |wait| {
            queue.take_many_owned_timeout(max, wait)
        })?;
        let messages = PyList::empty(py);
        for message in taken.or_empty(py)? {
            messages.append(message::new(py, message, parts.format)?)?;
        }
        Ok(messages)
    }
}
