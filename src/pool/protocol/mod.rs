//! What the process of the pool and its workers agree on.
//!
//! ```text
//! board     what lies in shared memory beside the two queues
//! message   tasks and reports, as they go through the queues
//! bytes     the raw reads and writes of both
//! names     under which a worker finds what it is given
//! ```

pub(super) mod board;
#[allow(unsafe_code)]
pub(super) mod bytes;
pub(super) mod message;
pub(super) mod names;
