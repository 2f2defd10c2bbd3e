//! Looking at the objects of this machine from outside, without disturbing them.
//!
//! The command `polyproc` shows what this module finds. A look takes no lock, wakes no thread and
//! makes no process a participant: files are opened for reading only and are read, not mapped. No
//! number in them is believed. A damaged object, a file that is no object and an object of another
//! user are entries that say so ([`Verdict`]).
//!
//! ```
//! use polyproc::inspect::{self, State};
//! use polyproc::{unlink, Queue, QueueOptions};
//!
//! # fn main() -> polyproc::Result<()> {
//! # let name = format!("inspect-{}", std::process::id());
//! let jobs = Queue::create(Some(&name), &QueueOptions { joinable: true, ..Default::default() })?;
//! jobs.put(b"resize cat.png")?;
//! let job = jobs.take()?;
//!
//! let object = inspect::object(&name)?;
//! let Some(State::Queue(queue)) = object.state else { panic!("not a queue") };
//! assert_eq!((queue.waiting, queue.in_flight), (0, 1));
//! let me = &object.participants[0];
//! println!("{} holds {:?}", me.pid, me.holds);
//! # job.done()?;
//! # unlink(&name)
//! # }
//! ```
//!
//! The numbers of a queue are exact while nobody uses it. While others put and get, they may be
//! some messages apart.

mod letters;
mod look;
mod object;
mod participant;
mod process;
mod queue;
mod records;
mod system;

pub use letters::{peek, Letter, Place, Step, Tail};
pub use look::{file, object, objects, oldest_lease};
pub use object::{Object, State, Verdict};
pub use participant::{Hold, Liveness, Participant, SoFar, WaitsFor};
pub use process::{Process, Whereabouts};
pub use queue::{Intake, Lease, QueueState};
pub use system::{directory, system, Space, System};
