//! A place in an object for what a layer above keeps with it, and what it tells that layer.

use std::any::Any;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::Arc;

use crate::sync::local_lock::{LocalGuard, LocalLock};
use crate::sys::eventfd;
use crate::sys::{fork, futex};

/// Empty until the layer above puts something there; goes with the object.
///
/// Whoever uses it sees to it that no fork happens meanwhile.
pub(crate) struct Readiness {
    value: LocalLock<Option<Box<dyn Any + Send>>>,
    raised: Arc<Raised>,
}

impl Readiness {
    pub(crate) fn new() -> Readiness {
        Readiness {
            value: LocalLock::new(None),
            raised: Arc::new(Raised::new()),
        }
    }

    pub(crate) fn lock(&self) -> LocalGuard<'_, Option<Box<dyn Any + Send>>> {
        self.value.lock()
    }

    pub(crate) fn raised(&self) -> &Arc<Raised> {
        &self.raised
    }

    /// A try found that it would have to wait: a descriptor that says otherwise is lowered, and watched again.
    /// One load where there is none.
    #[inline]
    pub(crate) fn found_nothing(&self) {
        if self.raised.is_raised() {
            self.raised.lower();
        }
    }
}

/// Whether the object's descriptor says that an operation would not wait: the descriptor and the process
/// whose it is, or `NOT_RAISED`.
///
/// While it is raised nobody watches the object, so that those who find something in it at every try pay
/// nothing for a descriptor. So whoever finds nothing says so.
pub(crate) struct Raised(AtomicU64);

const NOT_RAISED: u64 = u64::MAX;

fn mark(fd: RawFd) -> u64 {
    u64::from(fork::epoch()) << 32 | u64::from(fd.unsigned_abs())
}

impl Raised {
    pub(crate) fn new() -> Raised {
        Raised(AtomicU64::new(NOT_RAISED))
    }

    pub(crate) fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed) != NOT_RAISED
    }

    /// After the descriptor was raised.
    pub(crate) fn set(&self, fd: RawFd) {
        self.0.store(mark(fd), Ordering::SeqCst);
    }

    /// Before the descriptor is lowered.
    pub(crate) fn clear(&self) {
        self.0.store(NOT_RAISED, Ordering::SeqCst);
    }

    #[cold]
    fn lower(&self) {
        let word = self.0.swap(NOT_RAISED, Ordering::SeqCst);
        let fd = RawFd::try_from(word & u64::from(u32::MAX)).unwrap_or(-1);
        // A forked child finds its parent's mark here, and leaves the parent's descriptor alone.
        if word == NOT_RAISED || word != mark(fd) {
            return;
        }
        eventfd::lower(fd);
        // Whoever has raised it since then raises it again.
        look_again();
    }
}

/// Changes when whoever keeps descriptors in step has to look again.
static CHANGES: AtomicU32 = AtomicU32::new(0);

/// The word that changes, for who sleeps on it, and its value.
pub(crate) fn changes() -> (&'static AtomicU32, u32) {
    (&CHANGES, CHANGES.load(Ordering::SeqCst))
}

/// Have whoever keeps descriptors in step look again.
pub(crate) fn look_again() {
    CHANGES.fetch_add(1, Ordering::SeqCst);
    futex::wake(&CHANGES, 1);
}
