//! Stopped at every instruction: each operation is stopped there, not killed, and whatever others can call on its
//! object is called meanwhile: each call has to be back in its own time. Then it goes on, to its end.
//!
//! Others see of a stopped process what it has stored, and what the kernel has done for it. So every call is
//! checked once for each state of the memory, and after each system call: at the instructions in between it
//! would find the same. What the stopped one finds when it goes on depends on each instruction; so it is stopped
//! at each of them, beside others that leave the object as they found it, and afterwards the same has to hold as
//! when nobody has stopped it.

mod busy;
mod calls;
mod crew;
mod leaver;
mod meetings;
mod memory;
mod objects;
mod others;
mod pipes;
mod queues;
pub mod stop;
mod tally;

pub use crew::run;
pub use others::Others;
pub use tally::Tally;
