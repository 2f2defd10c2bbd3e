//! Recovery after a death: messages and reservations of dead owners become available to others.
//!
//! Every step is idempotent: if a recoverer is killed, the next one repeats its steps.

use std::sync::atomic::Ordering;

use super::checked::{lower, raise, Checked};
use super::Chain;
use crate::queue::layout::body::Intake;
use crate::queue::layout::cursor::Position;
use crate::queue::layout::ends::Ending;
use crate::queue::layout::record::{State, Word};
use crate::queue::view::View;
use crate::status::Result;
use crate::sync::lock_wait::Caller;
use crate::sync::owner::Owner;

impl<'a> View<'a> {
    /// Undo the unfinished operations of every owner for whom `is_gone` returns true.
    pub(crate) fn recover(&self, me: Caller<'_>, is_gone: &dyn Fn(Owner) -> bool) -> Result<()> {
        self.recover_messages(me, is_gone)?;
        self.recover_dead_letters(me, is_gone)
    }

    fn recover_messages(&self, me: Caller<'_>, is_gone: &dyn Fn(Owner) -> bool) -> Result<()> {
        let chain = self.messages();
        let _both = chain.lock_both(me)?;
        // An owner settles without the lock while the holder of the lock is stopped, and may end
        // after that. So the word is read again, after the owner is known to be gone.
        let of_the_dead = |checked: &Checked<'a>| {
            checked.word.owner().is_some_and(is_gone) && checked.record.word() == checked.word
        };
        self.finish_burial()?;
        // Change states only, so that the walk does not free what it still has to read;
        // `count_behind` frees the records that are over.
        chain.find_behind(|position, checked| {
            match checked.state {
                State::Taken | State::Got if of_the_dead(checked) => {
                    self.put_back(&chain, position, checked, me)?;
                }
                State::Passed if of_the_dead(checked) => chain.abandon(checked),
                _ => {}
            }
            Ok(false)
        })?;
        chain.count_behind()?;
        // These records were claimed, but their consumer died before it moved the cursor: they were
        // not delivered. Such claims begin at the cursor.
        chain.walk_ahead(|checked| {
            let is_claimed = checked.state.is_in_flight() && of_the_dead(checked);
            if is_claimed {
                checked.record.set(checked.word.with(State::Ready, None));
            }
            !is_claimed
        })?;
        // A dead writer's reservations may lie anywhere ahead of the cursor. Skip the walk if there
        // are none.
        if chain.may_have_reservations_ahead() {
            chain.walk_ahead(|checked| {
                if matches!(checked.state, State::Writing | State::Passed) && of_the_dead(checked) {
                    chain.words.behind.voids_ahead.store(1, Ordering::Release);
                    chain.abandon(checked);
                }
                false
            })?;
        }
        chain.forget_head();
        Ok(())
    }

    /// Put a message in flight back: it becomes available again, or a dead letter. Return whether
    /// the record is over; then the caller frees its ring. Under both locks.
    ///
    /// If the process is killed before the store to the record's own word, the message is still in
    /// flight with an owner that is dead, and the next recoverer repeats this step or finds the
    /// message buried already. If the process is killed after that store, the next holder of the
    /// head lock counts anew.
    pub(crate) fn put_back(
        &self,
        chain: &Chain<'a>,
        position: Position,
        checked: &Checked<'a>,
        me: Caller<'_>,
    ) -> Result<bool> {
        let behind = &chain.words.behind;
        let deliveries = checked.word.deliveries().saturating_add(1);
        let limit = self.body.max_deliveries();
        let ending = if self.body.phase() == Intake::Discarded {
            raise(&self.body.counters.discarded, 1);
            Some(Ending::Discarded)
        } else {
            let is_buried = limit != 0
                && u32::from(deliveries) >= limit
                && self.bury(position, checked, deliveries, me)?;
            is_buried.then_some(Ending::Dead)
        };
        lower(&behind.in_flight, 1);
        if let Some(ending) = ending {
            self.body.ends.remember(position.id(), ending);
            checked.record.set(checked.word.with(State::Done, None));
            lower(&behind.bytes, checked.extent);
            return Ok(true);
        }
        checked
            .record
            .set(Word::new(State::Returned, deliveries, None));
        raise(&behind.available, 1);
        raise(&self.body.counters.redelivered, 1);
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::Status;
    use crate::sync::lock_wait::LockWait;
    use crate::{Queue, QueueOptions};

    /// A recoverer was stopped after it had read a record. The owner settled its message without
    /// the lock and closed its handle. Then the recoverer took the owner for dead, and the message
    /// was delivered once more.
    #[test]
    fn a_message_that_is_settled_while_a_recoverer_is_stopped_does_not_come_back() {
        for max_deliveries in [0, 1] {
            let options = QueueOptions {
                max_deliveries,
                ..QueueOptions::default()
            };
            let queue = Queue::create(None, &options).unwrap();
            queue.put(b"once").unwrap();
            let taken = queue.take_raw(crate::Wait::TRY).unwrap();
            let position = Position::from_bits(taken.ticket);
            let view = queue.at();
            let locks = LockWait::brief();
            let me = Caller::new(queue.segment.me().unwrap(), &locks);
            let settles_and_goes = |owner: Owner| {
                view.settle_without_lock(position, owner).unwrap();
                true
            };
            view.recover(me, &settles_and_goes).unwrap();
            assert_eq!(queue.try_get(), Err(Status::E_EMPTY));
            assert_eq!(queue.take_dead().map(drop), Err(Status::E_EMPTY));
            let info = queue.info().unwrap();
            assert_eq!((info.unfinished, info.redelivered), (0, 0));
        }
    }
}
