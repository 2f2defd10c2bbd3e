//! The format of the messages of a queue: its label.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::buffer::Bytes;
use crate::{msgpack, pickle};

/// A message of a queue as Python sees it. A label that this binding does not know is bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Pickle,
    Msgpack,
    Bytes,
}

/// The label for a name: "bytes" is the empty label.
pub fn label(name: &str) -> PyResult<[u8; 32]> {
    let name = match name {
        "bytes" => "",
        other => other,
    };
    let mut label = [0; 32];
    match label.get_mut(..name.len()) {
        Some(place) if name.len() < 32 && !name.contains('\0') => {
            place.copy_from_slice(name.as_bytes())
        }
        _ => return Err(PyValueError::new_err("a format has at most 31 bytes")),
    }
    Ok(label)
}

/// A mismatch as the library words it, with the empty label as Python spells it.
pub fn spelled(mismatch: &str) -> String {
    ["format of the queue is \"", "asked for as \""]
        .iter()
        .fold(mismatch.to_owned(), |text, before| {
            text.replace(&format!("{before}\""), &format!("{before}bytes\""))
        })
}

pub fn name(label: &[u8; 32]) -> String {
    let name = label.split(|byte| *byte == 0).next().unwrap_or_default();
    match name {
        b"" => "bytes".into(),
        name => String::from_utf8_lossy(name).into_owned(),
    }
}

impl Format {
    pub fn of(name: &str) -> Format {
        match name {
            "pickle" => Format::Pickle,
            "msgpack" => Format::Msgpack,
            _ => Format::Bytes,
        }
    }

    /// The value of a message whose memory is borrowed for the time of this call.
    #[inline]
    pub fn decode<'py>(self, py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Format::Pickle => pickle::decode(py, data),
            Format::Msgpack => msgpack::read(py, data),
            Format::Bytes => Ok(PyBytes::new(py, data).into_any()),
        }
    }

    /// The value of a message in an object, which the value may refer to.
    pub fn decode_kept<'py>(self, object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = object.py();
        let bytes = Bytes::of(object)?;
        match self {
            Format::Pickle => pickle::decode_kept(object, bytes.len()),
            Format::Msgpack => msgpack::read(py, bytes.as_slice()),
            Format::Bytes => Ok(PyBytes::new(py, bytes.as_slice()).into_any()),
        }
    }

    /// Write a value into `out`. A pickle that is not short is not written, and the result is false.
    /// `label` is for the text of an error.
    #[inline]
    pub fn encode(
        self,
        label: &str,
        value: &Bound<'_, PyAny>,
        out: &mut Vec<u8>,
    ) -> PyResult<bool> {
        match self {
            Format::Pickle => Ok(pickle::encode_small(value, out)),
            Format::Msgpack => msgpack::write(value, out).map(|()| true),
            Format::Bytes => {
                out.extend_from_slice(bytes_of(label, value)?.as_slice());
                Ok(true)
            }
        }
    }

    /// Write a value into `out`, of whatever length.
    pub fn encode_whole(
        self,
        label: &str,
        value: &Bound<'_, PyAny>,
        out: &mut Vec<u8>,
    ) -> PyResult<()> {
        if self.encode(label, value, out)? {
            return Ok(());
        }
        let pickled = pickle::Pickled::new(value)?;
        out.reserve(pickled.len());
        pickled.each(&mut |part| out.extend_from_slice(part));
        Ok(())
    }
}

/// The bytes of a bytes-like object, with an error that says what a queue of this label wants.
fn bytes_of(label: &str, value: &Bound<'_, PyAny>) -> PyResult<Bytes> {
    Bytes::of(value).map_err(|_| {
        let class = value.get_type();
        let name = class
            .qualname()
            .map_or_else(|_| String::new(), |name| name.to_string());
        PyTypeError::new_err(format!(
            "a queue of format {label:?} takes bytes-like objects, not {name}: \
             only \"pickle\" and \"msgpack\" take others"
        ))
    })
}
