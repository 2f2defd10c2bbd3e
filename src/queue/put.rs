//! Putting messages.

use super::chain::producer::Room;
use super::chain::{Chain, Held};
use super::layout::body::Intake;
use super::layout::cursor::{Pen, Position};
use super::layout::record::{extent_of, Record, State, Word, HEADER, LARGE};
use super::options::longest;
use super::room::{Attempt, Growth};
use super::view::View;
use super::Queue;
use crate::segment::{Segment, WithoutRecovery};
use crate::status::{Result, Status};
use crate::sync::lock_wait::{Caller, LockWait};
use crate::sync::wait::{LazyWait, Patience, Wait};

/// A batch releases the lock after this many bytes, so that other producers get a turn.
const BATCH_BYTES: u64 = 64 * 1024;
/// Distance in bytes from a record to the cache lines that are prefetched for the next records.
const AHEAD: u64 = 320;

impl Queue {
    /// Put a message, waiting while the queue is full. The message is visible to all processes when
    /// the call returns.
    ///
    /// # Errors
    /// `E_FULL`, `E_SHUTDOWN`, `E_TOO_LARGE` (it can never fit), `E_NO_MEMORY`, `E_CANCELED`,
    /// `E_CLOSED`, `E_INTERRUPTED`: no message was put. `E_TIMEOUT`: no message was put, and a
    /// process that is stopped within a call kept this one from seeing whether there is room.
    #[doc(hidden)]
    #[inline]
    pub fn put_raw(&self, data: &[u8], wait: impl LazyWait) -> Result<()> {
        match self.put_fast(data) {
            true => Ok(()),
            false => wait.begin(|wait| self.put_slow(data, wait)),
        }
    }

    /// The fast path of a put: the lock is free, the message is small, and the limits stored beside
    /// the tail lock, or renewed by one look at the head, admit it. Return whether the message was
    /// put. If it was not, nothing was done, and [`put_slow`](Self::put_slow) has more ways to find
    /// room.
    ///
    /// If the process is killed before the commit, no record was written. If it is killed after the
    /// commit, the message is there: the next holder of the lock takes it over, and consumers that
    /// sleep see the death and look again.
    #[inline(always)]
    fn put_fast(&self, data: &[u8]) -> bool {
        let segment: &Segment = &self.segment;
        let words = self.segment.words();
        let Some(me) = segment.me_if_attached() else {
            return false;
        };
        if data.len() > LARGE {
            return false;
        }
        let tail = &words.body.messages.tail;
        let Some(held) = tail.mutex.try_hold(WithoutRecovery(segment), me) else {
            return false;
        };
        let extent = extent_of(data.len() as u64);
        // The limits of a queue that is shut down admit nothing.
        let room = tail.place_within(extent);
        let room = room.and_then(|position| room_at(segment, position, extent));
        let Some(room) = room else {
            return self.put_after_a_look(held, data, extent);
        };
        if fill(&room, data, extent).is_err() {
            return false;
        }
        tail.step_over(extent);
        segment.count_put(&words.accounts, 1);
        held.release();
        words.body.items.notify(segment, 1);
        true
    }

    /// See [`View::put_after_a_look`].
    #[cold]
    #[inline(never)]
    fn put_after_a_look<'a>(&'a self, held: Held<'a>, data: &[u8], extent: u64) -> bool {
        self.at().put_after_a_look(held, data, extent)
    }

    /// The rest of [`put_raw`](Self::put_raw), for every case that the fast path does not handle.
    #[cold]
    fn put_slow(&self, data: &[u8], wait: Wait<'_>) -> Result<()> {
        let queue = self.at();
        let mut patience = Patience::new(&wait);
        let locks = LockWait::until(&mut patience);
        let me = Caller::new(self.segment.me()?, &locks);
        if data.len() > LARGE {
            return queue.put_large(data, &mut patience, me);
        }
        queue.check_length(data.len())?;
        let extent = extent_of(data.len() as u64);
        queue.keep_distance_from_consumers(extent);
        queue.until_room(extent, &mut patience, me, |growth| {
            queue.try_put(data, me, growth)
        })
    }

    /// Put `count` messages, waiting while the queue is full. Return how many were put.
    ///
    /// `item` returns each message. The result is less than `count` only if the wait ended or the
    /// queue was shut down after some messages were put.
    ///
    /// # Errors
    /// Those of [`put_raw`](Self::put_raw), if no message was put.
    #[doc(hidden)]
    pub fn put_many_raw<'d>(
        &self,
        count: usize,
        item: &impl Fn(usize) -> &'d [u8],
        wait: impl LazyWait,
    ) -> Result<usize> {
        wait.begin(|wait| self.put_all(count, item, wait))
    }

    fn put_all<'d>(
        &self,
        count: usize,
        item: &impl Fn(usize) -> &'d [u8],
        wait: Wait<'_>,
    ) -> Result<usize> {
        let queue = self.at();
        for at in 0..count {
            queue.check_length(item(at).len())?;
        }
        let mut patience = Patience::new(&wait);
        let locks = LockWait::until(&mut patience);
        let me = Caller::new(self.segment.me()?, &locks);
        let mut put = 0;
        while put < count {
            queue.keep_distance_from_consumers(HEADER);
            let more = match item(put).len() > LARGE {
                true => queue.put_large(item(put), &mut patience, me).map(|()| 1),
                false => queue.until_room(HEADER, &mut patience, me, |growth| {
                    queue.try_put_some(put..count, item, me, growth)
                }),
            };
            match more {
                Ok(more) => {
                    queue.notify_items(u32::try_from(more).unwrap_or(u32::MAX));
                    put += more;
                }
                Err(status) if put == 0 => return Err(status),
                Err(_) => break,
            }
        }
        Ok(put)
    }
}

/// Find room for a record of `extent` bytes within the limits of the pen, and go past it; `None`
/// beyond them.
#[inline]
fn place_within<'a>(segment: &'a Segment, pen: &mut Pen, extent: u64) -> Option<Room<'a>> {
    let mut further = *pen;
    let position = further.step(extent)?;
    let room = room_at(segment, position, extent)?;
    *pen = further;
    Some(room)
}

/// The room for a record of `extent` bytes at `position`, which the limits of the queue admit.
#[inline]
pub(super) fn room_at(segment: &Segment, position: Position, extent: u64) -> Option<Room<'_>> {
    let (record, all) = segment.in_ring::<Record>(position.ring(), position.at_and_more())?;
    let payload = all.part(HEADER, extent)?;
    payload.fetch_for_writing(AHEAD, extent);
    Some(Room {
        position,
        record,
        payload,
    })
}

/// Write a complete message: its payload, and a header for a record of `extent` bytes. If the
/// process is killed before the pen is published, there is no record.
#[inline]
pub(super) fn fill(room: &Room<'_>, data: &[u8], extent: u64) -> Result<()> {
    room.payload.write(data)?;
    let word = Word::new(State::Ready, 0, None);
    room.record.write(word, data.len() as u64, extent);
    Ok(())
}

impl<'a> View<'a> {
    pub(super) fn check_length(&self, len: usize) -> Result<()> {
        if len as u64 > longest(self.body.max_bytes()) {
            return Err(Status::E_TOO_LARGE);
        }
        Ok(())
    }

    /// The rest of a put's fast path, under the tail lock: look at the head.
    fn put_after_a_look(self, tail: Held<'a>, data: &[u8], extent: u64) -> bool {
        if self.body.phase() != Intake::Open || self.delays_look_at_consumers(extent) {
            return false;
        }
        let chain = self.messages();
        let mut pen = chain.words.tail.pen();
        let Some(room) = self.place_after_a_look(&chain, &mut pen, extent) else {
            return false;
        };
        if fill(&room, data, extent).is_err() {
            return false;
        }
        chain.publish(&mut pen);
        self.segment.count_put(&self.words.accounts, 1);
        drop(tail);
        self.notify_items(1);
        true
    }

    fn try_put(&self, data: &[u8], me: Caller<'_>, growth: Growth) -> Result<Attempt<()>> {
        let chain = self.messages();
        let tail = chain.lock_tail(me)?;
        self.check_open()?;
        let mut pen = chain.words.tail.pen();
        let written = self.write(&chain, &mut pen, data, me, growth)?;
        if let Attempt::Done(()) = written {
            chain.publish(&mut pen);
            self.segment.count_put(&self.words.accounts, 1);
            drop(tail);
            self.notify_items(1);
        }
        Ok(written)
    }

    /// Put as many messages of a batch as there is room for, under one lock and with one commit.
    fn try_put_some<'d>(
        &self,
        range: std::ops::Range<usize>,
        item: &impl Fn(usize) -> &'d [u8],
        me: Caller<'_>,
        growth: Growth,
    ) -> Result<Attempt<usize>> {
        let chain = self.messages();
        let _tail = chain.lock_tail(me)?;
        self.check_open()?;
        let mut pen = chain.words.tail.pen();
        let begin = pen.totals.bytes;
        let mut put = 0;
        for at in range {
            let data = item(at);
            if data.len() > LARGE || pen.totals.bytes.wrapping_sub(begin) > BATCH_BYTES {
                break;
            }
            match self.write(&chain, &mut pen, data, me, growth) {
                Ok(Attempt::Done(())) => put += 1,
                Ok(_) if put > 0 => break,
                Ok(Attempt::Cramped) => return Ok(Attempt::Cramped),
                Ok(Attempt::Full) => break,
                // The messages written before are published. The next call meets this error again.
                Err(_) if put > 0 => break,
                Err(status) => return Err(status),
            }
        }
        if pen.is_wet() {
            chain.publish(&mut pen);
            self.segment.count_put(&self.words.accounts, put);
        }
        Ok(match put {
            0 => Attempt::Full,
            put => Attempt::Done(put),
        })
    }

    #[inline]
    pub(super) fn check_open(&self) -> Result<()> {
        match self.body.phase() {
            Intake::Open => Ok(()),
            _ => Err(Status::E_SHUTDOWN),
        }
    }

    /// Write a complete message at the pen's position.
    #[inline(always)]
    fn write(
        &self,
        chain: &Chain<'a>,
        pen: &mut Pen,
        data: &[u8],
        me: Caller<'_>,
        growth: Growth,
    ) -> Result<Attempt<()>> {
        let extent = extent_of(data.len() as u64);
        if let Some(room) = place_within(self.segment, pen, extent) {
            return fill(&room, data, extent).map(Attempt::Done);
        }
        // The function for rare cases gets a copy, so that the pen itself can stay in registers.
        let mut copy = *pen;
        let written = self.write_otherwise(*chain, &mut copy, data, me, growth);
        *pen = copy;
        written
    }

    #[cold]
    #[inline(never)]
    fn write_otherwise(
        self,
        chain: Chain<'a>,
        pen: &mut Pen,
        data: &[u8],
        me: Caller<'_>,
        growth: Growth,
    ) -> Result<Attempt<()>> {
        let extent = extent_of(data.len() as u64);
        Ok(match self.place(&chain, pen, extent, me, growth)? {
            Attempt::Done(room) => Attempt::Done(fill(&room, data, extent)?),
            Attempt::Full => Attempt::Full,
            Attempt::Cramped => Attempt::Cramped,
        })
    }

    /// Find room for a record at the pen's position.
    pub(super) fn place(
        &self,
        chain: &Chain<'a>,
        pen: &mut Pen,
        extent: u64,
        me: Caller<'_>,
        growth: Growth,
    ) -> Result<Attempt<Room<'a>>> {
        if let Some(room) = place_within(self.segment, pen, extent) {
            return Ok(Attempt::Done(room));
        }
        match self.place_after_a_look(chain, pen, extent) {
            Some(room) => Ok(Attempt::Done(room)),
            None => self.place_otherwise(chain, pen, extent, me, growth),
        }
    }

    /// Find room after a look at the head, which may have advanced since the tail looked last.
    pub(super) fn place_after_a_look(
        &self,
        chain: &Chain<'a>,
        pen: &mut Pen,
        extent: u64,
    ) -> Option<Room<'a>> {
        chain.look_at_the_head();
        let free = chain.limit(pen, self.body.max_items(), self.body.max_bytes());
        self.saw_room(pen.bytes_of_items(extent).min(free), extent);
        place_within(self.segment, pen, extent)
    }

    /// Find room in every other way: at the beginning of the ring, in more memory, in another ring.
    fn place_otherwise(
        &self,
        chain: &Chain<'a>,
        pen: &mut Pen,
        extent: u64,
        me: Caller<'_>,
        growth: Growth,
    ) -> Result<Attempt<Room<'a>>> {
        if !self.has_room(chain, pen, extent, me)? {
            return Ok(Attempt::Full);
        }
        let (placed, otherwise) = match growth {
            Growth::Waits => (chain.place_here(pen, extent, me), Attempt::Cramped),
            Growth::Grows => (chain.place(pen, extent, me), Attempt::Full),
        };
        let room = match placed {
            Err(Status::E_NO_MEMORY) => self.place_in_what_there_is(pen, extent, me)?,
            other => other?,
        };
        if room.is_some() {
            chain.limit(pen, self.body.max_items(), self.body.max_bytes());
        }
        Ok(room.map_or(otherwise, Attempt::Done))
    }
}
