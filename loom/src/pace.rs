//! `../src/pace`: what the algorithms use of it.

#[path = "../../src/pace/backoff.rs"]
pub(crate) mod backoff;

/// As in the library, where a model checker has no use for them.
const BACKOFF_LOOKS: u32 = 0;
const BACKOFF_LONGEST: u32 = 0;
const BACKOFF_TURNS: u32 = 0;
