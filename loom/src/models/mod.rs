//! What is asked of each algorithm.
//!
//! Each model asserts that nobody waits in vain by ending: loom reports threads of which none can go on.

mod barrier;
mod condition;
mod counters;
mod event;
mod eventcount;
mod mutex;
