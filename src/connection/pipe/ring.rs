//! The bytes of a lane: a ring in the file, whose memory is allocated as it is first reached.

use std::mem::MaybeUninit;
use std::sync::atomic::AtomicU64;

use super::body::{RING, RINGS_AT};
use crate::segment::{Bytes, LazyMapping, Mapping, Segment};
use crate::status::{Result, Status};

/// Memory is allocated in steps of this size, so that a pipe with little in it stays small.
pub(super) const STEP: u64 = 64 * 1024;
const PAGE: u64 = 4096;

/// The ring of lane 0 or 1, as this process has it mapped.
#[derive(Clone, Copy)]
pub(super) struct Ring<'a> {
    pub(super) segment: &'a Segment,
    pub(super) lane: usize,
}

impl<'a> Ring<'a> {
    /// The mapping, after making sure that its first `end` bytes have memory. Every process does
    /// that itself, also one that only reads, so neither a full /dev/shm nor a damaged segment can
    /// cause a SIGBUS.
    #[inline]
    fn reach(&self, end: u64) -> Result<&'a Mapping> {
        let extent = self.segment.extent(self.lane);
        let extent = extent.ok_or(Status::E_INTERNAL)?;
        match extent.get() {
            Some(mapping) if end <= mapping.known() => Ok(mapping),
            _ => self.reach_further(extent, end),
        }
    }

    #[cold]
    fn reach_further(&self, extent: &'a LazyMapping, end: u64) -> Result<&'a Mapping> {
        if end > RING {
            return Err(Status::E_CORRUPT);
        }
        let begin = RINGS_AT + self.lane as u64 * RING;
        let mapping = extent.get_or_set(|| self.segment.map(begin, RING))?;
        let known = mapping.known();
        if end > known {
            let roomy = end.next_multiple_of(STEP);
            let tight = end.next_multiple_of(PAGE);
            let mut got = roomy;
            if let Err(status) = self.segment.allocate(begin + known, roomy - known) {
                if status != Status::E_NO_MEMORY {
                    return Err(status);
                }
                self.segment.allocate(begin + known, tight - known)?;
                got = tight;
            }
            mapping.learn(got);
        }
        Ok(mapping)
    }

    /// The number at a position, and the bytes that follow it, up to `extent` bytes from there.
    /// `None` if they go round the ring's end, or beyond the memory that this process knows to
    /// exist.
    #[inline]
    pub(super) fn known(&self, at: u64, extent: u64) -> Option<(&'a AtomicU64, Bytes<'a>)> {
        let mapping = self.segment.extent(self.lane)?.get()?;
        let place = at % RING;
        if place + extent > mapping.known() {
            return None;
        }
        let (place, extent) = (place as usize, extent as usize);
        let bytes = mapping.bytes(place + 8, extent.checked_sub(8)?).ok()?;
        Some((mapping.view(place).ok()?, bytes))
    }

    /// Make sure that a write of `len` bytes at `at` has memory, before it writes any byte.
    pub(super) fn ensure(&self, at: u64, len: u64) -> Result<()> {
        let end = (at % RING).saturating_add(len).min(RING);
        self.reach(end).map(|_| ())
    }

    /// The number at a position.
    #[inline]
    pub(super) fn number(&self, at: u64) -> Result<&'a AtomicU64> {
        let place = at % RING;
        self.reach(place + 8)?.view(place as usize)
    }

    /// Write `data` from a position on, round the ring's end.
    #[inline]
    pub(super) fn write(&self, at: u64, data: &[u8]) -> Result<()> {
        let place = at % RING;
        let before_end = data.len().min((RING - place) as usize);
        let (first, rest) = data
            .split_at_checked(before_end)
            .ok_or(Status::E_INTERNAL)?;
        self.reach(place + first.len() as u64)?
            .write(place as usize, first)?;
        if !rest.is_empty() {
            self.reach(rest.len() as u64)?.write(0, rest)?;
        }
        Ok(())
    }

    /// Fill `buffer` with the bytes from a position on.
    #[inline]
    pub(super) fn read(&self, at: u64, buffer: &mut [MaybeUninit<u8>]) -> Result<()> {
        let place = at % RING;
        let before_end = buffer.len().min((RING - place) as usize);
        let (first, rest) = buffer
            .split_at_mut_checked(before_end)
            .ok_or(Status::E_INTERNAL)?;
        self.reach(place + first.len() as u64)?
            .read(place as usize, first)?;
        if !rest.is_empty() {
            self.reach(rest.len() as u64)?.read(0, rest)?;
        }
        Ok(())
    }
}
