//! Sockets that a listener's thread has accepted from the kernel, and no accept call has taken yet.
//!
//! A forked child gets a copy of every descriptor. It can close the descriptors that belong to a
//! handle, but these sockets belong to none. A copy would keep a connection open that the client
//! expects to be closed. So the sockets are recorded here, and each child closes its copies.

use std::os::fd::{AsRawFd, RawFd};

use crate::status::Result;
use crate::sync::at_fork::{hold_across_forks, HeldAcrossFork};
use crate::sync::local_lock::LocalLock;
use crate::sys::descriptor::OwnedFd;
use crate::sys::eventfd;
use crate::sys::process;
use crate::sys::socket::{self, Step};

struct Noted {
    pid: i32,
    fds: Vec<RawFd>,
}

/// Held across every fork.
struct Pending(LocalLock<Noted>);

static PENDING: Pending = Pending(LocalLock::new(Noted {
    pid: 0,
    fds: Vec::new(),
}));

impl HeldAcrossFork for Pending {
    fn hold(&self) {
        self.0.lock_raw();
    }

    fn let_go(&self) {
        self.0.unlock_raw();
        // Only a forked child, whose process id differs, closes descriptors here. It has one
        // thread, so no other thread takes the lock between the two calls.
        let mut noted = self.0.lock();
        if noted.pid != process::pid() {
            noted.fds.drain(..).for_each(eventfd::close);
        }
    }
}

/// A socket that waits to be accepted.
pub(crate) struct Guest {
    /// Taken out only by `welcome` and `drop`.
    fd: Option<OwnedFd>,
}

impl Guest {
    /// Accept the next connection of the kernel's queue. No fork happens before it is recorded.
    pub(crate) fn take_in(listening: RawFd) -> Result<Step<Guest>> {
        hold_across_forks(&PENDING);
        let mut noted = PENDING.0.lock();
        let Step::Done(fd) = socket::accept(listening)? else {
            return Ok(Step::Later);
        };
        let pid = process::pid();
        if noted.pid != pid {
            // After a clone(2) that ran no fork handler the recorded descriptors belong to another
            // process.
            noted.fds.clear();
            noted.pid = pid;
        }
        noted.fds.push(fd.as_raw_fd());
        Ok(Step::Done(Guest { fd: Some(fd) }))
    }

    pub(crate) fn raw_fd(&self) -> RawFd {
        self.fd.as_ref().map_or(-1, AsRawFd::as_raw_fd)
    }

    /// Hand the socket to the caller that accepts it.
    pub(crate) fn welcome(mut self) -> Option<OwnedFd> {
        self.forget();
        self.fd.take()
    }

    fn forget(&self) {
        let fd = self.raw_fd();
        PENDING.0.lock().fds.retain(|other| *other != fd);
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        if self.fd.is_some() {
            // Remove the record before the close, after which the number may belong to another
            // descriptor.
            self.forget();
        }
    }
}
