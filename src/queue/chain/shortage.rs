//! How a queue continues when the system refuses memory.
//!
//! An empty queue must accept every message that a fresh queue accepts. So the memory of all rings
//! in which no message lies is given back, the dead letters' rings included, and an empty queue
//! begins again in another ring. The first ring keeps its memory, as it does in a fresh queue.

use std::sync::atomic::Ordering;

use super::producer::Room;
use super::Chain;
use crate::queue::layout::cursor::Pen;
use crate::queue::layout::ring;
use crate::queue::layout::ring::MESSAGE_RINGS;
use crate::queue::view::View;
use crate::status::{Result, Status};
use crate::sync::lock_wait::Caller;

impl<'a> View<'a> {
    /// Find room for a message after memory was refused. Under the messages' tail lock.
    ///
    /// # Errors
    /// `E_NO_MEMORY`: there is no memory for it.
    #[cold]
    #[inline(never)]
    pub(crate) fn place_in_what_there_is(
        &self,
        pen: &mut Pen,
        extent: u64,
        me: Caller<'_>,
    ) -> Result<Option<Room<'a>>> {
        let chain = self.messages();
        chain.place_in_what_there_is(pen, extent, me, &|| {
            chain.give_back_unused(Some(me))?;
            let dead = self.dead_letters();
            let _tail = dead.lock_tail_too(me)?;
            let ring = dead.words.tail.position().ring();
            if dead.state(ring)?.allocated.load(Ordering::Relaxed) != 0 {
                dead.begin_anew(&mut dead.words.tail.pen(), ring::BASE, ring::BASE, me)?;
            }
            dead.give_back_unused(Some(me))
        })
    }

    /// Find room for a dead letter after memory was refused. Under the messages' locks and the dead
    /// letters' tail lock.
    #[cold]
    pub(crate) fn place_dead_letter_in_what_there_is(
        &self,
        pen: &mut Pen,
        extent: u64,
        me: Caller<'_>,
    ) -> Result<Option<Room<'a>>> {
        let chain = self.dead_letters();
        chain.place_in_what_there_is(pen, extent, me, &|| {
            self.messages().give_back_unused(None)?;
            chain.give_back_unused(Some(me))
        })
    }
}

impl<'a> Chain<'a> {
    fn place_in_what_there_is(
        &self,
        pen: &mut Pen,
        extent: u64,
        me: Caller<'_>,
        give_back: &dyn Fn() -> Result<()>,
    ) -> Result<Option<Room<'a>>> {
        give_back()?;
        // Then try the smallest ring that holds the record: the first ring always has memory.
        for size in [ring::suitable_size(extent, 0), extent] {
            match self.place(pen, extent, me) {
                Err(Status::E_NO_MEMORY) => {}
                other => return other,
            }
            if !self.begin_anew(pen, size, extent, me)? {
                return Err(Status::E_NO_MEMORY);
            }
            give_back()?;
        }
        self.place(pen, extent, me)
    }

    /// If no record lies in the tail's ring, continue in an unused ring of `size` bytes, or else in
    /// one that holds `extent` bytes. Return whether the tail has moved. Under the tail lock.
    fn begin_anew(&self, pen: &mut Pen, size: u64, extent: u64, me: Caller<'_>) -> Result<bool> {
        if pen.is_wet() {
            self.publish(pen);
        }
        let _head = self.lock_head_too(me)?;
        // `front` goes past the records at the end that were given up.
        if self.front()?.is_some() || !self.is_drained() {
            return Ok(false);
        }
        let tail = self.words.tail.position();
        let is_held = self.state(tail.ring())?.free.load(Ordering::Relaxed) != tail.at();
        let used = self.linked()? | self.words.behind.lingering.load(Ordering::Relaxed);
        let Some(ring) = self.unused_ring_of(size, extent, used).filter(|_| !is_held) else {
            return Ok(false);
        };
        self.move_to(ring)?;
        *pen = self.words.tail.pen();
        Ok(true)
    }

    /// Give back all memory of the rings in which no record lies, except the first ring. Under the
    /// tail lock. With `Some(me)` each step takes the head lock, so that others get it in between;
    /// with `None` the caller holds the head lock.
    fn give_back_unused(&self, me: Option<Caller<'_>>) -> Result<()> {
        let mut next = Some(self.range().start);
        while let Some(ring) = next {
            let _head = match me {
                Some(me) => Some(self.lock_head_too(me)?),
                None => None,
            };
            next = self.give_back_from(ring)?;
        }
        Ok(())
    }

    /// One step of [`give_back_unused`](Self::give_back_unused), for the rings from `ring` on.
    /// Return the ring at which the next step continues.
    ///
    /// The ring's lingering bit is set while its memory is given back. If the process is killed in
    /// between, the bit stays set and the next caller continues.
    fn give_back_from(&self, ring: usize) -> Result<Option<usize>> {
        let behind = &self.words.behind;
        let linked = self.linked()?;
        let file_size = self.segment.file_size()?;
        for ring in ring..self.range().end {
            let bit = 1 << ring;
            let lingers = behind.lingering.load(Ordering::Relaxed) & bit != 0;
            let state = self.state(ring)?;
            let is_over = state.free.load(Ordering::Relaxed) == state.end.load(Ordering::Relaxed);
            if linked & bit != 0 || lingers && !is_over {
                continue;
            }
            let has = state.allocated.load(Ordering::Relaxed);
            if ring == MESSAGE_RINGS.start {
                behind.lingering.fetch_and(!bit, Ordering::Relaxed);
                continue;
            }
            if has == 0 && self.rings.begins_behind(ring, file_size) {
                continue;
            }
            if !is_over {
                // A producer linked this ring and was killed before the tail's commit: no record
                // lies there.
                let free = state.free.load(Ordering::Relaxed);
                state.end.store(free, Ordering::Relaxed);
            }
            behind.lingering.fetch_or(bit, Ordering::Relaxed);
            if !self.rings.give_back_all(state, ring)? {
                return Ok(Some(ring));
            }
            behind.lingering.fetch_and(!bit, Ordering::Relaxed);
            if has != 0 {
                return Ok(Some(ring + 1));
            }
        }
        Ok(None)
    }
}
