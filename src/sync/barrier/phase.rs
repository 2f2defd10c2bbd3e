//! The phase of a barrier: one word, whose store commits a step.

use crate::status::{Result, Status};
use crate::sync::owner::Owner;

/// The phase of a barrier. `Releasing`, `Breaking` and `Resetting` announce a transition, which
/// `settle` finishes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    Filling,
    /// All parties have arrived and are held until this leader releases them.
    Held(Owner),
    Releasing,
    Breaking,
    Broken,
    Resetting,
}

impl Phase {
    pub(super) fn pack(self) -> u64 {
        match self {
            Phase::Filling => 0,
            Phase::Held(leader) => 1 << 32 | u64::from(leader.bits()),
            Phase::Releasing => 2 << 32,
            Phase::Breaking => 3 << 32,
            Phase::Broken => 4 << 32,
            Phase::Resetting => 5 << 32,
        }
    }

    pub(super) fn unpack(word: u64) -> Result<Phase> {
        match (word >> 32, Owner::from_bits(word as u32)) {
            (0, None) => Ok(Phase::Filling),
            (1, Some(leader)) => Ok(Phase::Held(leader)),
            (2, None) => Ok(Phase::Releasing),
            (3, None) => Ok(Phase::Breaking),
            (4, None) => Ok(Phase::Broken),
            (5, None) => Ok(Phase::Resetting),
            _ => Err(Status::E_CORRUPT),
        }
    }
}
