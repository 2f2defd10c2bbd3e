//! Semaphores. The permits of an owned semaphore come back when their process is killed.

use std::os::fd::OwnedFd;
use std::sync::OnceLock;

use polyproc::{SemaphoreOptions, Status};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::errors::{self, OrRaise};
use crate::object::{origin, Inner, Number};
use crate::shortcut::Shortcut;
use crate::wait::{wait, Patience};
use crate::{acquire_methods, common_methods, shortcut};

/// A number of permits between processes.
///
/// With `owned=True` a permit belongs to the process that acquired it: only that process releases
/// it, and it comes back the moment that the process dies.
#[pyclass(module = "polyproc", frozen, subclass, dict, weakref)]
pub struct Semaphore {
    inner: Inner<polyproc::Semaphore>,
    /// Unknown of a semaphore that this process did not make.
    maximum: OnceLock<i64>,
}

#[pymethods]
impl Semaphore {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs),
           text_signature = "(value=1, *, name=None, create=None, exist_ok=False, \
                                 mode=None, owned=False, maximum=0)")]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Semaphore {
        Semaphore {
            inner: Inner::new(),
            maximum: OnceLock::new(),
        }
    }

    #[pyo3(signature = (value = Number(1), *, name = None, create = None, exist_ok = false,
                        mode = None, owned = false, maximum = 0, ctx = None))]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn __init__(
        &self,
        py: Python<'_>,
        value: Number,
        name: Option<&str>,
        create: Option<bool>,
        exist_ok: bool,
        mode: Option<u32>,
        owned: bool,
        maximum: i64,
        ctx: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let _ = ctx;
        let Number(value) = value;
        if value < 0 {
            return Err(PyValueError::new_err(
                "semaphore initial value must be >= 0",
            ));
        }
        let options = SemaphoreOptions {
            initial: value,
            maximum,
            owned,
            ..Default::default()
        };
        let made = origin(name, create, exist_ok, mode)?.make(
            |name, create| {
                polyproc::Semaphore::create(name, &SemaphoreOptions { create, ..options })
            },
            polyproc::Semaphore::open,
        );
        self.inner.set(made.or_raise(py)?)?;
        if !matches!(create, Some(false)) && maximum > 0 {
            let _ = self.maximum.set(maximum);
        }
        Ok(())
    }

    /// Release `n` permits. ValueError if there were more than the maximum.
    #[pyo3(signature = (n = 1))]
    fn release(&self, py: Python<'_>, n: i64) -> PyResult<()> {
        if n < 1 {
            return Err(PyValueError::new_err("n must be one or more"));
        }
        self.inner.get()?.release(n).or_raise(py)
    }

    /// The number of permits available now.
    fn get_value(&self, py: Python<'_>) -> PyResult<i64> {
        self.inner.get()?.value().or_raise(py)
    }

    // What Python's own queues ask of a semaphore of their context.

    #[getter]
    fn _semlock(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn _get_value(&self, py: Python<'_>) -> PyResult<i64> {
        self.get_value(py)
    }

    fn _is_zero(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.get_value(py)? == 0)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let class = slf.get_type();
        let value = slf.get().get_value(slf.py())?;
        let bound = slf.get().maximum.get();
        Ok(format!(
            "<{}.{} at {:#x}: value={value}{}>",
            class.module()?,
            class.qualname()?,
            slf.as_ptr() as usize,
            bound.map_or(String::new(), |bound| format!("/{bound}"))
        ))
    }
}

impl Semaphore {
    /// `acquire` without arguments, if there is a permit.
    #[inline]
    fn acquire_now(&self, _: Python<'_>) -> Shortcut {
        match self.inner.get().map(|semaphore| semaphore.try_acquire()) {
            Ok(Ok(())) => Shortcut::True,
            _ => Shortcut::Usual,
        }
    }

    #[inline]
    fn release_now(&self, _: Python<'_>) -> Shortcut {
        match self.inner.get().map(|semaphore| semaphore.release(1)) {
            Ok(Ok(())) => Shortcut::None,
            _ => Shortcut::Usual,
        }
    }

    pub fn install_shortcuts(py: Python<'_>) -> PyResult<()> {
        shortcut!(py, Semaphore, c"acquire", 0, acquire_now)?;
        shortcut!(py, Semaphore, c"release", 0, release_now)?;
        shortcut!(py, Semaphore, c"__enter__", 0, acquire_now)?;
        shortcut!(py, Semaphore, c"__exit__", 3, release_now)
    }

    fn opened(&self, py: Python<'_>, fd: OwnedFd) -> PyResult<()> {
        let opened = polyproc::Semaphore::from_fd(fd).or_raise(py)?;
        self.inner.set(opened)
    }

    fn release_one(&self, py: Python<'_>) -> PyResult<()> {
        self.release(py, 1)
    }

    #[inline]
    fn acquire_for(&self, py: Python<'_>, patience: Patience) -> PyResult<bool> {
        let semaphore = self.inner.get()?;
        match wait(py, patience, |wait| semaphore.acquire_timeout(wait))? {
            Ok(()) => Ok(true),
            Err(Status::E_TIMEOUT) => Ok(false),
            Err(status) => Err(errors::exception(py, status)),
        }
    }
}

acquire_methods!(
    Semaphore,
    "Acquire a permit. Return False if there is none and `block` is False or the timeout is over."
);
common_methods!(Semaphore);

/// A semaphore that never has more permits than at the start: a release too many is a ValueError.
#[pyclass(module = "polyproc", frozen, subclass, extends = Semaphore)]
pub struct BoundedSemaphore;

#[pymethods]
impl BoundedSemaphore {
    #[new]
    #[pyo3(signature = (*args, **kwargs),
           text_signature = "(value=1, *, name=None, create=None, exist_ok=False, \
                                 mode=None, owned=False)")]
    fn new(
        args: &Bound<'_, PyTuple>,
        kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyClassInitializer<BoundedSemaphore> {
        PyClassInitializer::from(Semaphore::new(args, kwargs)).add_subclass(BoundedSemaphore)
    }

    #[pyo3(signature = (value = Number(1), *, name = None, create = None, exist_ok = false,
                        mode = None, owned = false, ctx = None))]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn __init__(
        slf: &Bound<'_, Self>,
        value: Number,
        name: Option<&str>,
        create: Option<bool>,
        exist_ok: bool,
        mode: Option<u32>,
        owned: bool,
        ctx: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        if value.0 == 0 {
            return Err(PyValueError::new_err(
                "a bounded semaphore of 0 has no permits, ever",
            ));
        }
        let base = slf.as_super().get();
        base.__init__(
            slf.py(),
            value,
            name,
            create,
            exist_ok,
            mode,
            owned,
            value.0,
            ctx,
        )
    }
}
