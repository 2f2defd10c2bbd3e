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
//! Short values of the types bytes, str, int, float, bool and None are written and read here: as
//! what `pickle.dumps` could have written, without its frame.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyList, PyMemoryView, PyNone, PyString,
    PyTuple, PyType,
};
use pyo3::{ffi, intern};

use crate::buffer::Bytes;

const MAGIC: [u8; 8] = *b"\0pp-oob\0";
const ALIGN: usize = 64;
/// The first two bytes of every pickle of protocol 5.
const PROTOCOL: [u8; 2] = [0x80, 5];
const STOP: u8 = b'.';
/// From Python's memoryobject.h.
const PYBUF_READ: std::ffi::c_int = 0x100;
/// Longer strings and bytes are copied straight from the object to the queue.
const SHORT: usize = 4096;
/// How many parts of a value are looked at to see whether all are of built-in types.
const LOOKS: u32 = 64;

/// Write a short value of a built-in type. Return false, with nothing written, for any other.
#[inline]
pub fn encode_short(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> bool {
    if let Ok(bytes) = value.cast_exact::<PyBytes>() {
        let bytes = bytes.as_bytes();
        return encode_run(bytes, b'C', b'B', out);
    }
    if let Ok(text) = value.cast_exact::<PyString>() {
        // A lone surrogate has no UTF-8: pickle knows what to do.
        return match text.to_str() {
            Ok(text) => encode_run(text.as_bytes(), 0x8c, b'X', out),
            Err(_) => false,
        };
    }
    if let Ok(number) = value.cast_exact::<PyInt>() {
        let Ok(number) = number.extract::<i32>() else {
            return false;
        };
        out.extend_from_slice(&PROTOCOL);
        out.push(b'J');
        out.extend_from_slice(&number.to_le_bytes());
        out.push(STOP);
        return true;
    }
    let opcode = if value.is_none() {
        b'N'
    } else if let Ok(flag) = value.cast_exact::<PyBool>() {
        0x88 + u8::from(!flag.is_true())
    } else if let Ok(number) = value.cast_exact::<PyFloat>() {
        out.extend_from_slice(&PROTOCOL);
        out.push(b'G');
        out.extend_from_slice(&number.value().to_be_bytes());
        out.push(STOP);
        return true;
    } else {
        return false;
    };
    out.extend_from_slice(&PROTOCOL);
    out.extend_from_slice(&[opcode, STOP]);
    true
}

fn encode_run(run: &[u8], short: u8, long: u8, out: &mut Vec<u8>) -> bool {
    if run.len() > SHORT {
        return false;
    }
    out.extend_from_slice(&PROTOCOL);
    match u8::try_from(run.len()) {
        Ok(len) => out.extend_from_slice(&[short, len]),
        Err(_) => {
            out.push(long);
            out.extend_from_slice(&(run.len() as u32).to_le_bytes());
        }
    }
    out.extend_from_slice(run);
    out.push(STOP);
    true
}

/// Read what [`encode_short`] writes. None for any other pickle.
#[inline]
fn decode_short<'py>(py: Python<'py>, data: &[u8]) -> Option<Bound<'py, PyAny>> {
    let data = data.strip_prefix(&PROTOCOL)?;
    let (&opcode, rest) = data.split_first()?;
    let (&stop, body) = rest.split_last()?;
    if stop != STOP {
        return None;
    }
    let run = |short: bool| -> Option<&[u8]> {
        let (len, run) = match short {
            true => body
                .split_first()
                .map(|(&len, run)| (usize::from(len), run))?,
            false => {
                let (len, run) = body.split_first_chunk()?;
                (u32::from_le_bytes(*len) as usize, run)
            }
        };
        (run.len() == len).then_some(run)
    };
    let text = |run: &[u8]| {
        let text = std::str::from_utf8(run).ok()?;
        Some(PyString::new(py, text).into_any())
    };
    Some(match opcode {
        b'C' => PyBytes::new(py, run(true)?).into_any(),
        b'B' => PyBytes::new(py, run(false)?).into_any(),
        0x8c => text(run(true)?)?,
        b'X' => text(run(false)?)?,
        b'J' => {
            let number = i32::from_le_bytes(body.try_into().ok()?);
            number.into_pyobject(py).ok()?.into_any()
        }
        b'G' => PyFloat::new(py, f64::from_be_bytes(body.try_into().ok()?)).into_any(),
        b'N' if body.is_empty() => PyNone::get(py).to_owned().into_any(),
        0x88 | 0x89 if body.is_empty() => PyBool::new(py, opcode == 0x88).to_owned().into_any(),
        _ => return None,
    })
}

/// A value as the parts of a message, to be written one after the other.
pub struct Pickled<'py> {
    head: Vec<u8>,
    pickle: Option<Bound<'py, PyBytes>>,
    /// Each with the number of bytes before it that make its place a multiple of 64.
    buffers: Vec<(usize, Bytes)>,
    tail: &'static [u8],
}

impl<'py> Pickled<'py> {
    /// Pickle a value that [`encode_short`] has refused.
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

/// Functions are pickled by their name.
fn is_function(value: &Bound<'_, PyAny>) -> bool {
    static FUNCTION: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = FUNCTION.import(value.py(), "types", "FunctionType");
    class.is_ok_and(|class| value.get_type().is(class))
}

/// Pickle a value in one piece, as a queue does: with what multiprocessing knows to pickle besides.
#[pyfunction]
pub fn dumps<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = value.py();
    if is_built_in(value, &mut { LOOKS }) {
        return plain_dumps(py)?.call1((value, 5));
    }
    reduction_dumps(py)?.call1((value, py.None()))
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
    if is_function(value) {
        return true;
    }
    if let Ok(dict) = value.cast_exact::<PyDict>() {
        return dict
            .iter()
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
    if let Some(value) = decode_short(py, data) {
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
        if let Some(value) = decode_short(py, data) {
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
