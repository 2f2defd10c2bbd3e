//! Locks. The next holder gets the lock of a holder that was killed, and sees it in `owner_died`.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};

use polyproc::{Acquired, Status};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::errors::{self, OrRaise};
use crate::object::{origin, Inner};
use crate::shortcut::Shortcut;
use crate::wait::{wait, Patience};
use crate::{acquire_methods, common_methods, shortcut};

/// A lock between processes: not recursive, and any process or thread may release it.
///
///     with lock:
///         ...
///
/// If the holder is killed, the next one gets the lock: `acquire` returns True, `owner_died` is
/// True, and the warning `polyproc.OwnerDied` is issued. Check the data that the lock guards.
///
/// With a name, every process finds the lock under it: see `Queue` for `create`, `exist_ok`,
/// `mode`.
#[pyclass(module = "polyproc", frozen, subclass, dict, weakref)]
pub struct Lock {
    pub inner: Inner<polyproc::Lock>,
    owner_died: AtomicBool,
}

/// A recursive lock between processes: the thread that holds it may acquire it again, and only that
/// thread releases it.
///
/// If the holder is killed, the next one gets the lock, as with `Lock`.
#[pyclass(module = "polyproc", frozen, subclass, dict, weakref)]
pub struct RLock {
    pub inner: Inner<polyproc::Rlock>,
    owner_died: AtomicBool,
}

/// The methods that both classes have.
macro_rules! lock_methods {
    ($class:ident, $inner:ty) => {
        #[pymethods]
        impl $class {
            #[new]
            #[pyo3(signature = (*_args, **_kwargs),
                   text_signature = "(name=None, *, create=None, exist_ok=False, mode=None)")]
            fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> $class {
                $class {
                    inner: Inner::new(),
                    owner_died: AtomicBool::new(false),
                }
            }

            #[pyo3(signature = (name=None, *, create=None, exist_ok=false, mode=None, ctx=None))]
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
                let origin = origin(name, create, exist_ok, mode)?;
                let made = origin.make(<$inner>::create, <$inner>::open);
                self.inner.set(made.or_raise(py)?)
            }

            /// Whether the holder before the last acquire of this object died while it held the
            /// lock.
            #[getter]
            fn owner_died(&self) -> bool {
                self.owner_died.load(Ordering::Relaxed)
            }

            // For code written for Python's own locks.
            #[getter]
            fn _semlock(slf: Bound<'_, Self>) -> Bound<'_, Self> {
                slf
            }

            fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
                represent(slf.as_any(), slf.get().locked(slf.py())?)
            }
        }

        impl $class {
            /// `acquire` without arguments, of a lock that is free.
            #[inline]
            fn acquire_now(&self, py: Python<'_>) -> Shortcut {
                let Ok(lock) = self.inner.get() else {
                    return Shortcut::Usual;
                };
                match lock.try_acquire() {
                    Ok(acquired) => match self.acquired(py, acquired) {
                        Ok(()) => Shortcut::True,
                        Err(error) => {
                            error.restore(py);
                            Shortcut::Raised
                        }
                    },
                    Err(_) => Shortcut::Usual,
                }
            }

            #[inline]
            fn release_now(&self, _: Python<'_>) -> Shortcut {
                match self.inner.get().map(|lock| lock.release()) {
                    Ok(Ok(())) => Shortcut::None,
                    _ => Shortcut::Usual,
                }
            }

            pub fn install_shortcuts(py: Python<'_>) -> PyResult<()> {
                shortcut!(py, $class, c"acquire", 0, acquire_now)?;
                shortcut!(py, $class, c"release", 0, release_now)?;
                shortcut!(py, $class, c"__enter__", 0, acquire_now)?;
                shortcut!(py, $class, c"__exit__", 3, release_now)
            }

            fn opened(&self, py: Python<'_>, fd: OwnedFd) -> PyResult<()> {
                self.inner.set(<$inner>::from_fd(fd).or_raise(py)?)
            }

            #[inline]
            pub fn acquire_for(&self, py: Python<'_>, patience: Patience) -> PyResult<bool> {
                let lock = self.inner.get()?;
                match wait(py, patience, |wait| lock.acquire_timeout(wait))? {
                    Ok(acquired) => self.acquired(py, acquired).map(|()| true),
                    Err(Status::E_TIMEOUT) => Ok(false),
                    Err(status) => Err(errors::exception(py, status)),
                }
            }

            #[inline]
            pub fn release_one(&self, py: Python<'_>) -> PyResult<()> {
                self.inner.get()?.release().or_raise(py)
            }

            /// Acquired the lock: note whether its owner died, and warn. If the warning is an
            /// error, the lock is released.
            #[inline]
            pub fn acquired(&self, py: Python<'_>, acquired: Acquired) -> PyResult<()> {
                let died = acquired == Acquired::OwnerDied;
                if died || self.owner_died.load(Ordering::Relaxed) {
                    self.owner_died.store(died, Ordering::Relaxed);
                }
                match died {
                    true => warn(py).inspect_err(|_| drop(self.release_one(py))),
                    false => Ok(()),
                }
            }
        }

        common_methods!($class);
    };
}

lock_methods!(Lock, polyproc::Lock);
acquire_methods!(
    Lock,
    "Acquire the lock. Return False if it is held and `block` is False or the timeout is over."
);

lock_methods!(RLock, polyproc::Rlock);
acquire_methods!(
    RLock,
    "Acquire the lock, or once more. Return False if another thread holds it and `block` is \
     False or the timeout is over."
);

#[cold]
fn warn(py: Python<'_>) -> PyResult<()> {
    let text = c"the last holder of the lock died while it held the lock";
    PyErr::warn(py, errors::owner_died(py)?, text, 1)
}

fn represent(lock: &Bound<'_, PyAny>, is_locked: bool) -> PyResult<String> {
    let class = lock.get_type();
    Ok(format!(
        "<{} {}.{} object at {:#x}>",
        if is_locked { "locked" } else { "unlocked" },
        class.module()?,
        class.qualname()?,
        lock.as_ptr() as usize
    ))
}

#[pymethods]
impl Lock {
    /// Release the lock, whoever acquired it. ValueError if it is free.
    fn release(&self, py: Python<'_>) -> PyResult<()> {
        self.release_one(py)
    }

    /// Whether the lock is held.
    pub fn locked(&self, py: Python<'_>) -> PyResult<bool> {
        self.inner.get()?.is_locked().or_raise(py)
    }

    // Methods that code written for Python's own locks calls.

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
}

#[pymethods]
impl RLock {
    /// Release the lock once. AssertionError (and RuntimeError) if this thread does not hold it.
    fn release(&self, py: Python<'_>) -> PyResult<()> {
        self.release_one(py)
    }

    /// Whether a thread holds the lock.
    pub fn locked(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.inner.get()?.depth().or_raise(py)? > 0)
    }

    // Methods that code written for Python's own locks calls.

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
}
