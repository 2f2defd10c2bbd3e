//! Typed views of mapped shared memory.
//!
//! The memory is written by other processes at any moment, so it is never seen through `&mut` or plain
//! fields: every type that lies in it is [`Shared`], made of atomics only.

use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use memmap2::MmapRaw;

use crate::status::{Result, Status};
use crate::sync::shared::Shared;
use crate::sys::descriptor::OwnedFd;
use crate::sys::memory;
use crate::sys::mmap::SplitMapping;
use crate::sys::robust_list::Entry;

/// A stretch of a file, mapped.
pub(crate) struct Mapping {
    start: *mut u8,
    length: usize,
    memory: Memory,
}

enum Memory {
    Plain { _unmapped_by: MmapRaw },
    BehindPrivate(SplitMapping),
}

// SAFETY: the memory stays where it is as long as the mapping, and is reached through raw pointers and
// atomics only.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    pub(crate) fn new(fd: &OwnedFd, offset: u64, length: u64) -> Result<Mapping> {
        let memory = memory::map(fd, offset, length)?;
        Ok(Mapping {
            start: memory.as_mut_ptr(),
            length: memory.len(),
            memory: Memory::Plain {
                _unmapped_by: memory,
            },
        })
    }

    /// The beginning of a file, with room for this process's list entries in front of it.
    pub(crate) fn behind_private(fd: &OwnedFd, length: u64) -> Result<Mapping> {
        let memory = SplitMapping::new(fd, length)?;
        Ok(Mapping {
            start: memory.shared(),
            length: usize::try_from(length).map_err(|_| Status::E_TOO_LARGE)?,
            memory: Memory::BehindPrivate(memory),
        })
    }

    /// The list entry that belongs to the futex word at `offset`: private memory of this process.
    ///
    /// # Errors
    /// `E_NO_MEMORY` when it is asked for the first time, never later.
    pub(crate) fn entry(&self, offset: usize) -> Result<&Entry> {
        let Memory::BehindPrivate(memory) = &self.memory else {
            return Err(Status::E_INTERNAL);
        };
        let place = memory.private(offset, size_of::<Entry>())?.cast::<Entry>();
        if !place.is_aligned() {
            return Err(Status::E_CORRUPT);
        }
        // SAFETY: usable memory, aligned, which lives as long as the borrow; an entry is an atomic, valid for
        // every bit pattern.
        Ok(unsafe { &*place })
    }

    /// The `T` at `offset`; `E_CORRUPT` where none fits.
    #[inline]
    pub(crate) fn view<T: Shared>(&self, offset: usize) -> Result<&T> {
        let end = offset
            .checked_add(size_of::<T>())
            .ok_or(Status::E_CORRUPT)?;
        let address = self.start as usize + offset;
        if end > self.length || !address.is_multiple_of(align_of::<T>()) {
            return Err(Status::E_CORRUPT);
        }
        // SAFETY: in bounds and aligned, checked above; `Shared` types are valid for every bit pattern
        // and are only reached through atomics. The mapping lives as long as the borrow.
        Ok(unsafe { &*self.start.add(offset).cast::<T>() })
    }

    /// Where `length` bytes at `offset` lie in this process; `E_CORRUPT` where they do not.
    #[inline]
    pub(crate) fn bytes(&self, offset: usize, length: usize) -> Result<*mut u8> {
        match offset.checked_add(length) {
            Some(end) if end <= self.length => Ok(self.start.wrapping_add(offset)),
            _ => Err(Status::E_CORRUPT),
        }
    }

    /// Copy `data` to `offset`; `E_CORRUPT` where it does not fit. What is written over must be allocated.
    #[inline]
    pub(crate) fn write(&self, offset: usize, data: &[u8]) -> Result<()> {
        let to = self.bytes(offset, data.len())?;
        // SAFETY: in bounds, checked by `bytes`; `data` is memory of this process and not the mapping, and
        // other processes that write here at the same time can only spoil the bytes.
        unsafe { ptr::copy_nonoverlapping(data.as_ptr(), to, data.len()) };
        Ok(())
    }

    /// Fill `buffer` with what lies at `offset`; `E_CORRUPT` where that is outside.
    #[inline]
    pub(crate) fn read(&self, offset: usize, buffer: &mut [MaybeUninit<u8>]) -> Result<()> {
        let from = self.bytes(offset, buffer.len())?;
        // SAFETY: in bounds, checked by `bytes`; `buffer` is memory of this process.
        unsafe { ptr::copy_nonoverlapping(from, buffer.as_mut_ptr().cast(), buffer.len()) };
        Ok(())
    }
}

/// A mapping that is made at its first use. A fork at any moment leaves it usable in the child.
#[derive(Default)]
pub(crate) struct LazyMapping {
    /// Null, or a leaked box.
    mapping: AtomicPtr<Mapping>,
}

impl LazyMapping {
    #[inline]
    pub(crate) fn get(&self) -> Option<&Mapping> {
        // SAFETY: null or a box that `set` leaked, freed only by drop.
        unsafe { self.mapping.load(Ordering::Acquire).as_ref() }
    }

    /// Keep `fresh`, unless another thread was quicker.
    pub(crate) fn set(&self, fresh: Mapping) {
        let fresh = Box::into_raw(Box::new(fresh));
        let kept = self.mapping.compare_exchange(
            ptr::null_mut(),
            fresh,
            Ordering::AcqRel,
            Ordering::Relaxed,
        );
        if kept.is_err() {
            // SAFETY: leaked just above, and nobody else has seen it.
            drop(unsafe { Box::from_raw(fresh) });
        }
    }
}

impl Drop for LazyMapping {
    fn drop(&mut self) {
        let mapping = *self.mapping.get_mut();
        if !mapping.is_null() {
            // SAFETY: leaked by `set`, and nobody borrows it any more.
            drop(unsafe { Box::from_raw(mapping) });
        }
    }
}
