//! Giving memory back when the queue has run empty.

use std::sync::atomic::Ordering;

use super::Chain;
use crate::queue::layout::position::Position;
use crate::queue::layout::ring;
use crate::queue::view::View;
use crate::status::{Result, Status};
use crate::sync::lock_wait::{Caller, LockWait};
use crate::sync::owner::Owner;

impl View<'_> {
    /// A consumer found nothing: go back to a small ring, which stays hot in the caches.
    pub(crate) fn shrink(&self, me: Owner) -> Result<()> {
        self.messages().shrink_when_too_large(me)
    }

    /// A consumer has found nothing for a while: give back what drained rings hold.
    pub(crate) fn tidy(&self, me: Owner) -> Result<()> {
        self.messages().give_back_drained_rings(me)
    }

    /// There is no dead letter any more: what many of them took goes back.
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
            // It can be left to the next one.
            true => match self.shrink(Caller::new(me, &LockWait::at_once())) {
                Err(Status::E_TIMEOUT) => Ok(()),
                other => other,
            },
            false => Ok(()),
        }
    }

    fn give_back_drained_rings(&self, me: Owner) -> Result<()> {
        while self.has_drained_rings()? {
            // One step at a time: others wait for the lock meanwhile.
            match self.lock_head(Caller::new(me, &LockWait::at_once())) {
                Ok(_head) if self.give_back_rings(0)? => {}
                // It can be left to another lull.
                Ok(_) | Err(Status::E_TIMEOUT) => break,
                Err(status) => return Err(status),
            }
        }
        Ok(())
    }

    /// Whether the queue is empty in a ring that is larger than what goes through it needs.
    fn is_too_large(&self) -> Result<bool> {
        Ok(self.is_larger_than_needed()? && self.is_drained())
    }

    /// Whether the producers' ring is larger than what goes through it needs without a backlog.
    pub(crate) fn is_larger_than_needed(&self) -> Result<bool> {
        let ring = self.words.tail.position().ring;
        let size = ring::size(ring);
        Ok(size > ring::BASE && size > self.modest_size(ring)?)
    }

    /// The size that suits the largest record of a ring without any backlog.
    fn modest_size(&self, ring: usize) -> Result<u64> {
        let largest = self.state(ring)?.largest.load(Ordering::Relaxed);
        Ok(ring::suitable_size(largest, 0))
    }

    /// Move an empty queue to a smaller ring. The one it leaves lingers until its memory is given back.
    #[cold]
    fn shrink(&self, me: Caller<'_>) -> Result<()> {
        let _both = self.lock_both(me)?;
        let cursor = self.words.tail.cursor();
        if !self.is_too_large()? {
            return Ok(());
        }
        let used = self.linked()? | self.words.behind.lingering.load(Ordering::Relaxed);
        let size = self.modest_size(cursor.position.ring)?;
        let Some(ring) = self.unused_ring_of(size, size, used) else {
            return Ok(());
        };
        if ring::size(ring) >= ring::size(cursor.position.ring) {
            return Ok(());
        }
        self.move_to(ring)
    }

    /// Go on in an unused ring; the head follows at once, so that the one which both leave can be given back. Under
    /// both locks, of an empty chain.
    pub(crate) fn move_to(&self, ring: usize) -> Result<()> {
        let cursor = self.words.tail.cursor();
        let start = cursor.position.at.next_multiple_of(ring::size(ring));
        self.link(cursor.position, ring, start)?;
        // What goes through it is of the same kind.
        let largest = &self.state(cursor.position.ring)?.largest;
        self.state(ring)?
            .largest
            .store(largest.load(Ordering::Relaxed), Ordering::Relaxed);
        self.words
            .tail
            .commit(&cursor, Position { ring, at: start }, cursor.totals);
        self.front()?;
        Ok(())
    }

    fn has_drained_rings(&self) -> Result<bool> {
        let head = self.words.head.position().ring;
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
