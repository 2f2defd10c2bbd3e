//! Copies of words in shared memory, in memory of this process.

use std::mem::MaybeUninit;

use crate::status::{Result, Status};
use crate::sync::shared::Shared;
use crate::sys::descriptor::OwnedFd;
use crate::sys::memory;

/// Copies of the `count` `T`s at `offset` of a file as it is at this moment; zeros after its end.
pub(super) fn many<T: Shared>(fd: &OwnedFd, offset: u64, count: usize) -> Result<Vec<T>> {
    let mut copies = Vec::<T>::new();
    let no_memory = |_| Status::E_NO_MEMORY;
    copies.try_reserve_exact(count).map_err(no_memory)?;
    let room: &mut [MaybeUninit<T>] = copies.spare_capacity_mut();
    let length = size_of::<T>() * count.min(room.len());
    let start = room.as_mut_ptr().cast::<u8>();
    // SAFETY: `length` bytes of the vector's own room, which are initialised here before they are
    // lent as bytes.
    let bytes = unsafe {
        start.write_bytes(0, length);
        std::slice::from_raw_parts_mut(start, length)
    };
    memory::read_at(fd, bytes, offset)?;
    // SAFETY: the room holds `count` values. Every bit pattern is a valid `T`, which is `Shared`.
    unsafe { copies.set_len(count) };
    Ok(copies)
}

/// A copy of the `T` at `offset` of a file as it is at this moment; zeros after its end.
pub(super) fn one<T: Shared>(fd: &OwnedFd, offset: u64) -> Result<T> {
    many(fd, offset, 1)?.pop().ok_or(Status::E_INTERNAL)
}
