//! Putting and getting in the steady state: straight through, without waiting.
//!
//! Most calls find everything as the one before left it: the lock is free, producers and consumers are in
//! the same ring, there is room by what this side last saw of the other, the record at the cursor is a
//! message. What is not like that is left, with nothing done, to `put` and `get`, which know all cases.

use std::mem::MaybeUninit;
use std::sync::atomic::Ordering;

use super::body::Phase;
use super::get::Got;
use super::position::Position;
use super::put::LARGE;
use super::record::{extent_of, State, Word, HEADER};
use super::ring;
use super::{At, Queue};
use crate::status::Result;

impl Queue {
    /// Put a message if that is simple; false leaves it to [`put`](Self::put), which also says what is
    /// wrong.
    ///
    /// # Errors
    /// Those of `put`.
    #[inline]
    pub fn put_now(&self, data: &[u8]) -> Result<bool> {
        let queue = self.at()?;
        let me = self.segment.me()?;
        let Some(tail) = queue.messages().try_lock_tail(me) else {
            return Ok(false);
        };
        if queue.put_straight(data).is_none() {
            return Ok(false);
        }
        drop(tail);
        queue.notify_items(1);
        Ok(true)
    }

    /// Get the first message if that is simple; `None` leaves it to [`get`](Self::get), which also says
    /// what is wrong.
    ///
    /// # Errors
    /// Those of `get`.
    #[inline]
    pub fn get_now(&self, buffer: &mut [MaybeUninit<u8>]) -> Result<Option<Got>> {
        let queue = self.at()?;
        let me = self.segment.me()?;
        self.segment.reap_now_and_then(me)?;
        let Some(head) = queue.messages().try_lock_head(me) else {
            return Ok(None);
        };
        let Some(len) = queue.get_straight(buffer) else {
            return Ok(None);
        };
        drop(head);
        queue.after_get();
        Ok(Some(Got::Message(len)))
    }
}

impl At<'_> {
    /// Under the tail lock. Killed before the commit: nothing is there.
    #[inline]
    fn put_straight(&self, data: &[u8]) -> Option<()> {
        if data.len() > LARGE || self.body.phase() != Phase::Open {
            return None;
        }
        let tail = &self.body.messages.tail;
        let cursor = tail.cursor();
        let Position { ring, at } = cursor.position;
        let len = data.len() as u64;
        let extent = extent_of(len);
        if self.body.is_limited() {
            let count = tail.seen.count.load(Ordering::Relaxed);
            let bytes = tail.seen.bytes.load(Ordering::Relaxed);
            if !self.body.allows(&cursor.totals, extent, count, bytes) {
                return None;
            }
        }
        let size = ring::size(ring);
        let state = self.body.rings.get(ring)?;
        let place = at & (size - 1);
        let free = tail.seen.free.load(Ordering::Relaxed);
        let has_room = place + extent <= size.min(state.allocated.load(Ordering::Relaxed))
            && free <= at
            && at + extent - free <= size
            && extent <= state.largest.load(Ordering::Relaxed);
        if !has_room {
            return None;
        }
        let (record, room) = self.messages().rings.known(ring, at)?;
        room.part(HEADER, extent - HEADER)?.write(data).ok()?;
        record.write(Word::new(State::Ready, 0, None), len, extent);
        let mut totals = cursor.totals;
        totals.count = totals.count.wrapping_add(1);
        totals.bytes = totals.bytes.wrapping_add(extent);
        let at = at + extent;
        tail.commit(&cursor, Position { ring, at }, totals);
        Some(())
    }

    /// Under the head lock: the length of the message. Killed before the commit: it stays.
    #[inline]
    fn get_straight(&self, buffer: &mut [MaybeUninit<u8>]) -> Option<usize> {
        let chain = self.messages();
        let is_behind = chain.words.behind.available.load(Ordering::Relaxed) != 0;
        if is_behind || self.body.is_joinable() {
            return None;
        }
        let found = chain.next_ready()?;
        // Nothing may fail any more once the message is taken.
        chain.state(found.position.ring).ok()?;
        let len = found.len as usize;
        if len > LARGE || !found.payload.read(len, buffer).ok()? {
            return None;
        }
        chain.consume(&found).ok()?;
        Some(len)
    }
}
