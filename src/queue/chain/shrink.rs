//! Giving memory back when the queue is empty.

use std::sync::atomic::Ordering;

use super::Chain;
use crate::queue::layout::cursor::Position;
use crate::queue::layout::ring;
use crate::queue::view::View;
use crate::status::{Result, Status};
use crate::sync::lock_wait::{Caller, LockWait};
use crate::sync::owner::Owner;

impl View<'_> {
    /// A consumer found no message: go back to a small ring, which stays hot in the caches.
    pub(crate) fn shrink(&self, me: Owner) -> Result<()> {
        self.messages().shrink_when_too_large(me)
    }

    /// A consumer has found no message for a while: give back the memory of drained rings.
    pub(crate) fn tidy(&self, me: Owner) -> Result<()> {
        self.messages().give_back_drained_rings(me)
    }

    /// No dead letter is left: give back the memory that many of them took.
    #[cold]
    pub(crate) fn trim_dead_letters(&self, me: Owner) -> Result<()> {
        let chain = self.dead_letters();
        chain.shrink_when_too_large(me)?;
        chain.give_back_drained_rings(me)
    }
}

impl Chain<'_> {
    fn shrink_when_too_large(&self, me: Owner) -> Result<()> {
        match self.is_too_large()? {
            // If a lock is not free, the next consumer that finds the queue empty shrinks it.
            true => match self.shrink(Caller::new(me, &LockWait::at_once())) {
                Err(Status::E_TIMEOUT) => Ok(()),
                other => other,
            },
            false => Ok(()),
        }
    }

    fn give_back_drained_rings(&self, me: Owner) -> Result<()> {
        while self.has_drained_rings()? {
            // One step at a time, since others wait for the lock meanwhile.
            match self.lock_head(Caller::new(me, &LockWait::at_once())) {
                Ok(_head) if self.give_back_rings(0)? => {}
                // If the lock is not free, the next lull gives the memory back.
                Ok(_) | Err(Status::E_TIMEOUT) => break,
                Err(status) => return Err(status),
            }
        }
        Ok(())
    }

    /// Report whether the queue is empty and its ring is larger than its records need.
    fn is_too_large(&self) -> Result<bool> {
        let ring = self.words.tail.position().ring();
        let size = ring::size(ring);
        Ok(size > ring::BASE && size > self.modest_size(ring)? && self.is_drained())
    }

    /// The size that suits the largest record of a ring if there is no backlog.
    fn modest_size(&self, ring: usize) -> Result<u64> {
        let largest = self.state(ring)?.largest.load(Ordering::Relaxed);
        Ok(ring::suitable_size(largest, 0))
    }

    /// Move an empty queue to a smaller ring. The old ring lingers until its memory is given back.
    #[cold]
    fn shrink(&self, me: Caller<'_>) -> Result<()> {
        let _both = self.lock_both(me)?;
        if !self.is_too_large()? {
            return Ok(());
        }
        let from = self.words.tail.position().ring();
        let largest = self.state(from)?.largest.load(Ordering::Relaxed);
        let below = ring::size(from);
        let choice = self.choose_ring_of(self.modest_size(from)?, largest, below)?;
        match self.smaller_ring(&choice, below) {
            Some(ring) => self.move_to(ring),
            None => Ok(()),
        }
    }

    /// Continue in an unused ring. The head follows at once, so that the ring that both ends leave
    /// can be given back. Under both locks; the chain must be empty.
    pub(crate) fn move_to(&self, ring: usize) -> Result<()> {
        let cursor = self.words.tail.cursor();
        let start = cursor.position.at().next_multiple_of(ring::size(ring));
        self.link(cursor.position, ring, start)?;
        // Expect records of the same size as before.
        let largest = &self.state(cursor.position.ring())?.largest;
        self.state(ring)?
            .largest
            .store(largest.load(Ordering::Relaxed), Ordering::Relaxed);
        let tail = &self.words.tail;
        tail.set_next_mark(tail.mark());
        tail.commit(&cursor, Position::new(ring, start), cursor.totals);
        self.front()?;
        Ok(())
    }

    fn has_drained_rings(&self) -> Result<bool> {
        let head = self.words.head.position().ring();
        let lingering = self.words.behind.lingering.load(Ordering::Acquire) & !(1 << head);
        for ring in self.range().filter(|ring| lingering & (1 << ring) != 0) {
            let state = self.state(ring)?;
            if state.free.load(Ordering::Acquire) == state.end.load(Ordering::Acquire) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
