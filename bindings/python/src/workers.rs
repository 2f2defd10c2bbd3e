//! Pools whose workers, or whose owner, are programs in any language: functions by name, bytes in,
//! bytes out.

use std::ffi::CString;
use std::sync::{Arc, Mutex, PoisonError};

use polyproc::{PoolOptions, Reply, Status, TaskOptions};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::buffer::Bytes;
use crate::errors::{self, OrRaise};
use crate::wait::{wait, Patience};

/// A pool of worker programs.
#[pyclass(module = "polyproc.workers", frozen, subclass, weakref)]
pub struct ProgramPool {
    /// None when it is closed. Dropping the last reference kills the workers.
    pool: Mutex<Option<Arc<polyproc::Pool>>>,
}

/// A task of such a pool.
#[pyclass(module = "polyproc.workers", frozen, weakref)]
pub struct ProgramTask {
    task: polyproc::Task,
}

#[pymethods]
impl ProgramPool {
    #[new]
    #[pyo3(signature = (argv, workers = 0, max_tasks_per_worker = 0, max_attempts = 1))]
    fn new(
        py: Python<'_>,
        argv: Vec<String>,
        workers: u32,
        max_tasks_per_worker: u32,
        max_attempts: u32,
    ) -> PyResult<ProgramPool> {
        if argv.is_empty() {
            return Err(PyValueError::new_err(
                "argv is empty: it names the worker program",
            ));
        }
        let argv = argv.into_iter().map(CString::new).collect::<Result<_, _>>();
        let options = PoolOptions {
            argv: argv.map_err(|_| PyValueError::new_err("embedded null character"))?,
            workers,
            max_tasks_per_worker,
            max_attempts,
            ..Default::default()
        };
        let pool = py.detach(|| polyproc::Pool::create(&options));
        Ok(ProgramPool {
            pool: Mutex::new(Some(Arc::new(pool.or_raise(py)?))),
        })
    }

    fn submit(
        &self,
        py: Python<'_>,
        function: &str,
        data: &Bound<'_, PyAny>,
    ) -> PyResult<ProgramTask> {
        let data = Bytes::of(data)?;
        let task = self
            .open()?
            .submit(function, data.as_slice(), &TaskOptions::default());
        Ok(ProgramTask {
            task: task.or_raise(py)?,
        })
    }

    fn shutdown(&self, py: Python<'_>) -> PyResult<()> {
        self.open()?.shutdown().or_raise(py)
    }

    fn terminate(&self, py: Python<'_>) -> PyResult<()> {
        self.open()?.terminate().or_raise(py)
    }

    #[pyo3(signature = (timeout = None))]
    fn join(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        let pool = self.open()?;
        match wait(py, Patience::new(true, timeout)?, |wait| {
            pool.join_timeout(wait)
        })? {
            Ok(()) => Ok(true),
            Err(Status::E_TIMEOUT) => Ok(false),
            Err(status) => Err(errors::exception(py, status)),
        }
    }

    fn worker_pids(&self, py: Python<'_>) -> PyResult<Vec<i32>> {
        self.open()?.worker_pids().or_raise(py)
    }

    /// Kill the workers.
    fn close(&self, py: Python<'_>) {
        let pool = self
            .pool
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        py.detach(|| drop(pool));
    }
}

impl ProgramPool {
    fn open(&self) -> PyResult<Arc<polyproc::Pool>> {
        let pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        pool.clone()
            .ok_or_else(|| PyValueError::new_err("the pool is closed"))
    }
}

#[pymethods]
impl ProgramTask {
    /// Wait, and return the status and the data of the outcome: (0, result) or (status, message).
    /// None after the timeout.
    #[pyo3(signature = (timeout = None))]
    fn outcome<'py>(
        &self,
        py: Python<'py>,
        timeout: Option<f64>,
    ) -> PyResult<Option<(i32, Bound<'py, PyBytes>)>> {
        match wait(py, Patience::new(true, timeout)?, |wait| {
            self.task.wait_timeout(wait).map(drop)
        })? {
            Ok(()) => {}
            Err(Status::E_TIMEOUT) => return Ok(None),
            Err(status) => return Err(errors::exception(py, status)),
        }
        let outcome = self.task.outcome();
        Ok(outcome.map(|outcome| (outcome.status.code(), PyBytes::new(py, &outcome.data))))
    }

    /// Keep the task from being started. Return whether that came in time.
    fn cancel(&self, py: Python<'_>) -> PyResult<bool> {
        self.task.cancel().or_raise(py)
    }
}

/// Register a function of this worker: it gets bytes and returns bytes.
#[pyfunction]
pub fn register_function(py: Python<'_>, name: &str, function: Py<PyAny>) -> PyResult<()> {
    let call = move |data: &[u8], reply: &mut Reply| -> i32 {
        Python::attach(|py| match call(py, &function, data) {
            Ok(result) => {
                reply.write(result.as_bytes());
                0
            }
            Err(error) => {
                reply.write(message(py, &error).as_bytes());
                1
            }
        })
    };
    polyproc::worker::register(name, Arc::new(call)).or_raise(py)
}

fn call<'py>(py: Python<'py>, function: &Py<PyAny>, data: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let result = function.bind(py).call1((PyBytes::new(py, data),))?;
    Ok(result.cast_into::<PyBytes>()?)
}

/// The message of an exception, or its class if it has no message.
fn message(py: Python<'_>, error: &PyErr) -> String {
    let text = error.value(py).to_string();
    match text.is_empty() {
        true => error.get_type(py).to_string(),
        false => text,
    }
}

/// Run tasks until the pool is shut down.
#[pyfunction]
pub fn run_worker(py: Python<'_>) -> PyResult<()> {
    loop {
        match py.detach(polyproc::worker::run) {
            Err(Status::E_INTERRUPTED) => py.check_signals()?,
            other => return other.or_raise(py),
        }
    }
}
