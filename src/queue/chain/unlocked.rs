//! Settling what one has while the head lock cannot be had: its holder is stopped in the middle of a call.
//!
//! A record that is lent belongs to its owner, who alone changes its word. So what is over can be marked so without
//! the lock, by one compare-and-swap. The counts under the lock cannot follow: `owed` tells the next holder to count
//! anew what lies behind the cursor, before it does anything else. Killed before `owed` is written: recovery of the
//! dead counts all the same.

use std::sync::atomic::Ordering;

use super::checked::raise;
use super::Chain;
use crate::queue::layout::body::Intake;
use crate::queue::layout::position::Position;
use crate::queue::layout::record::{State, Word};
use crate::queue::view::View;
use crate::status::{Result, Status};
use crate::sync::lock_wait::Caller;
use crate::sync::owner::Owner;

/// In `owed`: a message is over, or came back. Above it: how many reservations were given up.
const SETTLED: u32 = 1;
const GIVEN_UP: u32 = 2;

impl<'a> View<'a> {
    /// Attempt until no lock is missing for it, or the time for locks is over.
    ///
    /// An attempt that has one lock waits for another for a moment only, then gives up: others want the first. The
    /// wait is here, with none in hand.
    pub(crate) fn without_holding_up<T>(
        &self,
        me: Caller<'_>,
        mut attempt: impl FnMut() -> Result<T>,
    ) -> Result<T> {
        loop {
            match attempt() {
                Err(Status::E_TIMEOUT) if !me.locks.is_over() => {
                    drop(self.messages().lock_head(me)?);
                }
                other => return other,
            }
        }
    }

    /// A message that `me` has in flight is over.
    #[cold]
    pub(crate) fn settle_without_lock(&self, position: Position, me: Owner) -> Result<()> {
        let chain = self.messages();
        let checked = chain.own(position, me)?;
        let done = checked.word.with(State::Done, None);
        if !checked.record.change(checked.word, done) {
            return Err(Status::E_INVALID);
        }
        chain.words.head.owed.fetch_or(SETTLED, Ordering::SeqCst);
        Ok(())
    }

    /// A message that `me` has in flight is available again.
    ///
    /// # Errors
    /// `E_TIMEOUT` where that takes more than its word: it becomes a dead letter.
    #[cold]
    pub(crate) fn give_back_without_lock(&self, position: Position, me: Owner) -> Result<()> {
        let chain = self.messages();
        let checked = chain.own(position, me)?;
        let deliveries = checked.word.deliveries().saturating_add(1);
        let limit = self.body.max_deliveries();
        if limit != 0 && u32::from(deliveries) >= limit {
            return Err(Status::E_TIMEOUT);
        }
        if self.body.phase() == Intake::Discarded {
            self.settle_without_lock(position, me)?;
            self.body.counters.discarded.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        let returned = Word::new(State::Returned, deliveries, None);
        if !checked.record.change(checked.word, returned) {
            return Err(Status::E_INVALID);
        }
        chain.words.head.owed.fetch_or(SETTLED, Ordering::SeqCst);
        // The tail's holder may write there at this moment: then the limits let in one message too many.
        chain.forget_head();
        self.body
            .counters
            .redelivered
            .fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// A reservation of `me` is given up.
    #[cold]
    pub(crate) fn abort_without_lock(&self, position: Position, me: Owner) -> Result<()> {
        loop {
            let checked = self.reserved(position, me)?;
            let void = checked.word.with(State::Void, None);
            // Consumers may go past it in between.
            if checked.record.change(checked.word, void) {
                break;
            }
        }
        let chain = self.messages();
        chain.words.head.owed.fetch_add(GIVEN_UP, Ordering::SeqCst);
        Ok(())
    }
}

impl Chain<'_> {
    /// Whether something was done without the head lock that its next holder has to count.
    #[inline]
    pub(crate) fn is_owed(&self) -> bool {
        self.words.head.owed.load(Ordering::Relaxed) != 0
    }

    /// Under the head lock. Killed within: the next holder counts, as after every death.
    #[cold]
    pub(crate) fn count_what_is_owed(&self) -> Result<()> {
        let behind = &self.words.behind;
        let owed = self.words.head.owed.swap(0, Ordering::SeqCst);
        if owed >= GIVEN_UP {
            raise(&behind.voided, u64::from(owed / GIVEN_UP));
            behind.voids_ahead.store(1, Ordering::Release);
        }
        self.count_behind()
    }
}
