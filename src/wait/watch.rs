//! An eventfd and what it stands for, for the descriptor and for the watcher.

use super::source::Source;
use crate::segment::Raised;
use crate::sync::local_lock::LocalLock;
use crate::sync::lock_wait::LockWait;
use crate::sync::look::Look;
use crate::sys::descriptor::OwnedFd;
use crate::sys::eventfd;
use std::os::fd::AsRawFd;
use std::sync::Arc;

/// Held while an object's descriptor is looked up or put in its place: so no fork happens midway.
pub(super) static PLACING: LocalLock<()> = LocalLock::new(());

/// An eventfd and what it stands for.
pub(super) struct Watch {
    pub(super) source: Source,
    pub(super) fd: OwnedFd,
    /// The process that it belongs to: a child's descriptor would be its parent's, too.
    pub(super) epoch: u32,
    /// What the object knows of it.
    pub(super) raised: Arc<Raised>,
}

impl Watch {
    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// Whether the descriptor says that the operation would not wait. Then nobody watches for a change: a try
    /// that finds nothing, or the next look, lowers it.
    pub(super) fn is_raised(&self) -> bool {
        self.raised.is_raised()
    }

    /// Make the descriptor say what is so: raised where that is `Ready`. Raised again while it stays so: each
    /// raise is an edge, which an edge-triggered poller that found nothing needs, and undoes a lowering that
    /// came too late.
    pub(super) fn bring_in_step(&self) -> Look {
        let fd = self.fd.as_raw_fd();
        let mut look = self.look();
        if look != Look::Ready {
            self.raised.clear();
            eventfd::lower(fd);
            // What became ready before the line above was lowered with it.
            look = self.look();
        }
        if look == Look::Ready {
            eventfd::raise(fd);
            self.raised.set(fd);
        }
        look
    }

    /// A damaged object is ready: the operation answers at once, with what is wrong. One whose lock is taken is in
    /// doubt: it is not waited for, since all others would have to wait too.
    fn look(&self) -> Look {
        self.source
            .look(&LockWait::at_once())
            .unwrap_or(Look::Ready)
    }
}
