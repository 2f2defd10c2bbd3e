//! The producers' side of a chain. Every function here runs under the tail lock.

use std::sync::atomic::Ordering;

use super::chain::Chain;
use super::payload::Payload;
use super::position::Position;
use super::record::{Record, State, Word, ALIGN, HEADER};
use super::ring::{self, OPEN_END};
use super::side::{Cursor, Totals};
use crate::status::{Result, Status};
use crate::sync::owner::Owner;
use crate::sync::wait::Wait;

/// The tail as a producer moves it: nothing counts before [`Chain::publish`].
pub(super) struct Pen {
    from: Cursor,
    position: Position,
    totals: Totals,
}

/// Room for one record, behind the pen.
pub(super) struct Place<'a> {
    pub(super) position: Position,
    pub(super) record: &'a Record,
    pub(super) payload: Payload<'a>,
}

impl Pen {
    /// What the totals will be.
    pub(super) fn totals(&self) -> Totals {
        self.totals
    }

    /// Whether something was written that is not published.
    pub(super) fn is_wet(&self) -> bool {
        self.position != self.from.position
    }
}

impl<'a> Chain<'a> {
    #[inline]
    pub(super) fn pen(&self) -> Pen {
        let from = self.words.tail.cursor();
        Pen {
            from,
            position: from.position,
            totals: from.totals,
        }
    }

    /// Make everything that the pen has written visible, with one store.
    #[inline]
    pub(super) fn publish(&self, pen: &mut Pen) {
        pen.from = self.words.tail.commit(&pen.from, pen.position, pen.totals);
    }

    /// The same, remembering what was moved here.
    pub(super) fn publish_marked(&self, pen: &mut Pen, mark: u64) {
        pen.totals.mark = mark;
        self.publish(pen);
    }

    /// Room for a record of `extent` bytes, in a further ring if it has to be; `None` when none can be had.
    ///
    /// # Errors
    /// `E_NO_MEMORY`: nothing has changed.
    pub(super) fn place(&self, pen: &mut Pen, extent: u64, me: Owner) -> Result<Option<Place<'a>>> {
        match self.place_here(pen, extent)? {
            Some(place) => Ok(Some(place)),
            None => self.place_in_new_ring(pen, extent, me),
        }
    }

    /// Room for a record of `extent` bytes in the tail's ring.
    ///
    /// # Errors
    /// `E_NO_MEMORY`: nothing has changed.
    #[inline]
    pub(super) fn place_here(&self, pen: &mut Pen, extent: u64) -> Result<Option<Place<'a>>> {
        let Position { ring, at } = pen.position;
        let state = self.state(ring)?;
        let size = ring::size(ring);
        let begin = at & (size - 1);
        let room = size - begin;
        let padding = if extent > room { room } else { 0 };
        let end = at + padding + extent;
        if extent > size || !self.is_free_to(state, at, end, size)? {
            return Ok(None);
        }
        if padding > 0 {
            self.rings.ensure(state, ring, begin + HEADER)?;
            self.rings.ensure(state, ring, extent)?;
            let pad = self.rings.record(ring, at)?;
            pad.write(Word::new(State::Pad, 0, None), 0, padding);
        } else {
            self.rings.ensure(state, ring, begin + extent)?;
        }
        let at = at + padding;
        self.put_down(pen, state, Position { ring, at }, extent)
            .map(Some)
    }

    /// Whether a ring has room from `at` to `end`, by what the tail remembers or else by the ring itself.
    #[inline]
    fn is_free_to(&self, state: &ring::RingState, at: u64, end: u64, size: u64) -> Result<bool> {
        let seen = &self.words.tail.seen.free;
        let fits = |free: u64| free <= at && at - free <= size && end - free <= size;
        if fits(seen.load(Ordering::Relaxed)) {
            return Ok(true);
        }
        // Acquire, pairs with the Release in `advance_free`: the records before it are read.
        let free = state.free.load(Ordering::Acquire);
        if free > at || at - free > size {
            return Err(Status::E_CORRUPT);
        }
        seen.store(free, Ordering::Relaxed);
        Ok(fits(free))
    }

    #[inline]
    fn put_down(
        &self,
        pen: &mut Pen,
        state: &ring::RingState,
        position: Position,
        extent: u64,
    ) -> Result<Place<'a>> {
        debug_assert_eq!(extent % ALIGN, 0);
        let Position { ring, at } = position;
        if extent > state.largest.load(Ordering::Relaxed) {
            state.largest.store(extent, Ordering::Relaxed);
        }
        let (record, payload) = self.rings.slot(ring, at, extent)?;
        pen.position = Position {
            ring,
            at: at + extent,
        };
        pen.totals.count = pen.totals.count.wrapping_add(1);
        pen.totals.bytes = pen.totals.bytes.wrapping_add(extent);
        Ok(Place {
            position,
            record,
            payload,
        })
    }

    /// Link a ring that suits the backlog, and put the record there.
    ///
    /// Killed before the tail's commit: the links that were written are not looked at, since the tail is
    /// still in the old ring, and the next producer writes them again.
    #[cold]
    fn place_in_new_ring(
        &self,
        pen: &mut Pen,
        extent: u64,
        me: Owner,
    ) -> Result<Option<Place<'a>>> {
        if pen.is_wet() {
            self.publish(pen);
        }
        let Some(ring) = self.unused_ring(pen.totals, extent, me)? else {
            return Ok(None);
        };
        let state = self.state(ring)?;
        self.rings.ensure(state, ring, extent)?;
        let start = pen.position.at.next_multiple_of(ring::size(ring));
        self.link(pen.position, ring, start)?;
        self.put_down(pen, state, Position { ring, at: start }, extent)
            .map(Some)
    }

    /// Make `ring` the one that follows the tail's, as soon as the tail is committed there.
    pub(super) fn link(&self, tail: Position, ring: usize, start: u64) -> Result<()> {
        let next = self.state(ring)?;
        next.start.store(start, Ordering::Relaxed);
        next.free.store(start, Ordering::Relaxed);
        next.end.store(OPEN_END, Ordering::Relaxed);
        next.largest.store(0, Ordering::Relaxed);
        let last = self.state(tail.ring)?;
        last.next.store(ring as u32, Ordering::Relaxed);
        last.end.store(tail.at, Ordering::Relaxed);
        self.words.tail.seen.free.store(0, Ordering::Relaxed);
        Ok(())
    }

    /// The smallest unused ring that suits a record and the backlog there is.
    fn unused_ring(&self, tail: Totals, extent: u64, me: Owner) -> Result<Option<usize>> {
        let _head = self.lock_head(me, &Wait::FOREVER)?;
        let behind = &self.words.behind;
        let used = self.linked()? | behind.lingering.load(Ordering::Relaxed);
        let consumed = self.words.head.cursor().totals.bytes;
        let waiting = tail.bytes.saturating_sub(consumed);
        let backlog = waiting.saturating_add(behind.bytes.load(Ordering::Relaxed));
        Ok(self.unused_ring_of(ring::suitable_size(extent, backlog), extent, used))
    }

    /// The smallest unused ring of at least `size` bytes; else the largest smaller one for `extent`.
    pub(super) fn unused_ring_of(&self, size: u64, extent: u64, used: u64) -> Option<usize> {
        let unused = || self.range().filter(|ring| used & (1 << ring) == 0);
        let suitable = unused()
            .filter(|ring| ring::size(*ring) >= size)
            .min_by_key(|ring| ring::size(*ring));
        suitable.or_else(|| {
            unused()
                .filter(|ring| ring::size(*ring) >= extent)
                .max_by_key(|ring| ring::size(*ring))
        })
    }
}
