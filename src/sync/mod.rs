//! The algorithms over atomics: who waits, who wakes, who holds.
//!
//! This layer knows words and a `World` that lets it sleep, wake and ask who lives; it
//! knows no mapping and no kernel object, so that each algorithm can be run in one process too.

pub(crate) mod atomic;
pub(crate) mod backoff;
pub(crate) mod barrier;
pub(crate) mod cancel;
pub(crate) mod condition;
pub(crate) mod event;
pub(crate) mod eventcount;
pub(crate) mod lock_wait;
pub(crate) mod look;
pub(crate) mod mutex;
pub(crate) mod owned;
pub(crate) mod owner;
pub(crate) mod recursive;
pub(crate) mod semaphore;
pub(crate) mod spin;
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
