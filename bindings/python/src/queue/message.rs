//! A message that was taken: read in place, and settled when its block is left.

use std::ffi::CStr;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use polyproc::{OwnedMessage, Status};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyMemoryView, PyType};

use super::format::Format;
use crate::buffer::{self, Lender, Memory};
use crate::errors::OrRaise;

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
    facts: OnceLock<Facts>,
    state: Mutex<State>,
}

/// The properties of the message, which stay readable after it was settled.
struct Facts {
    id: u64,
    deliveries: u32,
    len: usize,
    format: Format,
}

/// A message that nobody settled goes back to the queue with this.
#[derive(Default)]
struct State {
    /// None when it is settled.
    message: Option<OwnedMessage>,
    /// How it is to be settled, as soon as the last view of its memory is gone.
    asked: Option<Settle>,
    views: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Settle {
    Done,
    GiveBack,
}

/// Make the object for a message.
pub fn new(py: Python<'_>, message: OwnedMessage, format: Format) -> PyResult<Bound<'_, Message>> {
    let object = buffer::new::<Message>(py)?;
    let facts = Facts {
        id: message.id(),
        deliveries: message.deliveries(),
        len: message.len(),
        format,
    };
    let _ = object.get().facts.set(facts);
    object.get().state().message = Some(message);
    Ok(object)
}

#[pymethods]
impl Message {
    #[new]
    fn new() -> Message {
        Message {
            facts: OnceLock::new(),
            state: Mutex::default(),
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
        let facts = slf.get().facts()?;
        facts.format.decode_kept(slf.as_any())
    }

    /// How many times the message was delivered: 1 the first time.
    #[getter]
    fn deliveries(&self) -> PyResult<u32> {
        Ok(self.facts()?.deliveries)
    }

    /// The message's id: the same at every delivery, and greater for later messages.
    #[getter]
    fn id(&self) -> PyResult<u64> {
        Ok(self.facts()?.id)
    }

    fn __len__(&self) -> PyResult<usize> {
        drop(self.open()?);
        Ok(self.facts()?.len)
    }

    /// The work is done: the message is over, and on a joinable queue its task too.
    fn done(&self, py: Python<'_>) -> PyResult<()> {
        self.settle(py, Settle::Done)
    }

    /// Give the message back: it is first in line, and delivered once more.
    fn give_back(&self, py: Python<'_>) -> PyResult<()> {
        self.settle(py, Settle::GiveBack)
    }

    fn __enter__<'py>(slf: Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
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
        self.settle(
            py,
            if error.is_none() {
                Settle::Done
            } else {
                Settle::GiveBack
            },
        )
    }

    fn __repr__(&self) -> PyResult<String> {
        let Facts {
            id,
            len,
            deliveries,
            ..
        } = self.facts()?;
        let state = match self.state().asked {
            None => "taken",
            Some(Settle::Done) => "done",
            Some(Settle::GiveBack) => "given back",
        };
        Ok(format!(
            "<polyproc.Message {state} id={id} len={len} deliveries={deliveries}>"
        ))
    }
}

impl Message {
    fn facts(&self) -> PyResult<&Facts> {
        let made = || PyRuntimeError::new_err("a message is made by a queue's take()");
        self.facts.get().ok_or_else(made)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state of a message that is not settled.
    fn open(&self) -> PyResult<MutexGuard<'_, State>> {
        self.facts()?;
        let state = self.state();
        match state.asked {
            None => Ok(state),
            Some(_) => Err(PyValueError::new_err("the message is settled already")),
        }
    }

    fn settle(&self, py: Python<'_>, how: Settle) -> PyResult<()> {
        let mut state = self.open()?;
        state.asked = Some(how);
        let settled = state.settle_unless_viewed();
        // Without the interpreter lock, code of Python may wait for the thread that wants the
        // state.
        drop(state);
        settled.or_raise(py)
    }
}

impl State {
    fn settle_unless_viewed(&mut self) -> Result<(), Status> {
        if self.views > 0 || self.asked.is_none() {
            return Ok(());
        }
        match (self.message.take(), self.asked) {
            (Some(message), Some(Settle::Done)) => message.done(),
            (Some(message), _) => message.give_back(),
            (None, _) => Ok(()),
        }
    }
}

impl Lender for Message {
    const QUALIFIED_NAME: &'static CStr = c"polyproc.Message";

    fn derived() -> &'static PyOnceLock<Py<PyType>> {
        static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        &CLASS
    }

    fn lend(&self) -> PyResult<Memory> {
        let mut state = self.open()?;
        state.views += 1;
        let bytes: &[u8] = state.message.as_deref().unwrap_or_default();
        Ok(Memory {
            at: bytes.as_ptr().cast_mut(),
            len: bytes.len(),
            is_readonly: true,
        })
    }

    fn release_view(&self) {
        let mut state = self.state();
        state.views -= 1;
        // There is no caller to raise an error to.
        let _ = state.settle_unless_viewed();
    }
}
