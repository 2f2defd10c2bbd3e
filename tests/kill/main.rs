//! What the living see when a process is killed: real processes, real SIGKILLs.

mod asleep;
mod measure;
mod midway;
mod soak;
mod victim;
