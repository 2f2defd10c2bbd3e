//! Cancel tokens, which end waits of this process early.

use std::os::fd::RawFd;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

use crate::status::Result;
use crate::sys::eventfd;
use crate::sys::futex;

const NO_FD: i32 = -1;

/// A cancel token of this process. A wait that uses the token ends when the token fires: see
/// [`Wait::or_cancel`](crate::Wait::or_cancel).
#[derive(Debug)]
pub struct Cancel {
    /// 1 once fired. This word is a futex: sleepers wait on it as well as on their own word.
    fired: AtomicU32,
    /// An eventfd that is readable once the token has fired. The first wait that polls makes it.
    event: AtomicI32,
}

impl Cancel {
    /// A token that has not fired.
    pub const fn new() -> Cancel {
        Cancel {
            fired: AtomicU32::new(0),
            event: AtomicI32::new(NO_FD),
        }
    }

    /// End the waits that use this token, now and until the token is reset. Async-signal-safe.
    pub fn fire(&self) {
        // SeqCst, pairs with `fd`: either the check in `fd` sees this store, or this load sees its
        // descriptor.
        self.fired.store(1, Ordering::SeqCst);
        let event = self.event.load(Ordering::SeqCst);
        if event != NO_FD {
            eventfd::raise(event);
        }
        futex::wake(&self.fired, u32::MAX);
    }

    /// Make the token usable again.
    pub fn reset(&self) {
        self.fired.store(0, Ordering::SeqCst);
        let event = self.event.load(Ordering::SeqCst);
        if event != NO_FD {
            eventfd::lower(event);
        }
    }

    /// Report whether the token has fired.
    pub fn is_fired(&self) -> bool {
        self.fired.load(Ordering::Acquire) != 0
    }

    /// A descriptor that is readable once the token has fired, for waits that poll. The token owns
    /// it.
    ///
    /// # Errors
    /// Those of eventfd(2).
    pub fn fd(&self) -> Result<RawFd> {
        let known = self.event.load(Ordering::SeqCst);
        if known != NO_FD {
            return Ok(known);
        }
        let fresh = eventfd::event_fd()?;
        match self
            .event
            .compare_exchange(NO_FD, fresh, Ordering::SeqCst, Ordering::SeqCst)
        {
            Ok(_) => {
                if self.fired.load(Ordering::SeqCst) != 0 {
                    eventfd::raise(fresh);
                }
                Ok(fresh)
            }
            Err(other) => {
                eventfd::close(fresh);
                Ok(other)
            }
        }
    }

    /// The futex that changes when the token fires. Its value before that is 0.
    pub(crate) fn word(&self) -> &AtomicU32 {
        &self.fired
    }
}

impl Default for Cancel {
    fn default() -> Cancel {
        Cancel::new()
    }
}

impl Drop for Cancel {
    fn drop(&mut self) {
        let event = *self.event.get_mut();
        if event != NO_FD {
            eventfd::close(event);
        }
    }
}
