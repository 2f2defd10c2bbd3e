//! Raw reads and writes of payloads. No other module touches the bytes of messages.

use std::marker::PhantomData;
use std::mem::MaybeUninit;

use super::record::{Record, HEADER};
use crate::segment::Mapping;
use crate::status::{Result, Status};

/// Longer messages are copied outside of the producers' lock.
pub(crate) const LARGE: usize = 16 * 1024;
/// Typical size of a cache line in bytes.
const LINE: u64 = 64;
/// The most lines that are prefetched for a record.
const MOST_LINES: u64 = 4;

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

/// The address and the size of a payload's room, within a mapping that outlives it.
#[derive(Clone, Copy)]
pub(crate) struct Payload<'a> {
    address: *mut u8,
    room: usize,
    mapping: PhantomData<&'a Mapping>,
}

impl<'a> Payload<'a> {
    /// The `room` bytes at `offset`. The caller knows that the file holds them.
    #[inline]
    pub(crate) fn new(mapping: &'a Mapping, offset: usize, room: usize) -> Result<Payload<'a>> {
        let address = mapping.bytes(offset, room)?;
        Ok(Payload {
            address,
            room,
            mapping: PhantomData,
        })
    }

    /// The record at place `at` of a ring, and the bytes from there to the end of the part of the
    /// ring that is known to have memory; `None` if these are fewer than `least`.
    #[inline]
    pub(crate) fn of_record(
        mapping: &'a Mapping,
        at: u64,
        least: u64,
    ) -> Option<(&'a Record, Payload<'a>)> {
        let (record, address, room) = mapping.view_in_ring(at, least)?;
        let all = Payload {
            address,
            room,
            mapping: PhantomData,
        };
        Some((record, all))
    }

    /// What is behind the header in a record of `extent` bytes, of which this is the first to the
    /// last; `None` if the record is longer than this.
    #[inline]
    pub(crate) fn behind_header(self, extent: u64) -> Option<Payload<'a>> {
        if extent > self.room as u64 || extent < HEADER {
            return None;
        }
        Some(Payload {
            address: self.address.wrapping_add(HEADER as usize),
            room: (extent - HEADER) as usize,
            ..self
        })
    }

    pub(crate) fn address(self) -> *mut u8 {
        self.address
    }

    /// Prefetch for writing the cache lines of `len` bytes, at least one line and at most
    /// [`MOST_LINES`], beginning `ahead` bytes after this payload's start.
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

    /// Copy a message into the payload.
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

    /// Copy a message of `len` bytes out of the payload; false if `buffer` is too small.
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

    /// Write two numbers at the start of the payload.
    pub(crate) fn write_pair(self, first: u64, second: u64) -> Result<()> {
        let mut bytes = [0; 16];
        let (low, high) = bytes.split_at_mut(8);
        low.copy_from_slice(&first.to_ne_bytes());
        high.copy_from_slice(&second.to_ne_bytes());
        self.write(&bytes)
    }

    /// Read two numbers from the start of the payload.
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

    /// Copy `len` bytes of another payload into this one.
    pub(crate) fn copy_from(self, other: Payload<'_>, len: usize) -> Result<()> {
        if len > self.room || len > other.room {
            return Err(Status::E_CORRUPT);
        }
        // SAFETY: both payloads have `len` bytes mapped. They overlap only in a damaged segment,
        // and `copy` allows that.
        unsafe { std::ptr::copy(other.address, self.address, len) };
        Ok(())
    }

    /// The rest of this payload after its first `bytes` bytes.
    pub(crate) fn skip(self, bytes: usize) -> Result<Payload<'a>> {
        let room = self.room.checked_sub(bytes).ok_or(Status::E_CORRUPT)?;
        Ok(Payload {
            address: self.address.wrapping_add(bytes),
            room,
            ..self
        })
    }
}
