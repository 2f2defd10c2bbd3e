//! After a death: what the dead had in hand goes back to the others.
//!
//! Every step is idempotent: a recoverer that is killed in turn is followed by the next.

use std::sync::atomic::Ordering;

use super::checked::{lower, raise, Checked};
use super::Chain;
use crate::queue::layout::body::Intake;
use crate::queue::layout::position::Position;
use crate::queue::layout::record::{State, Word};
use crate::queue::view::View;
use crate::status::Result;
use crate::sync::lock_wait::Caller;
use crate::sync::owner::Owner;

impl<'a> View<'a> {
    /// Undo what every owner had begun for whom `is_gone` says true, and wake everybody.
    pub(crate) fn recover(&self, me: Caller<'_>, is_gone: &dyn Fn(Owner) -> bool) -> Result<()> {
        self.recover_messages(me, is_gone)?;
        self.recover_dead_letters(me, is_gone)?;
        self.notify_everybody();
        Ok(())
    }

    fn recover_messages(&self, me: Caller<'_>, is_gone: &dyn Fn(Owner) -> bool) -> Result<()> {
        let chain = self.messages();
        let _both = chain.lock_both(me)?;
        let of_the_dead = |word: Word| word.owner().is_some_and(is_gone);
        self.finish_burial()?;
        // States only: what is over is freed when nobody walks over it any more.
        chain.find_behind(|position, checked| {
            match checked.state {
                State::Taken | State::Got if of_the_dead(checked.word) => {
                    self.put_back(&chain, position, checked, me)?;
                }
                State::Passed if of_the_dead(checked.word) => chain.abandon(checked),
                _ => {}
            }
            Ok(false)
        })?;
        chain.count_behind()?;
        // Claimed from the cursor on, but it had not moved: they were not delivered.
        chain.walk_ahead(|checked| {
            let is_claimed = checked.state.is_in_flight() && of_the_dead(checked.word);
            if is_claimed {
                checked.record.set(checked.word.with(State::Ready, None));
            }
            !is_claimed
        })?;
        // A writer's reservations may lie anywhere ahead; without any there is nothing to look for.
        if chain.may_have_reservations_ahead() {
            chain.walk_ahead(|checked| {
                if matches!(checked.state, State::Writing | State::Passed)
                    && of_the_dead(checked.word)
                {
                    chain.words.behind.voids_ahead.store(1, Ordering::Release);
                    chain.abandon(checked);
                }
                false
            })?;
        }
        chain.forget_head();
        Ok(())
    }

    /// A message in flight comes back: available again, or a dead letter. Whether it is over: then the caller
    /// frees its ring. Under both locks.
    ///
    /// Killed before the record's own store: it is still in flight with one who is gone, and the next
    /// recoverer does the same, or finds that it is buried. Killed after it: the counts are counted anew
    /// by the next one to have the head lock.
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
        let is_over = if self.body.phase() == Intake::Discarded {
            raise(&self.body.counters.discarded, 1);
            true
        } else {
            limit != 0
                && u32::from(deliveries) >= limit
                && self.bury(position, checked, deliveries, me)?
        };
        lower(&behind.in_flight, 1);
        if is_over {
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
