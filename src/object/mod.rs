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
pub use lock::Lock;
pub use rlock::Rlock;
pub use semaphore::{Semaphore, SemaphoreOptions};
