//! Queues of messages.
//!
//! ```text
//! put get many     Python's values in and out
//! message slot     loans: reading and writing in place
//! settled          what became of a message
//! format           what the messages are
//! info             the numbers of a queue
//! ```

mod format;
pub mod get;
pub mod info;
mod many;
pub mod message;
pub mod put;
mod settled;
pub mod slot;

use std::os::fd::{OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use polyproc::{QueueOptions, Status};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::common_methods;
use crate::errors::{self, OrRaise};
use crate::object::{origin, raised, Inner, Number};
use crate::wait::{wait, Patience};
use format::Format;

pub struct Parts {
    pub queue: Arc<polyproc::Queue>,
    format: Format,
    label: String,
    is_joinable: bool,
    maxsize: u64,
    name: Option<String>,
}

impl Parts {
    fn raw_fd(&self) -> RawFd {
        self.queue.raw_fd()
    }

    fn share_fd(&self) -> Result<OwnedFd, Status> {
        self.queue.share_fd()
    }

    fn new(py: Python<'_>, queue: polyproc::Queue, name: Option<&str>) -> PyResult<Parts> {
        let options = queue.options().or_raise(py)?;
        let label = format::name(&options.format);
        Ok(Parts {
            queue: Arc::new(queue),
            format: Format::of(&label),
            label,
            is_joinable: options.joinable,
            maxsize: options.max_items,
            name: name.map(str::to_owned),
        })
    }

    /// See [`Format::encode`].
    #[inline]
    fn encode(&self, value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<bool> {
        self.format.encode(&self.label, value, out)
    }

    /// See [`Format::encode_whole`].
    fn encode_whole(&self, value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
        self.format.encode_whole(&self.label, value, out)
    }
}

/// A queue of Python's objects between processes.
///
///     queue = Queue()
///     Process(target=work, args=(queue,)).start()  # calls queue.put
///     print(queue.get())
///
/// `put` means that everybody can get it: there is no thread that feeds the queue, so `qsize`,
/// `empty` and `full` tell the truth, and no process waits at its end for data that nobody reads.
/// A process that is killed, wherever it is, holds up nobody.
///
/// With a name, the queue is open to every process, in any language: `format="msgpack"` makes
/// messages that Go, Node, C, C++ and Rust read. It stays until `polyproc.unlink(name)`.
///
///     # Made, or opened if it exists.
///     jobs = Queue(name="jobs", create=True, exist_ok=True, format="msgpack")
///     with jobs.take() as message:  # killed in this block: another process gets it
///         work_on(message.value)
///
/// `for obj in queue` ends when the queue is shut down and drained.
///
///     maxsize         how many objects may wait; without a limit if it is not positive
///     name            a name, under which other processes find the queue
///     create          of a queue with a name: True, as None, makes it; False opens it
///     exist_ok        open the queue if it exists, instead of a FileExistsError
///     mode            the permissions, 0o600 if None
///     joinable        an object that was got stays unfinished until `task_done`: see JoinableQueue
///     format          "pickle" for Python, "msgpack" for other languages too, "bytes" for
///                     bytes-like objects as they are; a label of your own, such as "json", is
///                     for bytes-like objects too
///     max_bytes       how many bytes may wait; 0 for no limit
///     max_deliveries  an object that came back so often becomes a dead letter; 0 for never
#[pyclass(module = "polyproc._core", frozen, subclass, dict, weakref)]
pub struct Queue {
    inner: Inner<Parts>,
    is_closed: AtomicBool,
}

#[pymethods]
impl Queue {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs),
           text_signature = "(maxsize=0, *, name=None, create=None, exist_ok=False, \
                                 mode=None, joinable=False, format=\"pickle\", max_bytes=0, \
                                 max_deliveries=0)")]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Queue {
        Queue {
            inner: Inner::new(),
            is_closed: AtomicBool::new(false),
        }
    }

    #[pyo3(signature = (maxsize = Number(0), *, name = None, create = None, exist_ok = false,
                        mode = None, joinable = false, format = "pickle", max_bytes = 0,
                        max_deliveries = 0, ctx = None))]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn __init__(
        &self,
        py: Python<'_>,
        maxsize: Number,
        name: Option<&str>,
        create: Option<bool>,
        exist_ok: bool,
        mode: Option<u32>,
        joinable: bool,
        format: &str,
        max_bytes: u64,
        max_deliveries: u32,
        ctx: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let _ = ctx;
        let options = QueueOptions {
            joinable,
            // As in Python, a size that is not positive is none.
            max_items: u64::try_from(maxsize.0).unwrap_or(0),
            max_bytes,
            max_deliveries,
            format: format::label(format)?,
            ..Default::default()
        };
        let made = origin(name, create, exist_ok, mode)?.make(
            |name, create| polyproc::Queue::create(name, &QueueOptions { create, ..options }),
            polyproc::Queue::open,
        );
        let made = made.map_err(|status| match status {
            Status::E_MISMATCH => errors::mismatched(py, status, format::spelled),
            other => errors::exception(py, other),
        });
        self.inner.set(Parts::new(py, made?, name)?)
    }

    /// How many messages wait.
    fn qsize(&self, py: Python<'_>) -> PyResult<u64> {
        self.inner.get()?.queue.len().or_raise(py)
    }

    /// Whether no message waits.
    fn empty(&self, py: Python<'_>) -> PyResult<bool> {
        self.inner.get()?.queue.is_empty().or_raise(py)
    }

    /// Whether a put would wait.
    fn full(&self, py: Python<'_>) -> PyResult<bool> {
        self.inner.get()?.queue.is_full().or_raise(py)
    }

    /// Put and get no more with this object.
    fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
    }

    /// There is no thread to join: a message that was put is in the queue.
    fn join_thread(&self) -> PyResult<()> {
        match self.is_closed.load(Ordering::Relaxed) {
            true => Ok(()),
            false => Err(pyo3::exceptions::PyAssertionError::new_err(
                "the queue is not closed",
            )),
        }
    }

    /// There is no thread to join.
    fn cancel_join_thread(&self) {}

    /// Refuse puts from now on: they raise ShutDown. Gets drain the queue, and raise ShutDown then;
    /// with `immediate` what is in the queue is discarded.
    #[pyo3(signature = (immediate = false))]
    fn shutdown(&self, py: Python<'_>, immediate: bool) -> PyResult<()> {
        self.inner.get()?.queue.shutdown(immediate).or_raise(py)
    }

    /// Of a joinable queue: the oldest message that this process got is done. ValueError if there
    /// is none.
    fn task_done(&self, py: Python<'_>) -> PyResult<()> {
        match self.inner.get()?.queue.task_done() {
            Err(Status::E_OVER_RELEASE) => {
                Err(PyValueError::new_err("task_done() called too many times"))
            }
            other => other.or_raise(py),
        }
    }

    /// Of a joinable queue: wait until every message was got and done. False after the timeout.
    #[pyo3(signature = (timeout = None))]
    fn join(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        let queue = &self.inner.get()?.queue;
        match wait(py, Patience::new(true, timeout)?, |wait| {
            queue.join_timeout(wait)
        })? {
            Ok(()) => Ok(true),
            Err(Status::E_TIMEOUT) => Ok(false),
            Err(status) => Err(errors::exception(py, status)),
        }
    }

    /// The numbers of the queue at this moment.
    fn info(&self, py: Python<'_>) -> PyResult<info::QueueInfo> {
        Ok(self.inner.get()?.queue.info().or_raise(py)?.into())
    }

    /// A descriptor that is readable while a get would not wait; the queue owns it.
    fn fileno(&self, py: Python<'_>) -> PyResult<RawFd> {
        let Parts { queue, format, .. } = self.inner.get()?;
        let fd = queue.fd().or_raise(py)?;
        // A try that finds nothing lowers the descriptor. Without room it gets no message, but for
        // an empty one, which is no pickle and no MessagePack.
        if !queue.is_empty().or_raise(py)? {
            return Ok(raised(py, fd));
        }
        if *format != Format::Bytes {
            let _ = queue.try_get_into(&mut []);
        }
        Ok(fd)
    }

    /// The name, or None.
    #[getter]
    fn name(&self) -> PyResult<Option<String>> {
        Ok(self.inner.get()?.name.clone())
    }

    /// The format of the messages: "pickle", "msgpack", "bytes", or another label, whose messages
    /// are bytes here.
    #[getter]
    fn format(&self) -> PyResult<String> {
        Ok(self.inner.get()?.label.clone())
    }

    /// Whether a message that was got stays unfinished until `task_done`.
    #[getter]
    fn joinable(&self) -> PyResult<bool> {
        Ok(self.inner.get()?.is_joinable)
    }

    /// How many messages may wait; 0 for no limit.
    #[getter]
    fn maxsize(&self) -> PyResult<u64> {
        Ok(self.inner.get()?.maxsize)
    }

    /// Whether `close` was called.
    #[getter]
    fn closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let class = slf.get_type();
        let at = slf.as_ptr() as usize;
        let (module, name) = (class.module()?, class.qualname()?);
        Ok(match slf.get().name()? {
            Some(called) => format!("<{module}.{name} {called:?} at {at:#x}>"),
            None => format!("<{module}.{name} at {at:#x}>"),
        })
    }
}

impl Queue {
    fn opened(&self, py: Python<'_>, fd: OwnedFd) -> PyResult<()> {
        let queue = polyproc::Queue::from_fd(fd).or_raise(py)?;
        self.inner.set(Parts::new(py, queue, None)?)
    }

    /// The parts of a queue that is not closed.
    #[inline]
    pub fn open<'a>(slf: &'a Bound<'_, Queue>) -> PyResult<&'a Parts> {
        let queue = slf.get();
        match queue.is_closed.load(Ordering::Relaxed) {
            true => Err(closed(slf)),
            false => queue.inner.get(),
        }
    }
}

#[cold]
fn closed(queue: &Bound<'_, Queue>) -> PyErr {
    let shown = queue
        .repr()
        .map_or_else(|_| "?".to_owned(), |shown| shown.to_string());
    PyValueError::new_err(format!("Queue {shown} is closed"))
}

common_methods!(Queue);
