//! Several messages in one call.

use polyproc::{Loan, Status};
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::put::Batch;
use super::{get, message, Parts, Queue, Sendable};
use crate::errors::{self, OrRaise};
use crate::wait::{wait, Patience};

#[pymethods]
impl Queue {
    /// Put all objects of an iterable, waiting for room. Return how many were put: fewer than all if
    /// the time is over. `queue.Full` if none was.
    #[pyo3(signature = (items, block = true, timeout = None))]
    fn put_many(
        slf: &Bound<'_, Self>,
        items: &Bound<'_, PyAny>,
        block: bool,
        timeout: Option<f64>,
    ) -> PyResult<usize> {
        let (py, parts) = (slf.py(), Queue::open(slf)?);
        let patience = Patience::new(block, timeout)?;
        let batch = Batch::of(parts.format, items)?;
        let queue = &*parts.queue;
        let mut put = 0;
        while put < batch.len() {
            let rest = batch.len() - put;
            let some = wait(py, patience, |wait| {
                queue.put_many_raw(rest, &|at| batch.item(put + at), wait)
            })?;
            match some {
                Ok(some) => put += some,
                Err(Status::E_FULL | Status::E_SHUTDOWN) if put > 0 => break,
                Err(status) => return Err(errors::exception(py, status)),
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
        let loans = take_many(py, parts, max, patience)?;
        let mut failed = None;
        for loan in &loans {
            // SAFETY: the loan's memory is ours until it is settled.
            let data = unsafe { std::slice::from_raw_parts(loan.data, loan.len) };
            match parts.format.decode(py, data) {
                Ok(value) => values.append(value)?,
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        let tickets = loans.iter().map(|loan| loan.ticket);
        let (_, settled) = parts.queue.done_many_raw(tickets);
        settled.or_raise(py)?;
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
        let loans = take_many(py, parts, max, Patience::new(block, timeout)?)?;
        let messages = PyList::empty(py);
        for loan in loans {
            messages.append(message::new(py, &parts.queue, loan, parts.format)?)?;
        }
        Ok(messages)
    }
}

fn take_many(py: Python<'_>, parts: &Parts, max: usize, patience: Patience) -> PyResult<Vec<Loan>> {
    let queue = &*parts.queue;
    let taken = wait(py, patience, |wait| {
        let mut loans = Vec::new();
        queue.take_many_raw(max, &mut |_, loan| loans.push(loan), wait)?;
        Ok(Sendable(loans))
    })?;
    Ok(taken.or_raise(py)?.0)
}
