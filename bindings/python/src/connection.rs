//! Ends of a pipe over shared memory: whole messages, also when several threads use one end, and
//! also when a process is killed in the middle of one.

use std::os::fd::{OwnedFd, RawFd};
use std::sync::{Arc, Mutex, PoisonError};

use polyproc::{Got, Status};
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyTuple, PyType};

use crate::buffer::Bytes;
use crate::errors::{self, OrRaise};
use crate::object::{adopted, duplicated, raised};
use crate::pickle;
use crate::wait::{wait, Patience};

/// Longer messages are received into an object of their own.
const SHORT: usize = 512;

/// One end of a pipe: `Pipe()` makes both.
#[pyclass(module = "polyproc.connection", frozen, subclass, dict, weakref)]
pub struct Connection {
    /// None when it is closed.
    end: Mutex<Option<Arc<polyproc::Connection>>>,
    direction: std::sync::OnceLock<(bool, bool)>,
}

/// Make a pipe: two connections, of which each sends and receives, or the first only receives and
/// the second only sends.
#[pyfunction]
#[pyo3(signature = (class, duplex = true))]
pub fn pipe<'py>(
    class: &Bound<'py, PyType>,
    duplex: bool,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let (a, b) = polyproc::pipe(duplex).or_raise(class.py())?;
    Ok((
        Connection::around(class, a, true, duplex)?,
        Connection::around(class, b, duplex, true)?,
    ))
}

#[pymethods]
impl Connection {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Connection {
        Connection {
            end: Mutex::new(None),
            direction: std::sync::OnceLock::new(),
        }
    }

    /// Send an object.
    fn send(&self, py: Python<'_>, obj: &Bound<'_, PyAny>) -> PyResult<()> {
        let end = self.writable_end()?;
        let mut message = Vec::new();
        if !pickle::encode_small(obj, &mut message) {
            let pickled = pickle::Pickled::new(obj)?;
            message.reserve(pickled.len());
            pickled.each(&mut |part| message.extend_from_slice(part));
        }
        send(py, &end, &message)
    }

    /// Receive an object. EOFError if the other end is closed and nothing is left.
    fn recv<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let end = self.readable_end()?;
        receive(
            py,
            &end,
            None,
            |data| pickle::decode(py, data),
            |room| pickle::decode_kept(room.as_any(), room.len()),
        )
    }

    /// Send the bytes of a bytes-like object, or `size` of them from `offset` on.
    #[pyo3(signature = (buf, offset = 0, size = None))]
    fn send_bytes(
        &self,
        py: Python<'_>,
        buf: &Bound<'_, PyAny>,
        offset: isize,
        size: Option<isize>,
    ) -> PyResult<()> {
        let end = self.writable_end()?;
        let bytes = Bytes::of(buf)?;
        let data = part(bytes.as_slice(), offset, size)?;
        send(py, &end, data)
    }

    /// Receive the bytes of a message. OSError, and the connection is closed, if they are more than
    /// `maxlength`.
    #[pyo3(signature = (maxlength = None))]
    fn recv_bytes<'py>(
        &self,
        py: Python<'py>,
        maxlength: Option<isize>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let max = match maxlength.map(usize::try_from) {
            None => None,
            Some(Ok(max)) => Some(max),
            Some(Err(_)) => return Err(PyValueError::new_err("negative maxlength")),
        };
        let end = self.readable_end()?;
        let short = |data: &[u8]| match max {
            Some(max) if data.len() > max => Err(PyOSError::new_err("bad message length")),
            _ => Ok(PyBytes::new(py, data).into_any()),
        };
        let received = receive(py, &end, max, short, |room| {
            Ok(PyBytes::new(py, Bytes::of(room.as_any())?.as_slice()).into_any())
        });
        if received
            .as_ref()
            .is_err_and(|error| error.is_instance_of::<PyOSError>(py))
            && max.is_some()
        {
            self.close();
        }
        received
    }

    /// Receive the bytes of a message into a writable bytes-like object, from `offset` on. Return
    /// how many they are. BufferTooShort, with the message as its argument, if there is no room.
    #[pyo3(signature = (buf, offset = 0))]
    fn recv_bytes_into(
        &self,
        py: Python<'_>,
        buf: &Bound<'_, PyAny>,
        offset: isize,
    ) -> PyResult<usize> {
        let end = self.readable_end()?;
        let mut bytes = Bytes::writable(buf)?;
        let offset = match usize::try_from(offset) {
            Ok(offset) if offset <= bytes.len() => offset,
            Ok(_) => return Err(PyValueError::new_err("offset too large")),
            Err(_) => return Err(PyValueError::new_err("negative offset")),
        };
        let received = receive(
            py,
            &end,
            None,
            |data| Ok(PyBytes::new(py, data).into_any()),
            |room| Ok(PyBytes::new(py, Bytes::of(room.as_any())?.as_slice()).into_any()),
        )?;
        let message = received.cast::<PyBytes>()?.as_bytes();
        if message.len() > bytes.len() - offset {
            let too_short = py.import("multiprocessing")?.getattr("BufferTooShort")?;
            return Err(PyErr::from_value(too_short.call1((received.clone(),))?));
        }
        bytes.write(offset, message)?;
        Ok(message.len())
    }

    /// Whether a receive would not wait, after at most `timeout` seconds; None waits for ever.
    #[pyo3(signature = (timeout = Some(0.0)))]
    fn poll(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        let end = self.readable_end()?;
        match wait(py, Patience::new(true, timeout)?, |wait| {
            end.poll_timeout(wait)
        })? {
            Ok(()) => Ok(true),
            Err(Status::E_TIMEOUT) => Ok(false),
            Err(status) => Err(errors::exception(py, status)),
        }
    }

    /// A descriptor that is readable while a receive would not wait; the connection owns it. For an
    /// end that only sends: the descriptor of the pipe.
    fn fileno(&self, py: Python<'_>) -> PyResult<RawFd> {
        let end = self.end()?;
        match self.readable() {
            true => {
                let fd = end.fd().or_raise(py)?;
                // A try that finds nothing lowers the descriptor.
                match end.poll_timeout(polyproc::Wait::TRY) {
                    Ok(()) => Ok(raised(py, fd)),
                    Err(_) => Ok(fd),
                }
            }
            false => Ok(end.raw_fd()),
        }
    }

    /// Close this end in this process.
    fn close(&self) {
        let closed = self
            .end
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        drop(closed);
    }

    #[getter]
    fn closed(&self) -> bool {
        self.end
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_none()
    }

    #[getter]
    fn readable(&self) -> bool {
        self.direction.get().is_some_and(|direction| direction.0)
    }

    #[getter]
    fn writable(&self) -> bool {
        self.direction.get().is_some_and(|direction| direction.1)
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_error))]
    fn __exit__(&self, _error: &Bound<'_, PyTuple>) {
        self.close();
    }

    /// The end behind a descriptor, which stays the caller's.
    #[classmethod]
    #[pyo3(signature = (fd, readable = true, writable = true, /))]
    fn from_fd<'py>(
        class: &Bound<'py, PyType>,
        fd: RawFd,
        readable: bool,
        writable: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        Connection::of_fd(class, duplicated(fd)?, (readable, writable))
    }

    #[classmethod]
    fn _adopt<'py>(
        class: &Bound<'py, PyType>,
        fd: RawFd,
        direction: (bool, bool),
    ) -> PyResult<Bound<'py, PyAny>> {
        Connection::of_fd(class, adopted(fd)?, direction)
    }

    /// A new descriptor of this end, to hand to another process.
    fn share_fd(&self, py: Python<'_>) -> PyResult<RawFd> {
        let fd = self.end()?.share_fd().or_raise(py)?;
        Ok(std::os::fd::IntoRawFd::into_raw_fd(fd))
    }

    fn _raw_fd(&self) -> PyResult<RawFd> {
        Ok(self.end()?.raw_fd())
    }
}

impl Connection {
    fn around<'py>(
        class: &Bound<'py, PyType>,
        end: polyproc::Connection,
        readable: bool,
        writable: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let object = class.call_method1(pyo3::intern!(class.py(), "__new__"), (class,))?;
        let connection = object.cast::<Connection>()?.get();
        *connection
            .end
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(end));
        let _ = connection.direction.set((readable, writable));
        Ok(object)
    }

    fn of_fd<'py>(
        class: &Bound<'py, PyType>,
        fd: OwnedFd,
        (readable, writable): (bool, bool),
    ) -> PyResult<Bound<'py, PyAny>> {
        let end = polyproc::Connection::from_fd(fd).or_raise(class.py())?;
        Connection::around(class, end, readable, writable)
    }

    fn end(&self) -> PyResult<Arc<polyproc::Connection>> {
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        end.clone()
            .ok_or_else(|| PyOSError::new_err("handle is closed"))
    }

    fn readable_end(&self) -> PyResult<Arc<polyproc::Connection>> {
        let end = self.end()?;
        match self.readable() {
            true => Ok(end),
            false => Err(PyOSError::new_err("connection is write-only")),
        }
    }

    fn writable_end(&self) -> PyResult<Arc<polyproc::Connection>> {
        let end = self.end()?;
        match self.writable() {
            true => Ok(end),
            false => Err(PyOSError::new_err("connection is read-only")),
        }
    }
}

fn send(py: Python<'_>, end: &polyproc::Connection, data: &[u8]) -> PyResult<()> {
    let sent = wait(py, Patience::Forever, |wait| end.send_timeout(data, wait))?;
    sent.or_raise(py)
}

/// Receive a message: a short one is passed on as bytes, a long one in an object of its own.
fn receive<'py>(
    py: Python<'py>,
    end: &polyproc::Connection,
    max: Option<usize>,
    short: impl Fn(&[u8]) -> PyResult<Bound<'py, PyAny>>,
    long: impl Fn(&Bound<'py, PyByteArray>) -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let mut buffer = [0; SHORT];
    loop {
        let room = &mut buffer;
        let got = wait(py, Patience::Forever, |wait| {
            end.recv_into_timeout(room, wait)
        })?;
        let needed = match got.or_raise(py)? {
            Got::Message(len) => return short(&buffer[..len]),
            Got::TooSmall(needed) => needed,
        };
        if max.is_some_and(|max| needed > max) {
            return Err(PyOSError::new_err("bad message length"));
        }
        let mut got = Got::TooSmall(needed);
        let room = PyByteArray::new_with(py, needed, |room| {
            let received = wait(py, Patience::Forever, |wait| {
                end.recv_into_timeout(room, wait)
            })?;
            got = received.or_raise(py)?;
            Ok(())
        })?;
        // If it is too small, another thread has received the message.
        if let Got::Message(len) = got {
            room.resize(len)?;
            return long(&room);
        }
    }
}

fn part(data: &[u8], offset: isize, size: Option<isize>) -> PyResult<&[u8]> {
    let Ok(offset) = usize::try_from(offset) else {
        return Err(PyValueError::new_err("offset is negative"));
    };
    let Some(rest) = data.get(offset..) else {
        return Err(PyValueError::new_err("buffer length < offset"));
    };
    match size.map(usize::try_from) {
        None => Ok(rest),
        Some(Err(_)) => Err(PyValueError::new_err("size is negative")),
        Some(Ok(size)) => rest
            .get(..size)
            .ok_or_else(|| PyValueError::new_err("buffer length < offset + size")),
    }
}
