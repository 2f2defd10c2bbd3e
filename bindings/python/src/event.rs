//! Events. `set` never waits for a waiter, so a dead one holds up nobody.

use std::os::fd::{OwnedFd, RawFd};

use polyproc::Status;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::common_methods;
use crate::errors::{self, OrRaise};
use crate::object::{origin, raised, Inner};
use crate::wait::{wait, Patience};

/// A flag between processes. All waiters of the moment return from `wait` when it is set, even if
/// it is cleared at once.
#[pyclass(module = "polyproc", frozen, subclass, dict, weakref)]
pub struct Event {
    inner: Inner<polyproc::Event>,
}

#[pymethods]
impl Event {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs),
           text_signature = "(name=None, *, create=None, exist_ok=False, mode=None)")]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Event {
        Event {
            inner: Inner::new(),
        }
    }

    #[pyo3(signature = (name = None, *, create = None, exist_ok = false, mode = None, ctx = None))]
    fn __init__(
        &self,
        py: Python<'_>,
        name: Option<&str>,
        create: Option<bool>,
        exist_ok: bool,
        mode: Option<u32>,
        ctx: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let _ = ctx;
        let made = origin(name, create, exist_ok, mode)?
            .make(polyproc::Event::create, polyproc::Event::open);
        self.inner.set(made.or_raise(py)?)
    }

    /// Set the flag. Also from a signal handler.
    fn set(&self, py: Python<'_>) -> PyResult<()> {
        self.inner.get()?.set().or_raise(py)
    }

    /// Clear the flag.
    fn clear(&self, py: Python<'_>) -> PyResult<()> {
        self.inner.get()?.clear().or_raise(py)
    }

    /// Whether the flag is set.
    fn is_set(&self, py: Python<'_>) -> PyResult<bool> {
        self.inner.get()?.is_set().or_raise(py)
    }

    /// Wait until the flag is set, or was set since the call began. False after the timeout.
    #[pyo3(signature = (timeout = None))]
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        let event = self.inner.get()?;
        let patience = Patience::new(true, timeout)?;
        let sets = event.sets().or_raise(py)?;
        match wait(py, patience, |wait| event.wait_since(sets, wait))? {
            Ok(()) => Ok(true),
            Err(Status::E_TIMEOUT) => Ok(false),
            Err(status) => Err(errors::exception(py, status)),
        }
    }

    /// A descriptor that is readable while the flag is set; the event owns it.
    fn fileno(&self, py: Python<'_>) -> PyResult<RawFd> {
        let event = self.inner.get()?;
        let fd = event.fd().or_raise(py)?;
        // A try that finds nothing lowers the descriptor.
        match event.wait_timeout(polyproc::Wait::TRY) {
            Ok(()) => Ok(raised(py, fd)),
            Err(_) => Ok(fd),
        }
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let state = match slf.get().is_set(slf.py())? {
            true => "set",
            false => "unset",
        };
        let class = slf.get_type();
        Ok(format!(
            "<{} at {:#x} {state}>",
            class.qualname()?,
            slf.as_ptr() as usize
        ))
    }
}

impl Event {
    fn opened(&self, py: Python<'_>, fd: OwnedFd) -> PyResult<()> {
        self.inner.set(polyproc::Event::from_fd(fd).or_raise(py)?)
    }
}

common_methods!(Event);
