//! Putting a value.

use std::cell::Cell;

use polyproc::Queue as Inner;
use pyo3::prelude::*;

use super::{slot, Parts, Queue};
use crate::errors::OrRaise;
use crate::pickle::Pickled;
use crate::wait::{wait, Patience};

thread_local! {
    /// The memory in which short messages are made.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

const KEEP: usize = 64 * 1024;

#[pymethods]
impl Queue {
    /// Put an object. `queue.Full` if there is no room and `block` is False or the timeout is over.
    #[pyo3(signature = (obj, block = true, timeout = None))]
    fn put(
        slf: &Bound<'_, Self>,
        obj: &Bound<'_, PyAny>,
        block: bool,
        timeout: Option<f64>,
    ) -> PyResult<()> {
        let parts = Queue::open(slf)?;
        put(slf.py(), parts, obj, Patience::new(block, timeout)?)
    }

    /// Put an object if there is room, else raise `queue.Full`.
    fn put_nowait(slf: &Bound<'_, Self>, obj: &Bound<'_, PyAny>) -> PyResult<()> {
        let parts = Queue::open(slf)?;
        put(slf.py(), parts, obj, Patience::Try)
    }

    /// Wait until a put would not wait. False after the timeout.
    fn _wait_room(slf: &Bound<'_, Self>, timeout: f64) -> PyResult<bool> {
        let (py, queue) = (slf.py(), &Queue::open(slf)?.queue);
        let room = wait(py, Patience::new(true, Some(timeout))?, |wait| {
            polyproc::wait_any_timeout(&[polyproc::Waitable::Put(queue)], wait).map(drop)
        })?;
        match room {
            Err(polyproc::Status::E_TIMEOUT) => Ok(false),
            other => other.or_raise(py).map(|_| true),
        }
    }

    /// Room for a message of up to `length` bytes, to be written in place: see `Slot`.
    #[pyo3(signature = (length, block = true, timeout = None))]
    fn reserve<'py>(
        slf: &Bound<'py, Self>,
        length: usize,
        block: bool,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, slot::Slot>> {
        let (py, queue) = (slf.py(), &Queue::open(slf)?.queue);
        let patience = Patience::new(block, timeout)?;
        let reserved = wait(py, patience, |wait| {
            queue.reserve_owned_timeout(length, wait)
        })?;
        slot::new(py, reserved.or_full(py)?)
    }
}

#[inline]
fn put(
    py: Python<'_>,
    parts: &Parts,
    value: &Bound<'_, PyAny>,
    patience: Patience,
) -> PyResult<()> {
    let queue = &*parts.queue;
    with_scratch(|scratch| match parts.encode(value, scratch)? {
        true => {
            let message = &*scratch;
            wait(py, patience, |wait| queue.put_timeout(message, wait))?.or_full(py)
        }
        false => put_pickled(py, queue, value, patience),
    })
}

/// Lend this thread's memory for short messages, empty.
#[inline]
pub fn with_scratch<T>(work: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    // Taken out, for the work may run code of Python that puts another value.
    let mut scratch = SCRATCH.take();
    scratch.clear();
    let result = work(&mut scratch);
    if scratch.capacity() <= KEEP {
        SCRATCH.set(scratch);
    }
    result
}

fn put_pickled(
    py: Python<'_>,
    queue: &Inner,
    value: &Bound<'_, PyAny>,
    patience: Patience,
) -> PyResult<()> {
    let pickled = Pickled::new(value)?;
    if let Some(message) = pickled.whole() {
        return wait(py, patience, |wait| queue.put_timeout(message, wait))?.or_full(py);
    }
    let length = pickled.len();
    let reserved = wait(py, patience, |wait| queue.reserve_timeout(length, wait))?;
    let mut slot = reserved.or_full(py)?;
    let mut at = 0;
    pickled.each(&mut |part| {
        slot[at..at + part.len()].copy_from_slice(part);
        at += part.len();
    });
    slot.commit(length).or_raise(py)
}

/// Messages of a batch, one after the other in one piece of memory.
pub struct Batch {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Batch {
    pub fn of(parts: &Parts, values: &Bound<'_, PyAny>) -> PyResult<Batch> {
        let mut batch = Batch {
            bytes: Vec::new(),
            ends: Vec::new(),
        };
        for value in values.try_iter()? {
            parts.encode_whole(&value?, &mut batch.bytes)?;
            batch.ends.push(batch.bytes.len());
        }
        Ok(batch)
    }

    pub fn messages(&self) -> Vec<&[u8]> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        begins
            .zip(&self.ends)
            .map(|(begin, end)| &self.bytes[begin..*end])
            .collect()
    }
}
