//! The pairs of a dict, which another thread may change meanwhile: without the interpreter lock at
//! any moment, with it while a pair is looked at by code of Python.

use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::critical_section::with_critical_section;
use pyo3::types::PyDict;

/// Each pair that is there when its turn comes. PyO3's iterator panics if the dict grows or
/// shrinks.
pub fn pairs<'py>(
    dict: &Bound<'py, PyDict>,
) -> impl Iterator<Item = (Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let (dict, mut at) = (dict.clone(), 0);
    std::iter::from_fn(move || {
        with_critical_section(&dict, || {
            let (mut key, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
            // SAFETY: the dict is locked, or this thread has the interpreter lock, so the pair is
            // alive until it is referred to.
            unsafe {
                if ffi::PyDict_Next(dict.as_ptr(), &mut at, &mut key, &mut value) == 0 {
                    return None;
                }
                let py = dict.py();
                let (key, value) = (
                    Bound::from_borrowed_ptr(py, key),
                    Bound::from_borrowed_ptr(py, value),
                );
                Some((key, value))
            }
        })
    })
}

/// For whoever has said how many items follow: an error if they were more or fewer.
pub fn check_count(said: usize, followed: usize) -> PyResult<()> {
    match said == followed {
        true => Ok(()),
        false => Err(PyRuntimeError::new_err(
            "the value was changed by another thread meanwhile",
        )),
    }
}
