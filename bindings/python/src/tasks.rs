//! The hot paths of a pool: a task goes out, a worker runs it, its report comes back.
//!
//! ```text
//! task     its number in 8 bytes, then the pickle of (function, args, kwargs)
//! report   the number in 8 bytes, the kind in one byte, then the pickle of the result
//! ```
//!
//! `_crew.py` and `_worker.py` are the callers. They handle the rare cases: failures and large
//! values.

use polyproc::{Message, OwnedMessage, Status};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};

use crate::errors::OrRaise;
use crate::pickle;
use crate::queue::put::with_scratch;
use crate::queue::{get, Parts, Queue};
use crate::wait::{wait, Patience};

const NUMBER: usize = 8;
const HEAD: usize = NUMBER + 1;
const LET_OTHERS: u64 = 64;
/// Longer values are loaded by whoever knows their place.
const SMALL: usize = 1024;

/// Put a task: `task` is (function, args, kwargs).
#[pyfunction]
pub fn put_task(
    py: Python<'_>,
    tasks: &Bound<'_, Queue>,
    number: u64,
    task: &Bound<'_, PyTuple>,
) -> PyResult<()> {
    put(py, Queue::open(tasks)?, &number.to_le_bytes(), task)
}

/// Pickle a value behind `head`, and put it.
fn put(py: Python<'_>, parts: &Parts, head: &[u8], value: &Bound<'_, PyAny>) -> PyResult<()> {
    with_scratch(|message| {
        message.extend_from_slice(head);
        pickle::append(value, message)?;
        let message = &*message;
        let queue = &parts.queue;
        wait(py, Patience::Forever, |wait| {
            queue.put_timeout(message, wait)
        })?
        .or_raise(py)
    })
}

/// Run tasks until the queue is shut down, or `limit` of them are done. Return how many were run.
///
/// `failed(number, error, has_value, value)` makes the report of a task that failed, or whose value
/// cannot be pickled; `lost(number)` that of a task that has cost `max_attempts` workers.
#[pyfunction]
#[pyo3(signature = (tasks, reports, kind, limit, max_attempts, failed, lost))]
#[allow(clippy::too_many_arguments, reason = "one caller")]
pub fn run_tasks(
    py: Python<'_>,
    tasks: &Bound<'_, Queue>,
    reports: &Bound<'_, Queue>,
    kind: u8,
    limit: Option<u64>,
    max_attempts: u32,
    failed: &Bound<'_, PyAny>,
    lost: &Bound<'_, PyAny>,
) -> PyResult<u64> {
    let (tasks, reports) = (Queue::open(tasks)?, Queue::open(reports)?);
    let mut done = 0;
    while limit.is_none_or(|limit| done < limit) {
        py.check_signals()?;
        if done % LET_OTHERS == LET_OTHERS - 1 {
            // Functions in C do not let the other threads of the worker run.
            py.detach(|| ());
        }
        let message = match get::take(py, tasks, Patience::Forever)? {
            Err(Status::E_SHUTDOWN) => break,
            taken => taken.or_raise(py)?,
        };
        let (number, pickle) = split(&message)?;
        if message.deliveries() > max_attempts {
            put_report(py, reports, &lost.call1((number,))?)?;
        } else {
            let run = match run(py, pickle) {
                Ok(value) => {
                    let mut head = [0; HEAD];
                    head[..NUMBER].copy_from_slice(&number.to_le_bytes());
                    head[NUMBER] = kind;
                    put(py, reports, &head, &value).map_err(|error| (error, Some(value)))
                }
                Err(error) => Err((error, None)),
            };
            if let Err((error, value)) = run {
                let report =
                    failed.call1((number, error.into_value(py), value.is_some(), value))?;
                put_report(py, reports, &report)?;
            }
            done += 1;
        }
        message.done().or_raise(py)?;
    }
    Ok(done)
}

fn split(message: &OwnedMessage) -> PyResult<(u64, &[u8])> {
    let parts = message.split_first_chunk::<NUMBER>();
    let (number, pickle) = parts.ok_or_else(|| PyValueError::new_err("the message is no task"))?;
    Ok((u64::from_le_bytes(*number), pickle))
}

/// Call the function of a task. No reference to the task is left afterwards.
fn run<'py>(py: Python<'py>, pickle: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let task = pickle::decode(py, pickle)?.cast_into::<PyTuple>()?;
    let (function, args, kwargs) = (task.get_item(0)?, task.get_item(1)?, task.get_item(2)?);
    let (args, kwargs) = (args.cast_into::<PyTuple>()?, kwargs.cast_into::<PyDict>()?);
    match kwargs.is_empty() {
        true => function.call1(args),
        false => function.call(args, Some(&kwargs)),
    }
}

fn put_report(py: Python<'_>, parts: &Parts, report: &Bound<'_, PyAny>) -> PyResult<()> {
    let (report, queue) = (report.cast::<PyBytes>()?.as_bytes(), &parts.queue);
    wait(py, Patience::Forever, |wait| {
        queue.put_timeout(report, wait)
    })?
    .or_raise(py)
}

/// Get up to `max` reports, waiting for the first one only: a list of (number, kind, is_loaded,
/// value). A value that is long, or may run code of others when it is loaded, is left as bytes.
#[pyfunction]
#[pyo3(signature = (reports, max, block, timeout))]
pub fn get_reports<'py>(
    py: Python<'py>,
    reports: &Bound<'py, Queue>,
    max: usize,
    block: bool,
    timeout: Option<f64>,
) -> PyResult<Bound<'py, PyList>> {
    let queue = &*Queue::open(reports)?.queue;
    let patience = Patience::new(block, timeout)?;
    let messages = wait(py, patience, |wait| queue.take_many_timeout(max, wait))?.or_empty(py)?;
    let list = PyList::empty(py);
    for message in &messages {
        let Some((head, pickle)) = message.split_first_chunk::<HEAD>() else {
            return Err(PyValueError::new_err("the message is no report"));
        };
        let (number, kind) = head
            .split_first_chunk::<NUMBER>()
            .unwrap_or((&[0; NUMBER], &[]));
        let number = u64::from_le_bytes(*number);
        let kind = kind.first().copied().unwrap_or_default();
        let value = match pickle.len() <= SMALL {
            true => pickle::load_small(py, pickle),
            false => None,
        };
        let report = match value {
            Some(value) => (number, kind, true, value).into_pyobject(py)?,
            None => (number, kind, false, PyBytes::new(py, pickle)).into_pyobject(py)?,
        };
        list.append(report)?;
    }
    Message::done_many(messages).or_raise(py)?;
    Ok(list)
}
