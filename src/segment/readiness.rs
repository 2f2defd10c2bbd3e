//! State that a layer above keeps with an object, and the events that the object reports to that
//! layer.

use std::any::Any;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::Arc;

use crate::sync::local_lock::{LocalGuard, LocalLock};
use crate::sys::eventfd;
use crate::sys::{fork, futex};

/// Empty until the layer above stores something. The value is dropped with the object.
///
/// A caller that holds the lock must make sure that no fork happens meanwhile.
pub(crate) struct Readiness {
    value: LocalLock<Option<Box<dyn Any + Send>>>,
    raised_descriptor: Arc<RaisedDescriptor>,
}

impl Readiness {
    pub(crate) fn new() -> Readiness {
        Readiness {
            value: LocalLock::new(None),
            raised_descriptor: Arc::new(RaisedDescriptor::new()),
        }
    }

    pub(crate) fn lock(&self) -> LocalGuard<'_, Option<Box<dyn Any + Send>>> {
        self.value.lock()
    }

    pub(crate) fn raised_descriptor(&self) -> &Arc<RaisedDescriptor> {
        &self.raised_descriptor
    }

    /// Report that a try would have to wait. If a descriptor says otherwise, it is lowered and its
    /// object is watched again. One load if there is no such descriptor.
    #[inline]
    pub(crate) fn found_nothing(&self) {
        if self.raised_descriptor.is_raised() {
            self.raised_descriptor.lower();
        }
    }
}

/// Whether the object's descriptor says that an operation would not wait: the descriptor and the
/// epoch of the process to which it belongs, or `NOT_RAISED`.
///
/// While a descriptor is raised nobody watches the object. So calls that find something at every
/// try pay nothing for a descriptor, and a call that finds nothing has to report it.
pub(crate) struct RaisedDescriptor(AtomicU64);

const NOT_RAISED: u64 = u64::MAX;

fn mark(fd: RawFd) -> u64 {
    u64::from(fork::epoch()) << 32 | u64::from(fd.unsigned_abs())
}

impl RaisedDescriptor {
    pub(crate) fn new() -> RaisedDescriptor {
        RaisedDescriptor(AtomicU64::new(NOT_RAISED))
    }

    pub(crate) fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed) != NOT_RAISED
    }

    /// Called after the descriptor was raised.
    pub(crate) fn set(&self, fd: RawFd) {
        self.0.store(mark(fd), Ordering::SeqCst);
    }

    /// Called before the descriptor is lowered.
    pub(crate) fn clear(&self) {
        self.0.store(NOT_RAISED, Ordering::SeqCst);
    }

    #[cold]
    fn lower(&self) {
        let word = self.0.swap(NOT_RAISED, Ordering::SeqCst);
        let fd = RawFd::try_from(word & u64::from(u32::MAX)).unwrap_or(-1);
        // A forked child finds its parent's mark here, and must not touch the parent's descriptor.
        if word == NOT_RAISED || word != mark(fd) {
            return;
        }
        eventfd::lower(fd);
        // A thread that has raised the descriptor meanwhile raises it again.
        look_again();
    }
}

/// Changes when the thread that keeps descriptors up to date has to look again.
static CHANGES: AtomicU32 = AtomicU32::new(0);

/// The word that changes, to sleep on, and its value.
pub(crate) fn changes() -> (&'static AtomicU32, u32) {
    (&CHANGES, CHANGES.load(Ordering::SeqCst))
}

/// Make the thread that keeps descriptors up to date look again.
pub(crate) fn look_again() {
    CHANGES.fetch_add(1, Ordering::SeqCst);
    futex::wake(&CHANGES, 1);
}
