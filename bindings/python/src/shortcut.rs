//! Methods that are called so often, and do so little, that the usual way into a method of PyO3
//! takes longer than they do. A shortcut handles the usual call; it leaves every other one (arguments,
//! waiting, errors) to the method that it replaces.

use std::ffi::{c_char, CStr, CString};

use pyo3::ffi::{self, PyObject, Py_ssize_t};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

extern "C" {
    // In the stable ABI from 3.12 on only, and the same in 3.10.
    fn PyObject_Vectorcall(
        callable: *mut PyObject,
        args: *const *mut PyObject,
        count: usize,
        names: *mut PyObject,
    ) -> *mut PyObject;
}

/// What a shortcut has come to.
pub enum Shortcut {
    True,
    None,
    /// An exception is set.
    Raised,
    /// The usual method does it.
    Usual,
}

/// Replace a method by `$try`, another one, which returns a [`Shortcut`], for calls with
/// `$count` arguments.
#[macro_export]
macro_rules! shortcut {
    ($py:expr, $class:ident, $name:literal, $count:literal, $try:ident) => {{
        static USUAL: pyo3::sync::PyOnceLock<pyo3::Py<pyo3::PyAny>> = pyo3::sync::PyOnceLock::new();
        unsafe extern "C" fn call(
            object: *mut pyo3::ffi::PyObject,
            args: *const *mut pyo3::ffi::PyObject,
            count: pyo3::ffi::Py_ssize_t,
            names: *mut pyo3::ffi::PyObject,
        ) -> *mut pyo3::ffi::PyObject {
            if count == $count && names.is_null() {
                // SAFETY: Python calls this, with an object that it has checked to be of the class,
                // and keeps its reference.
                let (py, lent) = unsafe {
                    let py = pyo3::Python::assume_attached();
                    let lent = pyo3::Bound::from_owned_ptr(py, object);
                    (
                        py,
                        std::mem::ManuallyDrop::new(lent.cast_into_unchecked::<$class>()),
                    )
                };
                if let Some(result) = $crate::shortcut::result(lent.get().$try(py)) {
                    return result;
                }
            }
            // SAFETY: the arguments are those of Python.
            unsafe { $crate::shortcut::usual(&USUAL, object, args, count, names) }
        }
        $crate::shortcut::install(&$py.get_type::<$class>(), $name, call, &USUAL)
    }};
}

/// A new reference, or null for an exception; nothing for the usual method.
#[inline]
pub fn result(shortcut: Shortcut) -> Option<*mut PyObject> {
    // SAFETY: both objects live for ever.
    unsafe {
        let object = match shortcut {
            Shortcut::True => ffi::Py_True(),
            Shortcut::None => ffi::Py_None(),
            Shortcut::Raised => return Some(std::ptr::null_mut()),
            Shortcut::Usual => return None,
        };
        ffi::Py_INCREF(object);
        Some(object)
    }
}

/// Call the usual method.
///
/// # Safety
/// The arguments are those that Python passed to a function with the flags METH_FASTCALL and METH_KEYWORDS.
#[cold]
pub unsafe fn usual(
    usual: &PyOnceLock<Py<PyAny>>,
    object: *mut PyObject,
    args: *const *mut PyObject,
    count: Py_ssize_t,
    names: *mut PyObject,
) -> *mut PyObject {
    Python::attach(|py| {
        let Some(usual) = usual.get(py) else {
            return std::ptr::null_mut();
        };
        let named = match names.is_null() {
            true => 0,
            // SAFETY: it is a tuple.
            false => unsafe { ffi::PyTuple_Size(names) },
        };
        let mut all = vec![object];
        if count + named > 0 {
            // SAFETY: that many arguments are there, those with a name behind the others.
            all.extend(unsafe { std::slice::from_raw_parts(args, (count + named) as usize) });
        }
        // SAFETY: all are alive during the call.
        unsafe { PyObject_Vectorcall(usual.as_ptr(), all.as_ptr(), count as usize + 1, names) }
    })
}

/// Put a function in the place of a method, with the documentation of that method.
pub fn install(
    class: &Bound<'_, PyType>,
    name: &'static CStr,
    function: ffi::PyCFunctionFastWithKeywords,
    usual: &PyOnceLock<Py<PyAny>>,
) -> PyResult<()> {
    let py = class.py();
    let text = name.to_str().unwrap_or_default();
    let method = class.getattr(text)?;
    let signature: Option<String> = method.getattr("__text_signature__")?.extract()?;
    let signature = signature.unwrap_or_else(|| "($self, /)".to_owned());
    let doc: Option<String> = method.getattr("__doc__")?.extract()?;
    let doc = format!("{text}{signature}\n--\n\n{}", doc.unwrap_or_default());
    let _ = usual.set(py, method.unbind());
    // A class keeps its methods for ever.
    let doc: *const c_char = CString::new(doc)?.into_raw();
    let definition = Box::leak(Box::new(ffi::PyMethodDef {
        ml_name: name.as_ptr(),
        ml_meth: ffi::PyMethodDefPointer {
            PyCFunctionFastWithKeywords: function,
        },
        ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
        ml_doc: doc,
    }));
    // SAFETY: the class is alive, and the definition lives for ever.
    let method = unsafe {
        let method = ffi::PyDescr_NewMethod(class.as_type_ptr(), definition);
        Bound::from_owned_ptr_or_err(py, method)?
    };
    class.setattr(text, method)
}
