//! Settling a reservation: commit or abort.
//!
//! A reservation that consumers have not gone past becomes a message by one change of its record.
//! One that they have gone past becomes available behind the cursor, under both locks.

use std::sync::atomic::Ordering;

use super::chain::checked::{lower, raise, settled_already, Checked};
use super::layout::body::Intake;
use super::layout::cursor::Position;
use super::layout::record::{Record, State, Word};
use super::layout::ring::size;
use super::reserve::Reservation;
use super::view::View;
use super::Queue;
use crate::segment::Segment;
use crate::status::{Result, Status};
use crate::sync::lock_wait::{Caller, LockWait};
use crate::sync::owner::Owner;

impl Queue {
    /// Commit a reserved message of `len` bytes, at most the reserved length.
    ///
    /// A reservation made before a shutdown is still delivered, unless the shutdown was immediate.
    ///
    /// # Errors
    /// `E_SHUTDOWN`: the reservation was given up. `E_TOO_LARGE`: the reservation stands.
    /// `E_TIMEOUT`: the reservation stands; a process that is stopped within a call holds a lock.
    /// `E_INVALID` if it is settled already, `E_NOT_OWNER` if it belongs to another process.
    #[doc(hidden)]
    #[inline(always)]
    pub fn commit_raw(&self, reservation: &Reservation, len: usize) -> Result<()> {
        if len > reservation.len {
            return Err(Status::E_TOO_LARGE);
        }
        let position = Position::from_bits(reservation.ticket);
        match self.commit_fast(position, len as u64) {
            true => Ok(()),
            false => self.commit_slow(position, len as u64),
        }
    }

    /// The fast path of a commit: the record is as its reservation left it, and it lies in the last
    /// round of the tail's ring. Return whether it was committed. If it was not, nothing was done.
    #[inline(always)]
    fn commit_fast(&self, position: Position, len: u64) -> bool {
        let segment: &Segment = &self.segment;
        let words = self.segment.words();
        let Some(me) = segment.me_if_attached() else {
            return false;
        };
        let tail = words.body.messages.tail.position();
        let Some(ahead) = position.bytes_to(tail) else {
            return false;
        };
        let at = position.at_and_more();
        let Some(record) = segment.in_last_round::<Record>(position.ring(), at, ahead) else {
            return false;
        };
        if words.body.phase() == Intake::Discarded {
            return false;
        }
        let reserved = Word::new(State::Writing, 0, Some(me));
        if record.word() != reserved {
            return false;
        }
        // If the process is killed before the change, the record has no message, whatever its
        // length says.
        record.shorten(len);
        if !record.change(reserved, Word::new(State::Ready, 0, None)) {
            return false;
        }
        self.loans.settled_apart();
        self.after_commit(words);
        true
    }

    /// The rest of [`commit_raw`](Self::commit_raw), for every case that the fast path does not
    /// handle.
    #[cold]
    fn commit_slow(&self, position: Position, len: u64) -> Result<()> {
        let queue = self.at();
        let locks = LockWait::brief();
        let me = Caller::new(self.segment.me()?, &locks);
        let checked = queue.reserved(position, me.owner)?;
        checked.record.shorten(len);
        queue.commit(position, &checked, Word::new(State::Ready, 0, None), me)
    }

    /// Give up a reservation.
    ///
    /// # Errors
    /// `E_INVALID` if it is settled already, `E_NOT_OWNER` if it belongs to another process.
    #[doc(hidden)]
    pub fn abort_raw(&self, reservation: &Reservation) -> Result<()> {
        let queue = self.at();
        let locks = LockWait::brief();
        let me = Caller::new(self.segment.me()?, &locks);
        let position = Position::from_bits(reservation.ticket);
        let checked = queue.reserved(position, me.owner)?;
        queue.abort(position, &checked, me)
    }
}

impl<'a> View<'a> {
    /// The record of a reservation of `me`, ahead of or behind the cursor.
    pub(super) fn reserved(&self, position: Position, me: Owner) -> Result<Checked<'a>> {
        let chain = self.messages();
        let state = chain
            .state(position.ring())
            .map_err(|_| settled_already())?;
        let tail = chain.words.tail.position();
        let limit = match tail.ring() == position.ring() {
            true => tail.at(),
            false => state.end.load(Ordering::Acquire),
        };
        let is_within = position.at() >= state.start.load(Ordering::Acquire)
            && position.at() < limit
            && limit.wrapping_sub(position.at()) <= size(position.ring());
        if !is_within {
            return Err(settled_already());
        }
        let checked = chain
            .checked(position, limit)
            .map_err(|_| settled_already())?;
        if !matches!(checked.state, State::Writing | State::Passed) {
            return Err(settled_already());
        }
        if checked.word.owner() != Some(me) {
            return Err(Status::E_NOT_OWNER);
        }
        Ok(checked)
    }

    /// Commit a reservation that consumers have not gone past. Return false if they have, or if an
    /// immediate shutdown has discarded the messages.
    fn commit_ahead(&self, checked: &Checked<'a>, ready: Word) -> bool {
        let is_ahead = self.body.phase() != Intake::Discarded
            && checked.state == State::Writing
            && checked.record.change(checked.word, ready);
        if is_ahead {
            self.loans.settled_apart();
            self.after_commit();
        }
        is_ahead
    }

    /// Commit a reservation: its record gets the word `ready`, unless consumers have gone past it.
    pub(super) fn commit(
        &self,
        position: Position,
        checked: &Checked<'a>,
        ready: Word,
        me: Caller<'_>,
    ) -> Result<()> {
        if self.body.phase() == Intake::Discarded {
            self.abort(position, checked, me)?;
            return Err(Status::E_SHUTDOWN);
        }
        if !self.commit_ahead(checked, ready) {
            self.commit_behind(position, me)?;
            self.loans.settled_apart();
            self.after_commit();
        }
        Ok(())
    }

    /// Wake consumers for a message that was committed.
    pub(super) fn after_commit(&self) {
        // A consumer that waits for the end of the stream waited for this commit too.
        self.notify_items(match self.body.phase() {
            Intake::Open => 1,
            _ => u32::MAX,
        });
    }

    /// Commit a reservation that consumers have gone past: it becomes available behind the cursor,
    /// first in line.
    #[cold]
    fn commit_behind(&self, position: Position, me: Caller<'_>) -> Result<()> {
        let chain = self.messages();
        let _both = chain.lock_both(me)?;
        let checked = self.reserved(position, me.owner)?;
        if position.at() >= chain.words.head.position().at() {
            // A consumer was killed after it marked the record as PASSED and before the cursor's
            // commit.
            checked.record.set(checked.word.with(State::Ready, None));
            return Ok(());
        }
        checked.record.set(checked.word.with(State::Returned, None));
        lower(&chain.words.behind.passed, 1);
        raise(&chain.words.behind.available, 1);
        chain.forget_head();
        Ok(())
    }

    pub(super) fn abort(
        &self,
        position: Position,
        checked: &Checked<'a>,
        me: Caller<'_>,
    ) -> Result<()> {
        let chain = self.messages();
        let head = match chain.lock_head(me) {
            Ok(head) => head,
            Err(status) if status.ends_a_wait() => {
                self.abort_without_lock(position, me.owner)?;
                return self.after_abort(me);
            }
            Err(status) => return Err(status),
        };
        let void = checked.word.with(State::Void, None);
        chain.words.behind.voids_ahead.store(1, Ordering::Release);
        raise(&chain.words.behind.voided, 1);
        let is_ahead = checked.state == State::Writing && checked.record.change(checked.word, void);
        if !is_ahead {
            let checked = self.reserved(position, me.owner)?;
            checked.record.set(checked.word.with(State::Void, None));
            if position.at() < chain.words.head.position().at() {
                lower(&chain.words.behind.passed, 1);
                lower(&chain.words.behind.bytes, checked.extent);
                chain.free_behind(position.ring())?;
            }
        }
        drop(head);
        self.after_abort(me)
    }

    fn after_abort(&self, me: Caller<'_>) -> Result<()> {
        self.loans.settled_apart();
        // A consumer that waits for the end of the stream waited for this abort too.
        self.notify_items(u32::MAX);
        self.after_finish(me.owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::wait::Wait;
    use crate::QueueOptions;

    /// A commit that needs both locks waited 20 ms for the two, although no process was stopped.
    /// On a busy machine it then had to be repeated by the program.
    #[test]
    fn a_commit_that_got_one_lock_in_its_time_waits_for_the_other() {
        let queue = Queue::create(None, &QueueOptions::default()).unwrap();
        let reserved = queue.reserve_raw(8, Wait::TRY).unwrap();
        queue.try_put(b"next").unwrap();
        // Now the reservation lies behind the cursor.
        queue.get().unwrap();
        let view = queue.at();
        let chain = view.messages();
        let owner = queue.segment.me().unwrap();
        let locks = LockWait::brief();
        let head = chain.lock_head(Caller::new(owner, &locks)).unwrap();
        let committed = std::thread::scope(|scope| {
            let committed = scope.spawn(|| {
                let locks = LockWait::brief_since(30_000_000);
                let me = Caller::new(owner, &locks);
                let position = Position::from_bits(reserved.ticket);
                let checked = queue.at().reserved(position, owner).unwrap();
                let ready = Word::new(State::Ready, 0, None);
                queue.at().commit(position, &checked, ready, me)
            });
            while !chain.words.head.mutex.has_sleepers() && !committed.is_finished() {
                std::thread::yield_now();
            }
            drop(head);
            committed.join().unwrap()
        });
        assert_eq!(committed, Ok(()));
        assert_eq!(queue.len(), Ok(1));
    }
}
