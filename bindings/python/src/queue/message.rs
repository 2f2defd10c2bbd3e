//! A message that was taken: read in place, and settled when its block is left.

use std::ffi::CStr;
use std::sync::atomic::{AtomicU32, AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use polyproc::{Loan, Queue, Status};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyMemoryView, PyType};

use super::format::Format;
use crate::buffer::{self, Lender, Memory};
use crate::errors::OrRaise;

const TAKEN: u8 = 0;
/// To be settled when the last view of the memory is gone.
const DONE: u8 = 1;
const GIVEN_BACK: u8 = 2;
const SETTLED: u8 = 3;

struct Taken {
    queue: Arc<Queue>,
    loan: Loan,
    format: Format,
}

// SAFETY: the address is that of shared memory, which the queue keeps mapped; any thread may read
// it.
unsafe impl Send for Taken {}
// SAFETY: as above.
unsafe impl Sync for Taken {}

/// A message that this process has taken: it lies in shared memory until it is settled.
///
///     with queue.take() as message:
///         work_on(message.data)
///
/// Leaving the block normally is `done`, leaving it by an exception gives the message back: it is
/// delivered once more. If this process is killed in the block, another one gets the message.
///
/// While a view of `data` is alive (a slice, a numpy array), the message is kept: it is settled
/// when the last view is gone.
#[pyclass(module = "polyproc", frozen, subclass, weakref)]
pub struct Message {
    taken: OnceLock<Taken>,
    state: AtomicU8,
    views: AtomicU32,
}

/// Make the object for a loan.
pub fn new<'py>(
    py: Python<'py>,
    queue: &Arc<Queue>,
    loan: Loan,
    format: Format,
) -> PyResult<Bound<'py, Message>> {
    let taken = Taken {
        queue: queue.clone(),
        loan,
        format,
    };
    let message = match buffer::new::<Message>(py) {
        Ok(message) => message,
        Err(error) => {
            let _ = taken.queue.give_back_raw(taken.loan.ticket);
            return Err(error);
        }
    };
    let _ = message.get().taken.set(taken);
    Ok(message)
}

#[pymethods]
impl Message {
    #[new]
    fn new() -> Message {
        Message {
            taken: OnceLock::new(),
            state: AtomicU8::new(TAKEN),
            views: AtomicU32::new(0),
        }
    }

    /// The message in shared memory, read-only, without a copy.
    #[getter]
    fn data<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyMemoryView>> {
        PyMemoryView::from(slf.as_any())
    }

    /// The value of the message, as the format of its queue says. Arrays of a pickle lie in the
    /// message, read-only.
    #[getter]
    fn value<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let taken = slf.get().open()?;
        taken.format.decode_kept(slf.as_any())
    }

    /// How many times the message was delivered: 1 the first time.
    #[getter]
    fn deliveries(&self) -> PyResult<u32> {
        Ok(self.taken()?.loan.deliveries)
    }

    /// The number of the message in its queue: the same at every delivery.
    #[getter]
    fn id(&self) -> PyResult<u64> {
        Ok(self.taken()?.loan.id)
    }

    fn __len__(&self) -> PyResult<usize> {
        Ok(self.open()?.loan.len)
    }

    /// The work is done: the message is over, and on a joinable queue its task too.
    fn done(&self, py: Python<'_>) -> PyResult<()> {
        self.settle(py, DONE)
    }

    /// Give the message back: it is first in line, and delivered once more.
    fn give_back(&self, py: Python<'_>) -> PyResult<()> {
        self.settle(py, GIVEN_BACK)
    }

    fn __enter__<'py>(slf: Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        slf.get().open()?;
        Ok(slf)
    }

    fn __exit__(
        &self,
        py: Python<'_>,
        error: &Bound<'_, PyAny>,
        _value: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        if self.state.load(Ordering::Acquire) != TAKEN {
            return Ok(());
        }
        self.settle(py, if error.is_none() { DONE } else { GIVEN_BACK })
    }

    fn __repr__(&self) -> PyResult<String> {
        let loan = self.taken()?.loan;
        let state = match self.state.load(Ordering::Acquire) {
            TAKEN => "taken",
            GIVEN_BACK => "given back",
            _ => "done",
        };
        let (id, len, deliveries) = (loan.id, loan.len, loan.deliveries);
        Ok(format!(
            "<polyproc.Message {state} id={id} len={len} deliveries={deliveries}>"
        ))
    }
}

impl Message {
    fn taken(&self) -> PyResult<&Taken> {
        self.taken
            .get()
            .ok_or_else(|| PyRuntimeError::new_err("a message is made by a queue's take()"))
    }

    fn open(&self) -> PyResult<&Taken> {
        match self.state.load(Ordering::Acquire) {
            TAKEN => self.taken(),
            _ => Err(PyValueError::new_err("the message is settled already")),
        }
    }

    fn settle(&self, py: Python<'_>, how: u8) -> PyResult<()> {
        self.open()?;
        if self
            .state
            .compare_exchange(TAKEN, how, Ordering::AcqRel, Ordering::Acquire)
            .is_err()
        {
            return Err(PyValueError::new_err("the message is settled already"));
        }
        match self.views.load(Ordering::Acquire) {
            0 => self.settle_now().or_raise(py),
            _ => Ok(()),
        }
    }

    /// Settle the message in the way that was asked for, once.
    fn settle_now(&self) -> Result<(), Status> {
        let how = self.state.swap(SETTLED, Ordering::AcqRel);
        match (self.taken.get(), how) {
            (None, _) | (_, SETTLED) => Ok(()),
            (Some(taken), DONE) => taken.queue.done_raw(taken.loan.ticket),
            (Some(taken), _) => taken.queue.give_back_raw(taken.loan.ticket),
        }
    }
}

impl Drop for Message {
    /// A message that nobody settled goes back to the queue.
    fn drop(&mut self) {
        let _ = self.settle_now();
    }
}

impl Lender for Message {
    const QUALIFIED_NAME: &'static CStr = c"polyproc.Message";

    fn derived() -> &'static PyOnceLock<Py<PyType>> {
        static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        &CLASS
    }

    fn memory(&self) -> PyResult<Memory> {
        let loan = &self.open()?.loan;
        Ok(Memory {
            at: loan.data.cast_mut(),
            len: loan.len,
            is_readonly: true,
        })
    }

    fn count_view(&self) {
        self.views.fetch_add(1, Ordering::AcqRel);
    }

    fn release_view(&self) {
        let was_last = self.views.fetch_sub(1, Ordering::AcqRel) == 1;
        if was_last && self.state.load(Ordering::Acquire) != TAKEN {
            // There is no caller to raise an error to.
            let _ = self.settle_now();
        }
    }
}
