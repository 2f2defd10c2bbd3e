//! A process is killed, and the living processes must go on: real processes, real SIGKILLs.

mod asleep;
mod conditions;
mod crowd;
mod measure;
mod messages;
mod owners;
mod parties;
mod settled;
mod victim;
