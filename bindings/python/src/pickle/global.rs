//! Functions and classes, which a pickle refers to by their module and name.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyCFunction, PyDict, PyString, PyType};

/// The module and the name of a function or class, if that name leads back to it. None for all that
/// `pickle` has to look for, or to refuse.
pub fn name_of<'py>(
    value: &Bound<'py, PyAny>,
) -> Option<(Bound<'py, PyString>, Bound<'py, PyString>)> {
    let py = value.py();
    let is_global = is_function(value)
        || value.is_exact_instance_of::<PyCFunction>()
        || value.is_exact_instance_of::<PyType>();
    if !is_global {
        return None;
    }
    let text = |name| value.getattr(name).ok()?.cast_into_exact::<PyString>().ok();
    let (module, name) = (
        text(intern!(py, "__module__"))?,
        text(intern!(py, "__qualname__"))?,
    );
    find(&module, &name)?.is(value).then_some((module, name))
}

/// Functions are pickled by their name.
pub fn is_function(value: &Bound<'_, PyAny>) -> bool {
    static FUNCTION: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = FUNCTION.import(value.py(), "types", "FunctionType");
    class.is_ok_and(|class| value.get_type().is(class))
}

/// Find an object by module and name, as `pickle.Unpickler.find_class` does; only if the module is
/// loaded.
pub fn load<'py>(
    module: &Bound<'py, PyAny>,
    name: &Bound<'py, PyAny>,
) -> Option<Bound<'py, PyAny>> {
    static AUDIT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = module.py();
    let found = find(module.cast().ok()?, name.cast().ok()?)?;
    let audit = AUDIT.import(py, "sys", "audit").ok()?;
    audit
        .call1((intern!(py, "pickle.find_class"), module, name))
        .ok()?;
    Some(found)
}

/// The attribute of a module that is loaded; none with a dot in its name.
fn find<'py>(
    module: &Bound<'py, PyString>,
    name: &Bound<'py, PyString>,
) -> Option<Bound<'py, PyAny>> {
    static MODULES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    let modules = MODULES.import(module.py(), "sys", "modules").ok()?;
    modules.get_item(module).ok()??.getattr(name).ok()
}
