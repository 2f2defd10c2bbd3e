//! Python's buffer protocol. It is in the stable ABI from 3.11 on only, but its functions and the
//! layout of its struct are the same in 3.10, so they are declared here.

use std::ffi::{c_char, c_int, c_void, CStr};
use std::ptr;

use pyo3::exceptions::PyBufferError;
use pyo3::ffi::{self, PyObject, Py_ssize_t};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;
use pyo3::PyClass;

#[repr(C)]
struct PyBufferView {
    buf: *mut c_void,
    obj: *mut PyObject,
    len: Py_ssize_t,
    itemsize: Py_ssize_t,
    readonly: c_int,
    ndim: c_int,
    format: *mut c_char,
    shape: *mut Py_ssize_t,
    strides: *mut Py_ssize_t,
    suboffsets: *mut Py_ssize_t,
    internal: *mut c_void,
}

extern "C" {
    fn PyObject_GetBuffer(object: *mut PyObject, view: *mut PyBufferView, flags: c_int) -> c_int;
    fn PyBuffer_Release(view: *mut PyBufferView);
    fn PyBuffer_FillInfo(
        view: *mut PyBufferView,
        object: *mut PyObject,
        buf: *mut c_void,
        len: Py_ssize_t,
        readonly: c_int,
        flags: c_int,
    ) -> c_int;
}

const SIMPLE: c_int = 0;
const WRITABLE: c_int = 1;

/// The bytes of a bytes-like object, contiguous. They stay where they are while this lives.
pub struct Bytes {
    view: Box<PyBufferView>,
}

impl Bytes {
    pub fn of(object: &Bound<'_, PyAny>) -> PyResult<Bytes> {
        Bytes::with(object, SIMPLE)
    }

    pub fn writable(object: &Bound<'_, PyAny>) -> PyResult<Bytes> {
        Bytes::with(object, WRITABLE)
    }

    fn with(object: &Bound<'_, PyAny>, flags: c_int) -> PyResult<Bytes> {
        // SAFETY: a view of zeros is one that was not filled.
        let mut view: Box<PyBufferView> = Box::new(unsafe { std::mem::zeroed() });
        // SAFETY: the object is alive, and the view is ours.
        if unsafe { PyObject_GetBuffer(object.as_ptr(), &mut *view, flags) } != 0 {
            return Err(PyErr::fetch(object.py()));
        }
        Ok(Bytes { view })
    }

    pub fn len(&self) -> usize {
        self.view.len as usize
    }

    pub fn as_slice(&self) -> &[u8] {
        match self.view.len {
            0 => &[],
            // SAFETY: the object keeps that many bytes there until the view is released. Another
            // thread of Python may change them meanwhile, as with any use of a buffer; they are
            // only copied.
            len => unsafe { std::slice::from_raw_parts(self.view.buf.cast(), len as usize) },
        }
    }

    /// Copy `data` to the place `at`.
    pub fn write(&mut self, at: usize, data: &[u8]) -> PyResult<()> {
        if at > self.len() || data.len() > self.len() - at {
            return Err(PyBufferError::new_err("the buffer is too small"));
        }
        // SAFETY: the buffer is writable, and the range lies inside of it.
        unsafe {
            let to = self.view.buf.cast::<u8>().add(at);
            std::ptr::copy_nonoverlapping(data.as_ptr(), to, data.len());
        }
        Ok(())
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        // SAFETY: the view was filled, and callers hold the interpreter lock as long as they use
        // it.
        unsafe { PyBuffer_Release(&mut *self.view) };
    }
}

/// Memory that Python may look at.
pub struct Memory {
    pub at: *mut u8,
    pub len: usize,
    pub is_readonly: bool,
}

/// A class whose objects lend their memory. The class that Python sees, `class`, is derived from
/// it: the stable ABI of Python 3.10 has the slots for buffers at run time only.
pub trait Lender: PyClass<Frozen = pyo3::pyclass::boolean_struct::True> + Sync {
    const QUALIFIED_NAME: &'static CStr;

    fn derived() -> &'static PyOnceLock<Py<PyType>>;

    /// The memory, which stays until `release_view` was called as often as this.
    fn lend(&self) -> PyResult<Memory>;

    fn release_view(&self);
}

/// A new object of the class that lends its memory.
pub fn new<T: Lender>(py: Python<'_>) -> PyResult<Bound<'_, T>> {
    let class = T::derived().get_or_try_init(py, || derive::<T>(py))?;
    Ok(class.bind(py).call0()?.cast_into::<T>()?)
}

/// From Python's typeslots.h.
const BF_GETBUFFER: c_int = 1;
const BF_RELEASEBUFFER: c_int = 2;

fn derive<T: Lender>(py: Python<'_>) -> PyResult<Py<PyType>> {
    let slot = |slot, pfunc| ffi::PyType_Slot { slot, pfunc };
    let mut slots = [
        slot(BF_GETBUFFER, get_buffer::<T> as *mut c_void),
        slot(BF_RELEASEBUFFER, release_buffer::<T> as *mut c_void),
        slot(0, ptr::null_mut()),
    ];
    let mut spec = ffi::PyType_Spec {
        name: T::QUALIFIED_NAME.as_ptr(),
        basicsize: 0,
        itemsize: 0,
        flags: ffi::Py_TPFLAGS_DEFAULT as _,
        slots: slots.as_mut_ptr(),
    };
    let base = py.get_type::<T>();
    // SAFETY: the spec lives as long as the call, and its size is that of its base.
    let class = unsafe {
        let class = ffi::PyType_FromSpecWithBases(&mut spec, base.as_ptr());
        Bound::from_owned_ptr_or_err(py, class)?
    };
    Ok(class.cast_into::<PyType>()?.unbind())
}

unsafe extern "C" fn get_buffer<T: Lender>(
    object: *mut PyObject,
    view: *mut PyBufferView,
    flags: c_int,
) -> c_int {
    Python::attach(|py| {
        // SAFETY: Python passes an object of the class.
        let object = unsafe { Bound::from_borrowed_ptr(py, object) };
        let lent = object.cast::<T>().map_err(PyErr::from);
        let (lender, memory) = match lent.and_then(|lender| Ok((lender, lender.get().lend()?))) {
            Ok(lent) => lent,
            Err(error) => {
                // SAFETY: Python passes a view, and an error leaves its object empty.
                unsafe { (*view).obj = ptr::null_mut() };
                error.restore(py);
                return -1;
            }
        };
        let readonly = c_int::from(memory.is_readonly);
        let (at, len) = (memory.at.cast(), memory.len as Py_ssize_t);
        // SAFETY: the view is Python's, and the memory stays until the view is released.
        let filled = unsafe { PyBuffer_FillInfo(view, object.as_ptr(), at, len, readonly, flags) };
        if filled != 0 {
            lender.get().release_view();
        }
        filled
    })
}

unsafe extern "C" fn release_buffer<T: Lender>(object: *mut PyObject, _view: *mut PyBufferView) {
    Python::attach(|py| {
        // SAFETY: Python passes an object of the class.
        let object = unsafe { Bound::from_borrowed_ptr(py, object) };
        if let Ok(lender) = object.cast::<T>() {
            lender.get().release_view();
        }
    })
}
