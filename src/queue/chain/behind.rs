//! Records behind the head's cursor that are not over: messages in flight, returned messages,
//! reservations that the consumers went past, and the rings that these records pin. Every function
//! here needs the head lock.

use std::sync::atomic::Ordering;

use super::checked::{settled_already, Checked};
use super::Chain;
use crate::queue::layout::cursor::Position;
use crate::queue::layout::record::State;
use crate::queue::layout::ring;
use crate::queue::layout::ring::{LARGE_RING, OPEN_END, RINGS};
use crate::status::{Result, Status};
use crate::sync::owner::Owner;

impl<'a> Chain<'a> {
    /// The rings behind and at the cursor, in the order of their records. Each comes with the place
    /// before which it is free and the place up to which it is behind the cursor.
    pub(crate) fn rings_behind(&self) -> Result<impl Iterator<Item = (usize, u64, u64)>> {
        let head = self.words.head.position();
        let lingering = self.words.behind.lingering.load(Ordering::Relaxed);
        let mut rings = [(0, 0, 0); RINGS];
        let mut count = 0;
        for ring in self.range() {
            let is_lingering = lingering & (1 << ring) != 0;
            if ring != head.ring() && !is_lingering {
                continue;
            }
            let state = self.state(ring)?;
            let free = state.free.load(Ordering::Relaxed);
            let limit = if ring == head.ring() {
                head.at()
            } else {
                state.end.load(Ordering::Relaxed)
            };
            if free > limit || limit - free > ring::size(ring) || limit == OPEN_END {
                return Err(Status::E_CORRUPT);
            }
            if let Some(place) = rings.get_mut(count) {
                *place = (ring, free, limit);
                count += 1;
            }
        }
        if let Some(rings) = rings.get_mut(..count) {
            rings.sort_unstable_by_key(|(_, free, _)| *free);
        }
        Ok(rings.into_iter().take(count))
    }

    /// Call `each` for every record behind the cursor that may not be over, in order, until `each`
    /// returns true.
    pub(crate) fn find_behind(
        &self,
        each: impl FnMut(Position, &Checked<'a>) -> Result<bool>,
    ) -> Result<Option<(Position, Checked<'a>)>> {
        self.find_behind_from(0, each)
    }

    /// As [`find_behind`](Self::find_behind), but begin at the place `from`: records before it are
    /// skipped.
    pub(crate) fn find_behind_from(
        &self,
        from: u64,
        mut each: impl FnMut(Position, &Checked<'a>) -> Result<bool>,
    ) -> Result<Option<(Position, Checked<'a>)>> {
        for (ring, free, limit) in self.rings_behind()? {
            // `from` is the place of a record, since this process remembered it. In every other
            // ring the scan begins at the first record that is not free.
            let mut at = if (free..limit).contains(&from) {
                from
            } else {
                free
            };
            if limit <= from {
                continue;
            }
            while at < limit {
                let position = Position::new(ring, at);
                let checked = self.checked(position, limit)?;
                at += checked.extent;
                if each(position, &checked)? {
                    return Ok(Some((position, checked)));
                }
            }
        }
        Ok(None)
    }

    /// The first returned message.
    pub(crate) fn first_returned(&self) -> Result<Option<(Position, Checked<'a>)>> {
        self.find_behind(|_, checked| Ok(checked.state == State::Returned))
    }

    /// The record of a ticket that a user holds. It must lie behind the cursor in a ring that is in
    /// use.
    pub(crate) fn ticket(&self, position: Position) -> Result<Checked<'a>> {
        let head = self.words.head.position();
        let state = self.state(position.ring()).map_err(|_| settled_already())?;
        let is_lingering =
            self.words.behind.lingering.load(Ordering::Relaxed) & (1 << position.ring()) != 0;
        let limit = match position.ring() == head.ring() {
            true => head.at(),
            false if is_lingering => state.end.load(Ordering::Relaxed),
            false => return Err(settled_already()),
        };
        if position.at() < state.free.load(Ordering::Relaxed) || position.at() >= limit {
            return Err(settled_already());
        }
        self.checked(position, limit).map_err(|_| settled_already())
    }

    /// The record of a ticket, if `me` has the message in flight.
    pub(crate) fn own(&self, position: Position, me: Owner) -> Result<Checked<'a>> {
        let checked = self.ticket(position)?;
        if !checked.state.is_in_flight() {
            return Err(settled_already());
        }
        if checked.word.owner() != Some(me) {
            return Err(Status::E_NOT_OWNER);
        }
        Ok(checked)
    }

    /// Free the records at the beginning of a ring that are over, up to the cursor.
    ///
    /// If the process is killed before the store to `free`, the next call walks the same records
    /// again.
    pub(crate) fn free_behind(&self, ring: usize) -> Result<()> {
        let head = self.words.head.position();
        let state = self.state(ring)?;
        let limit = if ring == head.ring() {
            head.at()
        } else {
            state.end.load(Ordering::Relaxed)
        };
        let free = state.free.load(Ordering::Relaxed);
        if limit == OPEN_END || free > limit {
            return Err(Status::E_CORRUPT);
        }
        let at = self.free_over(ring, state, free, free, limit)?;
        if ring != head.ring() && at == limit {
            self.give_back_rings(LARGE_RING)?;
        }
        Ok(())
    }

    /// Free the records of a ring from `free` on that are over, up to `limit`. Those before `at`
    /// are known to be over. Return the place before which the ring is free now.
    ///
    /// # Errors
    /// `E_CORRUPT` if the walk ends at a damaged record. The records before it are freed.
    #[inline(always)]
    pub(crate) fn free_over(
        &self,
        ring: usize,
        state: &ring::RingState,
        free: u64,
        mut at: u64,
        limit: u64,
    ) -> Result<u64> {
        let mut walked = Ok(());
        while at < limit {
            match self.checked(Position::new(ring, at), limit) {
                Ok(checked) if checked.state.is_over() => at += checked.extent,
                Ok(_) => break,
                Err(status) => {
                    walked = Err(status);
                    break;
                }
            }
        }
        if at != free {
            // Release, pairs with the Acquire of a producer that writes there next.
            state.free.store(at, Ordering::Release);
        }
        walked.map(|()| at)
    }

    /// Give back one step of the memory of rings that nobody needs and that have at least `least`
    /// bytes. Return true if more is left to give back.
    pub(crate) fn give_back_rings(&self, least: u64) -> Result<bool> {
        let behind = &self.words.behind;
        let lingering = behind.lingering.load(Ordering::Relaxed);
        let head = self.words.head.position().ring();
        for ring in self.range() {
            if lingering & (1 << ring) == 0 || ring == head || ring::size(ring) < least {
                continue;
            }
            let state = self.state(ring)?;
            if state.free.load(Ordering::Relaxed) != state.end.load(Ordering::Relaxed) {
                continue;
            }
            if !self.rings.give_back(state, ring)? {
                return Ok(true);
            }
            behind.lingering.fetch_and(!(1 << ring), Ordering::Relaxed);
        }
        Ok(false)
    }

    /// Count the records behind the cursor anew, and free those that are over. Used after a holder
    /// of the lock has died.
    pub(crate) fn count_behind(&self) -> Result<()> {
        let (mut available, mut in_flight, mut passed, mut bytes) = (0, 0, 0, 0);
        self.find_behind(|_, checked| {
            match checked.state {
                State::Returned => available += 1,
                State::Passed => passed += 1,
                state if state.is_in_flight() => in_flight += 1,
                _ => {}
            }
            if !checked.state.is_over() {
                bytes += checked.extent;
            }
            Ok(false)
        })?;
        let behind = &self.words.behind;
        behind.available.store(available, Ordering::Release);
        behind.in_flight.store(in_flight, Ordering::Release);
        behind.passed.store(passed, Ordering::Release);
        behind.bytes.store(bytes, Ordering::Release);
        let rings: Vec<_> = self.rings_behind()?.map(|(ring, ..)| ring).collect();
        for ring in rings {
            self.free_behind(ring)?;
        }
        Ok(())
    }

    /// Walk the records ahead of the cursor, in order, until `each` returns true. Needs both locks;
    /// with the head lock alone the walk covers the records that were committed when it began.
    pub(crate) fn walk_ahead(&self, mut each: impl FnMut(&Checked<'a>) -> bool) -> Result<()> {
        self.rings_ahead(|ring, from, limit| {
            let mut position = Position::new(ring, from);
            while position.at() < limit {
                let checked = self.checked(position, limit)?;
                if each(&checked) {
                    return Ok(true);
                }
                position = position.forward(checked.extent);
            }
            Ok(false)
        })
    }

    /// Call `each` for the rings at and ahead of the cursor, in the order of their records, with
    /// the places from which and up to which their records lie ahead, until it returns true. The
    /// locks are those of [`walk_ahead`](Self::walk_ahead).
    pub(crate) fn rings_ahead(
        &self,
        mut each: impl FnMut(usize, u64, u64) -> Result<bool>,
    ) -> Result<()> {
        let tail = self.words.tail.position();
        let (mut ring, mut from) = self.words.head.position().parts();
        for _ in 0..RINGS {
            let state = self.state(ring)?;
            let is_last = ring == tail.ring();
            let limit = if is_last {
                tail.at()
            } else {
                state.end.load(Ordering::Acquire)
            };
            if from > limit || limit - from > ring::size(ring) {
                return Err(Status::E_CORRUPT);
            }
            if each(ring, from, limit)? || is_last {
                return Ok(());
            }
            ring = state.next.load(Ordering::Acquire) as usize;
            from = self.state(ring)?.start.load(Ordering::Acquire);
        }
        Err(Status::E_CORRUPT)
    }
}
