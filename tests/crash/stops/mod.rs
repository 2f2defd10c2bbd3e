//! Stopped at every instruction: each operation is stopped there, not killed, and meanwhile others
//! make every call that is possible on its object. Each call must return in its own time. Then the
//! operation goes on, to its end.
//!
//! Others see of a stopped process what it has stored, and what the kernel has done for it. So
//! every call is checked once for each state of the memory, and after each system call: at the
//! instructions in between it would find the same. The state that the stopped process finds when it
//! goes on depends on each instruction. So it is stopped at each of them, beside others that leave
//! the object as they found it, and afterwards the same must hold as without a stop.

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
