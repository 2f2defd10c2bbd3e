//! The protocol between the process of the pool and its workers.
//!
//! ```text
//! board     the shared memory beside the two queues
//! message   tasks and reports, as they go through the queues
//! bytes     the raw reads and writes of both
//! names     the names of the objects that a worker inherits
//! ```

pub(super) mod board;
#[allow(unsafe_code)]
pub(super) mod bytes;
pub(super) mod message;
pub(super) mod names;
