//! Waiting for several things at once, and descriptors that show whether an object is ready.
//!
//! ```text
//! source      what can be waited for: is it ready, and which words change when that does
//! any         wait_any
//! descriptor  an eventfd per object that the watcher keeps in step
//! async_queue tasks of tokio that wait for a queue's descriptor: feature `tokio`
//! watch       such an eventfd, and what it stands for
//! watcher     one thread per process, only where somebody asked for a descriptor
//! ```

mod any;
#[cfg(feature = "tokio")]
mod async_queue;
mod descriptor;
mod source;
mod watch;
mod watcher;

pub(crate) use any::wait_any_raw;
pub use any::{try_wait_any, wait_any, wait_any_timeout, Waitable};
#[cfg(feature = "tokio")]
pub use async_queue::AsyncQueue;
