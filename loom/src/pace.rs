//! `../src/pace`: what the algorithms use of it.

#[path = "../../src/pace/backoff.rs"]
pub(crate) mod backoff;
