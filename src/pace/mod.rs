//! Heuristics of waiting: how long to spin before a sleep, when to give the core away, how soon to look again.

pub(crate) mod backoff;
pub(crate) mod recheck;
pub(crate) mod spin;
pub(crate) mod wake_cost;
