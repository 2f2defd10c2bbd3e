//! In which ring the producers go on when they leave one: a larger one for a backlog, a smaller one
//! when the backlog is gone. Every function here needs the tail lock.

use std::cell::OnceCell;
use std::sync::atomic::Ordering;

use super::producer::Room;
use super::Chain;
use crate::queue::layout::cursor::{Limits, Pen, Position};
use crate::queue::layout::ring;
use crate::queue::layout::ring::OPEN_END;
use crate::status::detail::because;
use crate::status::{Result, Status};
use crate::sync::lock_wait::Caller;
use crate::sys::memory;

/// The ring in which the producers go on.
pub(super) struct Choice {
    /// The size that suits.
    size: u64,
    /// A ring of that size in which no record lies any more, and which has memory.
    drained: Option<usize>,
    /// The rings in use, as bits. The other rings stay unused while the tail lock is held.
    used: u64,
}

impl<'a> Chain<'a> {
    /// Link a ring that suits the backlog, and find room for the record there.
    #[cold]
    pub(super) fn place_in_new_ring(
        &self,
        pen: &mut Pen,
        extent: u64,
        me: Caller<'_>,
    ) -> Result<Option<Room<'a>>> {
        if pen.is_wet() {
            self.publish(pen);
        }
        let choice = self.choose_ring(pen, extent, u64::MAX, me)?;
        let ring = match choice.drained {
            Some(ring) => ring,
            None => match self.unused_ring_for(&choice, extent)? {
                Some(ring) => ring,
                None => return Ok(None),
            },
        };
        self.place_at_start(pen, ring, extent).map(Some)
    }

    /// At the end of a round, or before the ring needs more memory: if a smaller ring holds the
    /// backlog, go on there. A small ring stays in the caches. A large one is written and read once
    /// a round, each time from memory.
    ///
    /// `None` if the ring suits, or if a smaller one is not to be had now.
    #[cold]
    pub(super) fn place_in_smaller_ring(
        &self,
        pen: &mut Pen,
        extent: u64,
        me: Caller<'_>,
    ) -> Result<Option<Room<'a>>> {
        let size = ring::size(pen.position.ring());
        let largest = &self.state(pen.position.ring())?.largest;
        let largest = largest.load(Ordering::Relaxed).max(extent);
        let backlog = pen.totals.bytes.saturating_sub(self.consumed().bytes);
        if ring::suitable_size(largest, backlog) >= size {
            return Ok(None);
        }
        if pen.is_wet() {
            self.publish(pen);
        }
        let choice = match self.choose_ring(pen, largest, size, me) {
            // Consumers have the lock. The next round tries again.
            Err(Status::E_TIMEOUT) => return Ok(None),
            other => other?,
        };
        let Some(ring) = self.smaller_ring(&choice, size) else {
            return Ok(None);
        };
        match self.rings.ensure(self.state(ring)?, ring, extent) {
            Ok(()) => self.place_at_start(pen, ring, extent).map(Some),
            Err(Status::E_NO_MEMORY) => Ok(None),
            Err(status) => Err(status),
        }
    }

    /// The ring that was chosen, if it has less than `below` bytes.
    pub(super) fn smaller_ring(&self, choice: &Choice, below: u64) -> Option<usize> {
        let unused = || self.unused_ring_of(choice.size, choice.size, choice.used);
        let chosen = choice.drained.or_else(unused);
        chosen.filter(|ring| ring::size(*ring) < below)
    }

    /// Continue in an unused ring with memory, and find room for the record at its start.
    ///
    /// If the process is killed before the tail's commit, the tail is still in the old ring, so
    /// nobody reads the links that were written, and the next producer writes them again.
    fn place_at_start(&self, pen: &mut Pen, ring: usize, extent: u64) -> Result<Room<'a>> {
        let state = self.state(ring)?;
        let start = pen.position.at().next_multiple_of(ring::size(ring));
        self.link(pen.position, ring, start)?;
        self.put_down(pen, state, Position::new(ring, start), extent)
    }

    /// Make `ring` the successor of the tail's ring. This takes effect with the tail's commit
    /// there.
    pub(super) fn link(&self, tail: Position, ring: usize, start: u64) -> Result<()> {
        let next = self.state(ring)?;
        next.start.store(start, Ordering::Relaxed);
        next.free.store(start, Ordering::Relaxed);
        next.end.store(OPEN_END, Ordering::Relaxed);
        next.largest.store(0, Ordering::Relaxed);
        let last = self.state(tail.ring())?;
        last.next.store(ring as u32, Ordering::Relaxed);
        last.end.store(tail.at(), Ordering::Relaxed);
        self.words.tail.seen.free.store(0, Ordering::Relaxed);
        self.words.tail.limits.store(Limits::default());
        Ok(())
    }

    /// Choose a ring that suits the backlog behind the pen and records of `extent` bytes. A drained
    /// ring is chosen only if it has less than `below` bytes.
    fn choose_ring(&self, pen: &Pen, extent: u64, below: u64, me: Caller<'_>) -> Result<Choice> {
        let _head = self.lock_head_too(me)?;
        let consumed = self.words.head.cursor().totals.bytes;
        let waiting = pen.totals.bytes.saturating_sub(consumed);
        let held = self.words.behind.bytes.load(Ordering::Relaxed);
        let size = ring::suitable_size(extent, waiting.saturating_add(held));
        self.choose_ring_of(size, extent, below)
    }

    /// As [`choose_ring`](Self::choose_ring), for a size that is known. Under both locks.
    ///
    /// A drained ring of that size comes first: it has memory, which was in use a moment ago. If
    /// the process is killed before the tail's commit, that ring keeps its memory until it is used
    /// again or memory is short.
    pub(super) fn choose_ring_of(&self, size: u64, extent: u64, below: u64) -> Result<Choice> {
        let behind = &self.words.behind;
        let lingering = behind.lingering.load(Ordering::Relaxed);
        let linked = self.linked()?;
        let mut drained = None;
        let suits = |ring: &usize| ring::size(*ring) == size && size < below;
        for ring in self.range().filter(suits) {
            let state = self.state(ring)?;
            let lingers = lingering & !linked & (1 << ring) != 0;
            let is_drained =
                state.free.load(Ordering::Relaxed) == state.end.load(Ordering::Relaxed);
            if lingers && is_drained && state.allocated.load(Ordering::Relaxed) >= extent {
                behind.lingering.fetch_and(!(1 << ring), Ordering::Relaxed);
                drained = Some(ring);
                break;
            }
        }
        Ok(Choice {
            size,
            used: linked | lingering,
            drained,
        })
    }

    /// An unused ring, with memory for `extent` bytes; `None` if there is none.
    fn unused_ring_for(&self, choice: &Choice, extent: u64) -> Result<Option<usize>> {
        let Some(suitable) = self.unused_ring_of(choice.size, extent, choice.used) else {
            // Unused rings exist, but they lie beyond the largest size that the file may have.
            return match memory::file_limit() {
                u64::MAX => Ok(None),
                limit => Err(because!(
                    E_NO_MEMORY,
                    "the queue would need a file longer than RLIMIT_FSIZE, {limit} bytes"
                )),
            };
        };
        match self.rings.ensure(self.state(suitable)?, suitable, extent) {
            Ok(()) => Ok(Some(suitable)),
            Err(Status::E_NO_MEMORY) => self.unused_ring_with_memory(extent, choice.used).map(Some),
            Err(status) => Err(status),
        }
    }

    /// The smallest unused ring that has memory for `extent` bytes.
    fn unused_ring_with_memory(&self, extent: u64, used: u64) -> Result<usize> {
        for ring in self.range().filter(|ring| used & (1 << ring) == 0) {
            if self.state(ring)?.allocated.load(Ordering::Relaxed) >= extent {
                return Ok(ring);
            }
        }
        Err(Status::E_NO_MEMORY)
    }

    /// The largest size that the file may have, by the limits of this process.
    fn longest_file(&self) -> u64 {
        match memory::file_limit() {
            u64::MAX => u64::MAX,
            limit => limit.max(self.segment.file_size().unwrap_or(0)),
        }
    }

    /// The smallest unused ring of at least `size` bytes, or else the largest one that holds
    /// `extent` bytes.
    pub(super) fn unused_ring_of(&self, size: u64, extent: u64, used: u64) -> Option<usize> {
        // A ring that crosses the largest size of the file would run out of memory early, so it is
        // left out. A ring that has all its memory exists already, and the kernel need not be
        // asked.
        let limit = OnceCell::new();
        let longest = || *limit.get_or_init(|| self.longest_file());
        let has_all = |ring: usize| {
            let state = self.state(ring);
            state.is_ok_and(|state| state.allocated.load(Ordering::Relaxed) >= ring::size(ring))
        };
        let unused = || {
            let unused = self.range().filter(|ring| used & (1 << ring) == 0);
            unused.filter(|ring| has_all(*ring) || self.rings.ends_within(*ring, longest()))
        };
        // The rings are ordered by size.
        let suitable = unused().find(|ring| ring::size(*ring) >= size);
        suitable.or_else(|| {
            unused()
                .filter(|ring| ring::size(*ring) >= extent)
                .max_by_key(|ring| ring::size(*ring))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use crate::queue::layout::ring;
    use crate::{Queue, QueueOptions};

    static LONG: [u8; 40_000] = [1; 40_000];

    /// A queue that has grown to a ring of 4 MiB, of whose messages so many are left.
    fn grown(left: usize) -> Queue {
        let queue = Queue::create(None, &QueueOptions::default()).unwrap();
        (0..36 + left).for_each(|_| queue.put(&LONG).unwrap());
        (0..36).for_each(|_| drop(queue.get().unwrap()));
        assert_eq!(size(&queue), 4 << 20);
        queue
    }

    fn size(queue: &Queue) -> u64 {
        ring::size(queue.at().messages().words.tail.position().ring())
    }

    /// A queue whose consumer had lost its core for a moment stayed in its large ring for ever, out
    /// of the caches, if the next message was always there before the consumer looked.
    #[test]
    fn a_stream_leaves_a_large_ring_although_the_queue_is_never_empty() {
        let queue = grown(0);
        queue.put(b"not empty").unwrap();
        let mut left = None;
        for round in 0..200 {
            queue.put(&LONG).unwrap();
            queue.get().unwrap();
            if size(&queue) == 256 << 10 {
                left = left.or(Some(round));
            }
        }
        // The 26 records that fit into the memory that the ring has, one of which `grown` put.
        assert_eq!(left, Some(25));
        assert_eq!(size(&queue), 256 << 10);
        // The drained ring is in use again, and lingers no more.
        let view = queue.at();
        let words = view.messages().words;
        let lingering = words.behind.lingering.load(Ordering::Relaxed);
        assert_eq!(lingering & 1 << words.head.position().ring(), 0);
        for _ in 0..2 {
            (0..36).for_each(|_| queue.put(&LONG).unwrap());
            (0..37).for_each(|_| drop(queue.get().unwrap()));
            queue.put(b"not empty").unwrap();
            for _ in 0..200 {
                queue.put(&LONG).unwrap();
                queue.get().unwrap();
            }
            assert_eq!(size(&queue), 256 << 10, "again");
        }
    }

    /// Drained rings lingered until the next lull, and an empty queue chose its small ring among
    /// the others: after two bursts there was none.
    #[test]
    fn a_queue_that_shrinks_uses_its_drained_rings_again() {
        let queue = Queue::create(None, &QueueOptions::default()).unwrap();
        let me = queue.segment.me().unwrap();
        for burst in 0..5 {
            (0..36).for_each(|_| queue.put(&LONG).unwrap());
            (0..36).for_each(|_| drop(queue.get().unwrap()));
            queue.at().shrink(me).unwrap();
            assert_eq!(size(&queue), 256 << 10, "{burst}");
        }
    }

    #[test]
    fn a_stream_with_a_backlog_stays_in_its_large_ring() {
        let queue = grown(30);
        for _ in 0..200 {
            queue.put(&LONG).unwrap();
            queue.get().unwrap();
            assert_eq!(size(&queue), 4 << 20);
        }
    }
}
