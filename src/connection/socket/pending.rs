//! Sockets that nobody has accepted yet.
//!
//! A forked child gets a copy of every descriptor. Those that a handle stands for it can close; of these it
//! knows nothing, and a client would wait for the end of a connection that a stranger keeps open. So they are
//! noted here, and closed in each child.

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
        // In a child, where this thread is the only one.
        let mut noted = self.0.lock();
        if noted.pid != process::pid() {
            noted.fds.drain(..).for_each(eventfd::close);
        }
    }
}

/// A socket on its way to whoever accepts it.
pub(crate) struct Guest {
    /// Taken only by `welcome` and drop.
    fd: Option<OwnedFd>,
}

impl Guest {
    /// Take in the next one who stands in line. No fork happens before it is noted.
    pub(crate) fn take_in(listening: RawFd) -> Result<Step<Guest>> {
        hold_across_forks(&PENDING);
        let mut noted = PENDING.0.lock();
        let Step::Done(fd) = socket::accept(listening)? else {
            return Ok(Step::Later);
        };
        let pid = process::pid();
        if noted.pid != pid {
            // A clone(2) that ran no handler: what is noted is another process's.
            noted.fds.clear();
            noted.pid = pid;
        }
        noted.fds.push(fd.as_raw_fd());
        Ok(Step::Done(Guest { fd: Some(fd) }))
    }

    pub(crate) fn raw_fd(&self) -> RawFd {
        self.fd.as_ref().map_or(-1, AsRawFd::as_raw_fd)
    }

    /// Hand it to whoever has accepted it.
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
            // Forgotten before it is closed: the number may be another's then.
            self.forget();
        }
    }
}
