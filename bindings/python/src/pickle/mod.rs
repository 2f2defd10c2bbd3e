//! Python's values as pickles of protocol 5.
//!
//! A message is either a pickle, or a pickle whose large buffers follow it ("out of band"), so that
//! a numpy array is copied once:
//!
//! ```text
//!  0  MAGIC, 8 bytes: no pickle begins with 0
//!  8  number of buffers, 8 bytes
//! 16  length of the pickle, 8 bytes, then of each buffer
//!     the pickle, then the buffers, each at a multiple of 64
//! ```
//!
//! `plain` writes and reads small values of built-in types.

mod global;
mod plain;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyList, PyMemoryView, PyString, PyTuple,
};
use pyo3::{ffi, intern};

use crate::buffer::Bytes;
use crate::pairs::pairs;
pub use plain::{read as load_small, read_into, write as encode_small};

const MAGIC: [u8; 8] = *b"\0pp-oob\0";
const ALIGN: usize = 64;
/// The first two bytes of every pickle of protocol 5.
const PROTOCOL: [u8; 2] = [0x80, 5];
const STOP: u8 = b'.';
/// From Python's memoryobject.h.
const PYBUF_READ: std::ffi::c_int = 0x100;
/// How many parts of a value are looked at to see whether all are of built-in types.
const LOOKS: u32 = 64;

/// A value as the parts of a message, to be written one after the other.
pub struct Pickled<'py> {
    head: Vec<u8>,
    pickle: Option<Bound<'py, PyBytes>>,
    /// Each with the number of bytes before it that make its place a multiple of 64.
    buffers: Vec<(usize, Bytes)>,
    tail: &'static [u8],
}

impl<'py> Pickled<'py> {
    /// Pickle a value that [`encode_small`] has refused.
    pub fn new(value: &Bound<'py, PyAny>) -> PyResult<Pickled<'py>> {
        if let Some(run) = Pickled::of_run(value)? {
            return Ok(run);
        }
        let py = value.py();
        if is_built_in(value, &mut { LOOKS }) {
            let pickle = plain_dumps(py)?.call1((value, 5))?.cast_into::<PyBytes>()?;
            return Ok(Pickled::of_pickle(pickle));
        }
        let buffers = PyList::empty(py);
        let pickle = reduction_dumps(py)?
            .call1((value, &buffers))?
            .cast_into::<PyBytes>()?;
        if buffers.is_empty() {
            return Ok(Pickled::of_pickle(pickle));
        }
        Pickled::with_buffers(pickle, &buffers)
    }

    fn of_pickle(pickle: Bound<'py, PyBytes>) -> Pickled<'py> {
        Pickled {
            head: Vec::new(),
            pickle: Some(pickle),
            buffers: Vec::new(),
            tail: b"",
        }
    }

    /// Long bytes, without a copy of them.
    fn of_run(value: &Bound<'py, PyAny>) -> PyResult<Option<Pickled<'py>>> {
        let Ok(run) = value.cast_exact::<PyBytes>() else {
            return Ok(None);
        };
        let Ok(len) = u32::try_from(run.as_bytes().len()) else {
            return Ok(None);
        };
        let head = [&PROTOCOL[..], b"B", &len.to_le_bytes()].concat();
        Ok(Some(Pickled {
            head,
            pickle: Some(run.clone()),
            buffers: Vec::new(),
            tail: b".",
        }))
    }

    fn with_buffers(
        pickle: Bound<'py, PyBytes>,
        list: &Bound<'py, PyList>,
    ) -> PyResult<Pickled<'py>> {
        let number = |number: usize| (number as u64).to_le_bytes();
        let mut head = [MAGIC, number(list.len()), number(pickle.as_bytes().len())].concat();
        let views: Vec<Bytes> = list
            .iter()
            .map(|buffer| Bytes::of(&buffer.call_method0(intern!(list.py(), "raw"))?))
            .collect::<PyResult<_>>()?;
        for view in &views {
            head.extend_from_slice(&number(view.len()));
        }
        let mut end = head.len() + pickle.as_bytes().len();
        let mut buffers = Vec::with_capacity(views.len());
        for view in views {
            let gap = end.next_multiple_of(ALIGN) - end;
            end += gap + view.len();
            buffers.push((gap, view));
        }
        Ok(Pickled {
            head,
            pickle: Some(pickle),
            buffers,
            tail: b"",
        })
    }

    pub fn len(&self) -> usize {
        let pickle = self
            .pickle
            .as_ref()
            .map_or(0, |pickle| pickle.as_bytes().len());
        let buffers: usize = self
            .buffers
            .iter()
            .map(|(gap, view)| gap + view.len())
            .sum();
        self.head.len() + pickle + buffers + self.tail.len()
    }

    /// Pass the parts on, in their order.
    pub fn each(&self, part: &mut dyn FnMut(&[u8])) {
        part(&self.head);
        if let Some(pickle) = &self.pickle {
            part(pickle.as_bytes());
        }
        for (gap, view) in &self.buffers {
            part(&[0; ALIGN][..*gap]);
            part(view.as_slice());
        }
        part(self.tail);
    }

    /// The message in one piece, if it is one.
    pub fn whole(&self) -> Option<&[u8]> {
        let is_whole = self.head.is_empty() && self.buffers.is_empty() && self.tail.is_empty();
        let pickle = self.pickle.as_ref()?;
        is_whole.then(|| pickle.as_bytes())
    }
}

/// Pickle a value in one piece, as a queue does: with what multiprocessing knows to pickle besides.
pub fn append(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
    let py = value.py();
    if !encode_small(value, out) {
        let pickle = match is_built_in(value, &mut { LOOKS }) {
            true => plain_dumps(py)?.call1((value, 5))?,
            false => reduction_dumps(py)?.call1((value, py.None()))?,
        };
        out.extend_from_slice(pickle.cast::<PyBytes>()?.as_bytes());
    }
    Ok(())
}

/// The bytes that [`append`] makes of a value, behind `head`.
#[pyfunction]
#[pyo3(signature = (value, head = None))]
pub fn dumps<'py>(value: &Bound<'py, PyAny>, head: Option<&[u8]>) -> PyResult<Bound<'py, PyBytes>> {
    let mut out = head.unwrap_or_default().to_vec();
    append(value, &mut out)?;
    Ok(PyBytes::new(value.py(), &out))
}

/// The value of a pickle that [`dumps`] has made, without its head of `begin` bytes.
#[pyfunction(name = "loads")]
#[pyo3(signature = (data, begin = 0))]
pub fn loads_of<'py>(data: &Bound<'py, PyBytes>, begin: usize) -> PyResult<Bound<'py, PyAny>> {
    let pickle = data.as_bytes().get(begin..).unwrap_or_default();
    decode(data.py(), pickle)
}

/// Load a list into the places from `begin` on of another, at most `count` of them. Returns the
/// list if it is no list of `count` scalars, of which each would take its place: then nothing, or
/// something, was written.
#[pyfunction]
pub fn load_into<'py>(
    list: &Bound<'py, PyList>,
    begin: usize,
    count: usize,
    data: &Bound<'py, PyBytes>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let end = begin.saturating_add(count).min(list.len());
    match read_into(list, begin, end, data.as_bytes()) {
        true => Ok(None),
        false => decode(data.py(), data.as_bytes()).map(Some),
    }
}

fn plain_dumps(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static DUMPS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    DUMPS.import(py, "pickle", "dumps")
}

fn reduction_dumps(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static DUMPS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    DUMPS.import(py, "polyproc._reduction", "dumps")
}

/// Whether a value consists of built-in types only, which pickle needs no help with.
fn is_built_in(value: &Bound<'_, PyAny>, looks: &mut u32) -> bool {
    if *looks == 0 {
        return false;
    }
    *looks -= 1;
    let is_plain = value.is_exact_instance_of::<PyString>()
        || value.is_exact_instance_of::<PyInt>()
        || value.is_none()
        || value.is_exact_instance_of::<PyFloat>()
        || value.is_exact_instance_of::<PyBytes>()
        || value.is_exact_instance_of::<PyBool>();
    if is_plain {
        return true;
    }
    if global::is_function(value) {
        return true;
    }
    if let Ok(dict) = value.cast_exact::<PyDict>() {
        return pairs(dict)
            .all(|(key, value)| is_built_in(&key, looks) && is_built_in(&value, looks));
    }
    if let Ok(list) = value.cast_exact::<PyList>() {
        return list.iter().all(|item| is_built_in(&item, looks));
    }
    if let Ok(tuple) = value.cast_exact::<PyTuple>() {
        return tuple.iter().all(|item| is_built_in(&item, looks));
    }
    false
}

/// Where the parts of a message with buffers lie.
struct Layout {
    pickle: std::ops::Range<usize>,
    buffers: Vec<std::ops::Range<usize>>,
}

fn layout(data: &[u8]) -> PyResult<Option<Layout>> {
    if data.first() != Some(&0) || !data.starts_with(&MAGIC) {
        return Ok(None);
    }
    let damaged = || PyValueError::new_err("the message is no pickle with buffers");
    let number = |at: usize| -> Option<usize> {
        let bytes = data.get(at..at + 8)?.try_into().ok()?;
        usize::try_from(u64::from_le_bytes(bytes)).ok()
    };
    let read = || -> Option<Layout> {
        let count = number(8)?;
        let begin = count.checked_mul(8)?.checked_add(24)?;
        let mut end = begin.checked_add(number(16)?)?;
        let pickle = begin..end;
        let mut buffers = Vec::new();
        for at in 0..count {
            let start = end.checked_next_multiple_of(ALIGN)?;
            end = start.checked_add(number(24 + 8 * at)?)?;
            if end > data.len() {
                return None;
            }
            buffers.push(start..end);
        }
        (pickle.end <= data.len()).then_some(Layout { pickle, buffers })
    };
    read().map(Some).ok_or_else(damaged)
}

/// The value of a message whose memory is borrowed for the time of this call.
#[inline]
pub fn decode<'py>(py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    if let Some(value) = plain::read(py, data) {
        return Ok(value);
    }
    if data.first() == Some(&0) {
        // The loaded object refers to the buffers, so they are copied.
        return decode_kept(&PyByteArray::new(py, data).into_any(), data.len());
    }
    // SAFETY: the memory stays for this call, and the view is released before its end.
    let view = unsafe {
        let at = data.as_ptr().cast_mut().cast();
        let view = ffi::PyMemoryView_FromMemory(at, data.len() as isize, PYBUF_READ);
        Bound::from_owned_ptr_or_err(py, view)?
    };
    let value = loads(&view, None);
    view.call_method0(intern!(py, "release"))?;
    value
}

/// The value of a message in an object, which the value may refer to and keep alive.
pub fn decode_kept<'py>(object: &Bound<'py, PyAny>, len: usize) -> PyResult<Bound<'py, PyAny>> {
    let py = object.py();
    let view = PyMemoryView::from(object)?;
    let found = {
        let bytes = Bytes::of(object)?;
        let data = &bytes.as_slice()[..len];
        if let Some(value) = plain::read(py, data) {
            return Ok(value);
        }
        layout(data)?
    };
    let Some(Layout { pickle, buffers }) = found else {
        return loads(view.as_any(), None);
    };
    let part = |range: std::ops::Range<usize>| {
        let slice = pyo3::types::PySlice::new(py, range.start as isize, range.end as isize, 1);
        view.get_item(slice)
    };
    let buffers = buffers
        .into_iter()
        .map(part)
        .collect::<PyResult<Vec<_>>>()?;
    loads(&part(pickle)?, Some(PyList::new(py, buffers)?))
}

fn loads<'py>(
    pickle: &Bound<'py, PyAny>,
    buffers: Option<Bound<'py, PyList>>,
) -> PyResult<Bound<'py, PyAny>> {
    static LOADS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = pickle.py();
    let loads = LOADS.import(py, "pickle", "loads")?;
    match buffers {
        None => loads.call1((pickle,)),
        Some(buffers) => {
            let kwargs = PyDict::new(py);
            kwargs.set_item(intern!(py, "buffers"), buffers)?;
            loads.call((pickle,), Some(&kwargs))
        }
    }
}
