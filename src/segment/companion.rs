//! A place in an object for what a layer above keeps with it.

use std::any::Any;

use crate::sys::local_lock::{LocalGuard, LocalLock};

/// Empty until the layer above puts something there; goes with the object.
///
/// Whoever uses it sees to it that no fork happens meanwhile.
pub(crate) struct Companion {
    value: LocalLock<Option<Box<dyn Any + Send>>>,
}

impl Companion {
    pub(crate) const fn new() -> Companion {
        Companion {
            value: LocalLock::new(None),
        }
    }

    pub(crate) fn lock(&self) -> LocalGuard<'_, Option<Box<dyn Any + Send>>> {
        self.value.lock()
    }
}
