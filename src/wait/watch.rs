//! An eventfd and the source whose readiness it shows, for the descriptor and for the watcher.

use std::os::fd::AsRawFd;
use std::sync::Arc;

use super::source::Source;
use crate::segment::RaisedDescriptor;
use crate::sync::local_lock::LocalLock;
use crate::sync::lock_wait::LockWait;
use crate::sync::look::Look;
use crate::sys::descriptor::OwnedFd;
use crate::sys::eventfd;

/// Held while an object's descriptor is looked up or stored, so that no fork happens in between.
pub(super) static PLACING: LocalLock<()> = LocalLock::new(());

/// An eventfd and the source whose readiness it shows.
pub(super) struct Watch {
    pub(super) source: Source,
    pub(super) fd: OwnedFd,
    /// The epoch of the process that made the eventfd. A forked child shares the eventfd with its
    /// parent and may not use it.
    pub(super) epoch: u32,
    /// The object's record of whether its descriptor is raised, which means readable.
    pub(super) raised_descriptor: Arc<RaisedDescriptor>,
}

impl Watch {
    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// Whether the descriptor is readable, which says that the operation would not wait. While it
    /// is, the watcher does not watch the object. A try that finds nothing makes the descriptor
    /// unreadable, and so does the watcher's next look.
    pub(super) fn is_raised(&self) -> bool {
        self.raised_descriptor.is_raised()
    }

    /// Make the descriptor readable if the source is `Ready`, and unreadable otherwise. A readable
    /// descriptor is written to again: each write is an edge, which an edge-triggered poller needs
    /// after it found nothing, and the write undoes a `lower` of another thread that came too late.
    pub(super) fn bring_in_step(&self) -> Look {
        let fd = self.fd.as_raw_fd();
        let mut look = self.look();
        if look != Look::Ready {
            self.raised_descriptor.clear();
            eventfd::lower(fd);
            // The source may have become ready just before `lower`: look again.
            look = self.look();
        }
        if look == Look::Ready {
            if !self.is_raised() {
                self.source.tell_waited();
            }
            eventfd::raise(fd);
            self.raised_descriptor.set(fd);
        }
        look
    }

    /// A damaged object counts as ready: the operation returns the error at once. If the object's
    /// lock is taken, the look is `Doubtful`: it does not wait for the lock, since that would delay
    /// all other watches.
    fn look(&self) -> Look {
        self.source
            .look(&LockWait::at_once())
            .unwrap_or(Look::Ready)
    }
}
