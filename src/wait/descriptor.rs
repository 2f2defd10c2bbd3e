//! A descriptor that is readable while an operation would not wait: for epoll, libuv, asyncio, netpoll.

use std::any::Any;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;

use super::source::Source;
use super::watcher;
use crate::connection::Connection;
use crate::object::Event;
use crate::queue::Queue;
use crate::segment::{look_again, Companion, Raised};
use crate::status::Result;
use crate::sync::local_lock::LocalLock;
use crate::sync::lock_wait::LockWait;
use crate::sync::look::Look;
use crate::sys::descriptor::OwnedFd;
use crate::sys::eventfd;
use crate::sys::fork;

/// An eventfd and what it stands for.
pub(super) struct Watch {
    source: Source,
    fd: OwnedFd,
    /// The process that it belongs to: a child's descriptor would be its parent's, too.
    epoch: u32,
    /// What the object knows of it.
    raised: Arc<Raised>,
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

/// A watched descriptor; the watcher forgets it when this goes.
pub(crate) struct Descriptor(Arc<Watch>);

impl Descriptor {
    pub(crate) fn new(source: Source, raised: Arc<Raised>) -> Result<Descriptor> {
        let watch = Arc::new(Watch {
            source,
            fd: eventfd::event()?,
            epoch: fork::epoch(),
            raised,
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
        let was_raised = self.0.is_raised();
        if self.0.bring_in_step() != Look::Ready && was_raised {
            // Nobody has watched it.
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

/// Held while an object's descriptor is looked up or put in its place: so no fork happens midway.
pub(super) static PLACING: LocalLock<()> = LocalLock::new(());

impl Queue {
    /// A descriptor that is readable while a get would not wait, for epoll and its like. It stays the
    /// object's. From the first call on a thread of this process keeps it in step.
    ///
    /// # Errors
    /// `E_LIMIT` when this process has no descriptor or thread left.
    pub fn fd(&self) -> Result<RawFd> {
        let source = || Ok(Source::Get(self.segment().clone()));
        fd_of(self.companion(), &source)
    }
}

impl Event {
    /// A descriptor that is readable while the event is set, for epoll and its like. It stays the
    /// object's. From the first call on a thread of this process keeps it in step.
    ///
    /// # Errors
    /// `E_LIMIT` when this process has no descriptor or thread left.
    pub fn fd(&self) -> Result<RawFd> {
        let source = || Ok(Source::Event(self.segment().clone()));
        fd_of(self.companion(), &source)
    }
}

impl Connection {
    /// A descriptor that is readable while a receive would not wait: there is a message, or the other
    /// end is closed. For epoll and its like. It stays the end's. A socket's is the socket; a pipe's is kept in
    /// step by a thread of this process, from the first call on.
    ///
    /// # Errors
    /// `E_UNSUPPORTED`: this end only sends. `E_LIMIT` when this process has no descriptor or thread left.
    pub fn fd(&self) -> Result<RawFd> {
        let Some(pipe) = self.pipe() else {
            return Ok(self.raw_fd());
        };
        let source = || Ok(Source::Receive(pipe.receiver()?));
        fd_of(pipe.companion(), &source)
    }
}

/// An object's descriptor, made when somebody asks for it; it stays the object's.
fn fd_of(companion: &Companion, source: &dyn Fn() -> Result<Source>) -> Result<RawFd> {
    watcher::hold_tables_across_forks();
    if let Some(fd) = known(companion) {
        return Ok(fd);
    }
    // Without the lock: this looks at the object, which takes others.
    let fresh = Descriptor::new(source()?, companion.raised().clone())?;
    let fd = fresh.fd();
    let unused: Box<dyn Any + Send> = Box::new(fresh);
    let (unused, fd) = {
        let _placing = PLACING.lock();
        let mut place = companion.lock();
        match place.as_ref().and_then(own) {
            // Another thread was quicker.
            Some(quicker) => (Some(unused), quicker),
            // What a forked child finds there is its parent's.
            None => (place.replace(unused), fd),
        }
    };
    drop(unused);
    Ok(fd)
}

fn known(companion: &Companion) -> Option<RawFd> {
    let _placing = PLACING.lock();
    let place = companion.lock();
    place.as_ref().and_then(own)
}

/// The descriptor in a companion, if this very process has made it.
fn own(companion: &Box<dyn Any + Send>) -> Option<RawFd> {
    let descriptor = companion.downcast_ref::<Descriptor>()?;
    descriptor.is_own().then(|| descriptor.fd())
}
