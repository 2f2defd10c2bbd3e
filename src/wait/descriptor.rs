//! Descriptors that are readable while an operation would not wait: for epoll, libuv, asyncio,
//! netpoll.

use std::any::Any;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;

use super::source::Source;
use super::watch::{Watch, PLACING};
use super::watcher;
use crate::connection::Connection;
use crate::object::Event;
use crate::queue::Queue;
use crate::segment::{look_again, RaisedDescriptor, Readiness};
use crate::status::Result;
use crate::sync::look::Look;
use crate::sys::eventfd;
use crate::sys::fork;

/// A watched descriptor. The watcher forgets it when this value is dropped.
pub(crate) struct Descriptor(Arc<Watch>);

impl Descriptor {
    pub(crate) fn new(
        source: Source,
        raised_descriptor: Arc<RaisedDescriptor>,
    ) -> Result<Descriptor> {
        let watch = Arc::new(Watch {
            source,
            fd: eventfd::event()?,
            epoch: fork::epoch(),
            raised_descriptor,
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

    /// The descriptor, brought up to date at this moment.
    pub(super) fn in_step(&self) -> Result<RawFd> {
        let was_raised = self.0.is_raised();
        if self.0.bring_in_step() != Look::Ready && was_raised {
            // The watcher did not watch the object while its descriptor was readable.
            look_again();
        }
        Ok(self.fd())
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        look_again();
    }
}

impl Queue {
    /// A descriptor that is readable while a get would not wait, for epoll and similar. The queue
    /// owns the descriptor. From the first call on, a thread of this process keeps it up to date.
    ///
    /// # Errors
    /// `E_LIMIT` when this process has no descriptor or thread left.
    pub fn fd(&self) -> Result<RawFd> {
        let source = || Ok(Source::Get(self.segment().clone()));
        fd_of(self.readiness(), &source)
    }
}

impl Queue {
    /// A descriptor that is readable while messages were settled since the last call of
    /// [`settled_count`](Queue::settled_count) with this handle, for epoll and similar. The queue
    /// owns the descriptor. From the first call on, a thread of this process keeps it up to date.
    ///
    /// # Errors
    /// `E_LIMIT` when this process has no descriptor or thread left.
    pub fn settled_fd(&self) -> Result<RawFd> {
        fd_of(self.settled_readiness(), &|| Ok(settled_source(self)))
    }
}

/// The messages that were settled since the count that a handle asked for last.
pub(super) fn settled_source(queue: &Queue) -> Source {
    Source::Settled(queue.segment().clone(), queue.settled_seen().clone())
}

impl Event {
    /// A descriptor that is readable while the event is set, for epoll and similar. The event owns
    /// the descriptor. From the first call on, a thread of this process keeps it up to date.
    ///
    /// # Errors
    /// `E_LIMIT` when this process has no descriptor or thread left.
    pub fn fd(&self) -> Result<RawFd> {
        let source = || Ok(Source::Event(self.segment().clone()));
        fd_of(self.readiness(), &source)
    }
}

impl Connection {
    /// A descriptor that is readable while a receive would not wait: there is a message, or the
    /// other end is closed. For epoll and similar. The connection owns the descriptor. For a socket
    /// it is the socket itself; for a pipe, a thread of this process keeps it up to date from the
    /// first call on.
    ///
    /// # Errors
    /// `E_UNSUPPORTED`: this end only sends. `E_LIMIT` when this process has no descriptor or
    /// thread left.
    pub fn fd(&self) -> Result<RawFd> {
        let Some(pipe) = self.pipe() else {
            return Ok(self.raw_fd());
        };
        let source = || Ok(Source::Receive(pipe.receiver()?));
        fd_of(pipe.readiness(), &source)
    }
}

/// An object's descriptor, made at the first call; the object owns it.
fn fd_of(readiness: &Readiness, source: &dyn Fn() -> Result<Source>) -> Result<RawFd> {
    watcher::hold_tables_across_forks();
    if let Some(fd) = known(readiness) {
        return Ok(fd);
    }
    // Without PLACING held: `Descriptor::new` looks at the object, which takes other locks.
    let fresh = Descriptor::new(source()?, readiness.raised_descriptor().clone())?;
    let fd = fresh.fd();
    let unused: Box<dyn Any + Send> = Box::new(fresh);
    let (unused, fd) = {
        let _placing = PLACING.lock();
        let mut place = readiness.lock();
        match place.as_ref().and_then(own) {
            // Another thread was faster.
            Some(quicker) => (Some(unused), quicker),
            // In a forked child this is the parent's descriptor.
            None => (place.replace(unused), fd),
        }
    };
    drop(unused);
    Ok(fd)
}

fn known(readiness: &Readiness) -> Option<RawFd> {
    let _placing = PLACING.lock();
    let place = readiness.lock();
    place.as_ref().and_then(own)
}

/// The descriptor in `readiness`, if this process made it.
fn own(readiness: &Box<dyn Any + Send>) -> Option<RawFd> {
    let descriptor = readiness.downcast_ref::<Descriptor>()?;
    descriptor.is_own().then(|| descriptor.fd())
}
