//! Settling messages that were got or taken, and waiting until no message is unfinished.

use std::sync::atomic::Ordering;

use super::chain::checked::{lower, Checked};
use super::chain::consumer::Found;
use super::chain::Chain;
use super::layout::cursor::Position;
use super::layout::record::{Record, State, HEADER};
use super::layout::ring::DEAD_RINGS;
use super::view::View;
use super::Queue;
use crate::segment::Segment;
use crate::status::detail::because;
use crate::status::{Result, Status};
use crate::sync::lock_wait::{Caller, LockWait};
use crate::sync::owner::Owner;
use crate::sync::wait::{Patience, Wait};

impl Queue {
    /// Settle a message that was taken: its memory is freed, and on a joinable queue its task is
    /// done.
    ///
    /// # Errors
    /// `E_NOT_OWNER` if another process took it, `E_INVALID` if it is settled already.
    #[doc(hidden)]
    #[inline(always)]
    pub fn done_raw(&self, ticket: u64) -> Result<()> {
        match self.done_fast(Position::from_bits(ticket)) {
            true => Ok(()),
            false => self.done_slow(Position::from_bits(ticket)),
        }
    }

    /// The fast path of a done: the lock is free, and the message lies in the head's ring. If
    /// false, nothing was done.
    #[inline(always)]
    fn done_fast(&self, position: Position) -> bool {
        let segment: &Segment = &self.segment;
        let words = self.segment.words();
        let Some(me) = segment.me_if_attached() else {
            return false;
        };
        let chain = Chain::of_messages(segment, words);
        let Some(head) = chain.try_lock_head(me) else {
            return false;
        };
        let one = std::iter::once(position);
        let (settled, _) = chain.settle_run(one, State::is_in_flight, me);
        if settled == 0 {
            return false;
        }
        self.loans.settled(1);
        head.release();
        self.after_finish(words, me);
        true
    }

    /// The rest of [`done_raw`](Self::done_raw), for every case that the fast path does not handle.
    #[cold]
    #[inline(never)]
    fn done_slow(&self, position: Position) -> Result<()> {
        self.at().settle_anywhere(position, self.segment.me()?)
    }

    /// Settle several messages that were taken. Return how many were settled, from the first on,
    /// and the error of the next one, if there was one.
    ///
    /// # Errors
    /// Those of [`done_raw`](Self::done_raw), for the first message that was not settled.
    #[doc(hidden)]
    pub fn done_many_raw(&self, tickets: impl Iterator<Item = u64> + Clone) -> (usize, Result<()>) {
        let mut settled = 0;
        let refused = self.settle_all(tickets, &mut settled);
        (settled, refused)
    }

    fn settle_all(
        &self,
        tickets: impl Iterator<Item = u64> + Clone,
        settled: &mut usize,
    ) -> Result<()> {
        let queue = self.at();
        let me = self.segment.me()?;
        let positions = tickets.map(Position::from_bits);
        if let Some(_head) = queue.messages().try_lock_head(me) {
            let run = positions.clone();
            (*settled, _) = queue.messages().settle_run(run, State::is_in_flight, me);
            queue.loans.settled(*settled);
        }
        if *settled > 0 {
            queue.after_finish(me)?;
        }
        for position in positions.skip(*settled) {
            queue.settle_anywhere(position, me)?;
            *settled += 1;
        }
        Ok(())
    }

    /// Give back a message that was taken: it becomes first in line and is delivered once more.
    ///
    /// # Errors
    /// Those of [`done_raw`](Self::done_raw). `E_TIMEOUT`: the message is still taken, because a
    /// process that is stopped within a call holds a lock.
    #[doc(hidden)]
    pub fn give_back_raw(&self, ticket: u64) -> Result<()> {
        let queue = self.at();
        let locks = LockWait::brief();
        let me = Caller::new(self.segment.me()?, &locks);
        let position = Position::from_bits(ticket);
        match DEAD_RINGS.contains(&position.ring()) {
            true => queue.return_dead(position, me)?,
            false => queue.give_back(position, me)?,
        }
        queue.loans.settled_apart();
        Ok(())
    }

    /// Settle the oldest message that this process got and has not settled.
    ///
    /// # Errors
    /// `E_OVER_RELEASE` if there is none, `E_INVALID` on a queue that is not joinable. `E_TIMEOUT`:
    /// no message was settled, because a process that is stopped within a call holds a lock.
    pub fn task_done(&self) -> Result<()> {
        let queue = self.at();
        let locks = LockWait::brief();
        queue.settle_oldest(Caller::new(self.segment.me()?, &locks))
    }

    /// As [`join`](Self::join), no longer than `wait`.
    ///
    /// # Errors
    /// `E_TIMEOUT`, `E_CANCELED`, `E_INTERRUPTED`: messages are unfinished. `E_INVALID` on a queue
    /// that is not joinable.
    pub fn join_timeout<'w>(&self, wait: impl Into<Wait<'w>>) -> Result<()> {
        let wait = wait.into();
        let queue = self.at();
        if !queue.body.is_joinable() {
            return Err(because!(E_INVALID, "the queue is not joinable"));
        }
        let mut patience = Patience::new(&wait);
        let locks = LockWait::until(&mut patience);
        let me = Caller::new(self.segment.me()?, &locks);
        loop {
            self.segment.reap(me.owner)?;
            let seen = queue.body.idle.waiters.announce();
            if !queue.has_unfinished(me)? {
                return Ok(());
            }
            if let Err(status) = queue
                .body
                .idle
                .waiters
                .sleep(queue.segment, seen, &mut patience)
            {
                return match queue.has_unfinished(me)? {
                    true => Err(status),
                    false => Ok(()),
                };
            }
        }
    }
}

impl<'a> View<'a> {
    /// Settle a message, wherever it lies, and wait for the lock if it is held.
    fn settle_anywhere(self, position: Position, me: Owner) -> Result<()> {
        let locks = LockWait::brief();
        let me = Caller::new(me, &locks);
        match DEAD_RINGS.contains(&position.ring()) {
            true => self.settle_dead(position, me)?,
            false => self.settle(position, me)?,
        }
        self.loans.settled_apart();
        Ok(())
    }

    /// Settle one message.
    pub(super) fn settle(&self, position: Position, me: Caller<'_>) -> Result<()> {
        let chain = self.messages();
        let head = match chain.lock_head(me) {
            Ok(head) => head,
            Err(status) if status.ends_a_wait() => {
                self.settle_without_lock(position, me.owner)?;
                return self.after_finish(me.owner);
            }
            Err(status) => return Err(status),
        };
        let checked = chain.own(position, me.owner)?;
        chain.finish(position, &checked)?;
        drop(head);
        self.after_finish(me.owner)
    }

    /// Wake the producers that wait for room, the threads that watch for settled messages, and the
    /// joins if no message is unfinished.
    pub(super) fn after_finish(&self, me: Owner) -> Result<()> {
        self.notify_space(u32::MAX);
        match self.body.idle.waiters.has_sleepers_after_rmw() {
            true => self.tell_who_joins(me),
            false => Ok(()),
        }
    }

    #[cold]
    fn tell_who_joins(self, me: Owner) -> Result<()> {
        self.notify_settled();
        if !self.messages().is_idle_at_a_glance() {
            return Ok(());
        }
        match self.has_unfinished(Caller::new(me, &LockWait::at_once())) {
            Ok(true) => {}
            // If this cannot be determined at once, wake the joins, so that they look themselves.
            Ok(false) | Err(Status::E_TIMEOUT) => self.body.idle.waiters.notify_all(self.segment),
            Err(status) => return Err(status),
        }
        Ok(())
    }

    fn give_back(&self, position: Position, me: Caller<'_>) -> Result<()> {
        let chain = self.messages();
        let given_back = self.without_holding_up(me, || {
            let _both = chain.lock_both(me)?;
            let checked = chain.own(position, me.owner)?;
            if self.put_back(&chain, position, &checked, me)? {
                chain.free_behind(position.ring())?;
            }
            chain.forget_head();
            Ok(())
        });
        match given_back {
            Err(status) if status.ends_a_wait() => {
                self.give_back_without_lock(position, me.owner)?
            }
            other => other?,
        }
        self.notify_items(1);
        self.after_finish(me.owner)
    }

    /// Remember the place of this process's oldest unsettled message. Under the head lock, unless
    /// its holder is stopped.
    pub(super) fn note_got(&self, found: &Found<'a>, me: Owner) {
        if let Some(own) = self.segment.participant(me.slot()) {
            // A returned message lies before messages that were got since.
            if found.position.at() < own.oldest_got.load(Ordering::Relaxed) {
                let at = found.position.at();
                own.oldest_got.fetch_min(at, Ordering::Relaxed);
            }
        }
    }

    fn settle_oldest(&self, me: Caller<'_>) -> Result<()> {
        if !self.body.is_joinable() {
            return Err(because!(E_INVALID, "the queue is not joinable"));
        }
        let chain = self.messages();
        let head = chain.lock_head(me)?;
        let own = self
            .segment
            .participant(me.owner.slot())
            .ok_or(Status::E_INTERNAL)?;
        let from = own.oldest_got.load(Ordering::Relaxed);
        let at = chain.words.head.position();
        if chain.words.behind.lingering.load(Ordering::Relaxed) == 0 {
            // All records behind the cursor lie in the head's ring, and most often the remembered
            // place is that of the message.
            let likely = std::iter::once(Position::new(at.ring(), from));
            let (settled, extent) = chain.settle_run(likely, |state| state == State::Got, me.owner);
            if settled == 1 {
                own.oldest_got.store(from + extent, Ordering::Relaxed);
                drop(head);
                return self.after_finish(me.owner);
            }
        }
        let is_ours = |_, checked: &Checked<'_>| {
            Ok(checked.state == State::Got && checked.word.owner() == Some(me.owner))
        };
        let oldest = match chain.find_behind_from(from, is_ours)? {
            Some(oldest) => Some(oldest),
            // A get that could not have the lock may have noted its message in vain.
            None => chain.find_behind(is_ours)?,
        };
        let Some((position, checked)) = oldest else {
            own.oldest_got
                .store(chain.words.head.position().at(), Ordering::Relaxed);
            return Err(Status::E_OVER_RELEASE);
        };
        chain.finish(position, &checked)?;
        let next = position.at() + checked.extent;
        own.oldest_got.store(next, Ordering::Relaxed);
        drop(head);
        self.after_finish(me.owner)
    }
}

impl<'a> Chain<'a> {
    /// Under the head lock: settle messages of `me` that are in one of `states` and lie in the
    /// head's ring. Return how many were settled, from the first on, and the sum of their extents.
    ///
    /// If the process is killed in between, the records marked DONE are over, and the next holder
    /// of the lock counts anew.
    #[inline(always)]
    fn settle_run(
        &self,
        positions: impl Iterator<Item = Position>,
        states: fn(State) -> bool,
        me: Owner,
    ) -> (usize, u64) {
        let head = self.words.head.position();
        let Some(ring) = self.states.get(head.ring()) else {
            return (0, 0);
        };
        let free = ring.free.load(Ordering::Relaxed);
        let (mut settled, mut bytes, mut over) = (0, 0, free);
        for position in positions {
            let at = position.at();
            let Some(ahead) = position.bytes_to(head).filter(|_| at >= free) else {
                break;
            };
            let Some((record, _)) = self
                .segment
                .in_ring::<Record>(position.ring(), position.at_and_more())
            else {
                break;
            };
            let (word, (_, extent)) = (record.word(), record.size());
            let is_sound = (HEADER..=ahead).contains(&extent);
            if !is_sound || !word.is_of(me) || !word.state().is_some_and(states) {
                break;
            }
            record.set(word.with(State::Done, None));
            // Most often messages are settled in the order in which they lie.
            if at == over {
                over += extent;
            }
            settled += 1;
            bytes += extent;
        }
        if settled > 0 {
            self.uncount(settled as u64, bytes);
            // The messages are settled in any case; the general path reports damage behind them.
            let _ = self.free_over(head.ring(), ring, free, over, head.at());
        }
        (settled, bytes)
    }

    /// Settle a record in flight. Under the head lock.
    pub(super) fn finish(&self, position: Position, checked: &Checked<'a>) -> Result<()> {
        checked.record.set(checked.word.with(State::Done, None));
        self.uncount(1, checked.extent);
        self.free_behind(position.ring())
    }

    /// Take settled records off the counts. Under the head lock.
    #[inline]
    fn uncount(&self, count: u64, bytes: u64) {
        lower(&self.words.behind.in_flight, count);
        lower(&self.words.behind.bytes, bytes);
    }

    /// Report whether it is likely that no message is waiting or in flight, which makes a closer
    /// look worthwhile.
    fn is_idle_at_a_glance(&self) -> bool {
        self.words.behind.in_flight.load(Ordering::Acquire) == 0 || self.is_owed()
    }
}
