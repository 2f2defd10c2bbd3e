//! The fast path of putting and getting, for the steady state. `lend` does the same for taking and
//! settling.
//!
//! Most calls find the queue as the previous call left it: the lock is free, producers and
//! consumers are in the same ring, there is room by what this side last saw of the other side, and
//! the record at the cursor is a message. If a precondition fails, the fast path returns without
//! side effects, and `put` or `get` runs, which handle every case.

use super::run::Run;
use std::mem::MaybeUninit;
use std::sync::atomic::Ordering;

use super::chain::consumer::Found;
use super::chain::{Chain, Held};
use super::layout::payload::LARGE;
use super::layout::position::Position;
use super::layout::record::{extent_of, State};
use super::view::View;
use crate::sync::owner::Owner;

impl<'a> View<'a> {
    /// Return whether the message was put.
    #[inline(always)]
    pub(super) fn put_fast(&self, data: &[u8], me: Owner) -> bool {
        self.keep_distance_from_consumers(extent_of(data.len() as u64));
        let Some(tail) = self.messages().try_lock_tail(me) else {
            return false;
        };
        if self.put_straight(data).is_none() {
            return false;
        }
        drop(tail);
        self.notify_items(1);
        true
    }

    /// Put a message under the tail lock; `None` if a precondition fails.
    #[inline(always)]
    pub(super) fn put_straight(&self, data: &[u8]) -> Option<()> {
        let mut run = Run::begin(self)?;
        run.put_looking(data)?;
        run.commit();
        Some(())
    }

    /// Return the length of the message that was got.
    #[inline(always)]
    pub(super) fn get_fast(&self, buffer: &mut [MaybeUninit<u8>], me: Owner) -> Option<usize> {
        self.keep_distance_from_producers();
        let head = self.messages().try_lock_head(me)?;
        if self.body.is_joinable() {
            return self.get_joinable(head, buffer, me);
        }
        let len = self.get_straight(buffer)?;
        drop(head);
        self.after_get(1);
        Some(len)
    }

    /// As [`get_fast`](Self::get_fast), for a joinable queue. There a message belongs to its consumer
    /// until it is settled, so it can be copied after the lock is released.
    fn get_joinable(
        &self,
        head: Held<'_>,
        buffer: &mut [MaybeUninit<u8>],
        me: Owner,
    ) -> Option<usize> {
        let chain = self.messages();
        if chain.words.behind.available.load(Ordering::Relaxed) != 0 {
            return None;
        }
        let found = self.ready_at_the_cursor(&chain)?;
        let len = found.len as usize;
        if len > buffer.len() {
            return None;
        }
        self.note_got(&found, me);
        chain.claim(&found, State::Got, me);
        drop(head);
        // The payload has this many bytes: the record was checked.
        found.payload.read(len, buffer).ok()?;
        self.after_get(1);
        Some(len)
    }

    /// Under the head lock: the message at the cursor, if the fast path can take it.
    #[inline(always)]
    fn ready_at_the_cursor(&self, chain: &Chain<'a>) -> Option<Found<'a>> {
        let head = &chain.words.head;
        let cursor = head.cursor();
        let seen = head.seen.count.load(Ordering::Relaxed);
        let found = chain.ready_at(cursor.position, cursor)?;
        let now = head.seen.count.load(Ordering::Relaxed);
        if now != seen {
            let bytes = Position::from_bits(now)
                .at
                .saturating_sub(cursor.position.at);
            self.saw_messages(bytes, found.extent);
        }
        Some(found)
    }

    /// Under the head lock: get a message and return its length. If the process is killed before
    /// the commit, the message stays in the queue.
    #[inline]
    fn get_straight(&self, buffer: &mut [MaybeUninit<u8>]) -> Option<usize> {
        let chain = self.messages();
        if chain.words.behind.available.load(Ordering::Relaxed) != 0 {
            return None;
        }
        let found = self.ready_at_the_cursor(&chain)?;
        // Check this first, since no step may fail after the message is consumed.
        chain.state(found.position.ring).ok()?;
        let len = found.len as usize;
        if len > LARGE || !found.payload.read(len, buffer).ok()? {
            return None;
        }
        chain.consume(&found).ok()?;
        Some(len)
    }
}
