//! The small synchronization objects, each in a segment of its own.

pub(crate) mod barrier;
pub(crate) mod condition;
pub(crate) mod event;
pub(crate) mod lock;
pub(crate) mod rlock;
pub(crate) mod semaphore;

pub use barrier::Barrier;
pub use condition::Condition;
pub use event::Event;
pub use lock::{Lock, LockGuard};
pub use rlock::{Rlock, RlockGuard};
pub use semaphore::{Permit, Semaphore, SemaphoreOptions};
