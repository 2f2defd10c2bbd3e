//! Dead letters: messages that were delivered too often. They lie in a chain of their own, so that
//! they pin no ring of messages.
//!
//! A dead letter's payload begins with 16 bytes: the message's id and the number of its deliveries.

use super::chain::checked::{lower, raise, Checked};
use super::layout::cursor::Position;
use super::layout::ends::Ending;
use super::layout::record::{extent_of, State, Word};
use super::take::Loan;
use super::view::View;
use super::Queue;
use crate::segment::Bytes;
use crate::status::{Result, Status};
use crate::sync::lock_wait::{Caller, LockWait};
use crate::sync::owner::Owner;

const PREFIX: usize = 16;

impl Queue {
    /// Take the oldest dead letter. It is settled like any message that was taken.
    ///
    /// # Errors
    /// `E_EMPTY` if there is none. `E_TIMEOUT` if a process that is stopped within a call holds the
    /// lock.
    #[doc(hidden)]
    pub fn take_dead_raw(&self) -> Result<Loan> {
        let queue = self.at();
        let me = self.segment.me()?;
        self.segment.reap(me)?;
        let chain = queue.dead_letters();
        let head = chain.lock_head(Caller::new(me, &LockWait::brief()))?;
        let Some(found) = chain.front()? else {
            drop(head);
            queue.trim_dead_letters(me)?;
            return Err(Status::E_EMPTY);
        };
        let (id, deliveries) = found.payload.read_pair()?;
        let data = after_prefix(found.payload)?.address();
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

/// The bytes behind the prefix of a dead letter.
fn after_prefix(payload: Bytes<'_>) -> Result<Bytes<'_>> {
    payload
        .part(PREFIX as u64, payload.room())
        .ok_or(Status::E_CORRUPT)
}

/// The mark of the last dead letter: the position of its message. The mark is 0 until there is one.
fn mark_of(position: Position) -> u64 {
    position.bits() | 1
}

impl<'a> View<'a> {
    /// Copy a message to the dead letters. Return false if there is no memory for the copy; then
    /// the message is delivered once more instead of being lost. Under the messages' locks.
    ///
    /// One commit of the dead letters' tail both adds the dead letter and stores the mark, which
    /// names the message that was copied. If the process is killed after that commit and before it
    /// marks the message as DONE, `finish_burial` does so, before the mark can name another
    /// message.
    pub(super) fn bury(
        &self,
        position: Position,
        checked: &Checked<'a>,
        deliveries: u16,
        me: Caller<'_>,
    ) -> Result<bool> {
        let source = self
            .messages()
            .rings
            .slot(position.ring(), position.at(), checked.extent)?
            .1;
        let chain = self.dead_letters();
        let _tail = chain.lock_tail_too(me)?;
        let mut pen = chain.words.tail.pen();
        let mark = mark_of(position);
        if chain.words.tail.mark() == mark {
            return Ok(true);
        }
        self.finish_burial()?;
        let len = checked.len + PREFIX as u64;
        let extent = extent_of(len);
        let placed = match chain.place(&mut pen, extent, me) {
            Err(Status::E_NO_MEMORY) => {
                self.place_dead_letter_in_what_there_is(&mut pen, extent, me)
            }
            other => other,
        };
        let place = match placed {
            Ok(Some(place)) => place,
            Ok(None) | Err(Status::E_NO_MEMORY) => return Ok(false),
            Err(status) => return Err(status),
        };
        place
            .payload
            .write_pair(position.id(), u64::from(deliveries))?;
        after_prefix(place.payload)?.copy_from(source, checked.len as usize)?;
        place
            .record
            .write(Word::new(State::Ready, 0, None), len, extent);
        chain.publish_marked(&mut pen, mark);
        Ok(true)
    }

    /// Mark the message that was copied last as DONE, in case the process that copied it was killed
    /// before it did so. Under the messages' locks; the mark changes only under these locks.
    pub(super) fn finish_burial(&self) -> Result<()> {
        let mark = self.dead_letters().words.tail.mark();
        if mark == 0 {
            return Ok(());
        }
        let chain = self.messages();
        // Most often the message has been freed, and its position is no valid ticket any more.
        let position = Position::from_bits(mark);
        let Ok(checked) = chain.ticket(position) else {
            return Ok(());
        };
        if checked.state.is_in_flight() {
            self.body.ends.remember(position.id(), Ending::Dead);
            checked.record.set(checked.word.with(State::Done, None));
            lower(&chain.words.behind.in_flight, 1);
            lower(&chain.words.behind.bytes, checked.extent);
        }
        Ok(())
    }

    pub(super) fn settle_dead(&self, position: Position, me: Caller<'_>) -> Result<()> {
        let chain = self.dead_letters();
        let _head = chain.lock_head(me)?;
        let checked = chain.own(position, me.owner)?;
        chain.finish(position, &checked)
    }

    pub(super) fn return_dead(&self, position: Position, me: Caller<'_>) -> Result<()> {
        let chain = self.dead_letters();
        let _head = chain.lock_head(me)?;
        let checked = chain.own(position, me.owner)?;
        checked.record.set(checked.word.with(State::Returned, None));
        lower(&chain.words.behind.in_flight, 1);
        raise(&chain.words.behind.available, 1);
        Ok(())
    }

    /// Make dead letters available again that dead owners had taken.
    pub(super) fn recover_dead_letters(
        &self,
        me: Caller<'_>,
        is_gone: &dyn Fn(Owner) -> bool,
    ) -> Result<()> {
        let chain = self.dead_letters();
        let _both = chain.lock_both(me)?;
        chain.find_behind(|_, checked| {
            if checked.state.is_in_flight() && checked.word.owner().is_some_and(is_gone) {
                checked.record.set(checked.word.with(State::Returned, None));
            }
            Ok(false)
        })?;
        chain.count_behind()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{QueueOptions, Wait};

    /// A recoverer was killed after it had copied one message to the dead letters and before it
    /// marked that message as DONE. It also held another message, and the next recoverer buried
    /// that one first. This replaced the mark, and the first message was buried twice.
    #[test]
    fn a_burial_that_was_not_finished_is_not_done_again() {
        for (is_given_back, expected) in [(false, vec![2, 1]), (true, vec![3, 1, 2])] {
            let options = QueueOptions {
                joinable: true,
                max_deliveries: 1,
                ..Default::default()
            };
            let queue = Queue::create(None, &options).unwrap();
            for len in 1..=expected.len() {
                queue.try_put(&vec![0; len]).unwrap();
            }
            let mine = is_given_back.then(|| queue.take_raw(Wait::TRY).unwrap());
            // Two processes that took part and are gone. Each holds a message.
            let dead = [Owner::new(100, 1), Owner::new(101, 1)];
            let [recoverer, other] = dead;
            let at = queue.at();
            let chain = at.messages();
            let locks = LockWait::brief();
            for owner in dead {
                let _head = chain.lock_head(Caller::new(owner, &locks)).unwrap();
                let found = chain.front().unwrap().unwrap();
                chain.claim(&found, State::Taken, owner);
            }
            // The steps of the recoverer up to the point where it is killed.
            let caller = Caller::new(recoverer, &locks);
            let both = chain.lock_both(caller).unwrap();
            let of_the_other = |checked: &Checked<'_>| checked.word.owner() == Some(other);
            let found = chain.find_behind(|_, checked| Ok(of_the_other(checked)));
            let (position, checked) = found.unwrap().unwrap();
            assert_eq!(at.bury(position, &checked, 1, caller), Ok(true));
            std::mem::forget(both);
            // The next burial may also come from a process that does not recover anything.
            if let Some(mine) = mine {
                queue.give_back_raw(mine.ticket).unwrap();
            }
            let me = Caller::new(queue.segment.me().unwrap(), &locks);
            for _ in 0..2 {
                at.recover(me, &|owner| dead.contains(&owner)).unwrap();
            }
            let letters = std::iter::from_fn(|| queue.take_dead_raw().ok());
            let lengths: Vec<usize> = letters.map(|letter| letter.len).collect();
            assert_eq!(lengths, expected);
            assert_eq!(queue.info().unwrap().unfinished, 0);
        }
    }
}
