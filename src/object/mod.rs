//! The small objects: one word each in a segment of its own.

pub(crate) mod event;
mod lock;
mod semaphore;

pub use event::Event;
pub use lock::Lock;
pub use semaphore::{Semaphore, SemaphoreOptions};
