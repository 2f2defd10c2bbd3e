//! The bytes of messages as safe code sees them: copied out, or in place in shared memory.

use std::mem::MaybeUninit;

use super::get::Got;
use super::reserve::Reservation;
use super::take::Loan;
use crate::status::{Result, Status};
use crate::sync::wait::{Patience, Wait};
use crate::sys::clock;

/// A message up to this length is received by one call of `get`, and copied once more. A longer
/// message takes a second call, with room for it.
const SMALL: usize = 1024;

/// Receive a message of any length by `get`, which writes the bytes that it reports, or leaves the
/// message where it is.
pub(crate) fn receive<'w>(
    wait: Wait<'w>,
    get: impl Fn(&mut [MaybeUninit<u8>], Wait<'w>) -> Result<Got>,
) -> Result<Vec<u8>> {
    // Only a timed wait is fixed to the clock before the first call.
    let end = match wait.is_try() {
        true => None,
        false => Patience::new(&wait).deadline(),
    };
    let mut small = [MaybeUninit::uninit(); SMALL];
    let mut need = match get(&mut small, wait)? {
        Got::Message(len) => {
            let len = len.min(SMALL);
            // SAFETY: `get` has written `len` bytes, and no more than there was room for.
            return Ok(unsafe { std::slice::from_raw_parts(small.as_ptr().cast(), len) }.to_vec());
        }
        Got::TooSmall(need) => need,
    };
    let mut message = Vec::new();
    loop {
        let no_memory = |_| Status::E_NO_MEMORY;
        message.try_reserve_exact(need).map_err(no_memory)?;
        let left = match end {
            Some(end) => {
                let ns = end.saturating_sub(clock::now_ns());
                wait.with_timeout(Some(i64::try_from(ns).unwrap_or(i64::MAX)))
            }
            None => wait,
        };
        match get(message.spare_capacity_mut(), left)? {
            Got::Message(len) => {
                debug_assert!(len <= message.capacity());
                // SAFETY: `get` has written `len` bytes into the room behind the empty vector.
                unsafe { message.set_len(len) };
                return Ok(message);
            }
            // Another thread or process took the first message; the next one is longer.
            Got::TooSmall(longer) => need = longer,
        }
    }
}

/// Call `get` with room in `buffer`. It writes the bytes that it reports and nothing else.
pub(crate) fn receive_into(
    buffer: &mut [u8],
    get: impl FnOnce(&mut [MaybeUninit<u8>]) -> Result<Got>,
) -> Result<Got> {
    let (start, len) = (buffer.as_mut_ptr().cast::<MaybeUninit<u8>>(), buffer.len());
    // SAFETY: the same bytes, borrowed mutably for the time of the call. `get` copies initialised
    // bytes of messages there, so `buffer` stays initialised.
    get(unsafe { std::slice::from_raw_parts_mut(start, len) })
}

/// The bytes of a loan or of a reservation, in place. The owner of this value keeps the queue open,
/// and settles the loan only when no reference to the bytes is left.
#[derive(Debug)]
pub(super) struct Lent {
    address: *mut u8,
    len: usize,
}

// SAFETY: shared memory is mapped for all threads alike; `Lent` gives access as a slice would.
unsafe impl Send for Lent {}
// SAFETY: as above; through `&Lent` the bytes are only read.
unsafe impl Sync for Lent {}

impl Lent {
    pub(super) fn of_loan(loan: &Loan) -> Lent {
        Lent {
            address: loan.data.cast_mut(),
            len: loan.len,
        }
    }

    pub(super) fn of_reservation(room: &Reservation) -> Lent {
        Lent {
            address: room.data,
            len: room.len,
        }
    }

    pub(super) fn reservation(&self, ticket: u64) -> Reservation {
        Reservation {
            data: self.address,
            len: self.len,
            ticket,
        }
    }

    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: mapped as long as the queue is open, and initialised, since every byte of a file
        // is. The record belongs to this process until it is settled, so no other process of this
        // library writes there. A hostile process can change the bytes, and nothing depends on
        // their value.
        unsafe { std::slice::from_raw_parts(self.address, self.len) }
    }

    #[inline]
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as for `bytes`; no other process reads the room before it is committed.
        unsafe { std::slice::from_raw_parts_mut(self.address, self.len) }
    }
}
