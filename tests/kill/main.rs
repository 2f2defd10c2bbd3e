//! What living processes see when another one is killed: real processes, real SIGKILLs.

mod asleep;
mod conditions;
mod measure;
mod messages;
mod owners;
mod parties;
mod victim;
