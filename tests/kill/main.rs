//! What the living see when a process is killed: real processes, real SIGKILLs.

mod asleep;
mod conditions;
mod measure;
mod messages;
mod owners;
mod parties;
mod victim;
