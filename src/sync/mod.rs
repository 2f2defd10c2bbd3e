//! Algorithms on words: waiting, waking and holding.
//!
//! The algorithms on shared memory use their words and a `World`, which lets them
//! sleep, wake and ask which owners are alive. They use no mapping, so that `loom/` can run them on
//! its own atomics.
//!
//! ```text
//! mutex rlock semaphore owned_permits
//! event condition barrier                  the words of the objects
//! eventcount waiters lock_wait stops       parts that several of these use
//! owner world atomic shared look           their terms
//! wait cancel                              how long a call waits, and what ends it
//! local_lock at_fork mailbox               within one process
//! ```

#[allow(unsafe_code)]
pub(crate) mod at_fork;
pub(crate) mod atomic;
pub(crate) mod barrier;
pub(crate) mod cancel;
pub(crate) mod condition;
pub(crate) mod event;
pub(crate) mod eventcount;
#[allow(unsafe_code)]
pub(crate) mod local_lock;
pub(crate) mod lock_wait;
pub(crate) mod look;
#[allow(unsafe_code)]
pub(crate) mod mailbox;
pub(crate) mod mutex;
pub(crate) mod owned_permits;
pub(crate) mod owner;
pub(crate) mod rlock;
pub(crate) mod semaphore;
#[allow(unsafe_code)]
pub(crate) mod shared;
pub(crate) mod stops;
pub(crate) mod wait;
pub(crate) mod waiters;
pub(crate) mod world;

pub use barrier::Arrival;
pub use cancel::Cancel;
pub use wait::{interruptible, look_for_signals, LazyWait, Signals, Wait};

/// How a lock was acquired.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Acquired {
    /// From a holder that released it.
    Clean,
    /// The last holder died while it held the lock: check the data that the lock guards.
    OwnerDied,
}
