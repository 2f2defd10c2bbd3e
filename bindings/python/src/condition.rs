//! Conditions. `notify` needs no answer from a waiter, so a dead one holds up nobody.

use std::os::fd::{OwnedFd, RawFd};
use std::time::Instant;

use polyproc::{Status, Wait};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};

use crate::acquire_methods;
use crate::errors::{self, OrRaise};
use crate::lock::{Lock, RLock};
use crate::object::{adopted, duplicated, origin, Inner};
use crate::wait::{wait_whole, Patience};

/// The owner of an rlock is the calling thread.
const THREAD: u64 = 0;

enum AnyLock {
    Lock(Py<Lock>),
    RLock(Py<RLock>),
    /// A lock of threading: it can be acquired and released through the condition, as in Python,
    /// and not waited with.
    Other(Py<PyAny>),
}

struct Parts {
    condition: polyproc::Condition,
    lock: AnyLock,
}

/// Wait, with a lock released, until another process notifies. Without a lock, the condition has an
/// `RLock` of its own.
#[pyclass(module = "polyproc", frozen, subclass, dict, weakref)]
pub struct Condition {
    inner: Inner<Parts>,
}

impl AnyLock {
    fn of(lock: &Bound<'_, PyAny>) -> PyResult<AnyLock> {
        if let Ok(lock) = lock.cast::<Lock>() {
            return Ok(AnyLock::Lock(lock.clone().unbind()));
        }
        match lock.cast::<RLock>() {
            Ok(lock) => Ok(AnyLock::RLock(lock.clone().unbind())),
            Err(_) if lock.hasattr("acquire")? && lock.hasattr("release")? => {
                Ok(AnyLock::Other(lock.clone().unbind()))
            }
            Err(_) => Err(no_lock()),
        }
    }

    fn object(&self, py: Python<'_>) -> Py<PyAny> {
        match self {
            AnyLock::Lock(lock) => lock.clone_ref(py).into_any(),
            AnyLock::RLock(lock) => lock.clone_ref(py).into_any(),
            AnyLock::Other(lock) => lock.clone_ref(py),
        }
    }

    fn check_held(&self, py: Python<'_>) -> PyResult<()> {
        let is_held = match self {
            AnyLock::Lock(lock) => lock.get().locked(py)?,
            AnyLock::RLock(lock) => lock.get().locked(py)?,
            AnyLock::Other(_) => return Err(no_lock()),
        };
        match is_held {
            true => Ok(()),
            false => Err(errors::exception(py, Status::E_NOT_OWNER)),
        }
    }
}

fn no_lock() -> PyErr {
    PyTypeError::new_err("a condition between processes needs a polyproc.Lock or polyproc.RLock")
}

#[pymethods]
impl Condition {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs),
           text_signature = "(lock=None, *, name=None, create=None, exist_ok=False, \
                                 mode=None)")]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Condition {
        Condition {
            inner: Inner::new(),
        }
    }

    #[pyo3(signature = (lock = None, *, name = None, create = None, exist_ok = false, mode = None, ctx = None))]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn __init__(
        &self,
        py: Python<'_>,
        lock: Option<&Bound<'_, PyAny>>,
        name: Option<&str>,
        create: Option<bool>,
        exist_ok: bool,
        mode: Option<u32>,
        ctx: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let _ = ctx;
        if name.is_some() && lock.is_none() {
            return Err(PyValueError::new_err(
                "a condition with a name needs a lock with a name",
            ));
        }
        let lock = match lock {
            Some(lock) => AnyLock::of(lock)?,
            None => AnyLock::of(&py.get_type::<RLock>().call0()?)?,
        };
        let condition = origin(name, create, exist_ok, mode)?
            .make(polyproc::Condition::create, polyproc::Condition::open);
        let condition = condition.or_raise(py)?;
        self.inner.set(Parts { condition, lock })
    }

    /// Release the condition's lock.
    fn release(&self, py: Python<'_>) -> PyResult<()> {
        self.release_one(py)
    }

    /// Release the lock, wait for a notification, and acquire the lock again. False after the
    /// timeout.
    #[pyo3(signature = (timeout = None))]
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        let Parts { condition, lock } = self.inner.get()?;
        let patience = Patience::new(true, timeout)?;
        let waited = match lock {
            AnyLock::Lock(held) => {
                let inner = held.get().inner.get()?;
                wait_whole(py, patience, |wait| condition.wait_on(inner, wait), drop)?
            }
            AnyLock::RLock(held) => {
                let inner = held.get().inner.get()?;
                let wait_on = |wait: Wait<'_>| condition.wait_on_rlock(inner, THREAD, wait);
                wait_whole(py, patience, wait_on, drop)?
            }
            AnyLock::Other(_) => return Err(no_lock()),
        };
        match waited {
            Ok(acquired) => {
                match lock {
                    AnyLock::Lock(lock) => lock.get().acquired(py, acquired)?,
                    AnyLock::RLock(lock) => lock.get().acquired(py, acquired)?,
                    AnyLock::Other(_) => {}
                }
                Ok(true)
            }
            Err(Status::E_TIMEOUT) => Ok(false),
            Err(status) => Err(errors::exception(py, status)),
        }
    }

    /// Wait until `predicate()` is true, and return its value.
    #[pyo3(signature = (predicate, timeout = None))]
    fn wait_for<'py>(
        slf: &Bound<'py, Self>,
        predicate: &Bound<'py, PyAny>,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let begin = Instant::now();
        loop {
            let result = predicate.call0()?;
            if result.is_truthy()? {
                return Ok(result);
            }
            let left = timeout.map(|timeout| timeout - begin.elapsed().as_secs_f64());
            if left.is_some_and(|left| left <= 0.0) {
                return Ok(result);
            }
            slf.get().wait(py, left)?;
        }
    }

    /// Wake up to `n` waiters.
    #[pyo3(signature = (n = 1))]
    fn notify(&self, py: Python<'_>, n: u64) -> PyResult<()> {
        let Parts { condition, lock } = self.inner.get()?;
        lock.check_held(py)?;
        let count = u32::try_from(n).unwrap_or(u32::MAX);
        condition.notify(count).or_raise(py)
    }

    /// Wake all waiters.
    fn notify_all(&self, py: Python<'_>) -> PyResult<()> {
        self.notify(py, u64::MAX)
    }

    #[getter]
    fn _lock(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        Ok(self.inner.get()?.lock.object(py))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let lock = slf.get()._lock(slf.py())?;
        let lock = lock.bind(slf.py()).repr()?;
        Ok(format!("<{}({lock})>", slf.get_type().qualname()?))
    }

    /// The condition behind a descriptor, which stays the caller's, over a lock.
    #[classmethod]
    #[pyo3(signature = (fd, lock, /))]
    fn from_fd<'py>(
        class: &Bound<'py, PyType>,
        fd: RawFd,
        lock: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        Condition::in_class(class, duplicated(fd)?, lock)
    }

    #[classmethod]
    fn _adopt<'py>(
        class: &Bound<'py, PyType>,
        fd: RawFd,
        lock: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        Condition::in_class(class, adopted(fd)?, lock)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let Parts { condition, lock } = slf.get().inner.get()?;
        let lock = lock.object(slf.py());
        crate::object::reduce_with(slf.as_any(), condition.raw_fd(), lock.bind(slf.py()))
    }
}

impl Condition {
    fn acquire_for(&self, py: Python<'_>, patience: Patience) -> PyResult<bool> {
        match &self.inner.get()?.lock {
            AnyLock::Lock(lock) => lock.get().acquire_for(py, patience),
            AnyLock::RLock(lock) => lock.get().acquire_for(py, patience),
            AnyLock::Other(lock) => {
                let lock = lock.bind(py);
                let acquired = match patience {
                    Patience::Try => lock.call_method1("acquire", (false,)),
                    Patience::Until(_) => {
                        lock.call_method1("acquire", (true, patience.left_seconds()))
                    }
                    Patience::Forever => lock.call_method0("acquire"),
                };
                acquired?.is_truthy()
            }
        }
    }

    fn release_one(&self, py: Python<'_>) -> PyResult<()> {
        match &self.inner.get()?.lock {
            AnyLock::Lock(lock) => lock.get().release_one(py),
            AnyLock::RLock(lock) => lock.get().release_one(py),
            AnyLock::Other(lock) => lock.call_method0(py, "release").map(drop),
        }
    }

    fn in_class<'py>(
        class: &Bound<'py, PyType>,
        fd: OwnedFd,
        lock: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = class.py();
        let object = class.call_method1(pyo3::intern!(py, "__new__"), (class,))?;
        let condition = polyproc::Condition::from_fd(fd).or_raise(py)?;
        let lock = AnyLock::of(lock)?;
        let parts = Parts { condition, lock };
        object.cast::<Condition>()?.get().inner.set(parts)?;
        Ok(object)
    }
}

acquire_methods!(Condition, "Acquire the condition's lock.");
