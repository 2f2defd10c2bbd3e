//! A descriptor that is readable while an operation would not wait: for epoll, libuv, asyncio, netpoll.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use super::source::Source;
use super::watcher;
use crate::status::{Result, Status};
use crate::sys::local_lock::LocalLock;
use crate::sys::{fork, poll};

/// An eventfd and what it stands for.
pub(super) struct Watch {
    source: Source,
    fd: OwnedFd,
    /// The process that it belongs to: a child's descriptor would be its parent's, too.
    epoch: u32,
}

impl Watch {
    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// Make the descriptor say what is so. Raised again while it stays so: each raise is an edge, which
    /// an edge-triggered poller that found nothing needs.
    pub(super) fn bring_in_step(&self) {
        // A damaged object is ready: the operation answers at once, with what is wrong.
        if self.source.is_ready().unwrap_or(true) {
            poll::raise(self.fd.as_raw_fd());
        } else {
            poll::lower(self.fd.as_raw_fd());
            // What became ready before the line above was lowered with it.
            if self.source.is_ready().unwrap_or(true) {
                poll::raise(self.fd.as_raw_fd());
            }
        }
    }
}

/// A watched descriptor; the watcher forgets it when this goes.
pub(crate) struct Descriptor(Arc<Watch>);

impl Descriptor {
    pub(crate) fn new(source: Source) -> Result<Descriptor> {
        let watch = Arc::new(Watch {
            source,
            fd: poll::event()?,
            epoch: fork::epoch(),
        });
        watch.bring_in_step();
        watcher::add(&watch)?;
        Ok(Descriptor(watch))
    }

    fn is_own(&self) -> bool {
        self.0.epoch == fork::epoch()
    }

    fn fd(&self) -> RawFd {
        self.0.fd.as_raw_fd()
    }

    /// The descriptor, right at this moment.
    pub(super) fn in_step(&self) -> Result<RawFd> {
        self.0.bring_in_step();
        Ok(self.fd())
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        watcher::look_again();
    }
}

/// Held while an object's descriptor is looked up or put in its place: so no fork happens midway.
pub(super) static PLACING: LocalLock<()> = LocalLock::new(());

/// An object's descriptor, made when somebody asks for it.
pub(crate) struct LazyDescriptor {
    /// Only touched under [`PLACING`].
    made: LocalLock<Option<Descriptor>>,
}

impl LazyDescriptor {
    pub(crate) const fn new() -> LazyDescriptor {
        LazyDescriptor {
            made: LocalLock::new(None),
        }
    }

    /// The descriptor; it stays the object's.
    pub(crate) fn fd(&self, source: Source) -> Result<RawFd> {
        watcher::hold_tables_across_forks();
        if let Some(fd) = self.known() {
            return Ok(fd);
        }
        // Without the lock: this looks at the object, which takes others.
        let fresh = Descriptor::new(source)?;
        let mut unused = Some(fresh);
        let fd = {
            let _placing = PLACING.lock();
            let mut made = self.made.lock();
            // Another thread may have been quicker; what a forked child finds is its parent's.
            if !made.as_ref().is_some_and(Descriptor::is_own) {
                std::mem::swap(&mut *made, &mut unused);
            }
            made.as_ref().map(Descriptor::fd)
        };
        drop(unused);
        fd.ok_or(Status::E_INTERNAL)
    }

    fn known(&self) -> Option<RawFd> {
        let _placing = PLACING.lock();
        let made = self.made.lock();
        made.as_ref()
            .filter(|made| made.is_own())
            .map(Descriptor::fd)
    }
}
