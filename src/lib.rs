//! Python's multiprocessing for every language, at the speed of memory, safe against `kill -9`.
//!
//! # Layers
//!
//! A row uses the rows below it and nothing beside it. `tests/layers` reads this map and every path
//! in `src`.
//!
//! ```text
//! ffi                       the C ABI
//! wait                      waiting for several things at once; descriptors for epoll and its like
//! connection pool           pipe, socket, listener; workers that take tasks and report
//! object queue process      lock, rlock, semaphore, event, condition, barrier; messages; children
//! segment                   one object's shared memory and its participants
//! sync                      algorithms on words
//! pace                      heuristics of waiting
//! sys                       system calls
//! status                    what a call can answer
//! ```

#![deny(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

pub mod connection;
#[allow(unsafe_code)]
pub mod ffi;
pub mod object;
pub mod pool;
pub mod process;
pub mod queue;
pub mod segment;
pub mod status;
pub mod sync;
pub mod wait;

mod pace;
#[allow(unsafe_code)]
mod sys;

pub use connection::{connect, pipe, Connection, Listener, ListenerOptions};
pub use object::{Barrier, Condition, Event, Lock, Rlock, Semaphore, SemaphoreOptions};
pub use queue::{Got, Loan, Queue, QueueInfo, QueueOptions, Reservation};
pub use segment::{list, unlink, CreateOptions, Kind, ObjectInfo};
pub use status::{Error, Result, Status};
pub use sync::{interruptible, Acquired, Arrival, Cancel, LazyWait, Wait};
pub use wait::{wait_any, Waitable};
