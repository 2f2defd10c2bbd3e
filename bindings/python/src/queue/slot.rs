//! Room for a message that is written in place.

use std::ffi::CStr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use polyproc::{Queue, Reservation};
use pyo3::exceptions::{PyBufferError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyMemoryView, PyType};

use crate::buffer::{self, Lender, Memory};
use crate::errors::OrRaise;

struct Reserved {
    queue: Arc<Queue>,
    reservation: Reservation,
}

// SAFETY: the address is that of shared memory, which the queue keeps mapped; Python's threads
// write there as into any buffer.
unsafe impl Send for Reserved {}
// SAFETY: as above.
unsafe impl Sync for Reserved {}

/// Room for a message in shared memory: it is written, and then committed.
///
///     with queue.reserve(1000) as slot:
///         slot.data[:4] = header
///
/// Leaving the block normally commits the whole room (or what `commit(length)` put before), leaving
/// it by an exception gives the room back. If this process is killed before, there is no message.
///
/// A view of `data` that is kept (a slice, a numpy array) has to go before the commit: BufferError.
#[pyclass(module = "polyproc", frozen, subclass, weakref)]
pub struct Slot {
    reserved: OnceLock<Reserved>,
    is_settled: AtomicBool,
    views: AtomicU32,
}

pub fn new(
    py: Python<'_>,
    queue: Arc<Queue>,
    reservation: Reservation,
) -> PyResult<Bound<'_, Slot>> {
    let slot = match buffer::new::<Slot>(py) {
        Ok(slot) => slot,
        Err(error) => {
            let _ = queue.abort_raw(&reservation);
            return Err(error);
        }
    };
    let _ = slot.get().reserved.set(Reserved { queue, reservation });
    Ok(slot)
}

#[pymethods]
impl Slot {
    #[new]
    fn new() -> Slot {
        Slot {
            reserved: OnceLock::new(),
            is_settled: AtomicBool::new(false),
            views: AtomicU32::new(0),
        }
    }

    /// The room in shared memory, to be written.
    #[getter]
    fn data<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyMemoryView>> {
        PyMemoryView::from(slf.as_any())
    }

    fn __len__(&self) -> PyResult<usize> {
        Ok(self.open()?.reservation.len)
    }

    /// Put the message: the first `length` bytes, or all.
    #[pyo3(signature = (length = None))]
    fn commit(&self, py: Python<'_>, length: Option<usize>) -> PyResult<()> {
        let Reserved { queue, reservation } = self.open()?;
        if self.views.load(Ordering::Acquire) > 0 {
            return Err(PyBufferError::new_err(
                "a view of the slot is alive: delete it before the message is put",
            ));
        }
        let length = length.unwrap_or(reservation.len);
        queue.commit_raw(reservation, length).or_raise(py)?;
        self.is_settled.store(true, Ordering::Release);
        Ok(())
    }

    /// Give the room back: there is no message.
    fn abort(&self, py: Python<'_>) -> PyResult<()> {
        let Reserved { queue, reservation } = self.open()?;
        if self.views.load(Ordering::Acquire) > 0 {
            // The room is given back with the last view.
            return Ok(());
        }
        self.is_settled.store(true, Ordering::Release);
        queue.abort_raw(reservation).or_raise(py)
    }

    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
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
        if self.is_settled.load(Ordering::Acquire) {
            return Ok(());
        }
        match error.is_none() {
            true => self.commit(py, None),
            false => self.abort(py),
        }
    }
}

impl Slot {
    fn open(&self) -> PyResult<&Reserved> {
        if self.is_settled.load(Ordering::Acquire) {
            return Err(PyValueError::new_err("the slot is settled already"));
        }
        let made = || PyRuntimeError::new_err("a slot is made by a queue's reserve()");
        self.reserved.get().ok_or_else(made)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let (Some(reserved), false) = (self.reserved.get(), *self.is_settled.get_mut()) {
            let _ = reserved.queue.abort_raw(&reserved.reservation);
        }
    }
}

impl Lender for Slot {
    const QUALIFIED_NAME: &'static CStr = c"polyproc.Slot";

    fn derived() -> &'static PyOnceLock<Py<PyType>> {
        static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        &CLASS
    }

    fn memory(&self) -> PyResult<Memory> {
        let reservation = &self.open()?.reservation;
        Ok(Memory {
            at: reservation.data,
            len: reservation.len,
            is_readonly: false,
        })
    }

    fn count_view(&self) {
        self.views.fetch_add(1, Ordering::AcqRel);
    }

    fn release_view(&self) {
        self.views.fetch_sub(1, Ordering::AcqRel);
    }
}
