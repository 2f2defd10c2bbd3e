//! Barriers. The death of a waiting party breaks the barrier at once.

use std::os::fd::{OwnedFd, RawFd};

use polyproc::Arrival;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};

use crate::errors::OrRaise;
use crate::object::{adopted, duplicated, origin, Inner};
use crate::wait::{wait_whole, Patience};

struct Parts {
    barrier: polyproc::Barrier,
    action: Option<Py<PyAny>>,
    timeout: Option<f64>,
}

/// A number of parties that proceed together, round by round. One of them calls `action` first.
///
/// A party that dies while it waits breaks the barrier at once: the others get BrokenBarrierError.
#[pyclass(module = "polyproc", frozen, subclass, dict, weakref)]
pub struct Barrier {
    inner: Inner<Parts>,
}

#[pymethods]
impl Barrier {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs),
           text_signature = "(parties, action=None, timeout=None, *, name=None, \
                                 create=None, exist_ok=False, mode=None)")]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Barrier {
        Barrier {
            inner: Inner::new(),
        }
    }

    #[pyo3(signature = (parties, action = None, timeout = None, *, name = None, create = None,
                        exist_ok = false, mode = None, ctx = None))]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn __init__(
        &self,
        py: Python<'_>,
        parties: u32,
        action: Option<Py<PyAny>>,
        timeout: Option<f64>,
        name: Option<&str>,
        create: Option<bool>,
        exist_ok: bool,
        mode: Option<u32>,
        ctx: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let _ = ctx;
        let made = origin(name, create, exist_ok, mode)?.make(
            |name, options| polyproc::Barrier::create(name, options, parties),
            polyproc::Barrier::open,
        );
        let barrier = made.or_raise(py)?;
        self.inner.set(Parts {
            barrier,
            action,
            timeout,
        })
    }

    /// Wait until all parties have come. Return a number from 0 to parties - 1, each once a round.
    /// BrokenBarrierError if the timeout is over, which breaks the barrier for all.
    #[pyo3(signature = (timeout = None))]
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<u32> {
        let parts = self.inner.get()?;
        let patience = Patience::new(true, timeout.or(parts.timeout))?;
        let barrier = &parts.barrier;
        let Some(action) = &parts.action else {
            let index = wait_whole(py, patience, |wait| barrier.wait_timeout(wait), drop)?;
            return in_time(py, index);
        };
        // The other parties wait for their leader.
        let leave = |arrival: Arrival| {
            if arrival.leader {
                let _ = barrier.complete(false);
            }
        };
        let arrival = wait_whole(py, patience, |wait| barrier.arrive_timeout(wait), leave)?;
        let arrival = in_time(py, arrival)?;
        if arrival.leader {
            let acted = action.call0(py);
            barrier.complete(acted.is_ok()).or_raise(py)?;
            acted?;
        }
        Ok(arrival.index)
    }

    /// Break the barrier: all parties get BrokenBarrierError until it is reset.
    fn abort(&self, py: Python<'_>) -> PyResult<()> {
        self.inner.get()?.barrier.abort().or_raise(py)
    }

    /// Start anew: those that wait get BrokenBarrierError.
    fn reset(&self, py: Python<'_>) -> PyResult<()> {
        self.inner.get()?.barrier.reset().or_raise(py)
    }

    /// How many parties the barrier has.
    #[getter]
    fn parties(&self, py: Python<'_>) -> PyResult<u32> {
        self.inner.get()?.barrier.parties().or_raise(py)
    }

    /// How many parties wait now.
    #[getter]
    fn n_waiting(&self, py: Python<'_>) -> PyResult<u32> {
        self.inner.get()?.barrier.waiting().or_raise(py)
    }

    /// Whether the barrier is broken.
    #[getter]
    fn broken(&self, py: Python<'_>) -> PyResult<bool> {
        self.inner.get()?.barrier.is_broken().or_raise(py)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let (py, class, barrier) = (slf.py(), slf.get_type(), slf.get());
        let state = match barrier.broken(py)? {
            true => "broken".to_owned(),
            false => format!(
                "waiters={}/{}",
                barrier.n_waiting(py)?,
                barrier.parties(py)?
            ),
        };
        let at = slf.as_ptr() as usize;
        let (module, name) = (class.module()?, class.qualname()?);
        Ok(format!("<{module}.{name} at {at:#x}: {state}>"))
    }

    /// The barrier behind a descriptor, which stays the caller's.
    #[classmethod]
    #[pyo3(signature = (fd, action = None, timeout = None, /))]
    fn from_fd<'py>(
        class: &Bound<'py, PyType>,
        fd: RawFd,
        action: Option<Py<PyAny>>,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        Barrier::in_class(class, duplicated(fd)?, action, timeout)
    }

    #[classmethod]
    fn _adopt<'py>(
        class: &Bound<'py, PyType>,
        fd: RawFd,
        with: (Option<Py<PyAny>>, Option<f64>),
    ) -> PyResult<Bound<'py, PyAny>> {
        Barrier::in_class(class, adopted(fd)?, with.0, with.1)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let parts = slf.get().inner.get()?;
        let action = parts.action.as_ref().map(|action| action.clone_ref(py));
        let with = (action, parts.timeout).into_pyobject(py)?;
        crate::object::reduce_with(slf.as_any(), parts.barrier.raw_fd(), with.as_any())
    }
}

/// A wait that timed out has broken the barrier.
fn in_time<T>(py: Python<'_>, waited: Result<T, polyproc::Status>) -> PyResult<T> {
    let waited = waited.map_err(|status| match status {
        polyproc::Status::E_TIMEOUT => polyproc::Status::E_BROKEN_BARRIER,
        other => other,
    });
    waited.or_raise(py)
}

impl Barrier {
    fn in_class<'py>(
        class: &Bound<'py, PyType>,
        fd: OwnedFd,
        action: Option<Py<PyAny>>,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = class.py();
        let object = class.call_method1(pyo3::intern!(py, "__new__"), (class,))?;
        let barrier = polyproc::Barrier::from_fd(fd).or_raise(py)?;
        let parts = Parts {
            barrier,
            action,
            timeout,
        };
        object.cast::<Barrier>()?.get().inner.set(parts)?;
        Ok(object)
    }
}
