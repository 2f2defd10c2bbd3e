//! The small synchronization objects, each in a segment of its own.

mod barrier;
mod condition;
pub(crate) mod event;
mod lock;
mod rlock;
mod semaphore;

pub use barrier::Barrier;
pub use condition::Condition;
pub use event::Event;
pub use lock::{Lock, LockGuard};
pub use rlock::{Rlock, RlockGuard};
pub use semaphore::{Permit, Semaphore, SemaphoreOptions};
