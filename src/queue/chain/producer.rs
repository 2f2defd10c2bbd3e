//! The producers' end of a chain. Every function here needs the tail lock.
//!
//! A [`Pen`] writes records behind the tail, and one store publishes them. Most records lie within
//! the limits of the pen, which are computed once for several records ([`Chain::limit`]); every
//! other record takes the general path ([`Chain::place_here`], [`Chain::place`]).

use std::sync::atomic::{AtomicU64, Ordering};

use super::Chain;
use crate::queue::layout::cursor::{Limits, Pen, Position};
use crate::queue::layout::record::{Record, State, Word, ALIGN};
use crate::queue::layout::ring;
use crate::segment::Bytes;
use crate::status::{Result, Status};
use crate::sync::lock_wait::Caller;

/// Going back to a ring's beginning may skip at most this many times the memory that the ring has:
/// each skip uses up places.
const SKIPS: u64 = 8;
/// The longest padding: the extent of a padding record is stored in 32 bits.
const LONGEST_PADDING: u64 = 32 << 30;

/// Room for one record at the pen's position.
pub(crate) struct Room<'a> {
    pub(crate) position: Position,
    pub(crate) record: &'a Record,
    pub(crate) payload: Bytes<'a>,
}

impl<'a> Chain<'a> {
    /// Compute how far the pen may go in a queue of at most `max_items` records and `max_bytes`
    /// bytes; 0 is no maximum. The next publish stores the result for all producers.
    ///
    /// Return how many bytes the consumers have left free in the ring and under `max_bytes`. That
    /// the ring ends before, and goes on at its beginning, says nothing about the consumers.
    #[cold]
    pub(crate) fn limit(&self, pen: &mut Pen, max_items: u64, max_bytes: u64) -> u64 {
        let seen = &self.words.tail.seen;
        let (ring, at) = pen.position.parts();
        let Ok(state) = self.state(ring) else {
            // The general path reports the damage.
            pen.limits = Limits::default();
            return 0;
        };
        let size = ring::size(ring);
        let start = at - (at & (size - 1));
        let free = seen.free.load(Ordering::Relaxed);
        let allocated = state.allocated.load(Ordering::Relaxed);
        let up_to = |max: u64, seen: &AtomicU64| match max {
            0 => u64::MAX,
            max => seen.load(Ordering::Relaxed).saturating_add(max),
        };
        // The tail's copy of `free` may be older than the truth, but it is never ahead of the tail.
        let free_to = free.min(at) + size;
        let of_ring = match at == start && size > ring::HOT {
            // The general path begins the round, maybe in a smaller ring.
            true => at,
            false => (start + allocated.min(size)).min(free_to),
        };
        let bytes_left = up_to(max_bytes, &seen.bytes).saturating_sub(pen.totals.bytes);
        let end = of_ring.min(at.saturating_add(bytes_left));
        pen.limits = Limits {
            end: Position::new(ring, end).bits(),
            count: up_to(max_items, &seen.count),
            largest: state.largest.load(Ordering::Relaxed),
        };
        free_to.saturating_sub(at).min(bytes_left)
    }

    /// Commit a pen whose limits may be new; the mark of dead letters stays. If the process is
    /// killed before or while the limits are stored, the next holder of the lock forgets them.
    pub(crate) fn publish(&self, pen: &mut Pen) {
        self.publish_marked(pen, self.words.tail.mark());
    }

    /// As [`publish`](Self::publish), and store `mark`, which names the message that was moved
    /// here.
    pub(crate) fn publish_marked(&self, pen: &mut Pen, mark: u64) {
        self.words.tail.set_next_mark(mark);
        self.words.tail.commit_pen(pen);
        self.words.tail.limits.store(pen.limits);
    }

    /// Find room for a record of `extent` bytes, if necessary in another ring; `None` if there is
    /// none.
    ///
    /// # Errors
    /// `E_NO_MEMORY`: nothing has changed.
    pub(crate) fn place(
        &self,
        pen: &mut Pen,
        extent: u64,
        me: Caller<'_>,
    ) -> Result<Option<Room<'a>>> {
        match self.place_here(pen, extent, me) {
            Ok(Some(place)) => Ok(Some(place)),
            Ok(None) => self.place_in_new_ring(pen, extent, me),
            // Another ring may still have memory.
            Err(Status::E_NO_MEMORY) => match self.place_in_new_ring(pen, extent, me)? {
                Some(place) => Ok(Some(place)),
                None => Err(Status::E_NO_MEMORY),
            },
            Err(status) => Err(status),
        }
    }

    /// Find room for a record of `extent` bytes in the tail's ring, or in a smaller one.
    ///
    /// # Errors
    /// `E_NO_MEMORY`: nothing has changed.
    #[inline]
    pub(crate) fn place_here(
        &self,
        pen: &mut Pen,
        extent: u64,
        me: Caller<'_>,
    ) -> Result<Option<Room<'a>>> {
        let (ring, at) = pen.position.parts();
        let state = self.state(ring)?;
        let size = ring::size(ring);
        let begin = at & (size - 1);
        let allocated = state.allocated.load(Ordering::Relaxed);
        let needs_more = begin == 0 || begin + extent > allocated.min(size);
        if size > ring::HOT && needs_more {
            if let Some(room) = self.place_in_smaller_ring(pen, extent, me)? {
                return Ok(Some(room));
            }
        }
        if extent > size - begin {
            return self.place_at_beginning(pen, state, extent);
        }
        if !self.is_free_to(state, at, at + extent, size)? {
            return Ok(None);
        }
        if begin + extent > allocated {
            return self.place_in_more_memory(pen, state, extent);
        }
        self.put_down(pen, state, pen.position, extent).map(Some)
    }

    /// Find room for a record at the beginning of the tail's ring; the rest of the ring stays empty
    /// in this round. `None` if the beginning is not free.
    fn place_at_beginning(
        &self,
        pen: &mut Pen,
        state: &ring::RingState,
        extent: u64,
    ) -> Result<Option<Room<'a>>> {
        let (ring, at) = pen.position.parts();
        let size = ring::size(ring);
        let begin = at & (size - 1);
        let padding = size - begin;
        if extent > size || !self.is_free_to(state, at, at + padding + extent, size)? {
            return Ok(None);
        }
        self.rings.ensure_padding(state, ring, begin)?;
        self.rings.ensure(state, ring, extent)?;
        let pad = self.rings.record(ring, at)?;
        pad.write(Word::new(State::Pad, 0, None), 0, padding);
        let at = at + padding;
        self.put_down(pen, state, Position::new(ring, at), extent)
            .map(Some)
    }

    /// Find room for a record in the tail's ring beyond the memory that the ring has.
    ///
    /// If every record before it is over, the record goes to the ring's beginning, which has memory
    /// already: a queue whose consumers keep up needs no more memory, however large its ring is.
    /// The record also goes to the beginning if the system refuses more memory.
    #[cold]
    fn place_in_more_memory(
        &self,
        pen: &mut Pen,
        state: &ring::RingState,
        extent: u64,
    ) -> Result<Option<Room<'a>>> {
        let (ring, at) = pen.position.parts();
        let size = ring::size(ring);
        let begin = at & (size - 1);
        let padding = size - begin;
        let goes_back = padding <= begin.saturating_mul(SKIPS).min(LONGEST_PADDING);
        // Acquire, pairs with the Release in `free` and `free_over`: the records before `free` have
        // been read.
        if goes_back && state.free.load(Ordering::Acquire) == at {
            if let Some(place) = self.place_at_beginning(pen, state, extent)? {
                return Ok(Some(place));
            }
        }
        match self.rings.ensure(state, ring, begin + extent) {
            Ok(()) => self.put_down(pen, state, pen.position, extent).map(Some),
            Err(Status::E_NO_MEMORY) if goes_back => {
                let place = self.place_at_beginning(pen, state, extent)?;
                place.map_or(Err(Status::E_NO_MEMORY), |place| Ok(Some(place)))
            }
            Err(status) => Err(status),
        }
    }

    /// Report whether a ring has room from `at` to `end`, by the tail's copy of `free` or else by
    /// the ring's own word.
    #[inline]
    fn is_free_to(&self, state: &ring::RingState, at: u64, end: u64, size: u64) -> Result<bool> {
        let seen = &self.words.tail.seen.free;
        let fits = |free: u64| free <= at && at - free <= size && end - free <= size;
        if fits(seen.load(Ordering::Relaxed)) {
            return Ok(true);
        }
        // Acquire, pairs with the Release in `free` and `free_over`: the records before `free` have
        // been read.
        let free = state.free.load(Ordering::Acquire);
        if free > at || at - free > size {
            return Err(Status::E_CORRUPT);
        }
        seen.store(free, Ordering::Relaxed);
        Ok(fits(free))
    }

    #[inline]
    pub(super) fn put_down(
        &self,
        pen: &mut Pen,
        state: &ring::RingState,
        position: Position,
        extent: u64,
    ) -> Result<Room<'a>> {
        debug_assert_eq!(extent % ALIGN, 0);
        let (ring, at) = position.parts();
        if extent > state.largest.load(Ordering::Relaxed) {
            state.largest.store(extent, Ordering::Relaxed);
        }
        let (record, payload) = self.rings.slot(ring, at, extent)?;
        pen.position = position.forward(extent);
        // The limits may be those of another ring.
        pen.limits = Limits::default();
        pen.totals.count = pen.totals.count.wrapping_add(1);
        pen.totals.bytes = pen.totals.bytes.wrapping_add(extent);
        Ok(Room {
            position,
            record,
            payload,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::queue::layout::ring;
    use crate::{Queue, QueueOptions};

    /// A producer took the end of the ring for a look that finds little room, and gave up its
    /// distance from the consumers at every round of the ring. A stream with a consumer slower than
    /// its producer ran at 0.6 of its speed.
    #[test]
    fn the_end_of_a_ring_is_no_lack_of_room() {
        let options = QueueOptions {
            max_items: 100,
            ..QueueOptions::default()
        };
        let queue = Queue::create(None, &options).unwrap();
        let view = queue.at();
        let chain = view.messages();
        let extent = 80;
        let left = || ring::BASE - chain.words.tail.position().at() % ring::BASE;
        while left() >= extent {
            queue.put(&[0; 64]).unwrap();
            queue.get().unwrap();
        }
        assert!(left() > 0);
        chain.look_at_the_head();
        let mut pen = chain.words.tail.pen();
        let free = chain.limit(&mut pen, 100, 0);
        assert_eq!(pen.bytes_of_items(extent), 100 * extent);
        assert!(free >= 100 * extent, "{free} bytes");
        assert!(pen.step(extent).is_none(), "beyond the ring's end");
    }
}
