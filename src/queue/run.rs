//! Several messages under one hold of the tail lock and with one commit.

use super::chain::producer::Room;
use super::layout::body::Intake;
use super::layout::cursor::{Cursor, Totals};
use super::layout::payload::LARGE;
use super::layout::position::Position;
use super::layout::record::{extent_of, State, Word, HEADER};
use super::layout::ring;
use super::view::View;
use std::sync::atomic::{AtomicU64, Ordering};

/// Distance in bytes from a message to the cache lines that are prefetched for the next messages,
/// ...
const AHEAD: u64 = 320;
/// ... and the most bytes that are prefetched.
const MOST_AHEAD: u64 = 256;

/// Messages that are put one after the other under one hold of the tail lock and with one commit.
///
/// The number of messages and the place that they may reach are computed once, from what the tail
/// already knows.
pub(super) struct Run<'a> {
    queue: View<'a>,
    from: Cursor,
    position: Position,
    totals: Totals,
    /// The limits of the run: the place that it may reach, ...
    end: u64,
    /// ... the totals of records and of bytes that it may reach, ...
    max_count: u64,
    max_bytes: u64,
    /// ... and the largest extent of a record.
    largest: u64,
}

impl<'a> Run<'a> {
    /// Under the tail lock.
    #[inline]
    pub(super) fn begin(queue: &View<'a>) -> Option<Run<'a>> {
        let body = queue.body;
        if body.phase() != Intake::Open {
            return None;
        }
        let from = body.messages.tail.cursor();
        let mut run = Run {
            queue: *queue,
            from,
            position: from.position,
            totals: from.totals,
            end: 0,
            max_count: 0,
            max_bytes: 0,
            largest: body
                .rings
                .get(from.position.ring)?
                .largest
                .load(Ordering::Relaxed),
        };
        run.reckon()?;
        Some(run)
    }

    /// Compute how far the run may go, by what the tail knows of the head.
    #[inline]
    fn reckon(&mut self) -> Option<()> {
        let body = self.queue.body;
        let seen = &body.messages.tail.seen;
        let Position { ring, at } = self.position;
        let size = ring::size(ring);
        let start = at - (at & (size - 1));
        let free = seen.free.load(Ordering::Relaxed);
        let allocated = body.rings.get(ring)?.allocated.load(Ordering::Relaxed);
        let up_to = |max: u64, seen: &AtomicU64| match max {
            0 => u64::MAX,
            max => seen.load(Ordering::Relaxed).saturating_add(max),
        };
        // The tail's copy of `free` may be older than the truth, but it is never ahead of the tail.
        self.end = (start + allocated.min(size)).min(free.min(at) + size);
        self.max_count = up_to(body.max_items(), &seen.count);
        self.max_bytes = up_to(body.max_bytes(), &seen.bytes);
        Some(())
    }

    /// Look at the head again, since it may have advanced, and compute the limits for records of
    /// `extent` bytes anew.
    #[cold]
    pub(super) fn look_again(&mut self, extent: u64) {
        self.queue.messages().look_at_the_head();
        // This cannot fail: the ring was found when the run began.
        let _ = self.reckon();
        let of_items = self.max_count.saturating_sub(self.totals.count);
        let of_bytes = self.max_bytes.saturating_sub(self.totals.bytes);
        let of_ring = self.end.saturating_sub(self.position.at);
        let bytes = of_items.saturating_mul(extent).min(of_bytes).min(of_ring);
        self.queue.saw_room(bytes, extent);
    }

    /// Write a message behind the last one, after a look at the head if necessary. `None` if the
    /// message does not qualify for the fast path; then nothing was done.
    #[inline]
    pub(super) fn put_looking(&mut self, data: &[u8]) -> Option<()> {
        if data.len() > LARGE {
            return None;
        }
        self.put(data).or_else(|| {
            self.look_again(extent_of(data.len() as u64));
            self.put(data)
        })
    }

    #[inline]
    fn put(&mut self, data: &[u8]) -> Option<()> {
        let len = data.len() as u64;
        let place = self.place(len)?;
        place.payload.write(data).ok()?;
        let word = Word::new(State::Ready, 0, None);
        place.record.write(word, len, extent_of(len));
        Some(())
    }

    /// Find room for a message of `len` bytes behind the last one.
    #[inline]
    pub(super) fn place(&mut self, len: u64) -> Option<Room<'a>> {
        let extent = extent_of(len);
        let position = self.position;
        let Position { ring, at } = position;
        let totals = Totals {
            count: self.totals.count.wrapping_add(1),
            bytes: self.totals.bytes.wrapping_add(extent),
            ..self.totals
        };
        let is_simple = extent <= self.largest
            && at + extent <= self.end
            && totals.count <= self.max_count
            && totals.bytes <= self.max_bytes;
        if !is_simple {
            return None;
        }
        let (record, room) = self.queue.messages().rings.known(ring, at)?;
        let payload = room.part(HEADER, extent - HEADER)?;
        payload.fetch_for_writing(AHEAD, extent.min(MOST_AHEAD));
        self.position.at = at + extent;
        self.totals = totals;
        Some(Room {
            position,
            record,
            payload,
        })
    }

    /// Number of bytes written so far.
    pub(super) fn bytes(&self) -> u64 {
        self.totals.bytes.wrapping_sub(self.from.totals.bytes)
    }

    /// Commit all messages of the run. If the process is killed before the commit, none of them
    /// exists.
    #[inline]
    pub(super) fn commit(self) {
        let tail = &self.queue.body.messages.tail;
        tail.commit(&self.from, self.position, self.totals);
    }
}
