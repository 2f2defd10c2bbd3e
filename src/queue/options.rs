//! The options with which a queue is created.

use super::layout::record::{HEADER, MAX_PAYLOAD};
use crate::segment::CreateOptions;
use crate::status::{Result, Status};

/// The options with which a queue is created. The default is unlimited and not joinable, with an
/// empty label.
#[derive(Clone, Copy, Default, Debug)]
pub struct QueueOptions {
    /// The mode, and whether an existing queue may be opened.
    pub create: CreateOptions,
    /// Whether messages that were got stay unfinished until they are settled, so that `join` waits
    /// for them.
    pub joinable: bool,
    /// Maximum number of messages that wait; 0 for no limit.
    pub max_items: u64,
    /// Maximum number of bytes of messages, including headers of 16 bytes; 0 for no limit but
    /// memory.
    pub max_bytes: u64,
    /// How many times a message is delivered before it becomes a dead letter; 0 for no limit.
    pub max_deliveries: u32,
    /// How long a wait spins before it sleeps, in nanoseconds; 0 for the default.
    pub spin_ns: u32,
    /// A label for bindings. The core never reads it.
    pub format: [u8; 32],
}

/// Deliveries are stored in 16 bits.
const MAX_DELIVERIES: u32 = u16::MAX as u32 - 1;

impl QueueOptions {
    pub(super) fn check(&self) -> Result<()> {
        let too_many = self.max_deliveries > MAX_DELIVERIES;
        let too_few_bytes = self.max_bytes != 0 && self.max_bytes < HEADER;
        // A label ends in NUL, since C reads it.
        if too_many || too_few_bytes || !self.format.contains(&0) {
            return Err(Status::E_INVALID);
        }
        Ok(())
    }

    /// Report whether a queue made with `self` satisfies a caller that asks for `other`.
    pub(super) fn has_shape_of(&self, other: &QueueOptions) -> bool {
        let label = |format: &[u8; 32]| format.split(|byte| *byte == 0).next().map(<[u8]>::to_vec);
        self.joinable == other.joinable
            && self.max_items == other.max_items
            && self.max_bytes == other.max_bytes
            && self.max_deliveries == other.max_deliveries
            && label(&self.format) == label(&other.format)
    }
}

/// The longest message that fits into an empty queue of `max_bytes`.
#[inline]
pub(super) fn longest(max_bytes: u64) -> u64 {
    match max_bytes {
        0 => MAX_PAYLOAD,
        bytes => (bytes / super::layout::record::ALIGN * super::layout::record::ALIGN)
            .saturating_sub(HEADER)
            .min(MAX_PAYLOAD),
    }
}
