//! The options with which a queue is created.

use super::layout::record::{HEADER, MAX_PAYLOAD};
use crate::segment::CreateOptions;
use crate::status::detail::because;
use crate::status::Result;

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
    /// The default, and open the queue if the name exists.
    pub const OPEN_OR_CREATE: QueueOptions = QueueOptions {
        create: CreateOptions::OPEN_OR_CREATE,
        joinable: false,
        max_items: 0,
        max_bytes: 0,
        max_deliveries: 0,
        spin_ns: 0,
        format: [0; 32],
    };

    pub(super) fn check(&self) -> Result<()> {
        if self.max_deliveries > MAX_DELIVERIES {
            let given = self.max_deliveries;
            return Err(because!(
                E_INVALID,
                "max_deliveries is {given}, over {MAX_DELIVERIES}"
            ));
        }
        if self.max_bytes != 0 && self.max_bytes < HEADER {
            let given = self.max_bytes;
            return Err(because!(
                E_INVALID,
                "max_bytes is {given}, less than the {HEADER} that a message of no bytes takes"
            ));
        }
        // A label ends in NUL, since C reads it.
        if !self.format.contains(&0) {
            return Err(because!(E_INVALID, "format is longer than 31 bytes"));
        }
        Ok(())
    }

    /// Return `E_MISMATCH` unless a queue made with `self` satisfies a caller that asks for
    /// `other`.
    pub(super) fn check_shape(&self, other: &QueueOptions) -> Result<()> {
        let limits = [
            ("max_items", self.max_items, other.max_items),
            ("max_bytes", self.max_bytes, other.max_bytes),
            (
                "max_deliveries",
                self.max_deliveries.into(),
                other.max_deliveries.into(),
            ),
        ];
        if self.joinable != other.joinable {
            return Err(match self.joinable {
                true => because!(
                    E_MISMATCH,
                    "the queue is joinable, asked for as one that is not"
                ),
                false => because!(
                    E_MISMATCH,
                    "the queue is not joinable, asked for as one that is"
                ),
            });
        }
        for (option, ours, asked) in limits {
            if ours != asked {
                return Err(because!(
                    E_MISMATCH,
                    "{option} of the queue is {ours}, asked for as {asked}"
                ));
            }
        }
        let (ours, asked) = (label(&self.format), label(&other.format));
        if ours != asked {
            let (ours, asked) = (ours.escape_ascii(), asked.escape_ascii());
            return Err(because!(
                E_MISMATCH,
                "format of the queue is \"{ours}\", asked for as \"{asked}\""
            ));
        }
        Ok(())
    }
}

/// A label without what stands behind its NUL.
fn label(format: &[u8; 32]) -> &[u8] {
    format.split(|byte| *byte == 0).next().unwrap_or_default()
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
