//! A status of polyproc as an exception of Python.

use polyproc::{Error, Status};
use pyo3::exceptions::{
    PyBrokenPipeError, PyEOFError, PyFileExistsError, PyFileNotFoundError, PyMemoryError,
    PyOSError, PyPermissionError, PyRuntimeError, PyValueError,
};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

/// A class of Python that is looked up once.
macro_rules! imported {
    ($name:ident, $module:literal, $class:literal) => {
        pub fn $name(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
            static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
            CLASS.import(py, $module, $class)
        }
    };
}

imported!(queue_empty, "queue", "Empty");
imported!(queue_full, "queue", "Full");
imported!(shut_down, "polyproc.errors", "ShutDown");
imported!(broken_barrier, "threading", "BrokenBarrierError");
imported!(not_owned, "polyproc.errors", "NotOwned");
imported!(over_released, "polyproc.errors", "OverReleased");
imported!(owner_died, "polyproc.errors", "OwnerDied");
imported!(not_supported, "polyproc.errors", "Unsupported");
imported!(mismatch, "polyproc.errors", "Mismatch");
imported!(corrupt, "polyproc.errors", "Corrupt");
imported!(authentication, "multiprocessing", "AuthenticationError");

fn raise(class: PyResult<&Bound<'_, PyType>>, text: String) -> PyErr {
    match class {
        Ok(class) => PyErr::from_type(class.clone(), text),
        Err(failed) => failed,
    }
}

/// The exception for a status that a call of this thread has just returned.
#[cold]
pub fn exception(py: Python<'_>, status: Status) -> PyErr {
    // Queue.Empty and queue.Full have no text in Python either.
    match status {
        Status::E_EMPTY => return empty(py),
        Status::E_FULL => return full(py),
        _ => {}
    }
    let text = Error::from(status).to_string();
    match status {
        Status::E_SHUTDOWN => raise(shut_down(py), text),
        Status::E_BROKEN_BARRIER => match broken_barrier(py) {
            Ok(class) => PyErr::from_type(class.clone(), ()),
            Err(failed) => failed,
        },
        Status::E_NOT_OWNER => raise(not_owned(py), text),
        Status::E_OVER_RELEASE => raise(over_released(py), text),
        Status::E_UNSUPPORTED => raise(not_supported(py), text),
        Status::E_MISMATCH => raise(mismatch(py), text),
        Status::E_CORRUPT => raise(corrupt(py), text),
        Status::E_AUTH => raise(authentication(py), text),
        Status::E_EOF => PyEOFError::new_err(()),
        Status::E_BROKEN_PIPE => PyBrokenPipeError::new_err((libc::EPIPE, text)),
        Status::E_INVALID | Status::E_TOO_LARGE | Status::E_CLOSED => PyValueError::new_err(text),
        Status::E_NO_MEMORY => PyMemoryError::new_err(text),
        Status::E_NOT_FOUND => PyFileNotFoundError::new_err((libc::ENOENT, text)),
        Status::E_EXISTS => PyFileExistsError::new_err((libc::EEXIST, text)),
        Status::E_PERMISSION => PyPermissionError::new_err((libc::EACCES, text)),
        Status::E_LIMIT => PyOSError::new_err((libc::EMFILE, text)),
        Status::E_TIMEOUT => pyo3::exceptions::PyTimeoutError::new_err(text),
        other => match other.errno() {
            Some(errno) => PyOSError::new_err((errno, text)),
            None => PyRuntimeError::new_err(text),
        },
    }
}

/// The exception for `E_MISMATCH`, whose text `worded` changes.
#[cold]
pub fn mismatched(py: Python<'_>, status: Status, worded: fn(&str) -> String) -> PyErr {
    raise(mismatch(py), worded(&Error::from(status).to_string()))
}

#[cold]
pub fn empty(py: Python<'_>) -> PyErr {
    raise_bare(queue_empty(py))
}

#[cold]
pub fn full(py: Python<'_>) -> PyErr {
    raise_bare(queue_full(py))
}

fn raise_bare(class: PyResult<&Bound<'_, PyType>>) -> PyErr {
    match class {
        Ok(class) => PyErr::from_type(class.clone(), ()),
        Err(failed) => failed,
    }
}

/// Turns the status of a call into an exception.
pub trait OrRaise<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;

    /// As `or_raise`, for a get. A try times out if another process, which may have been preempted,
    /// holds an internal lock for too long. As with multiprocessing, that is `queue.Empty`.
    fn or_empty(self, py: Python<'_>) -> PyResult<T>;

    /// As `or_empty`, for a put: `queue.Full`.
    fn or_full(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrRaise<T> for Result<T, Status> {
    #[inline]
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|status| exception(py, status))
    }

    #[inline]
    fn or_empty(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|status| match status {
            Status::E_TIMEOUT => empty(py),
            other => exception(py, other),
        })
    }

    #[inline]
    fn or_full(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|status| match status {
            Status::E_TIMEOUT => full(py),
            other => exception(py, other),
        })
    }
}
