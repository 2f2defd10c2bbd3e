//! The raw reads and writes of messages in place: the only place of the pool where bytes are
//! touched.

use std::mem::MaybeUninit;

use crate::queue::{Got, Loan, Queue};
use crate::segment::Mapping;
use crate::status::{Result, Status};
use crate::sync::Wait;

/// Longer messages are written in place.
const SMALL: usize = 1024;
/// The initial size of a message buffer.
const ROOM: usize = 4096;
/// A buffer that has grown beyond this is not kept.
const LARGEST_KEPT: usize = 64 * 1024;

/// Put the concatenation of `parts`.
pub(crate) fn put(queue: &Queue, parts: &[&[u8]], wait: Wait<'_>) -> Result<()> {
    let len = parts
        .iter()
        .try_fold(0usize, |sum, part| sum.checked_add(part.len()));
    let len = len.ok_or(Status::E_TOO_LARGE)?;
    let mut small = [0; SMALL];
    if let Some(buffer) = small.get_mut(..len) {
        let mut rest = &mut *buffer;
        for part in parts {
            let (to, after) = rest.split_at_mut(part.len());
            to.copy_from_slice(part);
            rest = after;
        }
        return queue.put_raw(buffer, wait);
    }
    let room = queue.reserve_raw(len, wait)?;
    let mut at = 0;
    for part in parts {
        // SAFETY: `len` bytes were reserved and the parts are that long together; the room is this
        // call's until it is committed, and no part lies in it.
        unsafe { std::ptr::copy_nonoverlapping(part.as_ptr(), room.data.add(at), part.len()) };
        at += part.len();
    }
    queue.commit_raw(&room, len)
}

/// Get a message into `buffer`, in place of what it holds.
pub(crate) fn get(queue: &Queue, buffer: &mut Vec<u8>, wait: Wait<'_>) -> Result<()> {
    buffer.clear();
    if buffer.capacity() > LARGEST_KEPT {
        *buffer = Vec::new();
    }
    let no_memory = |_| Status::E_NO_MEMORY;
    buffer.try_reserve(ROOM).map_err(no_memory)?;
    loop {
        let room: &mut [MaybeUninit<u8>] = buffer.spare_capacity_mut();
        match queue.get_raw(room, wait)? {
            Got::Message(len) => {
                debug_assert!(len <= room.len());
                // SAFETY: the queue has written `len` bytes into the room behind the empty vector.
                unsafe { buffer.set_len(len) };
                return Ok(());
            }
            // Another thread may take the message first; the next one may have another length.
            Got::TooSmall(len) => buffer.try_reserve_exact(len).map_err(no_memory)?,
        }
    }
}

/// The bytes of a message that was taken.
///
/// The caller settles the loan only after it has finished with the bytes, and keeps its queue open
/// until then.
pub(crate) fn of_loan<'a>(loan: &Loan) -> &'a [u8] {
    // SAFETY: mapped, and owned by this process until the loan is settled. A process that writes
    // there nevertheless was given the pool, and only spoils the bytes of a task.
    unsafe { std::slice::from_raw_parts(loan.data, loan.len) }
}

/// The first `len` bytes of a mapping.
pub(crate) fn read_all(mapping: &Mapping, len: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(len);
    let room = bytes.spare_capacity_mut().get_mut(..len);
    mapping.read(0, room.ok_or(Status::E_INTERNAL)?)?;
    // SAFETY: `read` has filled `len` bytes.
    unsafe { bytes.set_len(len) };
    Ok(bytes)
}
