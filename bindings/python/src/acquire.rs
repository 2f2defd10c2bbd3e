//! Methods that the classes of locks and semaphores share.

use pyo3::prelude::*;

use crate::wait::Patience;

/// How long an acquire waits: `block` is the name of multiprocessing, `blocking` that of threading.
pub fn patience(block: bool, timeout: Option<f64>, blocking: Option<bool>) -> PyResult<Patience> {
    Patience::new(blocking.unwrap_or(block), timeout)
}

/// `acquire`, and `with`. The class has functions `acquire_for` and `release_one`.
#[macro_export]
macro_rules! acquire_methods {
    ($class:ident, $doc:literal) => {
        #[pyo3::pymethods]
        impl $class {
            #[doc = $doc]
            #[pyo3(signature = (block = true, timeout = None, *, blocking = None))]
            fn acquire(
                &self,
                py: pyo3::Python<'_>,
                block: bool,
                timeout: Option<f64>,
                blocking: Option<bool>,
            ) -> pyo3::PyResult<bool> {
                self.acquire_for(py, $crate::acquire::patience(block, timeout, blocking)?)
            }

            fn __enter__(&self, py: pyo3::Python<'_>) -> pyo3::PyResult<bool> {
                self.acquire_for(py, $crate::wait::Patience::Forever)
            }

            #[pyo3(signature = (*_error))]
            fn __exit__(
                &self,
                py: pyo3::Python<'_>,
                _error: &pyo3::Bound<'_, pyo3::types::PyTuple>,
            ) -> pyo3::PyResult<()> {
                self.release_one(py)
            }
        }
    };
}
