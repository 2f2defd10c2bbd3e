//! Typed views of mapped shared memory.
//!
//! Other processes write to this memory at any moment, so it is never used through `&mut` or plain
//! fields: every type that lies in it is [`Shared`] and consists of atomics only.

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

/// A mapped range of a file.
pub(crate) struct Mapping {
    start: *mut u8,
    length: usize,
    memory: Memory,
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
            start: memory.as_mut_ptr(),
            length: memory.len(),
            memory: Memory::Plain {
                _unmapped_by: memory,
            },
        })
    }

    /// Map the beginning of a file, with room for this process's list entries in front of it.
    pub(crate) fn behind_private(fd: &OwnedFd, length: u64) -> Result<Mapping> {
        let memory = SplitMapping::new(fd, length)?;
        Ok(Mapping {
            start: memory.shared(),
            length: usize::try_from(length).map_err(|_| Status::E_TOO_LARGE)?,
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
        let address = self.start as usize + offset;
        if end > self.length || !address.is_multiple_of(align_of::<T>()) {
            return Err(Status::E_CORRUPT);
        }
        // SAFETY: in bounds and aligned, as checked above; `Shared` types are valid for every bit
        // pattern and are used through atomics only. The mapping lives as long as the borrow.
        Ok(unsafe { &*self.start.add(offset).cast::<T>() })
    }

    /// The `T` at `offset`, and the bytes from there to `end`: their address and their number.
    /// `None` if they lie outside of the mapping, or if the `T` does.
    #[inline]
    pub(crate) fn view_to<T: Shared>(
        &self,
        offset: usize,
        end: usize,
    ) -> Option<(&T, *mut u8, usize)> {
        let room = end.checked_sub(offset)?;
        let address = self.start.wrapping_add(offset);
        let is_aligned = (address as usize).is_multiple_of(align_of::<T>());
        if end > self.length || room < size_of::<T>() || !is_aligned {
            return None;
        }
        // SAFETY: in bounds and aligned, as checked above; for the rest as in `view`.
        Some((unsafe { &*address.cast::<T>() }, address, room))
    }

    /// The address of the `length` bytes at `offset`; `E_CORRUPT` if they lie outside of the
    /// mapping.
    #[inline]
    pub(crate) fn bytes(&self, offset: usize, length: usize) -> Result<*mut u8> {
        match offset.checked_add(length) {
            Some(end) if end <= self.length => Ok(self.start.wrapping_add(offset)),
            _ => Err(Status::E_CORRUPT),
        }
    }

    /// Copy `data` to `offset`; `E_CORRUPT` if it does not fit. The caller makes sure that this
    /// memory is allocated.
    #[inline]
    pub(crate) fn write(&self, offset: usize, data: &[u8]) -> Result<()> {
        let to = self.bytes(offset, data.len())?;
        // SAFETY: in bounds, as `bytes` checks; `data` is memory of this process and not of the
        // mapping. Other processes that write here at the same time can only spoil the bytes.
        unsafe { ptr::copy_nonoverlapping(data.as_ptr(), to, data.len()) };
        Ok(())
    }

    /// Copy the bytes at `offset` to `buffer`; `E_CORRUPT` if they lie outside of the mapping.
    #[inline]
    pub(crate) fn read(&self, offset: usize, buffer: &mut [MaybeUninit<u8>]) -> Result<()> {
        let from = self.bytes(offset, buffer.len())?;
        // SAFETY: in bounds, as `bytes` checks; `buffer` is memory of this process.
        unsafe { ptr::copy_nonoverlapping(from, buffer.as_mut_ptr().cast(), buffer.len()) };
        Ok(())
    }
}

/// A mapping that its first use creates. A fork at any moment leaves it usable in the child.
#[derive(Default)]
pub(crate) struct LazyMapping {
    /// Null, or the address of a leaked box.
    mapping: AtomicPtr<Mapping>,
}

impl LazyMapping {
    #[inline]
    pub(crate) fn get(&self) -> Option<&Mapping> {
        // SAFETY: null, or a box that `set` leaked and only drop frees.
        unsafe { self.mapping.load(Ordering::Acquire).as_ref() }
    }

    /// Store `fresh`, unless another thread has stored a mapping already.
    pub(crate) fn set(&self, fresh: Mapping) {
        let fresh = Box::into_raw(Box::new(fresh));
        let kept = self.mapping.compare_exchange(
            ptr::null_mut(),
            fresh,
            Ordering::AcqRel,
            Ordering::Relaxed,
        );
        if kept.is_err() {
            // SAFETY: leaked just above, and no other thread has seen it.
            drop(unsafe { Box::from_raw(fresh) });
        }
    }
}

impl Drop for LazyMapping {
    fn drop(&mut self) {
        let mapping = *self.mapping.get_mut();
        if !mapping.is_null() {
            // SAFETY: leaked by `set`, and no borrow of it is left.
            drop(unsafe { Box::from_raw(mapping) });
        }
    }
}
