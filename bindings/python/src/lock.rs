//! Locks. The next holder gets the lock of a holder that was killed, and sees it in `owner_died`.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};

use polyproc::{Acquired, Status};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::common_methods;
use crate::errors::{self, OrRaise};
use crate::object::{origin, Inner, Origin};
use crate::wait::{wait, Patience};

/// A lock between processes: not recursive, and any process or thread may release it.
///
///     with lock:
///         ...
///
/// If the holder is killed, the next one gets the lock: `acquire` returns True, `owner_died` is
/// True, and the warning `polyproc.OwnerDied` is issued. Check the data that the lock guards.
#[pyclass(module = "polyproc", frozen, subclass, dict, weakref)]
pub struct Lock {
    pub inner: Inner<polyproc::Lock>,
    owner_died: AtomicBool,
}

/// Acquired a lock: note whether its owner died, and warn. If the warning is an error, the lock is
/// released.
pub fn note_acquired(
    py: Python<'_>,
    acquired: Acquired,
    owner_died: &AtomicBool,
    release: impl FnOnce() -> Result<(), Status>,
) -> PyResult<()> {
    let died = acquired == Acquired::OwnerDied;
    if died || owner_died.load(Ordering::Relaxed) {
        owner_died.store(died, Ordering::Relaxed);
    }
    if died {
        let category = errors::owner_died(py)?;
        let text = c"the last holder of the lock died while it held the lock";
        if let Err(error) = PyErr::warn(py, category, text, 1) {
            release().or_raise(py)?;
            return Err(error);
        }
    }
    Ok(())
}

/// `block` is the name of multiprocessing, `blocking` that of threading.
pub fn patience(block: bool, timeout: Option<f64>, blocking: Option<bool>) -> PyResult<Patience> {
    Patience::new(blocking.unwrap_or(block), timeout)
}

#[pymethods]
impl Lock {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Lock {
        Lock {
            inner: Inner::new(),
            owner_died: AtomicBool::new(false),
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
        let made = match origin(name, create, exist_ok, mode)? {
            Origin::Anonymous => polyproc::Lock::create(None, Default::default()),
            Origin::Create(name, options) => polyproc::Lock::create(Some(name), options),
            Origin::Open(name) => polyproc::Lock::open(name),
        };
        self.inner.set(made.or_raise(py)?)
    }

    /// Acquire the lock. Return False if it is held and `block` is False or the timeout is over.
    #[pyo3(signature = (block = true, timeout = None, *, blocking = None))]
    pub fn acquire(
        &self,
        py: Python<'_>,
        block: bool,
        timeout: Option<f64>,
        blocking: Option<bool>,
    ) -> PyResult<bool> {
        self.acquire_for(py, patience(block, timeout, blocking)?)
    }

    /// Release the lock, whoever acquired it. ValueError if it is free.
    pub fn release(&self, py: Python<'_>) -> PyResult<()> {
        self.inner.get()?.release().or_raise(py)
    }

    fn __enter__(&self, py: Python<'_>) -> PyResult<bool> {
        self.acquire_for(py, Patience::Forever)
    }

    #[pyo3(signature = (_type = None, _value = None, _traceback = None))]
    fn __exit__(
        &self,
        py: Python<'_>,
        _type: Option<&Bound<'_, PyAny>>,
        _value: Option<&Bound<'_, PyAny>>,
        _traceback: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        self.release(py)
    }

    /// Whether the lock is held.
    pub fn locked(&self, py: Python<'_>) -> PyResult<bool> {
        self.inner.get()?.is_locked().or_raise(py)
    }

    /// Whether the holder before the last acquire of this object died while it held the lock.
    #[getter]
    fn owner_died(&self) -> bool {
        self.owner_died.load(Ordering::Relaxed)
    }

    // Methods that code written for Python's own locks calls.

    #[getter]
    fn _semlock(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn _is_mine(&self, py: Python<'_>) -> PyResult<bool> {
        self.locked(py)
    }

    fn _count(&self, py: Python<'_>) -> PyResult<u32> {
        Ok(u32::from(self.locked(py)?))
    }

    fn _at_fork_reinit(&self, py: Python<'_>) -> PyResult<()> {
        match self.locked(py)? {
            true => self.release(py),
            false => Ok(()),
        }
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        represent(slf.as_any(), slf.get().locked(slf.py())?)
    }
}

pub fn represent(lock: &Bound<'_, PyAny>, is_locked: bool) -> PyResult<String> {
    let class = lock.get_type();
    Ok(format!(
        "<{} {}.{} object at {:#x}>",
        if is_locked { "locked" } else { "unlocked" },
        class.module()?,
        class.qualname()?,
        lock.as_ptr() as usize
    ))
}

impl Lock {
    fn opened(&self, py: Python<'_>, fd: OwnedFd) -> PyResult<()> {
        self.inner.set(polyproc::Lock::from_fd(fd).or_raise(py)?)
    }

    #[inline]
    fn acquire_for(&self, py: Python<'_>, patience: Patience) -> PyResult<bool> {
        let lock = self.inner.get()?;
        match wait(py, patience, |wait| lock.acquire_timeout(wait))? {
            Ok(acquired) => {
                self.acquired(py, acquired)?;
                Ok(true)
            }
            Err(Status::E_TIMEOUT) => Ok(false),
            Err(status) => Err(errors::exception(py, status)),
        }
    }

    pub fn acquired(&self, py: Python<'_>, acquired: Acquired) -> PyResult<()> {
        let lock = self.inner.get()?;
        note_acquired(py, acquired, &self.owner_died, || lock.release())
    }
}

common_methods!(Lock);

/// A recursive lock between processes: the thread that holds it may acquire it again, and only that
/// thread releases it.
///
/// If the holder is killed, the next one gets the lock, as with `Lock`.
#[pyclass(module = "polyproc", frozen, subclass, dict, weakref)]
pub struct RLock {
    pub inner: Inner<polyproc::Rlock>,
    owner_died: AtomicBool,
}

#[pymethods]
impl RLock {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> RLock {
        RLock {
            inner: Inner::new(),
            owner_died: AtomicBool::new(false),
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
        let made = match origin(name, create, exist_ok, mode)? {
            Origin::Anonymous => polyproc::Rlock::create(None, Default::default()),
            Origin::Create(name, options) => polyproc::Rlock::create(Some(name), options),
            Origin::Open(name) => polyproc::Rlock::open(name),
        };
        self.inner.set(made.or_raise(py)?)
    }

    /// Acquire the lock, or once more. Return False if another thread holds it and `block` is False
    /// or the timeout is over.
    #[pyo3(signature = (block = true, timeout = None, *, blocking = None))]
    pub fn acquire(
        &self,
        py: Python<'_>,
        block: bool,
        timeout: Option<f64>,
        blocking: Option<bool>,
    ) -> PyResult<bool> {
        self.acquire_for(py, patience(block, timeout, blocking)?)
    }

    /// Release the lock once. AssertionError (and RuntimeError) if this thread does not hold it.
    pub fn release(&self, py: Python<'_>) -> PyResult<()> {
        self.inner.get()?.release().or_raise(py)
    }

    fn __enter__(&self, py: Python<'_>) -> PyResult<bool> {
        self.acquire_for(py, Patience::Forever)
    }

    #[pyo3(signature = (_type = None, _value = None, _traceback = None))]
    fn __exit__(
        &self,
        py: Python<'_>,
        _type: Option<&Bound<'_, PyAny>>,
        _value: Option<&Bound<'_, PyAny>>,
        _traceback: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        self.release(py)
    }

    /// Whether a thread holds the lock.
    pub fn locked(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.inner.get()?.depth().or_raise(py)? > 0)
    }

    /// Whether the holder before the last acquire of this object died while it held the lock.
    #[getter]
    fn owner_died(&self) -> bool {
        self.owner_died.load(Ordering::Relaxed)
    }

    // Methods that code written for Python's own locks calls.

    #[getter]
    fn _semlock(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn _is_mine(&self, py: Python<'_>) -> PyResult<bool> {
        self._is_owned(py)
    }

    fn _count(&self, py: Python<'_>) -> PyResult<u32> {
        self._recursion_count(py)
    }

    /// How many times this thread holds the lock.
    fn _recursion_count(&self, py: Python<'_>) -> PyResult<u32> {
        let lock = self.inner.get()?;
        // A try is refused while another thread holds the lock.
        match lock.try_acquire() {
            Ok(_) => {
                let depth = lock.depth().or_raise(py)?;
                lock.release().or_raise(py)?;
                Ok(depth.saturating_sub(1))
            }
            Err(Status::E_TIMEOUT) => Ok(0),
            Err(status) => Err(errors::exception(py, status)),
        }
    }

    fn _is_owned(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self._recursion_count(py)? > 0)
    }

    /// For threading.Condition over this lock.
    fn _release_save(&self, py: Python<'_>) -> PyResult<u32> {
        let depth = self._recursion_count(py)?;
        for _ in 0..depth.max(1) {
            self.release(py)?;
        }
        Ok(depth)
    }

    fn _acquire_restore(&self, py: Python<'_>, depth: u32) -> PyResult<()> {
        for _ in 0..depth {
            self.acquire_for(py, Patience::Forever)?;
        }
        Ok(())
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        represent(slf.as_any(), slf.get().locked(slf.py())?)
    }
}

impl RLock {
    fn opened(&self, py: Python<'_>, fd: OwnedFd) -> PyResult<()> {
        self.inner.set(polyproc::Rlock::from_fd(fd).or_raise(py)?)
    }

    #[inline]
    fn acquire_for(&self, py: Python<'_>, patience: Patience) -> PyResult<bool> {
        let lock = self.inner.get()?;
        match wait(py, patience, |wait| lock.acquire_timeout(wait))? {
            Ok(acquired) => {
                self.acquired(py, acquired)?;
                Ok(true)
            }
            Err(Status::E_TIMEOUT) => Ok(false),
            Err(status) => Err(errors::exception(py, status)),
        }
    }

    pub fn acquired(&self, py: Python<'_>, acquired: Acquired) -> PyResult<()> {
        let lock = self.inner.get()?;
        note_acquired(py, acquired, &self.owner_died, || lock.release())
    }
}

common_methods!(RLock);
