//! Where a record is: its ring, and its place on the one line along which all records are put.
//!
//! ```text
//! ring 6 | place in units of 16 bytes 57 | parity 1
//! ```
//!
//! Places only ever grow, through all rings, so that they order the records and name them: a message's
//! id is its place. At 10 GB/s they last for seven years. The parity bit belongs to the cursor of a side.

/// Bits of the place, and of the parity below it.
const PLACE_BITS: u32 = 57;
const RING_SHIFT: u32 = PLACE_BITS + 1;
const UNIT_SHIFT: u32 = 4;

/// A ring and a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Position {
    pub(crate) ring: usize,
    /// Bytes, a multiple of 16. The place within the ring is this modulo the ring's size.
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

    /// With parity 0.
    pub(crate) fn bits(self) -> u64 {
        (self.ring as u64) << RING_SHIFT | (self.at >> UNIT_SHIFT & ((1 << PLACE_BITS) - 1)) << 1
    }

    /// What users see of it.
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
