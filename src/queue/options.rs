//! What a queue is made with.

use super::layout::record::{HEADER, MAX_PAYLOAD};
use crate::segment::CreateOptions;
use crate::status::{Result, Status};

/// What a queue is made with. The default is unlimited, not joinable, and carries bytes.
#[derive(Clone, Copy, Default, Debug)]
pub struct QueueOptions {
    /// Mode, and whether an existing one is opened.
    pub create: CreateOptions,
    /// Got messages stay unfinished until they are settled, and `join` waits for them.
    pub joinable: bool,
    /// The most messages that wait; 0 for no limit.
    pub max_items: u64,
    /// The most bytes that messages take, their headers of 16 bytes included; 0 for as many as there is memory.
    pub max_bytes: u64,
    /// How often a message is delivered before it goes to the dead letters; 0 for no limit.
    pub max_deliveries: u32,
    /// How long a wait pacing before it sleeps, in nanoseconds; 0 for the default.
    pub spin_ns: u32,
    /// A label for bindings, which the core never reads.
    pub format: [u8; 32],
}

/// Deliveries are counted in 16 bits.
const MAX_DELIVERIES: u32 = u16::MAX as u32 - 1;

impl QueueOptions {
    pub(super) fn check(&self) -> Result<()> {
        let too_many = self.max_deliveries > MAX_DELIVERIES;
        let too_few_bytes = self.max_bytes != 0 && self.max_bytes < HEADER;
        // A label ends in NUL: C reads it.
        if too_many || too_few_bytes || !self.format.contains(&0) {
            return Err(Status::E_INVALID);
        }
        Ok(())
    }

    /// Whether a queue that was made with `self` is what somebody who asks for `other` wants.
    pub(super) fn has_shape_of(&self, other: &QueueOptions) -> bool {
        let label = |format: &[u8; 32]| format.split(|byte| *byte == 0).next().map(<[u8]>::to_vec);
        self.joinable == other.joinable
            && self.max_items == other.max_items
            && self.max_bytes == other.max_bytes
            && self.max_deliveries == other.max_deliveries
            && label(&self.format) == label(&other.format)
    }
}

/// The longest message that can ever fit into a queue of `max_bytes`.
#[inline]
pub(super) fn longest(max_bytes: u64) -> u64 {
    match max_bytes {
        0 => MAX_PAYLOAD,
        bytes => (bytes / super::layout::record::ALIGN * super::layout::record::ALIGN)
            .saturating_sub(HEADER)
            .min(MAX_PAYLOAD),
    }
}
