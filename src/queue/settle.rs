//! Finishing what was got: done, returned, and waiting until nothing is unfinished.

use std::sync::atomic::Ordering;

use super::chain::checked::{lower, Checked};
use super::chain::consumer::Found;
use super::chain::Chain;
use super::layout::position::Position;
use super::layout::record::State;
use super::layout::ring::DEAD_RINGS;
use super::view::View;
use super::Queue;
use crate::status::{Result, Status};
use crate::sync::lock_wait::{Caller, LockWait};
use crate::sync::owner::Owner;
use crate::sync::wait::{Patience, Wait};

impl Queue {
    /// Settle a message that was taken: its memory is free, and on a joinable queue its task is done.
    ///
    /// # Errors
    /// `E_NOT_OWNER` when another process took it, `E_INVALID` when it is settled already.
    pub fn done(&self, ticket: u64) -> Result<()> {
        match self.done_many(std::iter::once(ticket)) {
            (1, _) => Ok(()),
            (_, refused) => refused,
        }
    }

    /// Settle several messages that were taken. How many were settled, from the first, and what the next
    /// one was refused for.
    ///
    /// # Errors
    /// Those of [`done`](Self::done), for the first that is not settled.
    pub fn done_many(&self, tickets: impl Iterator<Item = u64> + Clone) -> (usize, Result<()>) {
        let mut settled = 0;
        let refused = self.settle_all(tickets, &mut settled);
        (settled, refused)
    }

    fn settle_all(
        &self,
        tickets: impl Iterator<Item = u64> + Clone,
        settled: &mut usize,
    ) -> Result<()> {
        let queue = self.at()?;
        let me = self.segment.me()?;
        let positions = tickets.map(Position::from_bits);
        if let Some(_head) = queue.messages().try_lock_head(me) {
            (*settled, _) = queue.settle_run(positions.clone(), State::is_in_flight, me);
            queue.loans.settled(*settled);
        }
        if *settled > 0 {
            queue.after_finish(me)?;
        }
        if positions.clone().nth(*settled).is_none() {
            return Ok(());
        }
        let locks = LockWait::brief();
        let me = Caller::new(me, &locks);
        for position in positions.skip(*settled) {
            match DEAD_RINGS.contains(&position.ring) {
                true => queue.settle_dead(position, me)?,
                false => queue.settle(position, me)?,
            }
            queue.loans.settled_apart();
            *settled += 1;
        }
        Ok(())
    }

    /// Give a taken message back: first in line, delivered once more.
    ///
    /// # Errors
    /// Those of [`done`](Self::done). `E_TIMEOUT`: it is taken as before; a process that is stopped within a call is
    /// in the way.
    pub fn give_back(&self, ticket: u64) -> Result<()> {
        let queue = self.at()?;
        let locks = LockWait::brief();
        let me = Caller::new(self.segment.me()?, &locks);
        let position = Position::from_bits(ticket);
        match DEAD_RINGS.contains(&position.ring) {
            true => queue.return_dead(position, me)?,
            false => queue.give_back(position, me)?,
        }
        queue.loans.settled_apart();
        Ok(())
    }

    /// Settle the oldest message that this process got and has not settled.
    ///
    /// # Errors
    /// `E_OVER_RELEASE` when there is none, `E_INVALID` on a queue that is not joinable. `E_TIMEOUT`: nothing was
    /// settled; a process that is stopped within a call is in the way.
    pub fn task_done(&self) -> Result<()> {
        let queue = self.at()?;
        let locks = LockWait::brief();
        queue.settle_oldest(Caller::new(self.segment.me()?, &locks))
    }

    /// Wait until nothing is unfinished: every message was got and settled.
    ///
    /// # Errors
    /// `E_TIMEOUT`, `E_CANCELED`, `E_CLOSED`, `E_INTERRUPTED`; `E_INVALID` on a queue that is not joinable.
    pub fn join(&self, wait: Wait<'_>) -> Result<()> {
        let queue = self.at()?;
        if !queue.body.is_joinable() {
            return Err(Status::E_INVALID);
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
    /// A message is over.
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
        let checked = own(&chain, position, me.owner)?;
        chain.finish(position, &checked)?;
        drop(head);
        self.after_finish(me.owner)
    }

    /// Tell those who wait for room and for the end.
    #[inline]
    pub(super) fn after_finish(&self, me: Owner) -> Result<()> {
        self.notify_space(u32::MAX);
        let idle = &self.body.idle.waiters;
        match idle.has_sleepers_after_rmw() && self.messages().is_idle_at_a_glance() {
            true => self.tell_who_joins(me),
            false => Ok(()),
        }
    }

    #[cold]
    fn tell_who_joins(&self, me: Owner) -> Result<()> {
        match self.has_unfinished(Caller::new(me, &LockWait::at_once())) {
            Ok(true) => {}
            // What cannot be seen at once they see themselves.
            Ok(false) | Err(Status::E_TIMEOUT) => self.body.idle.waiters.notify_all(self.segment),
            Err(status) => return Err(status),
        }
        Ok(())
    }

    fn give_back(&self, position: Position, me: Caller<'_>) -> Result<()> {
        let chain = self.messages();
        let given_back = self.without_holding_up(me, || {
            let _both = chain.lock_both(me)?;
            let checked = own(&chain, position, me.owner)?;
            if self.put_back(&chain, position, &checked, me)? {
                chain.free_behind(position.ring)?;
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

    /// Remember where this process's oldest unsettled message may be. Under the head lock.
    pub(super) fn note_got(&self, found: &Found<'a>, me: Owner) {
        if let Some(own) = self.segment.participant(me.slot()) {
            // What came back lies before what was got since.
            if found.position.at < own.oldest_got.load(Ordering::Relaxed) {
                own.oldest_got.store(found.position.at, Ordering::Relaxed);
            }
        }
    }

    fn settle_oldest(&self, me: Caller<'_>) -> Result<()> {
        if !self.body.is_joinable() {
            return Err(Status::E_INVALID);
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
            // All that is behind lies in the head's ring, and the hint most often names the very one.
            let likely = std::iter::once(Position { at: from, ..at });
            let (settled, extent) = self.settle_run(likely, |state| state == State::Got, me.owner);
            if settled == 1 {
                own.oldest_got.store(from + extent, Ordering::Relaxed);
                drop(head);
                return self.after_finish(me.owner);
            }
        }
        let oldest = chain.find_behind_from(from, |_, checked| {
            Ok(checked.state == State::Got && checked.word.owner() == Some(me.owner))
        })?;
        let Some((position, checked)) = oldest else {
            own.oldest_got
                .store(chain.words.head.position().at, Ordering::Relaxed);
            return Err(Status::E_OVER_RELEASE);
        };
        chain.finish(position, &checked)?;
        let next = position.at + checked.extent;
        own.oldest_got.store(next, Ordering::Relaxed);
        drop(head);
        self.after_finish(me.owner)
    }
}

/// The record of a ticket, in flight with `me`.
fn own<'a>(chain: &Chain<'a>, position: Position, me: Owner) -> Result<Checked<'a>> {
    let checked = chain.ticket(position)?;
    if !checked.state.is_in_flight() {
        return Err(Status::E_INVALID);
    }
    if checked.word.owner() != Some(me) {
        return Err(Status::E_NOT_OWNER);
    }
    Ok(checked)
}

impl<'a> Chain<'a> {
    /// A record in flight is over. Under the head lock.
    pub(super) fn finish(&self, position: Position, checked: &Checked<'a>) -> Result<()> {
        let behind = &self.words.behind;
        checked.record.set(checked.word.with(State::Done, None));
        lower(&behind.in_flight, 1);
        lower(&behind.bytes, checked.extent);
        self.free_behind(position.ring)
    }

    /// The ticket's record for `me`, for the dead letters.
    pub(super) fn own(&self, position: Position, me: Owner) -> Result<Checked<'a>> {
        own(self, position, me)
    }

    /// Whether nothing may be waiting or in flight: worth a closer look.
    fn is_idle_at_a_glance(&self) -> bool {
        self.words.behind.in_flight.load(Ordering::Acquire) == 0 || self.is_owed()
    }
}
