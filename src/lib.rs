//! Python's multiprocessing for every language, at the speed of memory, safe against `kill -9`.
//!
//! Processes of one Linux machine share queues, locks and other objects, by a name or by
//! inheritance. A process that is killed, at whatever instruction, blocks no other one: other
//! processes get its locks, and the work that it had taken and not finished.
//!
//! ```
//! use polyproc::{Queue, QueueOptions};
//! use std::time::Duration;
//!
//! # fn main() -> polyproc::Result<()> {
//! // With a name, any process of this user can open it: `Queue::create(Some("jobs"), ...)`.
//! let jobs = Queue::create(None, &QueueOptions { joinable: true, ..Default::default() })?;
//! jobs.put(b"resize cat.png")?;
//!
//! // In this process or in another one:
//! let job = jobs.take_timeout(Duration::from_secs(1))?;
//! assert_eq!(&*job, b"resize cat.png");
//! job.done()?; // killed before this, or dropped without it: the job is delivered again
//! jobs.join()?;
//! # Ok(())
//! # }
//! ```
//!
//! | object | calls that wait | what a killed process costs the others |
//! |---|---|---|
//! | [`Queue`] | `put`, `get`, `take`, `reserve`, `join` | nothing; after a `get` on a plain queue, the message that was got |
//! | [`Lock`], [`Rlock`] | `lock`, `acquire` | nothing: the next holder gets it, and [learns of the death](LockGuard::owner_died) |
//! | [`Semaphore`] | `permit`, `acquire` | nothing, if its permits are [owned](SemaphoreOptions::owned) |
//! | [`Condition`], [`Event`] | `wait` | nothing: a notification goes to another waiter |
//! | [`Barrier`] | `wait`, `arrive` | the round: the barrier is broken |
//! | [`Connection`], of a [`pipe`] or a [`Listener`] | `send`, `recv`, `accept`, [`connect`] | end of file at the other end |
//! | [`Process`] | `join` | |
//! | [`Pool`], [`Task`] | `wait`, `result`, `finished`, `join` | the task of the killed worker, which runs again or fails |
//! | any of several: [`wait_any`] | | |
//!
//! # Waiting
//!
//! A call `x()` that waits has two siblings: `try_x()` does not wait, and `x_timeout(wait)` waits
//! no longer than `wait`, which is a [`Duration`](std::time::Duration), an `Option<Duration>`, or a
//! [`Wait`] that can also carry a token to end the wait early. Times are measured by the monotonic
//! clock.
//!
//! # Errors
//!
//! A call returns a [`Status`]. `?` turns it into an [`Error`], which names the operation, the
//! object and the cause. A call that fails has changed nothing, unless its documentation says
//! otherwise. Every call may also return `E_CORRUPT`, when a process has damaged the shared memory.
//!
//! # Names
//!
//! A named object is a file in /dev/shm and stays until [`unlink`]. By default only its own user
//! can open it. `POLYPROC_SHM_DIR` and `POLYPROC_SHM_PREFIX` in the environment of a program name
//! another directory of memory and another prefix than `polyproc.` for the files. An object without
//! a name reaches children by inheritance ([`ProcessOptions::handles`], [`inherited`]) and other
//! processes as a descriptor (`share_fd`, `from_fd`). It disappears with the last process that has
//! it.
//!
//! [`inspect`] shows the objects of a machine without taking part: who holds and waits for what.
//!
//! # Threads and forks
//!
//! Every object is `Send` and `Sync`. A forked child may use its parent's objects, but owns nothing
//! that its parent holds.
//!
//! # Features
//!
//! None is on by default. `serde`: `TypedQueue`, whose messages are values of one type, which other
//! languages understand. `tokio`: `AsyncQueue`, whose gets and takes are awaited.
//!
//! # Layers of the source
//!
//! The modules of a row use modules of the rows below, and none of their own row. `tests/layers`
//! reads this map and checks every path in `src`.
//!
//! ```text
//! ffi                       the C ABI
//! wait                      waiting for several things at once; descriptors for epoll and its like
//! connection inspect pool   pipe, socket, listener; looking from outside; workers that take tasks
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

#[cfg(not(all(
    target_os = "linux",
    target_pointer_width = "64",
    target_endian = "little"
)))]
compile_error!(
    "polyproc needs Linux on a 64-bit, little-endian processor, such as x86-64 or aarch64"
);

// On another system or processor the sentence above is the only error, so nothing else is compiled.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod connection;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
#[doc(hidden)]
#[allow(unsafe_code)]
pub mod ffi;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
pub mod inspect;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod object;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod pace;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod pool;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod process;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod queue;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod segment;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod status;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod sync;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
#[allow(unsafe_code)]
mod sys;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod wait;

#[cfg(all(target_os = "linux", target_pointer_width = "64", feature = "serde"))]
pub use queue::TypedQueue;
#[cfg(all(target_os = "linux", target_pointer_width = "64", feature = "tokio"))]
pub use wait::AsyncQueue;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
pub use {
    connection::{connect, connect_timeout, pipe, Connection, Listener, ListenerOptions},
    object::{
        Barrier, Condition, Event, Lock, LockGuard, Permit, Rlock, RlockGuard, Semaphore,
        SemaphoreOptions,
    },
    pool::{Function, Outcome, Pool, PoolInfo, PoolOptions, Reply, Task, TaskOptions},
    process::{
        active_children, current as current_process, exit_children, exit_children_at_exit,
        inherited, InheritHandle, Process, ProcessInfo, ProcessOptions, Stdio,
    },
    queue::{
        Got, Message, Messages, OwnedMessage, OwnedSlot, Queue, QueueInfo, QueueOptions, Settled,
        Slot,
    },
    segment::{list, unlink, CreateOptions, Kind, ObjectInfo},
    status::{Error, Result, Status},
    sync::{interruptible, look_for_signals, Acquired, Arrival, Cancel, Signals, Wait},
    wait::{try_wait_any, wait_any, wait_any_timeout, Waitable},
};
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
#[doc(hidden)]
pub use {
    queue::{Loan, Reservation},
    sync::LazyWait,
};

/// For processes that are workers of a [`Pool`]: registering functions, and running tasks.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
pub mod worker {
    pub use crate::pool::{register, run};
}

/// Many items in one task: see [`Pool::submit_chunk`].
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
pub mod chunk {
    pub use crate::pool::{pack, unpack};
}
