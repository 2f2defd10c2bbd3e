//! How a message stands, by its id.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::put::with_scratch;
use super::Queue;
use crate::errors::OrRaise;
use crate::wait::{wait, Patience};

#[pymethods]
impl Queue {
    /// Put an object as `put` does, and return the id of its message: the one that `settled` takes
    /// and that its consumer sees as `message.id`. The message may be got before this call returns.
    /// `put` is faster.
    #[pyo3(signature = (obj, block = true, timeout = None))]
    fn put_id(
        slf: &Bound<'_, Self>,
        obj: &Bound<'_, PyAny>,
        block: bool,
        timeout: Option<f64>,
    ) -> PyResult<u64> {
        let (py, parts) = (slf.py(), Queue::open(slf)?);
        let patience = Patience::new(block, timeout)?;
        let queue = &*parts.queue;
        with_scratch(|scratch| {
            parts.encode_whole(obj, scratch)?;
            let message = &*scratch;
            wait(py, patience, |wait| queue.put_id(message, wait))?.or_full(py)
        })
    }

    /// The number of the `MessageState` of the message that has this id.
    fn _settled(&self, py: Python<'_>, id: u64) -> PyResult<i32> {
        let state = self.inner.get()?.queue.settled(id).or_raise(py)?;
        Ok(state as i32)
    }

    /// The 16 bytes that are drawn at random when a queue is made. A queue that was made again
    /// under the same name has another identity, and ids of its own.
    #[getter]
    fn identity<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let identity = self.inner.get()?.queue.identity().or_raise(py)?;
        Ok(PyBytes::new(py, &identity))
    }
}
