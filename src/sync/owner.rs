//! The owner of a resource: a participant's slot and generation in one small number.

/// Bits of the slot. The slot is stored plus one, so that no owner is 0.
const SLOT_BITS: u32 = 11;
const SLOT_MASK: u32 = (1 << SLOT_BITS) - 1;
/// Bits of the generation.
const GENERATION_BITS: u32 = 19;
const GENERATION_MASK: u32 = (1 << GENERATION_BITS) - 1;

/// A participant of a segment: 30 bits, never 0, so that it fits into one atomic word with a state.
///
/// An owner is never a thread id, since goroutines and tasks migrate between threads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Owner(u32);

/// Number of bits of an owner in a word.
pub(crate) const OWNER_BITS: u32 = SLOT_BITS + GENERATION_BITS;
/// Mask of these bits.
pub(crate) const OWNER_MASK: u32 = (1 << OWNER_BITS) - 1;

impl Owner {
    /// Stands for an owner that is gone and whose slot may have a new occupant.
    pub(crate) const ORPHAN: Owner = Owner(SLOT_MASK);

    pub(crate) const fn new(slot: u32, generation: u32) -> Owner {
        Owner((generation & GENERATION_MASK) << SLOT_BITS | ((slot + 1) & SLOT_MASK))
    }

    /// The owner whose bits these are, in memory of this process. They are not 0.
    pub(crate) const fn of_own(bits: u32) -> Owner {
        debug_assert!(bits != 0 && bits & !OWNER_MASK == 0);
        Owner(bits)
    }

    /// The owner in the low bits of a word; `None` if they are 0.
    pub(crate) const fn from_bits(bits: u32) -> Option<Owner> {
        match bits & OWNER_MASK {
            0 => None,
            bits => Some(Owner(bits)),
        }
    }

    pub(crate) const fn bits(self) -> u32 {
        self.0
    }

    /// The slot. Invalid bits give a slot that no table has.
    pub(crate) const fn slot(self) -> usize {
        (self.0 & SLOT_MASK).wrapping_sub(1) as usize
    }

    pub(crate) const fn is_of_generation(self, generation: u32) -> bool {
        self.0 >> SLOT_BITS == generation & GENERATION_MASK
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_survives_its_word() {
        let owner = Owner::new(1023, 0xffff_ffff);
        assert_eq!(Owner::from_bits(owner.bits() | 1 << 31), Some(owner));
        assert_eq!(owner.slot(), 1023);
        assert!(owner.is_of_generation(0x7_ffff));
        assert!(!owner.is_of_generation(0));
        assert_eq!(Owner::from_bits(0), None);
        assert_ne!(owner, Owner::ORPHAN);
    }
}
