//! Dead letters: messages that were delivered too often. A chain of their own, so that they pin nothing.
//!
//! A dead letter's payload begins with 16 bytes, the message's id and its deliveries.

use super::chain::lock_wait;
use super::consume::{lower, raise, Checked};
use super::position::Position;
use super::record::{extent_of, State, Word};
use super::take::Loan;
use super::{At, Queue};
use crate::status::{Result, Status};
use crate::sync::owner::Owner;
use crate::sync::wait::Wait;

const PREFIX: usize = 16;

impl Queue {
    /// Take the oldest dead letter; settle it like any message that was taken.
    ///
    /// # Errors
    /// `E_EMPTY` when there is none.
    pub fn take_dead(&self) -> Result<Loan> {
        let queue = self.at()?;
        let me = self.segment.me()?;
        self.segment.reap(me)?;
        let chain = queue.dead_letters();
        let _head = chain.lock_head(me, &lock_wait(&Wait::TRY))?;
        let found = chain.front()?.ok_or(Status::E_EMPTY)?;
        let (id, deliveries) = found.payload.read_pair()?;
        let data = found.payload.skip(PREFIX)?.address();
        let len = (found.len as usize)
            .checked_sub(PREFIX)
            .ok_or(Status::E_CORRUPT)?;
        chain.claim(&found, State::Taken, me);
        queue.loans.lent_apart();
        Ok(Loan {
            data,
            len,
            id,
            deliveries: deliveries as u32,
            ticket: found.position.bits(),
        })
    }
}

impl<'a> At<'a> {
    /// Copy a message to the dead letters; false where there is no memory for it: it is delivered once
    /// more instead of being lost. Under the messages' locks.
    ///
    /// Killed after the copy and before the message is over: the mark tells the next one that it is there.
    pub(super) fn bury(
        &self,
        position: Position,
        checked: &Checked<'a>,
        deliveries: u16,
        me: Owner,
    ) -> Result<bool> {
        let source = self
            .messages()
            .rings
            .slot(position.ring, position.at, checked.extent)?
            .1;
        let chain = self.dead_letters();
        let _tail = chain.lock_tail(me, &Wait::FOREVER)?;
        let mut pen = chain.pen();
        // Ids begin at 0, and a chain that has nothing yet is marked 0.
        let mark = position.id() + 1;
        if pen.totals().mark == mark {
            return Ok(true);
        }
        let len = checked.len + PREFIX as u64;
        let extent = extent_of(len);
        let place = match chain.place(&mut pen, extent, me) {
            Ok(Some(place)) => place,
            Ok(None) | Err(Status::E_NO_MEMORY) => return Ok(false),
            Err(status) => return Err(status),
        };
        place
            .payload
            .write_pair(position.id(), u64::from(deliveries))?;
        place
            .payload
            .skip(PREFIX)?
            .copy_from(source, checked.len as usize)?;
        place
            .record
            .write(Word::new(State::Ready, 0, None), len, extent);
        chain.publish_marked(&mut pen, mark);
        Ok(true)
    }

    pub(super) fn settle_dead(&self, position: Position, me: Owner) -> Result<()> {
        let chain = self.dead_letters();
        let _head = chain.lock_head(me, &Wait::FOREVER)?;
        let checked = chain.own(position, me)?;
        chain.finish(position, &checked)
    }

    pub(super) fn return_dead(&self, position: Position, me: Owner) -> Result<()> {
        let chain = self.dead_letters();
        let _head = chain.lock_head(me, &Wait::FOREVER)?;
        let checked = chain.own(position, me)?;
        checked.record.set(checked.word.with(State::Returned, None));
        lower(&chain.words.behind.in_flight, 1);
        raise(&chain.words.behind.available, 1);
        Ok(())
    }

    /// Dead letters that the dead had taken are there again.
    pub(super) fn recover_dead_letters(
        &self,
        me: Owner,
        is_gone: &dyn Fn(Owner) -> bool,
    ) -> Result<()> {
        let chain = self.dead_letters();
        let _tail = chain.lock_tail(me, &Wait::FOREVER)?;
        let _head = chain.lock_head(me, &Wait::FOREVER)?;
        chain.find_behind(|_, checked| {
            if checked.state.is_in_flight() && checked.word.owner().is_some_and(is_gone) {
                checked.record.set(checked.word.with(State::Returned, None));
            }
            Ok(false)
        })?;
        chain.count_behind()
    }
}
