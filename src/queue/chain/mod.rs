//! A chain of rings: records are appended at its tail and consumed at its head.
//!
//! A queue has two chains: its messages and its dead letters. In the steady state one hot ring is
//! reused. When this ring is full, or an old unfinished record pins it, the producers link another
//! ring that suits the backlog. At the end of a round they leave a ring for a smaller one, if that
//! suits. Consumers drain the old ring and move on. A ring that the consumers have left *lingers*
//! until every record in it is over; then it is used again, or its memory goes back to the system.
//!
//! Lock order: tail before head; the messages' locks before the dead letters'.

pub(super) mod behind;
pub(super) mod checked;
pub(super) mod consumer;
mod next_ring;
pub(super) mod producer;
mod recovery;
mod shortage;
mod shrink;
mod unlocked;

use std::ops::Range;
use std::sync::atomic::Ordering;

use super::layout::body::{ChainWords, Words, RINGS_AT};
use super::layout::cursor::{Limits, Position, Side};
use super::layout::record::{Record, State};
use super::layout::ring::{self, RingState, Rings, DEAD_RINGS, MESSAGE_RINGS, OPEN_END, RINGS};
use crate::segment::{Segment, WithoutRecovery};
use crate::status::{Result, Status};
use crate::sync::lock_wait::Caller;
use crate::sync::mutex::Guard;
use crate::sync::owner::Owner;
use crate::sync::wait::Patience;

/// How much of a record is prefetched, in bytes: two cache lines, which hold the header and a
/// payload of 64 bytes wherever the record begins.
const FETCHED: u64 = 128;

/// A chain as one process uses it.
#[derive(Clone, Copy)]
pub(super) struct Chain<'a> {
    pub(super) segment: &'a Segment,
    pub(super) words: &'a ChainWords,
    pub(super) states: &'a [RingState; RINGS],
    pub(super) rings: Rings<'a>,
    /// The rings that this chain may use.
    pub(super) range: (usize, usize),
}

/// A held lock of one side.
pub(super) type Held<'a> = Guard<'a, WithoutRecovery<'a>>;

impl<'a> Chain<'a> {
    #[inline(always)]
    pub(super) fn of_messages(segment: &'a Segment, words: &'a Words) -> Chain<'a> {
        let body = &words.body;
        Chain::new(segment, &body.messages, &body.rings, MESSAGE_RINGS)
    }

    pub(super) fn of_dead_letters(segment: &'a Segment, words: &'a Words) -> Chain<'a> {
        let body = &words.body;
        Chain::new(segment, &body.dead, &body.rings, DEAD_RINGS)
    }

    #[inline(always)]
    fn new(
        segment: &'a Segment,
        words: &'a ChainWords,
        states: &'a [RingState; RINGS],
        range: Range<usize>,
    ) -> Chain<'a> {
        Chain {
            segment,
            words,
            states,
            rings: Rings::new(segment, RINGS_AT),
            range: (range.start, range.end),
        }
    }

    pub(super) fn range(&self) -> Range<usize> {
        self.range.0..self.range.1
    }

    #[inline]
    fn lock(&self, side: &'a Side, me: Caller<'_>) -> Result<Held<'a>> {
        match self.try_lock(side, me.owner) {
            Some(held) => Ok(held),
            None => self.wait_for(side, me.owner, &mut me.locks.patience()),
        }
    }

    #[cold]
    fn wait_for(&self, side: &'a Side, me: Owner, patience: &mut Patience<'_>) -> Result<Held<'a>> {
        side.mutex.hold(WithoutRecovery(self.segment), me, patience)
    }

    /// Take the producers' lock. Nothing that a dead holder had begun was committed. Only its copy
    /// of the head's progress (`seen`) and its `limits` may claim too much, so both are reset.
    #[inline]
    pub(super) fn lock_tail(&self, me: Caller<'_>) -> Result<Held<'a>> {
        Ok(self.with_tail(self.lock(&self.words.tail, me)?))
    }

    /// As [`lock_tail`](Self::lock_tail), for a caller that holds an earlier lock of the lock
    /// order: the wait ends with `E_TIMEOUT` after a moment, see
    /// [`without_holding_up`](super::view::View::without_holding_up).
    pub(super) fn lock_tail_too(&self, me: Caller<'_>) -> Result<Held<'a>> {
        Ok(self.with_tail(self.lock_too(&self.words.tail, me)?))
    }

    /// Take the consumers' lock, repair what a dead holder left, and count what was settled without
    /// the lock.
    #[inline]
    pub(super) fn lock_head(&self, me: Caller<'_>) -> Result<Held<'a>> {
        self.with_head(self.lock(&self.words.head, me)?)
    }

    /// As [`lock_head`](Self::lock_head), for a caller that holds the tail lock: the wait ends with
    /// `E_TIMEOUT` after a moment.
    pub(super) fn lock_head_too(&self, me: Caller<'_>) -> Result<Held<'a>> {
        self.with_head(self.lock_too(&self.words.head, me)?)
    }

    /// Take both locks. If the head lock is not free within a moment, the tail lock is released
    /// before the longer wait, so a wait for the head lock does not block producers.
    ///
    /// After that wait the tail lock is only tried, since it comes first in the lock order.
    pub(super) fn lock_both(&self, me: Caller<'_>) -> Result<(Held<'a>, Held<'a>)> {
        loop {
            let tail = self.lock_tail(me)?;
            match self.lock_head_too(me) {
                Ok(head) => return Ok((head, tail)),
                Err(Status::E_TIMEOUT) if !me.locks.is_over() => drop(tail),
                Err(status) => return Err(status),
            }
            let head = self.lock_head(me)?;
            if let Some(tail) = self.try_lock_tail(me.owner) {
                return Ok((head, tail));
            }
        }
    }

    fn lock_too(&self, side: &'a Side, me: Caller<'_>) -> Result<Held<'a>> {
        match self.try_lock(side, me.owner) {
            Some(held) => Ok(held),
            None => self.wait_for(side, me.owner, &mut me.locks.moment()),
        }
    }

    #[inline]
    fn with_tail(&self, held: Held<'a>) -> Held<'a> {
        if held.inherited {
            self.forget_head();
        }
        held
    }

    #[inline]
    fn with_head(&self, held: Held<'a>) -> Result<Held<'a>> {
        if held.inherited {
            self.count_behind()?;
        }
        if self.is_owed() {
            self.count_what_is_owed()?;
        }
        Ok(held)
    }

    /// Take the producers' lock if it is free: one attempt, no waiting.
    #[inline]
    pub(super) fn try_lock_tail(&self, me: Owner) -> Option<Held<'a>> {
        self.try_lock(&self.words.tail, me)
    }

    /// Take the consumers' lock if it is free: one attempt, no waiting.
    #[inline]
    pub(super) fn try_lock_head(&self, me: Owner) -> Option<Held<'a>> {
        self.try_lock(&self.words.head, me)
    }

    #[inline]
    fn try_lock(&self, side: &'a Side, me: Owner) -> Option<Held<'a>> {
        side.mutex.try_hold(WithoutRecovery(self.segment), me)
    }

    /// Under the tail lock: forget what the tail knows of the head and how far it may go, so that
    /// the next put looks at the head.
    pub(super) fn forget_head(&self) {
        let seen = &self.words.tail.seen;
        seen.count.store(0, Ordering::Relaxed);
        seen.bytes.store(0, Ordering::Relaxed);
        seen.free.store(0, Ordering::Relaxed);
        self.words.tail.limits.store(Limits::default());
    }

    /// Under the tail lock: update what the tail knows of the head.
    #[cold]
    pub(super) fn look_at_the_head(&self) {
        let seen = &self.words.tail.seen;
        let consumed = self.consumed();
        seen.count.store(consumed.count, Ordering::Relaxed);
        seen.bytes.store(consumed.bytes, Ordering::Relaxed);
        let (ring, at) = self.words.tail.position().parts();
        let free = match self.state(ring) {
            // Acquire, pairs with the Release store of `free`: the records before it have been
            // read.
            Ok(state) => state.free.load(Ordering::Acquire),
            Err(_) => 0,
        };
        // An invalid value is stored as 0; the general path reports the damage.
        let is_sound = free <= at && at - free <= ring::size(ring);
        seen.free
            .store(if is_sound { free } else { 0 }, Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn state(&self, ring: usize) -> Result<&'a RingState> {
        if !self.range().contains(&ring) {
            return Err(Status::E_CORRUPT);
        }
        self.states.get(ring).ok_or(Status::E_CORRUPT)
    }

    /// Initialize a new chain, which begins with its first ring.
    pub(super) fn fill(&self, allocated: u64) -> Result<()> {
        let first = self.state(self.range.0)?;
        first.end.store(OPEN_END, Ordering::Relaxed);
        first.allocated.store(allocated, Ordering::Relaxed);
        let start = Position::new(self.range.0, 0);
        for side in [&self.words.tail, &self.words.head] {
            side.commit(&side.cursor(), start, Default::default());
        }
        Ok(())
    }

    /// Number of records that wait. Records that are being written and VOID records are included.
    pub(super) fn backlog(&self) -> u64 {
        let head = self.words.head.snapshot().totals.count;
        let tail = self.words.tail.snapshot().totals.count;
        tail.saturating_sub(head)
            .saturating_add(self.words.behind.available.load(Ordering::Acquire))
    }

    /// Approximate number of records ahead of a consumer; at least 1 if there is any.
    #[inline]
    pub(super) fn about_how_many(&self) -> u64 {
        if !self.has_more() {
            return 0;
        }
        let head = self.words.head.cursor().totals.count;
        let tail = self.words.tail.cursor().totals.count;
        // The two positions were loaded without the locks and may belong to different moments.
        (tail.wrapping_sub(head) as i64).max(1) as u64
    }

    /// Prefetch the beginning of the record at the head's cursor, which a producer has just
    /// written. Its cache lines arrive while the caller acquires the head lock. A ping-pong of 64
    /// bytes takes 4 % less time for it (`make bench ONLY=W2`).
    #[inline]
    pub(super) fn fetch_first(&self) {
        let head = self.words.head.position();
        let first = self
            .segment
            .in_ring::<Record>(head.ring(), head.at_and_more());
        if let Some((_, room)) = first {
            room.fetch_for_writing(0, FETCHED);
        }
    }

    /// Report whether a consumer has something to look at. On an empty queue this takes two loads.
    #[inline]
    pub(super) fn has_more(&self) -> bool {
        if self.words.behind.available.load(Ordering::Acquire) != 0 {
            return true;
        }
        let head = self.words.head.position();
        let tail = self.words.tail.position();
        if head == tail {
            // The queue may still have a returned message that has not been counted yet.
            return self.is_owed();
        }
        // The record was examined without the lock and may have been replaced meanwhile; in that
        // case the head has moved too.
        !(self.is_last_and_being_written(head, tail) && self.words.head.position() == head)
    }

    /// Report whether the only record ahead of the cursor is one that is still being written. Such
    /// a record gives a consumer nothing yet, and going past it would cost its writer both locks.
    #[inline]
    pub(super) fn is_last_and_being_written(&self, head: Position, tail: Position) -> bool {
        if head.ring() != tail.ring() {
            return false;
        }
        // Examine only a record that was reserved and that has not been consumed meanwhile. The
        // memory of any other record may be given back at this moment, since this function holds no
        // lock.
        let last_reservation = self.words.tail.reservations.load(Ordering::Acquire);
        if last_reservation != head.at() + 1 || self.words.head.position() != head {
            return false;
        }
        let Some((record, _)) = self
            .segment
            .in_ring::<Record>(head.ring(), head.at_and_more())
        else {
            return false;
        };
        record.word().state() == Some(State::Writing)
            && record.size().1 == tail.at().wrapping_sub(head.at())
    }

    /// Report whether a record ahead of the cursor may be a reservation that is not committed yet.
    ///
    /// Places only grow, so the place of the last reservation is enough to decide. Either the
    /// consumers have passed this place, or a scan of all records has found that no reservation is
    /// left.
    pub(super) fn may_have_reservations_ahead(&self) -> bool {
        // Load the head first: a reservation before this position was committed by then, or is
        // counted as passed.
        let head = self.words.head.position();
        let settled = self.words.head.reservations.load(Ordering::Acquire);
        let last = self.words.tail.reservations.load(Ordering::Acquire);
        last > head.at().max(settled) && head != self.words.tail.position()
    }

    /// Report whether the consumers have reached the producers' position and no returned message is
    /// left.
    pub(super) fn is_drained(&self) -> bool {
        self.words.behind.available.load(Ordering::Acquire) == 0
            && self.words.head.position() == self.words.tail.position()
    }

    /// The rings from the head's ring to the tail's ring, as bits. Under both locks.
    pub(super) fn linked(&self) -> Result<u64> {
        let last = self.words.tail.position().ring();
        let mut ring = self.words.head.position().ring();
        let mut linked = 0u64;
        for _ in 0..RINGS {
            let state = self.state(ring)?;
            linked |= 1 << ring;
            if ring == last {
                return Ok(linked);
            }
            ring = state.next.load(Ordering::Relaxed) as usize;
        }
        Err(Status::E_CORRUPT)
    }
}
