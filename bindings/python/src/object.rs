//! Code that the classes of all objects share: options, names, descriptors, pickling.

use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::OnceLock;

use polyproc::{CreateOptions, Kind, Status};
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString};

use crate::errors::OrRaise;

/// What `__init__` makes, or what came through a descriptor. `__new__` takes any arguments, so that
/// a subclass can have an `__init__` of its own.
pub struct Inner<T>(OnceLock<T>);

impl<T> Inner<T> {
    pub const fn new() -> Inner<T> {
        Inner(OnceLock::new())
    }

    #[inline]
    pub fn get(&self) -> PyResult<&T> {
        self.0.get().ok_or_else(uninitialised)
    }

    pub fn set(&self, value: T) -> PyResult<()> {
        let refused = self.0.set(value).is_err();
        match refused {
            true => Err(PyRuntimeError::new_err("__init__ was called twice")),
            false => Ok(()),
        }
    }
}

#[cold]
fn uninitialised() -> PyErr {
    PyRuntimeError::new_err("__init__ of the object was not called")
}

/// A number, in the place where the constructors of some other objects have the name.
#[derive(Clone, Copy)]
pub struct Number(pub i64);

impl FromPyObject<'_, '_> for Number {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Number> {
        match object.cast::<PyString>() {
            // PyO3 puts the name of the argument before this.
            Ok(_) => Err(PyTypeError::new_err(format!(
                "{name} is not a number; a name has its keyword: name={name}",
                name = object.repr()?
            ))),
            Err(_) => object.extract().map(Number),
        }
    }
}

/// How an object of a name is made: `create=True`, as None, makes it (or opens the one that exists
/// if `exist_ok`), `create=False` opens it.
pub enum Origin<'a> {
    Anonymous,
    Create(&'a str, CreateOptions),
    Open(&'a str),
}

impl Origin<'_> {
    /// Make or open the object.
    pub fn make<T>(
        self,
        create: impl FnOnce(Option<&str>, CreateOptions) -> Result<T, Status>,
        open: impl FnOnce(&str) -> Result<T, Status>,
    ) -> Result<T, Status> {
        match self {
            Origin::Anonymous => create(None, CreateOptions::default()),
            Origin::Create(name, options) => create(Some(name), options),
            Origin::Open(name) => open(name),
        }
    }
}

pub fn origin<'a>(
    name: Option<&'a str>,
    create: Option<bool>,
    exist_ok: bool,
    mode: Option<u32>,
) -> PyResult<Origin<'a>> {
    let options = CreateOptions {
        mode: mode.unwrap_or(0),
        open_or_create: exist_ok,
    };
    match (name, create) {
        (None, None | Some(true)) => Ok(Origin::Anonymous),
        (None, Some(false)) => Err(PyValueError::new_err(
            "create=False without a name: there is nothing to open",
        )),
        (Some(name), None | Some(true)) => Ok(Origin::Create(name, options)),
        (Some(name), Some(false)) => Ok(Origin::Open(name)),
    }
}

/// A descriptor of our own for the one that Python passes.
pub fn duplicated(fd: RawFd) -> PyResult<OwnedFd> {
    // SAFETY: fcntl fails for a number that is no descriptor.
    if fd < 0 || unsafe { libc::fcntl(fd, libc::F_GETFD) } < 0 {
        return Err(PyOSError::new_err((libc::EBADF, "bad file descriptor")));
    }
    // SAFETY: the descriptor is open, and borrowed for this call only.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    Ok(borrowed.try_clone_to_owned()?)
}

/// The descriptor that Python hands over.
pub fn adopted(fd: RawFd) -> PyResult<OwnedFd> {
    // SAFETY: fcntl fails for a number that is no descriptor.
    if fd < 0 || unsafe { libc::fcntl(fd, libc::F_GETFD) } < 0 {
        return Err(PyOSError::new_err((libc::EBADF, "bad file descriptor")));
    }
    // SAFETY: the caller gives the descriptor away.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    // A start by spawn leaves it open across exec.
    // SAFETY: the descriptor is open.
    unsafe {
        libc::fcntl(
            std::os::fd::AsRawFd::as_raw_fd(&fd),
            libc::F_SETFD,
            libc::FD_CLOEXEC,
        )
    };
    Ok(fd)
}

/// A thread of the library raises the descriptor of an object that has become ready. For whoever
/// asks only once, wait until it has.
pub fn raised(py: Python<'_>, fd: RawFd) -> RawFd {
    let mut poll = libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    };
    let poll = &mut poll;
    // SAFETY: one entry, ours.
    py.detach(move || unsafe { libc::poll(poll, 1, 1000) });
    fd
}

/// `polyproc._reduction.reduce(object, fd)`: how an object travels inside a start.
pub fn reduce<'py>(object: &Bound<'py, PyAny>, fd: RawFd) -> PyResult<Bound<'py, PyAny>> {
    static REDUCE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = object.py();
    REDUCE
        .import(py, "polyproc._reduction", "reduce")?
        .call1((object, fd))
}

/// As [`reduce`], for an object that needs `with` besides its descriptor.
pub fn reduce_with<'py>(
    object: &Bound<'py, PyAny>,
    fd: RawFd,
    with: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    static REDUCE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = object.py();
    REDUCE
        .import(py, "polyproc._reduction", "reduce")?
        .call1((object, fd, with))
}

/// Remove the name of an object. Processes that have it open keep it.
#[pyfunction]
pub fn unlink(py: Python<'_>, name: &str) -> PyResult<()> {
    polyproc::unlink(name).or_raise(py)
}

/// The named objects of this user: a list of dicts with name, kind, mode, processes, waiting,
/// bytes.
#[pyfunction]
pub fn list_objects(py: Python<'_>) -> PyResult<Vec<Py<PyDict>>> {
    let objects = polyproc::list().or_raise(py)?;
    let one = |object: polyproc::ObjectInfo| {
        let dict = PyDict::new(py);
        dict.set_item("name", object.name.as_str())?;
        dict.set_item("kind", kind_name(object.kind))?;
        dict.set_item("mode", object.mode)?;
        dict.set_item("processes", object.processes)?;
        dict.set_item("waiting", object.waiting)?;
        dict.set_item("bytes", object.bytes)?;
        Ok(dict.unbind())
    };
    objects.into_iter().map(one).collect()
}

const KINDS: [(&str, Kind); 8] = [
    ("lock", Kind::Lock),
    ("semaphore", Kind::Semaphore),
    ("event", Kind::Event),
    ("queue", Kind::Queue),
    ("rlock", Kind::Rlock),
    ("condition", Kind::Condition),
    ("barrier", Kind::Barrier),
    ("connection", Kind::Connection),
];

fn kind_name(kind: Kind) -> &'static str {
    let found = KINDS.iter().find(|(_, known)| *known == kind);
    found.map_or("pool", |(name, _)| name)
}

/// A descriptor of the object of that kind that a parent in any language handed to this process
/// under a name.
#[pyfunction]
pub fn inherited(py: Python<'_>, name: &str, kind: &str) -> PyResult<RawFd> {
    let found = KINDS.iter().find(|(known, _)| *known == kind);
    let (_, kind) = found.ok_or_else(|| PyValueError::new_err("unknown kind"))?;
    let fd = polyproc::inherited(name, *kind).or_raise(py)?;
    Ok(std::os::fd::IntoRawFd::into_raw_fd(fd))
}

/// The methods that the classes of all objects have. The class has a field `inner` and a function
/// `opened` that fills it from a descriptor.
#[macro_export]
macro_rules! common_methods {
    ($class:ident) => {
        #[pyo3::pymethods]
        impl $class {
            /// The object behind a descriptor, which stays the caller's.
            #[classmethod]
            #[pyo3(signature = (fd, /))]
            fn from_fd<'py>(
                class: &pyo3::Bound<'py, pyo3::types::PyType>,
                fd: std::os::fd::RawFd,
            ) -> pyo3::PyResult<pyo3::Bound<'py, pyo3::PyAny>> {
                $class::in_class(class, $crate::object::duplicated(fd)?)
            }

            #[classmethod]
            fn _adopt<'py>(
                class: &pyo3::Bound<'py, pyo3::types::PyType>,
                fd: std::os::fd::RawFd,
            ) -> pyo3::PyResult<pyo3::Bound<'py, pyo3::PyAny>> {
                $class::in_class(class, $crate::object::adopted(fd)?)
            }

            /// A new descriptor of the object, to hand to another process.
            fn share_fd(&self, py: pyo3::Python<'_>) -> pyo3::PyResult<std::os::fd::RawFd> {
                let fd = $crate::errors::OrRaise::or_raise(self.inner.get()?.share_fd(), py)?;
                Ok(std::os::fd::IntoRawFd::into_raw_fd(fd))
            }

            fn __reduce__<'py>(
                slf: &pyo3::Bound<'py, Self>,
            ) -> pyo3::PyResult<pyo3::Bound<'py, pyo3::PyAny>> {
                let fd = slf.get().inner.get()?.raw_fd();
                $crate::object::reduce(slf.as_any(), fd)
            }
        }

        impl $class {
            fn in_class<'py>(
                class: &pyo3::Bound<'py, pyo3::types::PyType>,
                fd: std::os::fd::OwnedFd,
            ) -> pyo3::PyResult<pyo3::Bound<'py, pyo3::PyAny>> {
                use pyo3::types::PyAnyMethods as _;
                let py = class.py();
                let object = class.call_method1(pyo3::intern!(py, "__new__"), (class,))?;
                object.cast::<$class>()?.get().opened(py, fd)?;
                Ok(object)
            }
        }
    };
}
