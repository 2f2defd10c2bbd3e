//! Python's values as MessagePack, which other languages read: None, bool, int, float, str, bytes,
//! list (and tuple), dict.

use pyo3::exceptions::{PyOverflowError, PyRecursionError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyList, PyMemoryView, PyNone, PyString,
    PyTuple,
};
use rmp::decode::{self, RmpRead};
use rmp::{encode, Marker};

use crate::buffer::Bytes;
use crate::pairs::{check_count, pairs};

/// How deep lists and dicts may lie in each other.
const DEPTH: u32 = 500;

pub fn write(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
    write_at(value, out, DEPTH)
}

fn write_at(value: &Bound<'_, PyAny>, out: &mut Vec<u8>, depth: u32) -> PyResult<()> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(PyRecursionError::new_err("too deep for msgpack"));
    };
    if let Ok(text) = value.cast::<PyString>() {
        return ok(encode::write_str(out, text.to_str()?));
    }
    if value.is_none() {
        return ok(encode::write_nil(out));
    }
    if let Ok(flag) = value.cast::<PyBool>() {
        return ok(encode::write_bool(out, flag.is_true()));
    }
    if let Ok(number) = value.cast::<PyInt>() {
        if let Ok(number) = number.extract::<i64>() {
            return ok(encode::write_sint(out, number).map(drop));
        }
        let number = number
            .extract::<u64>()
            .map_err(|_| PyOverflowError::new_err("msgpack has no integers beyond 64 bits"))?;
        return ok(encode::write_uint(out, number).map(drop));
    }
    if let Ok(number) = value.cast::<PyFloat>() {
        return ok(encode::write_f64(out, number.value()));
    }
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return ok(encode::write_bin(out, bytes.as_bytes()));
    }
    if let Ok(list) = value.cast::<PyList>() {
        let (said, mut count) = (list.len(), 0);
        ok(encode::write_array_len(out, length(said)?).map(drop))?;
        for item in list.iter() {
            write_at(&item, out, depth)?;
            count += 1;
        }
        return check_count(said, count);
    }
    if let Ok(tuple) = value.cast::<PyTuple>() {
        ok(encode::write_array_len(out, length(tuple.len())?).map(drop))?;
        return tuple
            .iter()
            .try_for_each(|item| write_at(&item, out, depth));
    }
    if let Ok(dict) = value.cast::<PyDict>() {
        let (said, mut count) = (dict.len(), 0);
        ok(encode::write_map_len(out, length(said)?).map(drop))?;
        for (key, value) in pairs(dict) {
            write_at(&key, out, depth)?;
            write_at(&value, out, depth)?;
            count += 1;
        }
        return check_count(said, count);
    }
    if value.is_instance_of::<PyByteArray>() || value.is_instance_of::<PyMemoryView>() {
        return ok(encode::write_bin(out, Bytes::of(value)?.as_slice()));
    }
    let class = value.get_type();
    Err(PyTypeError::new_err(format!(
        "msgpack has no {}: use None, bool, int, float, str, bytes, list, dict",
        class.qualname()?
    )))
}

/// A value as MessagePack.
#[pyfunction]
pub fn pack<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    let mut out = Vec::new();
    write(value, &mut out)?;
    Ok(PyBytes::new(value.py(), &out))
}

/// The value of MessagePack.
#[pyfunction]
pub fn unpack<'py>(data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    read(data.py(), Bytes::of(data)?.as_slice())
}

/// Writing into a vector cannot fail.
fn ok<E>(written: Result<(), E>) -> PyResult<()> {
    written.map_err(|_| PyValueError::new_err("too long for msgpack"))
}

fn length(len: usize) -> PyResult<u32> {
    u32::try_from(len).map_err(|_| PyOverflowError::new_err("too long for msgpack"))
}

pub fn read<'py>(py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let mut rest = data;
    let value = read_at(py, &mut rest, DEPTH)?;
    match rest.is_empty() {
        true => Ok(value),
        false => Err(damaged()),
    }
}

fn damaged() -> PyErr {
    PyValueError::new_err("the message is no MessagePack")
}

fn read_at<'py>(py: Python<'py>, rest: &mut &[u8], depth: u32) -> PyResult<Bound<'py, PyAny>> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(PyRecursionError::new_err("the message is too deep"));
    };
    let marker = decode::read_marker(rest).map_err(|_| damaged())?;
    let size = |rest: &mut &[u8], bytes: usize| -> PyResult<usize> {
        let (number, after) = rest.split_at_checked(bytes).ok_or_else(damaged)?;
        *rest = after;
        let number = number
            .iter()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        Ok(number)
    };
    macro_rules! number {
        ($read:ident) => {
            rest.$read()
                .map_err(|_| damaged())?
                .into_pyobject(py)?
                .into_any()
        };
    }
    Ok(match marker {
        Marker::Null => PyNone::get(py).to_owned().into_any(),
        Marker::True => PyBool::new(py, true).to_owned().into_any(),
        Marker::False => PyBool::new(py, false).to_owned().into_any(),
        Marker::FixPos(number) => number.into_pyobject(py)?.into_any(),
        Marker::FixNeg(number) => number.into_pyobject(py)?.into_any(),
        Marker::U8 => number!(read_data_u8),
        Marker::U16 => number!(read_data_u16),
        Marker::U32 => number!(read_data_u32),
        Marker::U64 => number!(read_data_u64),
        Marker::I8 => number!(read_data_i8),
        Marker::I16 => number!(read_data_i16),
        Marker::I32 => number!(read_data_i32),
        Marker::I64 => number!(read_data_i64),
        Marker::F32 => {
            let number = rest.read_data_f32().map_err(|_| damaged())?;
            PyFloat::new(py, number.into()).into_any()
        }
        Marker::F64 => {
            let number = rest.read_data_f64().map_err(|_| damaged())?;
            PyFloat::new(py, number).into_any()
        }
        Marker::FixStr(len) => text(py, rest, len.into())?,
        Marker::Str8 => size(rest, 1).and_then(|len| text(py, rest, len))?,
        Marker::Str16 => size(rest, 2).and_then(|len| text(py, rest, len))?,
        Marker::Str32 => size(rest, 4).and_then(|len| text(py, rest, len))?,
        Marker::Bin8 => size(rest, 1).and_then(|len| bytes(py, rest, len))?,
        Marker::Bin16 => size(rest, 2).and_then(|len| bytes(py, rest, len))?,
        Marker::Bin32 => size(rest, 4).and_then(|len| bytes(py, rest, len))?,
        Marker::FixArray(len) => list(py, rest, len.into(), depth)?,
        Marker::Array16 => size(rest, 2).and_then(|len| list(py, rest, len, depth))?,
        Marker::Array32 => size(rest, 4).and_then(|len| list(py, rest, len, depth))?,
        Marker::FixMap(len) => dict(py, rest, len.into(), depth)?,
        Marker::Map16 => size(rest, 2).and_then(|len| dict(py, rest, len, depth))?,
        Marker::Map32 => size(rest, 4).and_then(|len| dict(py, rest, len, depth))?,
        _ => {
            return Err(PyValueError::new_err(
                "the message has an extension type of MessagePack",
            ))
        }
    })
}

fn run<'a>(rest: &mut &'a [u8], len: usize) -> PyResult<&'a [u8]> {
    let (run, after) = rest.split_at_checked(len).ok_or_else(damaged)?;
    *rest = after;
    Ok(run)
}

fn text<'py>(py: Python<'py>, rest: &mut &[u8], len: usize) -> PyResult<Bound<'py, PyAny>> {
    let text = std::str::from_utf8(run(rest, len)?).map_err(|_| damaged())?;
    Ok(PyString::new(py, text).into_any())
}

fn bytes<'py>(py: Python<'py>, rest: &mut &[u8], len: usize) -> PyResult<Bound<'py, PyAny>> {
    Ok(PyBytes::new(py, run(rest, len)?).into_any())
}

fn list<'py>(
    py: Python<'py>,
    rest: &mut &[u8],
    len: usize,
    depth: u32,
) -> PyResult<Bound<'py, PyAny>> {
    let list = PyList::empty(py);
    for _ in 0..len {
        list.append(read_at(py, rest, depth)?)?;
    }
    Ok(list.into_any())
}

fn dict<'py>(
    py: Python<'py>,
    rest: &mut &[u8],
    len: usize,
    depth: u32,
) -> PyResult<Bound<'py, PyAny>> {
    let dict = PyDict::new(py);
    for _ in 0..len {
        let key = read_at(py, rest, depth)?;
        // A list is no key in Python; a tuple is.
        let key = match key.cast::<PyList>() {
            Ok(list) => list.to_tuple().into_any(),
            Err(_) => key,
        };
        dict.set_item(key, read_at(py, rest, depth)?)?;
    }
    Ok(dict.into_any())
}
