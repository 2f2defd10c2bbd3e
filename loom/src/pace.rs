//! The part of `../src/pace` that the algorithms use.

#[path = "../../src/pace/backoff.rs"]
pub(crate) mod backoff;

/// As in the library; a model checker needs no looks.
const BACKOFF_LOOKS: u32 = 0;
const BACKOFF_LONGEST: u32 = 0;
const BACKOFF_TURNS: u32 = 0;
