//! The properties that each algorithm must have.
//!
//! Each model asserts by its end that no thread waits in vain: loom reports threads of which none
//! can go on.

mod barrier;
mod condition;
mod counters;
mod event;
mod eventcount;
mod mutex;
