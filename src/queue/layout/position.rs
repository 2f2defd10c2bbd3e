//! A record's position: its ring, and its place in the one sequence of all records of a chain.
//!
//! ```text
//! ring 6 | place in units of 16 bytes 57 | parity 1
//! ```
//!
//! Places only grow, across all rings. So they order the records and identify them: a message's id
//! is its place. At 10 GB/s they last for seven years. The parity bit belongs to the cursor of a
//! side.

/// Bits of the place. The parity bit lies below them.
const PLACE_BITS: u32 = 57;
const RING_SHIFT: u32 = PLACE_BITS + 1;
const UNIT_SHIFT: u32 = 4;

/// A ring and a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Position {
    pub(crate) ring: usize,
    /// The place in bytes, a multiple of 16. The offset within the ring is the place modulo the
    /// ring's size.
    pub(crate) at: u64,
}

impl Position {
    pub(crate) fn from_bits(bits: u64) -> Position {
        let units = bits >> 1 & ((1 << PLACE_BITS) - 1);
        Position {
            ring: (bits >> RING_SHIFT) as usize,
            at: units << UNIT_SHIFT,
        }
    }

    /// The bits of a position, with parity 0.
    pub(crate) fn bits(self) -> u64 {
        (self.ring as u64) << RING_SHIFT | (self.at >> UNIT_SHIFT & ((1 << PLACE_BITS) - 1)) << 1
    }

    /// The id of the message, which users see.
    pub(crate) fn id(self) -> u64 {
        self.at >> UNIT_SHIFT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_survives_its_bits() {
        let position = Position {
            ring: 63,
            at: (1 << 60) - 16,
        };
        assert_eq!(Position::from_bits(position.bits()), position);
        assert_eq!(Position::from_bits(position.bits() | 1), position);
    }
}
