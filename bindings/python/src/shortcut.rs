//! Methods that are called so often, and do so little, that the usual way into a method of PyO3
//! takes longer than they do. A shortcut handles the usual call; it leaves every other one
//! (arguments, waiting, errors) to the method that it replaces.

use std::ffi::{c_char, CStr, CString};

use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi::{self, PyObject, Py_ssize_t};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple, PyType};

/// The outcome of a shortcut.
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
/// The arguments are those that Python passed to a function with the flags METH_FASTCALL and
/// METH_KEYWORDS.
#[cold]
pub unsafe fn usual(
    usual: &PyOnceLock<Py<PyAny>>,
    object: *mut PyObject,
    args: *const *mut PyObject,
    count: Py_ssize_t,
    names: *mut PyObject,
) -> *mut PyObject {
    Python::attach(|py| {
        // SAFETY: Python passes a reference to the object, null or a tuple of names, and as many
        // arguments as it says, those with a name behind the others.
        let called = unsafe {
            let object = Bound::from_borrowed_ptr(py, object);
            let names = Bound::from_borrowed_ptr_or_opt(py, names);
            call_usual(usual, object, args, count as usize, names)
        };
        match called {
            Ok(result) => result.into_ptr(),
            Err(error) => {
                error.restore(py);
                std::ptr::null_mut()
            }
        }
    })
}

/// # Safety
/// `args` has `count` objects, and behind them one for each name.
unsafe fn call_usual<'py>(
    usual: &PyOnceLock<Py<PyAny>>,
    object: Bound<'py, PyAny>,
    args: *const *mut PyObject,
    count: usize,
    names: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = object.py();
    // SAFETY: the caller says how many there are.
    let argument = |at| unsafe { Bound::from_borrowed_ptr(py, *args.add(at)) };
    let plain = std::iter::once(object).chain((0..count).map(argument));
    let plain = PyTuple::new(py, plain.collect::<Vec<_>>())?;
    let named = PyDict::new(py);
    if let Some(names) = names {
        for (at, name) in names.cast::<PyTuple>()?.iter().enumerate() {
            named.set_item(name, argument(count + at))?;
        }
    }
    let usual = usual
        .get(py)
        .ok_or_else(|| PyRuntimeError::new_err("the method is not there"))?;
    usual.bind(py).call(plain, Some(&named))
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
