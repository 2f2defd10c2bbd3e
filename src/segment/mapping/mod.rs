//! Typed views of mapped shared memory.
//!
//! Other processes write to this memory at any moment, so it is never used through `&mut` or plain
//! fields: every type that lies in it is [`Shared`] and consists of atomics only.

mod fixed;
mod past_caches;

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::Deref;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::sync::Arc;

use memmap2::MmapRaw;

pub(super) use fixed::Fixed;

use crate::status::{Result, Status};
use crate::sync::shared::Shared;
use crate::sys::descriptor::OwnedFd;
use crate::sys::memory;
use crate::sys::mmap::SplitMapping;
use crate::sys::robust_list::Entry;

/// A mapped range of a file.
pub(crate) struct Mapping {
    start: NonNull<u8>,
    length: usize,
    /// What of a place is its offset, if the mapping is a ring: see `view_in_ring`.
    ring_mask: usize,
    /// At most `length`, and a multiple of the unit of rings.
    known: AtomicUsize,
    memory: Memory,
}

/// The size and the alignment of what begins at a place of a ring.
const RING_UNIT: usize = 16;
/// Typical size of a cache line in bytes.
const LINE: u64 = 64;
/// The most lines that are prefetched for a record.
const MOST_LINES: u64 = 4;

fn ring_mask(length: usize) -> usize {
    match length.is_power_of_two() {
        true => length.saturating_sub(RING_UNIT),
        false => 0,
    }
}

enum Memory {
    Plain { _unmapped_by: MmapRaw },
    BehindPrivate(SplitMapping),
}

// SAFETY: the memory does not move while the mapping exists, and is used through raw pointers and
// atomics only.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    pub(crate) fn new(fd: &OwnedFd, offset: u64, length: u64) -> Result<Mapping> {
        let memory = memory::map(fd, offset, length)?;
        Ok(Mapping {
            start: NonNull::new(memory.as_mut_ptr()).ok_or(Status::E_INTERNAL)?,
            length: memory.len(),
            ring_mask: ring_mask(memory.len()),
            known: AtomicUsize::new(0),
            memory: Memory::Plain {
                _unmapped_by: memory,
            },
        })
    }

    /// Map the beginning of a file, with room for this process's list entries in front of it.
    pub(crate) fn behind_private(fd: &OwnedFd, length: u64) -> Result<Mapping> {
        let memory = SplitMapping::new(fd, length)?;
        let length = usize::try_from(length).map_err(|_| Status::E_TOO_LARGE)?;
        Ok(Mapping {
            start: NonNull::new(memory.shared()).ok_or(Status::E_INTERNAL)?,
            length,
            ring_mask: ring_mask(length),
            known: AtomicUsize::new(length - length % RING_UNIT),
            memory: Memory::BehindPrivate(memory),
        })
    }

    /// The list entry for the futex word at `offset`, in private memory of this process.
    ///
    /// # Errors
    /// `E_NO_MEMORY` only when the entry is asked for the first time.
    pub(crate) fn entry(&self, offset: usize) -> Result<&Entry> {
        let Memory::BehindPrivate(memory) = &self.memory else {
            return Err(Status::E_INTERNAL);
        };
        let place = memory.private(offset, size_of::<Entry>())?.cast::<Entry>();
        if !place.is_aligned() {
            return Err(Status::E_CORRUPT);
        }
        // SAFETY: the memory is usable and aligned and lives as long as the borrow; an entry is an
        // atomic, valid for every bit pattern.
        Ok(unsafe { &*place })
    }

    /// The `T` at `offset`; `E_CORRUPT` if it lies outside of the mapping or is not aligned.
    #[inline]
    pub(crate) fn view<T: Shared>(&self, offset: usize) -> Result<&T> {
        let end = offset
            .checked_add(size_of::<T>())
            .ok_or(Status::E_CORRUPT)?;
        let address = self.start.addr().get() + offset;
        if end > self.length || !address.is_multiple_of(align_of::<T>()) {
            return Err(Status::E_CORRUPT);
        }
        // SAFETY: in bounds and aligned, as checked above; `Shared` types are valid for every bit
        // pattern and are used through atomics only. The mapping lives as long as the borrow.
        Ok(unsafe { self.start.add(offset).cast::<T>().as_ref() })
    }

    /// How many bytes from the beginning the file is known to hold. Files never shrink.
    #[inline]
    pub(crate) fn known(&self) -> u64 {
        self.known.load(Ordering::Relaxed) as u64
    }

    /// The file holds the first `held` bytes of what is mapped.
    pub(crate) fn learn(&self, held: u64) {
        let held = usize::try_from(held).unwrap_or(usize::MAX);
        let held = held.min(self.length);
        self.known
            .fetch_max(held - held % RING_UNIT, Ordering::Relaxed);
    }

    /// The length of a round of the ring that fills this mapping, in bytes.
    #[inline]
    pub(crate) fn round(&self) -> u64 {
        (self.ring_mask + RING_UNIT) as u64
    }

    /// The `T` at place `at` of a ring that fills this mapping, and the bytes from there to the end
    /// of what the file is known to hold. `None` if that ends before.
    ///
    /// Places go on from round to round: the offset is the place modulo the mapping's length, which
    /// is a power of two.
    #[inline]
    pub(crate) fn view_in_ring<T: Shared>(&self, at: u64) -> Option<(&T, Bytes<'_>)> {
        // The mask leaves a multiple of the unit that is less than the mapping's length, or 0. So
        // whatever the place is, a `T` at this offset is aligned and lies within the mapping.
        const { assert!(size_of::<T>() == RING_UNIT && align_of::<T>() == RING_UNIT) };
        let offset = at as usize & self.ring_mask;
        let known = self.known.load(Ordering::Relaxed);
        // Both are multiples of the unit, so a `T` fits if a byte does.
        if known <= offset {
            return None;
        }
        // SAFETY: in bounds and aligned, as said above (a mapping has at least a page); for the
        // rest as in `view`.
        let first = unsafe { self.start.add(offset).cast::<T>().as_ref() };
        Some((first, self.bytes_from(offset, known - offset)))
    }

    /// The `length` bytes at `offset`; `E_CORRUPT` if they lie outside of the mapping.
    #[inline]
    pub(crate) fn bytes(&self, offset: usize, length: usize) -> Result<Bytes<'_>> {
        match offset.checked_add(length) {
            Some(end) if end <= self.length => Ok(self.bytes_from(offset, length)),
            _ => Err(Status::E_CORRUPT),
        }
    }

    fn bytes_from(&self, offset: usize, room: usize) -> Bytes<'_> {
        Bytes {
            address: self.start.as_ptr().wrapping_add(offset),
            room,
            mapping: PhantomData,
        }
    }

    /// Copy `data` to `offset`; `E_CORRUPT` if it does not fit. The caller makes sure that this
    /// memory is allocated.
    #[inline]
    pub(crate) fn write(&self, offset: usize, data: &[u8]) -> Result<()> {
        self.bytes(offset, data.len())?.write(data)
    }

    /// Copy the bytes at `offset` to `buffer`; `E_CORRUPT` if they lie outside of the mapping.
    #[inline]
    pub(crate) fn read(&self, offset: usize, buffer: &mut [MaybeUninit<u8>]) -> Result<()> {
        let len = buffer.len();
        self.bytes(offset, len)?.read(len, buffer).map(drop)
    }
}

/// Bytes of a mapping that outlives this value: messages are copied into them and out of them.
#[derive(Clone, Copy)]
pub(crate) struct Bytes<'a> {
    address: *mut u8,
    room: usize,
    mapping: PhantomData<&'a Mapping>,
}

impl<'a> Bytes<'a> {
    /// The bytes from `begin` to `end`; `None` if there are not so many.
    #[inline]
    pub(crate) fn part(self, begin: u64, end: u64) -> Option<Bytes<'a>> {
        if end > self.room as u64 || begin > end {
            return None;
        }
        Some(Bytes {
            address: self.address.wrapping_add(begin as usize),
            room: (end - begin) as usize,
            ..self
        })
    }

    pub(crate) fn room(self) -> u64 {
        self.room as u64
    }

    pub(crate) fn address(self) -> *mut u8 {
        self.address
    }

    /// Prefetch for writing the cache lines of `len` bytes, at least one line and at most
    /// [`MOST_LINES`], beginning `ahead` bytes after the first of these.
    ///
    /// A consumer read these lines last. A plain store to them would not stall the processor, but
    /// the atomic exchange that releases the lock soon afterwards waits until all earlier stores
    /// are done.
    #[inline(always)]
    pub(crate) fn fetch_for_writing(self, ahead: u64, len: u64) {
        let first = self.address.wrapping_add(ahead as usize);
        fetch_line_for_writing(first);
        for line in 1..MOST_LINES {
            if line * LINE >= len {
                break;
            }
            fetch_line_for_writing(first.wrapping_add((line * LINE) as usize));
        }
    }

    /// Copy `data` to the first of these bytes.
    #[inline]
    pub(crate) fn write(self, data: &[u8]) -> Result<()> {
        if data.len() > self.room {
            return Err(Status::E_INTERNAL);
        }
        // SAFETY: `room` bytes are mapped and `data` fits. No other process writes a record that
        // this process owns; a hostile process that does so can only spoil the bytes.
        unsafe { std::ptr::copy_nonoverlapping(data.as_ptr(), self.address, data.len()) };
        Ok(())
    }

    /// As [`write`](Self::write), with stores that go past the caches. Where the processor has no
    /// such stores, it is the same.
    pub(crate) fn write_past_caches(self, data: &[u8]) -> Result<()> {
        if data.len() > self.room {
            return Err(Status::E_INTERNAL);
        }
        // SAFETY: as in `write`.
        unsafe { past_caches::copy(data, self.address) };
        Ok(())
    }

    /// Copy the first `len` bytes to `buffer`; false if it is too small.
    #[inline]
    pub(crate) fn read(self, len: usize, buffer: &mut [MaybeUninit<u8>]) -> Result<bool> {
        if len > self.room {
            return Err(Status::E_CORRUPT);
        }
        if len > buffer.len() {
            return Ok(false);
        }
        // SAFETY: `room` bytes are mapped; `buffer` has room for `len` bytes and belongs to this
        // process.
        unsafe { std::ptr::copy_nonoverlapping(self.address, buffer.as_mut_ptr().cast(), len) };
        Ok(true)
    }

    /// As [`read`](Self::read), and make this core the last that wrote to the cache lines that it
    /// reads: after each `step` bytes, write a byte of each of their lines anew. No other thread
    /// writes to them meanwhile.
    ///
    /// Whoever writes these lines next then gets them with one request each, many at a time. If
    /// this core had only read them, the other one would have them still, and would ask this one
    /// for each in turn to forget it.
    #[inline(never)]
    pub(crate) fn take_over(
        self,
        len: usize,
        buffer: &mut [MaybeUninit<u8>],
        step: usize,
    ) -> Result<bool> {
        if len > self.room {
            return Err(Status::E_CORRUPT);
        }
        let Some(buffer) = buffer.get_mut(..len) else {
            return Ok(false);
        };
        let mut from = self;
        for to in buffer.chunks_mut(step.max(1)) {
            from.read(to.len(), to)?;
            from.write_lines_anew(to.len());
            from.address = from.address.wrapping_add(to.len());
            from.room -= to.len();
        }
        Ok(true)
    }

    /// Write a byte of each cache line of the first `len` bytes, which `read` has read, anew.
    #[inline]
    fn write_lines_anew(self, len: usize) {
        for at in (0..len).step_by(LINE as usize) {
            let byte = self.address.wrapping_add(at);
            // SAFETY: `read` has read it, and all of a segment may be written. Volatile, so that
            // the store of what is there already is made.
            unsafe { byte.write_volatile(byte.read_volatile()) };
        }
    }

    /// Write two numbers to the first of these bytes.
    pub(crate) fn write_pair(self, first: u64, second: u64) -> Result<()> {
        let mut bytes = [0; 16];
        let (low, high) = bytes.split_at_mut(8);
        low.copy_from_slice(&first.to_ne_bytes());
        high.copy_from_slice(&second.to_ne_bytes());
        self.write(&bytes)
    }

    /// Read two numbers from the first of these bytes.
    pub(crate) fn read_pair(self) -> Result<(u64, u64)> {
        if self.room < 16 {
            return Err(Status::E_CORRUPT);
        }
        let address = self.address.cast::<u64>();
        // SAFETY: 16 bytes are mapped, and any contents are valid; unaligned reads are allowed
        // here.
        Ok(unsafe {
            (
                address.read_unaligned(),
                address.wrapping_add(1).read_unaligned(),
            )
        })
    }

    /// Copy the first `len` of other bytes to these.
    pub(crate) fn copy_from(self, other: Bytes<'_>, len: usize) -> Result<()> {
        if len > self.room || len > other.room {
            return Err(Status::E_CORRUPT);
        }
        // SAFETY: both have `len` bytes mapped. They overlap only in a damaged segment,
        // and `copy` allows that.
        unsafe { std::ptr::copy(other.address, self.address, len) };
        Ok(())
    }
}

#[inline(always)]
fn fetch_line_for_writing(address: *mut u8) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: a prefetch is allowed for any address; processors that do not support it ignore it.
    unsafe {
        std::arch::asm!("prefetchw [{}]", in(reg) address, options(nostack, preserves_flags));
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = address;
}

/// Words in memory that `S` keeps mapped, and a share in that `S`.
pub(crate) struct Kept<S, T> {
    owner: Arc<S>,
    words: NonNull<T>,
}

// SAFETY: the words are shared memory, which all threads may use.
unsafe impl<S: Send + Sync, T: Shared> Send for Kept<S, T> {}
// SAFETY: as above.
unsafe impl<S: Send + Sync, T: Shared> Sync for Kept<S, T> {}

impl<S, T: Shared> Kept<S, T> {
    /// The words that `find` finds.
    pub(crate) fn within(
        owner: Arc<S>,
        find: impl for<'a> FnOnce(&'a S) -> Result<&'a T>,
    ) -> Result<Kept<S, T>> {
        let words = NonNull::from(find(&owner)?);
        Ok(Kept { owner, words })
    }

    #[inline(always)]
    pub(crate) fn words(&self) -> &T {
        // SAFETY: a borrow of the owner, who does not move, and exists as long as this does.
        unsafe { self.words.as_ref() }
    }

    pub(crate) fn owner(&self) -> &Arc<S> {
        &self.owner
    }
}

impl<S, T> Deref for Kept<S, T> {
    type Target = S;

    #[inline(always)]
    fn deref(&self) -> &S {
        &self.owner
    }
}

/// A further range of the file, such as a queue's ring: a mapping that its first use creates and
/// that stays as long as the segment. A fork at any moment leaves it usable in the child.
pub(crate) struct LazyMapping {
    /// Null, or the address of a leaked box.
    mapping: AtomicPtr<Mapping>,
}

impl LazyMapping {
    pub(crate) const fn new() -> LazyMapping {
        LazyMapping {
            mapping: AtomicPtr::new(ptr::null_mut()),
        }
    }

    #[inline]
    pub(crate) fn get(&self) -> Option<&Mapping> {
        // SAFETY: null, or a box that `get_or_set` leaked and only drop frees.
        unsafe { self.mapping.load(Ordering::Acquire).as_ref() }
    }

    /// The mapping; the first use stores what `map` returns.
    pub(crate) fn get_or_set(&self, map: impl FnOnce() -> Result<Mapping>) -> Result<&Mapping> {
        if self.get().is_none() {
            let fresh = Box::into_raw(Box::new(map()?));
            let kept = self.mapping.compare_exchange(
                ptr::null_mut(),
                fresh,
                Ordering::AcqRel,
                Ordering::Relaxed,
            );
            if kept.is_err() {
                // Another thread was faster.
                // SAFETY: leaked just above, and no other thread has seen it.
                drop(unsafe { Box::from_raw(fresh) });
            }
        }
        self.get().ok_or(Status::E_INTERNAL)
    }
}

impl Drop for LazyMapping {
    fn drop(&mut self) {
        let mapping = *self.mapping.get_mut();
        if !mapping.is_null() {
            // SAFETY: leaked by `get_or_set`, and no borrow of it is left.
            drop(unsafe { Box::from_raw(mapping) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taking_over_reads_all_and_changes_nothing() {
        let all: Vec<u8> = (0..1000u32).map(|at| (at % 251) as u8).collect();
        for len in [0, 1, 63, 64, 65, 511, 512, 513, 1000] {
            for step in [64, 512, 4096] {
                let mut memory = all.clone();
                let bytes = Bytes {
                    address: memory.as_mut_ptr(),
                    room: len,
                    mapping: PhantomData,
                };
                let mut buffer = [MaybeUninit::new(0xff); 1000];
                assert_eq!(bytes.take_over(len, &mut buffer, step), Ok(true));
                // SAFETY: every byte of the buffer was initialised.
                let read = buffer.map(|byte| unsafe { byte.assume_init() });
                assert_eq!(read[..len], all[..len]);
                assert!(read[len..].iter().all(|byte| *byte == 0xff));
                assert_eq!(memory, all);
                let longer = bytes.take_over(len + 1, &mut buffer, step);
                assert_eq!(longer, Err(Status::E_CORRUPT));
                if let Some(short) = buffer.get_mut(..len.saturating_sub(1)) {
                    let fits = bytes.take_over(len, short, step);
                    assert_eq!(fits, Ok(len == 0));
                }
            }
        }
    }
}
