//! Algorithms on words: who waits, who wakes, who holds.
//!
//! The algorithms on shared memory know their words and a [`World`](world::World) that lets them sleep, wake and ask
//! who lives. They know no mapping, so that `loom/` can run them on atomics of its own.
//!
//! ```text
//! mutex rlock semaphore owned_permits event condition barrier    the words of the objects
//! eventcount waiters lock_wait                                   what several of these are made of
//! owner world atomic shared look                                 their terms
//! wait cancel                                                    how long a call waits, and what ends it
//! local_lock at_fork mailbox                                     inside one process
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
pub(crate) mod wait;
pub(crate) mod waiters;
pub(crate) mod world;

pub use barrier::Arrival;
pub use cancel::Cancel;
pub use wait::{interruptible, Wait};

/// How a lock was come by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Acquired {
    /// As it should be.
    Clean,
    /// The last holder died inside: check what the lock guards.
    OwnerDied,
}
