//! Room for a message that is written in place.

use std::ffi::CStr;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use polyproc::{OwnedSlot, Status};
use pyo3::exceptions::{PyBufferError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyMemoryView, PyType};

use crate::buffer::{self, Lender, Memory};
use crate::errors::OrRaise;

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
    len: OnceLock<usize>,
    state: Mutex<State>,
}

/// Room that nobody committed is given back with this.
#[derive(Default)]
struct State {
    /// None when the room is committed or given back.
    slot: Option<OwnedSlot>,
    /// Whether the room is to be given back when the last view of it is gone.
    is_aborted: bool,
    views: u32,
}

pub fn new(py: Python<'_>, slot: OwnedSlot) -> PyResult<Bound<'_, Slot>> {
    let object = buffer::new::<Slot>(py)?;
    let _ = object.get().len.set(slot.len());
    object.get().state().slot = Some(slot);
    Ok(object)
}

#[pymethods]
impl Slot {
    #[new]
    fn new() -> Slot {
        Slot {
            len: OnceLock::new(),
            state: Mutex::default(),
        }
    }

    /// The room in shared memory, to be written.
    #[getter]
    fn data<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyMemoryView>> {
        PyMemoryView::from(slf.as_any())
    }

    fn __len__(&self) -> PyResult<usize> {
        drop(self.open()?);
        self.len()
    }

    /// Put the message: the first `length` bytes, or all.
    #[pyo3(signature = (length = None))]
    fn commit(&self, py: Python<'_>, length: Option<usize>) -> PyResult<()> {
        let mut state = self.open()?;
        if state.views > 0 {
            return Err(PyBufferError::new_err(
                "a view of the slot is alive: delete it before the message is put",
            ));
        }
        let room = self.len()?;
        let length = length.unwrap_or(room);
        if length > room {
            return Err(PyValueError::new_err("the length exceeds the slot's"));
        }
        let committed = state.slot.take().map_or(Ok(()), |slot| slot.commit(length));
        // Without the interpreter lock, code of Python may wait for the thread that wants the
        // state.
        drop(state);
        committed.or_raise(py)
    }

    /// Give the room back: there is no message.
    fn abort(&self, py: Python<'_>) -> PyResult<()> {
        let mut state = self.open()?;
        state.is_aborted = true;
        let aborted = state.abort_unless_viewed();
        drop(state);
        aborted.or_raise(py)
    }

    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        drop(slf.get().open()?);
        Ok(slf)
    }

    fn __exit__(
        &self,
        py: Python<'_>,
        error: &Bound<'_, PyAny>,
        _value: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        if self.open().is_err() {
            return Ok(());
        }
        match error.is_none() {
            true => self.commit(py, None),
            false => self.abort(py),
        }
    }
}

impl Slot {
    fn len(&self) -> PyResult<usize> {
        let made = || PyRuntimeError::new_err("a slot is made by a queue's reserve()");
        self.len.get().copied().ok_or_else(made)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state of a slot that is neither committed nor given back.
    fn open(&self) -> PyResult<MutexGuard<'_, State>> {
        self.len()?;
        let state = self.state();
        match state.slot.is_none() || state.is_aborted {
            true => Err(PyValueError::new_err("the slot is settled already")),
            false => Ok(state),
        }
    }
}

impl State {
    fn abort_unless_viewed(&mut self) -> Result<(), Status> {
        if self.views > 0 || !self.is_aborted {
            return Ok(());
        }
        self.slot.take().map_or(Ok(()), OwnedSlot::abort)
    }
}

impl Lender for Slot {
    const QUALIFIED_NAME: &'static CStr = c"polyproc.Slot";

    fn derived() -> &'static PyOnceLock<Py<PyType>> {
        static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        &CLASS
    }

    fn lend(&self) -> PyResult<Memory> {
        let mut state = self.open()?;
        state.views += 1;
        let room: &mut [u8] = state.slot.as_deref_mut().unwrap_or_default();
        Ok(Memory {
            at: room.as_mut_ptr(),
            len: room.len(),
            is_readonly: false,
        })
    }

    fn release_view(&self) {
        let mut state = self.state();
        state.views -= 1;
        // There is no caller to raise an error to.
        let _ = state.abort_unless_viewed();
    }
}
