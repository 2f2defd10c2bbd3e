//! The consumers' end of a chain. Every function here needs the head lock.
//!
//! Most often the record at the cursor is a message in the producers' ring
//! ([`Chain::ready`]). [`Chain::front`] begins with that and goes on with every other case.

use std::sync::atomic::Ordering;

use super::checked::{lower, raise, Checked};
use super::Chain;
use crate::queue::layout::cursor::{Position, Totals};
use crate::queue::layout::record::{Record, State, Word, HEADER};
use crate::queue::layout::ring::{RingState, LARGE_RING, OPEN_END, RINGS};
use crate::segment::Bytes;
use crate::status::{Result, Status};
use crate::sync::owner::Owner;

/// A message that a consumer may get or take.
#[derive(Clone, Copy)]
pub(crate) struct Found<'a> {
    pub(crate) position: Position,
    pub(crate) record: &'a Record,
    pub(crate) word: Word,
    pub(crate) len: u64,
    pub(crate) extent: u64,
    pub(crate) payload: Bytes<'a>,
    /// The state of its ring.
    ring: &'a RingState,
    /// Whether it is the message at the head's cursor. A returned message lies behind the cursor.
    is_at_cursor: bool,
}

impl<'a> Chain<'a> {
    #[inline]
    fn found(
        &self,
        position: Position,
        checked: Checked<'a>,
        is_at_cursor: bool,
    ) -> Result<Found<'a>> {
        let Checked {
            record,
            word,
            len,
            extent,
            ..
        } = checked;
        let (_, payload) = self.rings.slot(position.ring(), position.at(), extent)?;
        let ring = self.state(position.ring())?;
        Ok(Found {
            position,
            record,
            word,
            len,
            extent,
            payload,
            ring,
            is_at_cursor,
        })
    }

    /// The first message: a returned one, or else the next at the cursor. Records at the cursor
    /// that are no messages are skipped.
    pub(crate) fn front(&self) -> Result<Option<Found<'a>>> {
        if let Some(found) = self.ready(|_, _| {}) {
            return Ok(Some(found));
        }
        if self.is_owed() {
            // The caller has only tried the lock, which does not count what is owed.
            self.count_what_is_owed()?;
        }
        if self.words.behind.available.load(Ordering::Relaxed) != 0 {
            // Under the lock the count is exact. A count that promises a message which does not
            // exist would make waits retry for ever.
            let (position, checked) = self.first_returned()?.ok_or(Status::E_CORRUPT)?;
            return self.found(position, checked, false).map(Some);
        }
        loop {
            let Some((position, limit)) = self.next_unread()? else {
                return Ok(None);
            };
            let checked = self.checked(position, limit)?;
            match checked.state {
                State::Ready => return self.found(position, checked, true).map(Some),
                State::Writing if self.may_wait_for(position, &checked) => return Ok(None),
                _ => self.go_past(position, checked)?,
            }
        }
    }

    /// The first message in the usual case: no message was returned, and the one at the cursor is
    /// in the producers' ring. After a look at the tail, `learn` gets the number of bytes ahead and
    /// the extent of the message.
    #[inline(always)]
    pub(crate) fn ready(&self, learn: impl FnOnce(u64, u64)) -> Option<Found<'a>> {
        if self.words.behind.available.load(Ordering::Relaxed) != 0 {
            return None;
        }
        let position = self.words.head.position();
        match position.bytes_to(self.seen_tail()) {
            Some(ahead) => self.ready_at(position, ahead),
            None => {
                let ahead = position.bytes_to(self.look_at_the_tail())?;
                let found = self.ready_at(position, ahead)?;
                learn(ahead, found.extent);
                Some(found)
            }
        }
    }

    /// How far the head saw records at its last look: the tail, or the end of a ring before it.
    #[inline]
    pub(crate) fn seen_tail(&self) -> Position {
        Position::from_bits(self.words.head.seen.count.load(Ordering::Relaxed))
    }

    /// Update what the head knows of the tail.
    pub(crate) fn look_at_the_tail(&self) -> Position {
        let tail = self.words.tail.position();
        let seen = &self.words.head.seen.count;
        seen.store(tail.bits(), Ordering::Relaxed);
        tail
    }

    /// The record at `position`, which is at or ahead of the cursor, if it is a message. The next
    /// `ahead` bytes, at least 1, are records in the producers' ring.
    #[inline(always)]
    pub(crate) fn ready_at(&self, position: Position, ahead: u64) -> Option<Found<'a>> {
        // Not `state`: that the ring is one of this chain is checked by the general path only.
        let state = self.states.get(position.ring())?;
        let (record, room) = self
            .segment
            .in_ring::<Record>(position.ring(), position.at_and_more())?;
        let word = record.word();
        let (len, extent) = record.size();
        let end = HEADER + len;
        let is_sound = end <= extent && extent <= ahead;
        if word.state() != Some(State::Ready) || !is_sound {
            return None;
        }
        Some(Found {
            position,
            record,
            word,
            len,
            extent,
            payload: room.part(HEADER, end)?,
            ring: state,
            is_at_cursor: true,
        })
    }

    /// The cursor's position and the place up to which it may advance in that ring; `None` at the
    /// tail.
    #[inline]
    fn next_unread(&self) -> Result<Option<(Position, u64)>> {
        for _ in 0..RINGS {
            let position = self.words.head.position();
            let mut tail = self.seen_tail();
            if position.bytes_to(tail).is_none() {
                tail = self.look_at_the_tail();
            }
            if position == tail {
                return Ok(None);
            }
            let limit = match tail.ring() == position.ring() {
                true => tail.at(),
                false => self.state(position.ring())?.end.load(Ordering::Acquire),
            };
            if position.at() < limit && limit != OPEN_END {
                // The next gets need no look, although the tail may be in a later ring. Records reach
                // to here whatever happens next, so this stays true, whoever is killed.
                let end = Position::new(position.ring(), limit).bits();
                self.words.head.seen.count.store(end, Ordering::Relaxed);
                return Ok(Some((position, limit)));
            }
            if position.at() != limit {
                return Err(Status::E_CORRUPT);
            }
            self.enter_next_ring(position)?;
        }
        Err(Status::E_CORRUPT)
    }

    /// Leave a drained ring. The ring lingers until every record in it is over and its memory is
    /// given back.
    #[cold]
    fn enter_next_ring(&self, position: Position) -> Result<()> {
        let next = self.state(position.ring())?.next.load(Ordering::Acquire) as usize;
        let start = self.state(next)?.start.load(Ordering::Acquire);
        if next == position.ring() || start < position.at() {
            return Err(Status::E_CORRUPT);
        }
        // If the process is killed before the commit, the lingering bit belongs to the head's own
        // ring. There the bit has no meaning, and the next consumer sets it again.
        self.words
            .behind
            .lingering
            .fetch_or(1 << position.ring(), Ordering::Relaxed);
        let cursor = self.words.head.cursor();
        self.words
            .head
            .commit(&cursor, Position::new(next, start), cursor.totals);
        self.give_back_rings(LARGE_RING)?;
        Ok(())
    }

    /// Advance the cursor past the record at the cursor, which is over, and free the record if
    /// nothing before it is held.
    ///
    /// If the process is killed between the two stores, the record is over behind the cursor, and a
    /// survey frees it.
    #[inline(always)]
    fn step_over(&self, ring: &RingState, extent: u64) {
        let at = self.words.head.step_over(extent).at();
        self.free(ring, at, extent);
    }

    /// As [`step_over`](Self::step_over), past padding, which is no record.
    fn step_over_padding(&self, ring: &RingState, extent: u64) {
        let head = &self.words.head;
        let from = head.cursor();
        head.commit(&from, from.position.forward(extent), from.totals);
        self.free(ring, from.position.at(), extent);
    }

    #[inline(always)]
    fn free(&self, ring: &RingState, at: u64, extent: u64) {
        if ring.free.load(Ordering::Relaxed) == at {
            // Release, pairs with the Acquire of a producer that writes there next.
            ring.free.store(at + extent, Ordering::Release);
        }
    }

    /// Report whether the record at the cursor is the last one and a live process is writing it.
    #[cold]
    fn may_wait_for(&self, position: Position, checked: &Checked<'a>) -> bool {
        let owner = checked.word.owner();
        self.is_last_and_being_written(position, self.words.tail.position())
            && owner.is_some_and(|owner| !self.segment.is_gone_for_good(owner))
    }

    /// Handle a record at the cursor that is no message: padding, a record that was given up or is
    /// being written, or a claim of a dead consumer.
    #[cold]
    fn go_past(&self, position: Position, checked: Checked<'a>) -> Result<()> {
        let Checked {
            record,
            word,
            state,
            extent,
            ..
        } = checked;
        let owner_is_gone = word
            .owner()
            .is_none_or(|owner| self.segment.is_gone_for_good(owner));
        match state {
            State::Void | State::Done => {
                self.step_over(self.state(position.ring())?, extent);
                Ok(())
            }
            State::Pad => {
                self.step_over_padding(self.state(position.ring())?, extent);
                Ok(())
            }
            // A consumer was killed after it stored its claim and before the cursor's commit.
            State::Taken | State::Got if owner_is_gone => {
                record.set(word.with(State::Ready, None));
                Ok(())
            }
            State::Writing | State::Passed if owner_is_gone => {
                self.abandon(&checked);
                Ok(())
            }
            // The writer is slow or stopped: consumers do not wait for it while records follow.
            State::Writing => {
                record.change(word, word.with(State::Passed, word.owner()));
                Ok(())
            }
            State::Passed => {
                raise(&self.words.behind.bytes, extent);
                raise(&self.words.behind.passed, 1);
                self.words.head.step_over(extent);
                Ok(())
            }
            _ => Err(Status::E_CORRUPT),
        }
    }

    /// Give up a reservation whose owner died: it never becomes a message.
    pub(crate) fn abandon(&self, checked: &Checked<'a>) {
        let void = checked.word.with(State::Void, None);
        if checked.record.change(checked.word, void) {
            raise(&self.words.behind.voided, 1);
            raise(&self.words.behind.abandoned, 1);
        }
    }

    /// Consume a message: it is over as soon as the cursor moves.
    ///
    /// Behind the cursor READY means the same as DONE, so a process that is killed before it stores
    /// DONE has consumed the message too. DONE is stored before the record is free: a producer that
    /// writes the next record there gets the line from a core that has written to it, see
    /// [`Bytes::take_over`].
    #[inline(always)]
    pub(crate) fn consume(&self, found: &Found<'a>) -> Result<()> {
        match found.is_at_cursor {
            true => {
                let at = self.words.head.step_over(found.extent).at();
                found.record.set(Word::new(State::Done, 0, None));
                self.free(found.ring, at, found.extent);
                Ok(())
            }
            false => self.consume_behind(*found),
        }
    }

    #[cold]
    fn consume_behind(self, found: Found<'a>) -> Result<()> {
        found.record.set(found.word.with(State::Done, None));
        lower(&self.words.behind.available, 1);
        lower(&self.words.behind.bytes, found.extent);
        self.free_behind(found.position.ring())
    }

    /// Put a message in flight: it belongs to `me` until it is settled.
    ///
    /// The claim is stored in the record before the cursor moves. If the process is killed in
    /// between, the next consumer finds the claim of a dead owner at the cursor and undoes it.
    #[inline(always)]
    pub(crate) fn claim(&self, found: &Found<'a>, state: State, me: Owner) {
        let behind = &self.words.behind;
        found.record.set(found.word.with(state, Some(me)));
        raise(&behind.in_flight, 1);
        match found.is_at_cursor {
            true => {
                raise(&behind.bytes, found.extent);
                self.words.head.step_over(found.extent);
            }
            false => lower(&behind.available, 1),
        }
    }

    /// How much has been consumed, for the limits: the number of records that no longer wait, and
    /// the bytes of records that are over.
    pub(crate) fn consumed(&self) -> Totals {
        let behind = &self.words.behind;
        let held = behind.bytes.load(Ordering::Acquire);
        let available = behind.available.load(Ordering::Acquire);
        let passed = behind.passed.load(Ordering::Acquire);
        let totals = self.words.head.snapshot().totals;
        Totals {
            count: totals
                .count
                .saturating_sub(available)
                .saturating_sub(passed),
            bytes: totals.bytes.saturating_sub(held),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Queue, QueueOptions};

    /// The consumer of a queue that had grown looked at the tail for each message, and each of these
    /// looks was delayed: it got 0.3 million messages a second while 20 million were put.
    #[test]
    fn a_consumer_that_is_a_ring_behind_looks_once() {
        let queue = Queue::create(None, &QueueOptions::default()).unwrap();
        let chain = queue.at().messages();
        let head = &chain.words.head;
        let first = head.position().ring();
        let mut count = 0;
        while chain.words.tail.position().ring() == first {
            queue.put(&[0; 64]).unwrap();
            count += 1;
        }
        queue.get().unwrap();
        let in_first_ring = count - 1;
        for _ in 1..in_first_ring {
            let seen = chain.seen_tail();
            assert!(head.position().bytes_to(seen).is_some());
            queue.get().unwrap();
            assert_eq!(chain.seen_tail(), seen, "another look");
        }
        queue.get().unwrap();
        assert_eq!(head.position(), chain.words.tail.position());
    }
}
