//! `../src/sync`, without the parts that use the clock and descriptors.

pub(crate) mod atomic;
#[path = "../../../src/sync/barrier/mod.rs"]
pub(crate) mod barrier;
#[path = "../../../src/sync/condition.rs"]
pub(crate) mod condition;
#[path = "../../../src/sync/event.rs"]
pub(crate) mod event;
#[path = "../../../src/sync/eventcount.rs"]
pub(crate) mod eventcount;
pub(crate) mod lock_wait;
#[path = "../../../src/sync/mutex.rs"]
pub(crate) mod mutex;
#[path = "../../../src/sync/owned_permits.rs"]
pub(crate) mod owned_permits;
#[path = "../../../src/sync/owner.rs"]
pub(crate) mod owner;
#[path = "../../../src/sync/semaphore.rs"]
pub(crate) mod semaphore;
pub(crate) mod shared;
pub(crate) mod wait;
#[path = "../../../src/sync/waiters.rs"]
pub(crate) mod waiters;
#[path = "../../../src/sync/world.rs"]
pub(crate) mod world;

/// As in the library.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Acquired {
    Clean,
    OwnerDied,
}
