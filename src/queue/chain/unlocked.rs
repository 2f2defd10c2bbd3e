//! Settling a loan without the head lock, when the holder of the lock is stopped within a call.
//!
//! A record that is lent belongs to its owner, and only the owner changes its word. So the owner
//! can store the record's final state without the lock, by one compare-and-swap. The counts that
//! the lock guards cannot be updated; `owed` tells the next holder to count the records behind the
//! cursor anew before it does anything else. If the owner is killed before it writes `owed`, the
//! recovery of the dead owner counts them as well.

use std::sync::atomic::Ordering;

use super::checked::{raise, settled_already};
use super::Chain;
use crate::queue::layout::body::Intake;
use crate::queue::layout::cursor::Position;
use crate::queue::layout::ends::Ending;
use crate::queue::layout::record::{State, Word};
use crate::queue::view::View;
use crate::status::{Result, Status};
use crate::sync::lock_wait::Caller;
use crate::sync::owner::Owner;

/// Bits of `owed`. The lowest: a message is over or was returned. The bits above it count the
/// reservations that were given up.
const SETTLED: u32 = 1;
const GIVEN_UP: u32 = 2;

impl<'a> View<'a> {
    /// Repeat `attempt` until it gets every lock that it needs, or until the time for locks is
    /// over.
    ///
    /// An attempt that holds one lock waits only a moment for the second one and then gives up,
    /// since others want the first. The longer wait takes place here, while no lock is held.
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

    /// Settle a message that `me` has in flight.
    #[cold]
    pub(crate) fn settle_without_lock(&self, position: Position, me: Owner) -> Result<()> {
        let chain = self.messages();
        let checked = chain.own(position, me)?;
        let done = checked.word.with(State::Done, None);
        if !checked.record.change(checked.word, done) {
            return Err(settled_already());
        }
        chain.words.head.owed.fetch_or(SETTLED, Ordering::SeqCst);
        Ok(())
    }

    /// Return a message that `me` has in flight.
    ///
    /// # Errors
    /// `E_TIMEOUT` if the message has to become a dead letter, which takes more than its word.
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
            self.body.ends.remember(position.id(), Ending::Discarded);
            self.settle_without_lock(position, me)?;
            self.body.counters.discarded.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        let returned = Word::new(State::Returned, deliveries, None);
        if !checked.record.change(checked.word, returned) {
            return Err(settled_already());
        }
        chain.words.head.owed.fetch_or(SETTLED, Ordering::SeqCst);
        // The holder of the tail lock may write these words at the same time. Then the limits admit
        // one message too many.
        chain.forget_head();
        self.body
            .counters
            .redelivered
            .fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Give up a reservation of `me`.
    #[cold]
    pub(crate) fn abort_without_lock(&self, position: Position, me: Owner) -> Result<()> {
        loop {
            let checked = self.reserved(position, me)?;
            let void = checked.word.with(State::Void, None);
            // The compare-and-swap fails if a consumer goes past the record meanwhile.
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
    /// Report whether something was settled without the head lock, so that the next holder has to
    /// count it.
    #[inline]
    pub(crate) fn is_owed(&self) -> bool {
        self.words.head.owed.load(Ordering::Relaxed) != 0
    }

    /// Under the head lock. If the process is killed here, the next holder counts, as after every
    /// death.
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
