//! Small values of built-in types: str, bytes, int, float, bool, None, functions and classes, and
//! tuple, list and dict of them. They are written and read here, several times as fast as by a call
//! of `pickle`.
//!
//! The bytes are a valid pickle: those of `pickle.dumps`, without its frame and its memo. The
//! reader also accepts the bytes of `pickle.dumps`, as long as they refer to nothing but such
//! values.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyNone, PyString, PyTuple};

use super::{global, PROTOCOL, STOP};
use crate::pairs::pairs;

/// Longer strings and bytes are copied straight from the object to the queue.
const SHORT: usize = 4096;
/// How many bytes a value may take.
const BYTES: usize = 60 * 1024;
/// How many values it may consist of, besides the numbers in its lists.
const PARTS: usize = 64;

mod opcode {
    pub const MARK: u8 = b'(';
    pub const EMPTY_TUPLE: u8 = b')';
    pub const EMPTY_LIST: u8 = b']';
    pub const EMPTY_DICT: u8 = b'}';
    pub const APPEND: u8 = b'a';
    pub const APPENDS: u8 = b'e';
    pub const SETITEM: u8 = b's';
    pub const SETITEMS: u8 = b'u';
    pub const TUPLE: u8 = b't';
    pub const TUPLE1: u8 = 0x85;
    pub const TUPLE2: u8 = 0x86;
    pub const TUPLE3: u8 = 0x87;
    pub const NONE: u8 = b'N';
    pub const NEWTRUE: u8 = 0x88;
    pub const NEWFALSE: u8 = 0x89;
    pub const BININT: u8 = b'J';
    pub const BININT1: u8 = b'K';
    pub const BININT2: u8 = b'M';
    pub const LONG1: u8 = 0x8a;
    pub const BINFLOAT: u8 = b'G';
    pub const SHORT_BINUNICODE: u8 = 0x8c;
    pub const BINUNICODE: u8 = b'X';
    pub const SHORT_BINBYTES: u8 = b'C';
    pub const BINBYTES: u8 = b'B';
    pub const FRAME: u8 = 0x95;
    pub const MEMOIZE: u8 = 0x94;
    pub const STACK_GLOBAL: u8 = 0x93;
}
use opcode::*;

/// Write a small value. Return false, with nothing written, for any other.
#[inline]
pub fn write(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> bool {
    let begin = out.len();
    out.extend_from_slice(&PROTOCOL);
    let mut writer = Writer {
        out,
        limit: begin + BYTES,
        parts: PARTS,
        containers: Vec::new(),
    };
    let is_small = writer.value(value).is_some();
    match is_small {
        true => out.push(STOP),
        false => out.truncate(begin),
    }
    is_small
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
    limit: usize,
    parts: usize,
    /// The addresses of the lists and dicts so far. One that comes twice has to be one object at
    /// the other end too, which `pickle` sees to.
    containers: Vec<usize>,
}

impl Writer<'_> {
    /// None: this is no small value.
    fn value(&mut self, value: &Bound<'_, PyAny>) -> Option<()> {
        self.parts = self.parts.checked_sub(1)?;
        if let Ok(text) = value.cast_exact::<PyString>() {
            // A lone surrogate has no UTF-8: pickle knows what to do.
            let text = text.to_str().ok()?;
            return self.run(text.as_bytes(), SHORT_BINUNICODE, BINUNICODE);
        }
        if let Ok(bytes) = value.cast_exact::<PyBytes>() {
            return self.run(bytes.as_bytes(), SHORT_BINBYTES, BINBYTES);
        }
        match self.number(value)? {
            true => Some(()),
            false => self.container(value),
        }
    }

    /// A number, or another value of fixed size. False, with nothing written, for any other.
    #[inline]
    fn number(&mut self, value: &Bound<'_, PyAny>) -> Option<bool> {
        if self.out.len() > self.limit {
            return None;
        }
        if let Ok(number) = value.cast_exact::<PyInt>() {
            self.int(int_of(number)?);
        } else if value.is_none() {
            self.out.push(NONE);
        } else if let Ok(flag) = value.cast_exact::<PyBool>() {
            self.out
                .push(if flag.is_true() { NEWTRUE } else { NEWFALSE });
        } else if let Ok(number) = value.cast_exact::<PyFloat>() {
            self.out.push(BINFLOAT);
            self.out.extend_from_slice(&number.value().to_be_bytes());
        } else {
            return Some(false);
        }
        Some(true)
    }

    fn run(&mut self, run: &[u8], short: u8, long: u8) -> Option<()> {
        if run.len() > SHORT || self.out.len() + run.len() > self.limit {
            return None;
        }
        match u8::try_from(run.len()) {
            Ok(len) => self.out.extend_from_slice(&[short, len]),
            Err(_) => {
                self.out.push(long);
                self.out
                    .extend_from_slice(&(run.len() as u32).to_le_bytes());
            }
        }
        self.out.extend_from_slice(run);
        Some(())
    }

    fn int(&mut self, number: i64) {
        if let Ok(number) = u8::try_from(number) {
            self.out.extend_from_slice(&[BININT1, number]);
        } else if let Ok(number) = u16::try_from(number) {
            self.out.push(BININT2);
            self.out.extend_from_slice(&number.to_le_bytes());
        } else if let Ok(number) = i32::try_from(number) {
            self.out.push(BININT);
            self.out.extend_from_slice(&number.to_le_bytes());
        } else {
            self.out.extend_from_slice(&[LONG1, 8]);
            self.out.extend_from_slice(&number.to_le_bytes());
        }
    }

    fn new_container(&mut self, value: &Bound<'_, PyAny>) -> Option<()> {
        let address = value.as_ptr() as usize;
        if self.containers.contains(&address) {
            return None;
        }
        self.containers.push(address);
        Some(())
    }

    fn container(&mut self, value: &Bound<'_, PyAny>) -> Option<()> {
        if let Ok(dict) = value.cast_exact::<PyDict>() {
            self.new_container(value)?;
            self.out.push(EMPTY_DICT);
            if dict.is_empty() {
                return Some(());
            }
            self.out.push(MARK);
            for (key, value) in pairs(dict) {
                self.value(&key)?;
                self.value(&value)?;
            }
            self.out.push(SETITEMS);
        } else if let Ok(list) = value.cast_exact::<PyList>() {
            self.new_container(value)?;
            self.out.push(EMPTY_LIST);
            if list.is_empty() {
                return Some(());
            }
            self.out.push(MARK);
            for item in list.iter() {
                if !self.number(&item)? {
                    self.value(&item)?;
                }
            }
            self.out.push(APPENDS);
        } else if let Ok(tuple) = value.cast_exact::<PyTuple>() {
            let closing = match tuple.len() {
                0 => EMPTY_TUPLE,
                1 => TUPLE1,
                2 => TUPLE2,
                3 => TUPLE3,
                _ => {
                    self.out.push(MARK);
                    TUPLE
                }
            };
            for item in tuple.iter() {
                self.value(&item)?;
            }
            self.out.push(closing);
        } else {
            let (module, name) = global::name_of(value)?;
            for name in [module, name] {
                self.run(name.to_str().ok()?.as_bytes(), SHORT_BINUNICODE, BINUNICODE)?;
            }
            self.out.push(STACK_GLOBAL);
        }
        Some(())
    }
}

/// The value of an int of up to 64 bits.
fn int_of(number: &Bound<'_, PyInt>) -> Option<i64> {
    let mut overflow = 0;
    // SAFETY: the object is an int, for which the call raises nothing.
    let value = unsafe { ffi::PyLong_AsLongLongAndOverflow(number.as_ptr(), &mut overflow) };
    (overflow == 0).then_some(value)
}

/// Read a list of scalars into the places from `begin` to `end` of a list. False for any other
/// value; some of the places may have changed then.
pub fn read_into(list: &Bound<'_, PyList>, begin: usize, end: usize, data: &[u8]) -> bool {
    let fill = || -> Option<bool> {
        let mut reader = Reader {
            py: list.py(),
            rest: data
                .strip_prefix(&PROTOCOL)?
                .strip_prefix(&[EMPTY_LIST, MARK])?,
        };
        for at in begin..end {
            let opcode = reader.byte()?;
            list.set_item(at, reader.scalar(opcode)?).ok()?;
        }
        Some(reader.rest == [APPENDS, STOP])
    };
    fill() == Some(true)
}

/// Read a small value. None for any other pickle, which `pickle.loads` reads or refuses.
#[inline]
pub fn read<'py>(py: Python<'py>, data: &[u8]) -> Option<Bound<'py, PyAny>> {
    let mut reader = Reader {
        py,
        rest: data.strip_prefix(&PROTOCOL)?,
    };
    // A value that is no container needs no stack.
    let opcode = reader.byte()?;
    if let Some(value) = reader.scalar(opcode) {
        if reader.rest == [STOP] {
            return Some(value);
        }
    }
    reader.rest = &data[PROTOCOL.len()..];
    reader.machine()
}

struct Reader<'py, 'a> {
    py: Python<'py>,
    rest: &'a [u8],
}

impl<'py, 'a> Reader<'py, 'a> {
    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*array)
    }

    fn run(&mut self, is_short: bool) -> Option<&'a [u8]> {
        let len = match is_short {
            true => usize::from(self.byte()?),
            false => u32::from_le_bytes(self.array()?) as usize,
        };
        let (run, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(run)
    }

    fn text(&mut self, is_short: bool) -> Option<Bound<'py, PyAny>> {
        let text = std::str::from_utf8(self.run(is_short)?).ok()?;
        Some(PyString::new(self.py, text).into_any())
    }

    fn bytes(&mut self, is_short: bool) -> Option<Bound<'py, PyAny>> {
        Some(PyBytes::new(self.py, self.run(is_short)?).into_any())
    }

    fn int(&self, number: i64) -> Option<Bound<'py, PyAny>> {
        Some(number.into_pyobject(self.py).ok()?.into_any())
    }

    /// The value of an opcode that needs nothing of the stack.
    #[inline]
    fn scalar(&mut self, opcode: u8) -> Option<Bound<'py, PyAny>> {
        match opcode {
            SHORT_BINUNICODE => self.text(true),
            BINUNICODE => self.text(false),
            SHORT_BINBYTES => self.bytes(true),
            BINBYTES => self.bytes(false),
            BININT1 => {
                let number = i64::from(self.byte()?);
                self.int(number)
            }
            BININT2 => {
                let number = u16::from_le_bytes(self.array()?);
                self.int(number.into())
            }
            BININT => {
                let number = i32::from_le_bytes(self.array()?);
                self.int(number.into())
            }
            LONG1 => {
                let bytes = self.run(true)?;
                let is_negative = bytes.last().is_some_and(|byte| *byte >= 0x80);
                let mut number = [if is_negative { 0xff } else { 0 }; 8];
                number.get_mut(..bytes.len())?.copy_from_slice(bytes);
                self.int(i64::from_le_bytes(number))
            }
            BINFLOAT => {
                let number = f64::from_be_bytes(self.array()?);
                Some(PyFloat::new(self.py, number).into_any())
            }
            NONE => Some(PyNone::get(self.py).to_owned().into_any()),
            NEWTRUE => Some(PyBool::new(self.py, true).to_owned().into_any()),
            NEWFALSE => Some(PyBool::new(self.py, false).to_owned().into_any()),
            _ => None,
        }
    }

    fn machine(&mut self) -> Option<Bound<'py, PyAny>> {
        let py = self.py;
        let mut stack: Vec<Bound<'py, PyAny>> = Vec::with_capacity(16);
        let mut marks: Vec<usize> = Vec::new();
        loop {
            let opcode = self.byte()?;
            let value = match opcode {
                // Without a reference to it, what is in the memo is of no use.
                MEMOIZE => continue,
                FRAME => {
                    self.array::<8>()?;
                    continue;
                }
                MARK => {
                    marks.push(stack.len());
                    continue;
                }
                STOP => {
                    let value = stack.pop()?;
                    let is_over = stack.is_empty() && marks.is_empty() && self.rest.is_empty();
                    return is_over.then_some(value);
                }
                EMPTY_DICT => PyDict::new(py).into_any(),
                EMPTY_LIST => PyList::empty(py).into_any(),
                EMPTY_TUPLE => PyTuple::empty(py).into_any(),
                TUPLE | TUPLE1 | TUPLE2 | TUPLE3 => {
                    let begin = match opcode {
                        TUPLE => marks.pop()?,
                        _ => stack.len().checked_sub(usize::from(opcode - TUPLE1) + 1)?,
                    };
                    if begin > stack.len() {
                        return None;
                    }
                    PyTuple::new(py, stack.drain(begin..)).ok()?.into_any()
                }
                APPEND | APPENDS => {
                    let begin = match opcode {
                        APPENDS => marks.pop()?,
                        _ => stack.len().checked_sub(1)?,
                    };
                    if begin > stack.len() {
                        return None;
                    }
                    let items = PyList::new(py, stack.drain(begin..)).ok()?;
                    let place = stack.last_mut()?;
                    let list = place.cast_exact::<PyList>().ok()?;
                    match list.len() {
                        // Nothing else refers to the empty list yet.
                        0 => *place = items.into_any(),
                        len => list.set_slice(len, len, &items).ok()?,
                    }
                    continue;
                }
                SETITEM | SETITEMS => {
                    let begin = match opcode {
                        SETITEMS => marks.pop()?,
                        _ => stack.len().checked_sub(2)?,
                    };
                    let (under, items) = stack.split_at_checked(begin)?;
                    let dict = under.last()?.cast_exact::<PyDict>().ok()?;
                    let (pairs, rest) = items.as_chunks::<2>();
                    if !rest.is_empty() {
                        return None;
                    }
                    for [key, value] in pairs {
                        dict.set_item(key, value).ok()?;
                    }
                    stack.truncate(begin);
                    continue;
                }
                STACK_GLOBAL => {
                    let name = stack.pop()?;
                    global::load(&stack.pop()?, &name)?
                }
                other => self.scalar(other)?,
            };
            stack.push(value);
        }
    }
}
