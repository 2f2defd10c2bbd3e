//! Checked access to records: no value in shared memory is trusted. Also the counts that a lock
//! guards.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Chain;
use crate::queue::layout::cursor::Position;
use crate::queue::layout::record::{Record, State, Word, ALIGN, HEADER};
use crate::status::detail::because;
use crate::status::{Result, Status};

/// A record whose extent was checked against the end of the records in its ring.
pub(crate) struct Checked<'a> {
    pub(crate) record: &'a Record,
    pub(crate) word: Word,
    pub(crate) state: State,
    pub(crate) len: u64,
    pub(crate) extent: u64,
}

/// The error of a ticket that belongs to no message in flight.
#[cold]
pub(crate) fn settled_already() -> Status {
    because!(E_INVALID, "the loan is settled already")
}

/// Add to a count. Only holders of the head lock write it, so a load and a store suffice.
#[inline]
pub(crate) fn raise(count: &AtomicU64, by: u64) {
    count.store(
        count.load(Ordering::Relaxed).wrapping_add(by),
        Ordering::Release,
    );
}

/// Subtract from a count that only holders of the head lock write.
#[inline]
pub(crate) fn lower(count: &AtomicU64, by: u64) {
    count.store(
        count.load(Ordering::Relaxed).saturating_sub(by),
        Ordering::Release,
    );
}

impl<'a> Chain<'a> {
    /// The record at `position`, which lies before `limit` in its ring.
    #[inline]
    pub(crate) fn checked(&self, position: Position, limit: u64) -> Result<Checked<'a>> {
        let record = self.rings.record(position.ring(), position.at())?;
        let word = record.word();
        let (len, extent) = record.size();
        let state = word.state().ok_or(Status::E_CORRUPT)?;
        let fits = extent >= HEADER && extent % ALIGN == 0 && len <= extent - HEADER;
        if !fits || extent > limit.saturating_sub(position.at()) {
            return Err(Status::E_CORRUPT);
        }
        Ok(Checked {
            record,
            word,
            state,
            len,
            extent,
        })
    }
}
