//! The rings of a queue: their offsets in the file, and how much of each exists.
//!
//! Rings double in size, from 128 KiB on. Each size class has two rings for messages, since an old
//! unfinished message may pin the first, and one ring for dead letters. The offset of a ring
//! follows from its number alone, so no offset or size is ever read from shared memory. The file is
//! sparse: only the part of a ring that is used is allocated.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::record::{Record, ALIGN, HEADER};
use crate::segment::{Bytes, LazyMapping, Mapping, Segment};
use crate::status::{Result, Status};
use crate::sync::shared::shared;

/// The size of the smallest rings, chosen so that a short backlog stays in a core's cache.
pub(crate) const BASE: u64 = 128 * 1024;
/// Rings of up to this size keep their memory.
const KEPT: u64 = 4 * BASE;
/// Rings of up to this size stay in a core's caches: producers do not leave one for a smaller one.
pub(crate) const HOT: u64 = 8 * BASE;
/// A drained ring of at least this size gives its memory back at once. Smaller rings keep their
/// memory until a lull, since the next burst needs it again.
pub(crate) const LARGE_RING: u64 = 16 << 20;
/// Rings of messages: two of each of 24 size classes, up to 1 TiB.
pub(crate) const MESSAGE_RINGS: Range<usize> = 0..48;
/// Rings of dead letters: one of each of 16 size classes, up to 4 GiB and a header.
pub(crate) const DEAD_RINGS: Range<usize> = 48..64;
/// Number of all rings.
pub(crate) const RINGS: usize = 64;
/// Memory of a ring is allocated in steps of this size, so that no call waits long for it to be
/// zeroed.
const STEP: u64 = 1 << 20;
const PAGE: u64 = 4096;
/// The end of a ring that the producers have not left.
pub(crate) const OPEN_END: u64 = u64::MAX;

shared! {
    /// The shared state of a ring. The word that consumers write at every message lies on a cache
    /// line of its own.
    #[repr(align(128))]
    pub(crate) struct RingState {
        /// The place at which the current use of the ring begins.
        pub(crate) start: AtomicU64,
        /// The place at which its records end, once the producers have moved on.
        pub(crate) end: AtomicU64,
        /// How many bytes of the ring records may use; the ring has at least this much memory.
        /// Guarded by the tail lock while producers use the ring, else by the head lock.
        pub(crate) allocated: AtomicU64,
        /// The largest record since the ring was linked. A ring that replaces it must suit this
        /// record.
        pub(crate) largest: AtomicU64,
        /// The number of the following ring, once the producers have moved on.
        pub(crate) next: AtomicU32,
        _pad: AtomicU32,
        _producers_line: [AtomicU64; 11],
        /// Every record before this place is over. Guarded by the head lock.
        pub(crate) free: AtomicU64,
    }
}

const _: () = assert!(std::mem::offset_of!(RingState, free) == 128);

/// A ring's size class: its size is `BASE << class`.
fn class(ring: usize) -> u32 {
    let class = if ring < MESSAGE_RINGS.end {
        ring / 2
    } else {
        ring - DEAD_RINGS.start
    };
    class as u32
}

/// A ring's size in bytes, a power of two.
#[inline]
pub(crate) fn size(ring: usize) -> u64 {
    BASE << class(ring)
}

/// A ring's offset from the end of the fixed part of the segment.
pub(crate) fn offset(ring: usize) -> u64 {
    let size = size(ring);
    let third = if ring < MESSAGE_RINGS.end {
        ring as u64 % 2
    } else {
        2
    };
    3 * (size - BASE) + third * size
}

/// The rings as this process has mapped them.
#[derive(Clone, Copy)]
pub(crate) struct Rings<'a> {
    segment: &'a Segment,
    /// The offset of ring 0 in the file.
    base: u64,
}

impl<'a> Rings<'a> {
    pub(crate) fn new(segment: &'a Segment, base: u64) -> Rings<'a> {
        Rings { segment, base }
    }

    /// Report whether a file of `file_size` bytes ends before this ring begins. Then the ring has
    /// no memory.
    pub(crate) fn begins_behind(&self, ring: usize, file_size: u64) -> bool {
        self.base + offset(ring) >= file_size
    }

    fn extent(&self, ring: usize) -> Result<&'a LazyMapping> {
        self.segment.extent(ring).ok_or(Status::E_CORRUPT)
    }

    /// The mapping of a ring, after checking that the file holds the ring's first `end` bytes.
    #[inline]
    fn reach(&self, ring: usize, end: u64) -> Result<&'a Mapping> {
        let extent = self.extent(ring)?;
        match extent.get() {
            Some(mapping) if end <= mapping.known() => Ok(mapping),
            _ => self.reach_further(ring, extent, end),
        }
    }

    #[cold]
    fn reach_further(self, ring: usize, extent: &'a LazyMapping, end: u64) -> Result<&'a Mapping> {
        let begin = self.base + offset(ring);
        let held = self
            .segment
            .file_size()?
            .saturating_sub(begin)
            .min(size(ring));
        if end > held {
            return Err(Status::E_CORRUPT);
        }
        let mapping = extent.get_or_set(|| self.segment.map(begin, size(ring)))?;
        mapping.learn(held);
        Ok(mapping)
    }

    /// The record at a place.
    #[inline]
    pub(crate) fn record(&self, ring: usize, at: u64) -> Result<&'a Record> {
        let place = at & (size(ring) - 1);
        self.reach(ring, place + HEADER)?.view(place as usize)
    }

    /// The record at a place, and its payload. The caller has checked the extent against the ring's
    /// ends.
    #[inline]
    pub(crate) fn slot(
        &self,
        ring: usize,
        at: u64,
        extent: u64,
    ) -> Result<(&'a Record, Bytes<'a>)> {
        let place = at & (size(ring) - 1);
        let end = place.checked_add(extent).ok_or(Status::E_CORRUPT)?;
        if end > size(ring) || extent < HEADER || !extent.is_multiple_of(ALIGN) {
            return Err(Status::E_CORRUPT);
        }
        let mapping = self.reach(ring, end)?;
        let payload = mapping.bytes((place + HEADER) as usize, (extent - HEADER) as usize)?;
        Ok((mapping.view(place as usize)?, payload))
    }

    /// Make sure that the first `end` bytes of a ring have memory. The caller holds the tail lock.
    #[inline]
    pub(crate) fn ensure(&self, state: &RingState, ring: usize, end: u64) -> Result<()> {
        let has = state.allocated.load(Ordering::Relaxed);
        if end <= has {
            return Ok(());
        }
        self.allocate(state, ring, has, end)
    }

    /// Report whether a ring lies completely within the first `length` bytes of the file.
    pub(crate) fn ends_within(&self, ring: usize, length: u64) -> bool {
        self.base + offset(ring) + size(ring) <= length
    }

    #[cold]
    fn allocate(&self, state: &RingState, ring: usize, has: u64, end: u64) -> Result<()> {
        let size = size(ring);
        if end > size {
            return Err(Status::E_CORRUPT);
        }
        let begin = self.base + offset(ring);
        let roomy = end.next_multiple_of(STEP).min(size);
        let tight = end.next_multiple_of(PAGE).min(size);
        // Leave out whole pages that the ring has: asking for such a page again makes the kernel
        // fill it with zeros.
        let has = has.next_multiple_of(PAGE).min(tight);
        let allocate = |end: u64| match end > has {
            true => self.segment.allocate(begin + has, end - has),
            false => Ok(()),
        };
        let mut got = roomy;
        if let Err(status) = allocate(roomy) {
            if status != Status::E_NO_MEMORY || tight == roomy {
                return Err(status);
            }
            allocate(tight)?;
            got = tight;
        }
        // Keep room for a header, if the ring goes on: then padding can end the ring wherever its
        // memory ends.
        let usable = if got == size {
            size
        } else {
            end.max(got - HEADER)
        };
        state.allocated.store(usable, Ordering::Relaxed);
        Ok(())
    }

    /// Make sure that padding behind the records up to `begin` has memory. The caller holds the
    /// tail lock.
    pub(crate) fn ensure_padding(&self, state: &RingState, ring: usize, begin: u64) -> Result<()> {
        // The page of the byte before `begin` exists, so the header of the padding has memory.
        if !begin.is_multiple_of(PAGE) {
            return Ok(());
        }
        self.ensure(state, ring, begin + HEADER)
    }

    /// Give back one step of the memory of a lingering ring that nobody needs. Return true if no
    /// memory is left to give back. The smallest rings keep their memory: they are used again at
    /// once.
    pub(crate) fn give_back(&self, state: &RingState, ring: usize) -> Result<bool> {
        if size(ring) <= KEPT || state.allocated.load(Ordering::Relaxed) == 0 {
            return Ok(true);
        }
        self.give_back_all(state, ring)
    }

    /// As [`give_back`](Self::give_back), for a ring of any size, and also if `allocated` does not
    /// count all of its memory: a process may have been killed after it allocated memory and before
    /// it stored the amount.
    ///
    /// The caller holds the head lock. If the process is killed in between, the ring still lingers,
    /// so nobody puts a record there, and the next caller gives back the same step again.
    pub(crate) fn give_back_all(&self, state: &RingState, ring: usize) -> Result<bool> {
        const STEPS: u64 = 16 * STEP;
        let size = size(ring);
        let has = state.allocated.load(Ordering::Relaxed).min(size);
        let keep = has.saturating_sub(1) / STEPS * STEPS;
        self.segment
            .punch(self.base + offset(ring) + keep, size - keep)?;
        state.allocated.store(keep, Ordering::Relaxed);
        Ok(keep == 0)
    }
}

/// The ring size that suits records of `largest` bytes and a backlog of `backlog` bytes.
///
/// An empty ring of twice the largest record's size has room for that record wherever the tail
/// stands in the ring. Small records get more room.
pub(crate) fn suitable_size(largest: u64, backlog: u64) -> u64 {
    let room = if largest <= 1 << 20 { 4 } else { 2 };
    let wanted = largest
        .saturating_mul(room)
        .max(backlog.saturating_mul(2))
        .max(BASE);
    wanted.min(1 << 40).next_power_of_two()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_lie_side_by_side() {
        let mut rings: Vec<(u64, u64)> =
            (0..RINGS).map(|ring| (offset(ring), size(ring))).collect();
        rings.sort_unstable();
        assert_eq!(rings[0], (0, BASE));
        for pair in rings.windows(2) {
            assert!(pair[0].0 + pair[0].1 <= pair[1].0, "{pair:?}");
        }
        let last = rings[RINGS - 1];
        assert!(last.0 + last.1 < i64::MAX as u64);
    }
}
