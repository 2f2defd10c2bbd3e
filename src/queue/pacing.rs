//! How a call delays its looks at the other side, and how it waits for room before the queue grows.

use std::sync::atomic::Ordering;

use super::layout::cursor::{Position, Totals};
use super::layout::ring;
use super::view::View;
use crate::pace::pressure::{expected_ns, Hurry};
use crate::pace::{COMFORTABLE, PART};

impl View<'_> {
    /// Before a put of a record of `extent` bytes: if it will look at the head, delay that look.
    #[inline]
    pub(super) fn keep_distance_from_consumers(&self, extent: u64) {
        if self.pacing.from_consumers.is_on() {
            self.wait_for_consumers(extent);
        }
    }

    #[cold]
    #[inline(never)]
    fn wait_for_consumers(self, extent: u64) {
        if self.is_full_as_seen(extent) {
            self.pacing.from_consumers.pass();
        }
    }

    /// Report whether a put of a record of `extent` bytes has to look at the head, and that look is
    /// to be delayed, which takes a caller without the lock.
    pub(super) fn delays_look_at_consumers(&self, extent: u64) -> bool {
        self.pacing.from_consumers.is_on() && self.is_full_as_seen(extent)
    }

    fn is_full_as_seen(&self, extent: u64) -> bool {
        let tail = &self.body.messages.tail;
        let seen = &tail.seen;
        let count = seen.count.load(Ordering::Relaxed);
        let bytes = seen.bytes.load(Ordering::Relaxed);
        self.body.room(&tail.cursor().totals, extent, count, bytes) == 0
    }

    /// Learn from a look at the head: there is room for `bytes` bytes, in records of `extent`
    /// bytes.
    #[inline]
    pub(super) fn saw_room(&self, bytes: u64, extent: u64) {
        let capacity = || self.capacity(extent);
        self.pacing.from_consumers.learn(bytes, extent, capacity);
    }

    /// Before a get: if it will look at the tail, delay that look.
    #[inline]
    pub(super) fn keep_distance_from_producers(&self) {
        if self.pacing.from_producers.is_on() {
            self.wait_for_producers();
        }
    }

    #[cold]
    #[inline(never)]
    fn wait_for_producers(self) {
        let head = &self.body.messages.head;
        let tail = Position::from_bits(head.seen.count.load(Ordering::Relaxed));
        if head.position().bytes_to(tail).is_none() {
            self.pacing.from_producers.pass();
        }
    }

    /// Learn from a look at the tail: `bytes` bytes of messages wait, in records of `extent` bytes.
    /// By value, so that the view of a call without such a look can stay in registers.
    #[inline(never)]
    pub(super) fn saw_messages(self, bytes: u64, extent: u64) {
        let capacity = || self.capacity(extent);
        self.pacing.from_producers.learn(bytes, extent, capacity);
    }

    /// Learn from a look at the tail that found no message.
    pub(super) fn saw_no_message(&self) {
        self.pacing.from_producers.saw_nothing();
    }

    /// How many records of `extent` bytes the limits admit in an empty queue.
    pub(super) fn capacity(&self, extent: u64) -> u64 {
        self.body.room(&Totals::default(), extent, 0, 0)
    }

    /// The ring is full: wait for active consumers to make room in it for a record of `extent`
    /// bytes. Return whether they did so before linking another ring would have been cheaper. There
    /// is no reason to sleep, since the queue may grow.
    #[cold]
    #[inline(never)]
    pub(super) fn consumers_make_room(&self, extent: u64, hurry: Hurry) -> bool {
        let chain = self.messages();
        let (ring, at) = chain.words.tail.position().parts();
        let size = ring::size(ring);
        let Ok(state) = chain.state(ring) else {
            return false;
        };
        // The record may not fit into the rest of the ring; then that rest becomes padding.
        let left = size - (at & (size - 1));
        let padding = if extent > left { left } else { 0 };
        let enough = (at + padding + extent).saturating_sub(size);
        let expected = expected_ns(extent);
        let found = || match state.free.load(Ordering::Acquire).checked_sub(enough) {
            Some(more) => 1 + more / extent,
            None => 0,
        };
        let comfortable = (size / extent / PART).clamp(1, COMFORTABLE);
        let pressure = &self.pacing.pressure;
        2 * extent <= size && pressure.wait(expected, hurry.most_ns(expected), comfortable, found)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Queue, QueueOptions, Status};

    /// After a fast stream each look for a message in the empty queue took up to 38 us, for ever.
    #[test]
    fn looks_at_an_empty_queue_end_the_delays() {
        let queue = Queue::create(None, &QueueOptions::default()).unwrap();
        let looks: [&dyn Fn() -> Status; 3] = [
            &|| queue.try_get().unwrap_err(),
            &|| queue.try_take().map(drop).unwrap_err(),
            &|| queue.try_take_many(8).map(drop).unwrap_err(),
        ];
        for look in looks {
            let delay = &queue.pacing.from_producers;
            while !delay.is_on() {
                delay.learn(16, 16, || 4096);
            }
            for _ in 0..8 {
                delay.learn(16 * 40, 16, || 4096);
            }
            let mut count = 0;
            while delay.is_on() {
                assert_eq!(look(), Status::E_EMPTY);
                count += 1;
                assert!(count <= 10, "it does not end");
            }
            assert!(count > 1, "one empty look is no proof");
        }
    }
}
