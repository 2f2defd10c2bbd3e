//! Putting and getting in the steady state: straight through, without waiting. `lend` does the same for
//! messages that are taken and settled.
//!
//! Most calls find everything as the one before left it: the lock is free, producers and consumers are in
//! the same ring, there is room by what this side last saw of the other, the record at the cursor is a
//! message. What is not like that is left, with nothing done, to `put` and `get`, which know all cases.

use super::run::Run;
use std::mem::MaybeUninit;
use std::sync::atomic::Ordering;

use super::chain::consumer::Found;
use super::chain::{Chain, Held};
use super::get::Got;
use super::layout::payload::LARGE;
use super::layout::position::Position;
use super::layout::record::{extent_of, State};
use super::view::View;
use super::Queue;
use crate::status::Result;
use crate::sync::owner::Owner;

impl Queue {
    /// Put a message if that is simple; false leaves it to [`put`](Self::put), which also says what is
    /// wrong.
    ///
    /// # Errors
    /// Those of `put`.
    #[inline]
    pub(crate) fn put_now(&self, data: &[u8]) -> Result<bool> {
        Ok(self.at()?.put_now(data, self.segment.me()?))
    }

    /// Get the first message if that is simple; `None` leaves it to [`get`](Self::get), which also says
    /// what is wrong.
    ///
    /// # Errors
    /// Those of `get`.
    #[inline]
    pub(crate) fn get_now(&self, buffer: &mut [MaybeUninit<u8>]) -> Result<Option<Got>> {
        let me = self.segment.me()?;
        self.segment.reap_now_and_then(me)?;
        Ok(self.at()?.get_now(buffer, me).map(Got::Message))
    }
}

impl<'a> View<'a> {
    /// Whether the message was put.
    #[inline(always)]
    pub(super) fn put_now(&self, data: &[u8], me: Owner) -> bool {
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

    /// Under the tail lock.
    #[inline(always)]
    pub(super) fn put_straight(&self, data: &[u8]) -> Option<()> {
        let mut run = Run::begin(self)?;
        run.put_looking(data)?;
        run.commit();
        Some(())
    }

    /// The length of the message that was got.
    #[inline(always)]
    pub(super) fn get_now(&self, buffer: &mut [MaybeUninit<u8>], me: Owner) -> Option<usize> {
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

    /// The same where a message stays its consumer's until it is settled: so it can be copied after the lock
    /// was given back.
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
        // It has the room: the record was checked.
        found.payload.read(len, buffer).ok()?;
        self.after_get(1);
        Some(len)
    }

    /// Under the head lock: the message at the cursor if that is simple.
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

    /// Under the head lock: the length of the message. Killed before the commit: it stays.
    #[inline]
    fn get_straight(&self, buffer: &mut [MaybeUninit<u8>]) -> Option<usize> {
        let chain = self.messages();
        if chain.words.behind.available.load(Ordering::Relaxed) != 0 {
            return None;
        }
        let found = self.ready_at_the_cursor(&chain)?;
        // Nothing may fail any more once the message is taken.
        chain.state(found.position.ring).ok()?;
        let len = found.len as usize;
        if len > LARGE || !found.payload.read(len, buffer).ok()? {
            return None;
        }
        chain.consume(&found).ok()?;
        Some(len)
    }
}
