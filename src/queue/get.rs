//! Getting messages: the payload is copied out.

use std::mem::MaybeUninit;

use super::chain::consumer::Found;
use super::chain::Held;
use super::layout::record::{State, LARGE};
use super::view::View;
use super::Queue;
use crate::status::{Result, Status};
use crate::sync::lock_wait::{Caller, LockWait};
use crate::sync::owner::Owner;
use crate::sync::wait::{LazyWait, Patience, Wait};

/// The result of a get into a buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Got {
    /// A message of this length was copied.
    Message(usize),
    /// The buffer is too small. The message stays first in line and needs this many bytes.
    TooSmall(usize),
}

impl Queue {
    /// Get the first message, waiting while there is none.
    ///
    /// On a joinable queue the message stays unfinished until `task_done`.
    ///
    /// # Errors
    /// `E_EMPTY`, `E_SHUTDOWN` (and no message is left), `E_CANCELED`, `E_CLOSED`, `E_INTERRUPTED`:
    /// no message was got. `E_TIMEOUT`: no message was got, and a process that is stopped within a
    /// call kept this one from seeing whether there is a message.
    #[doc(hidden)]
    #[inline]
    pub fn get_raw(&self, buffer: &mut [MaybeUninit<u8>], wait: impl LazyWait) -> Result<Got> {
        let me = self.segment.me()?;
        self.segment.reap_now_and_then(me)?;
        match self.get_fast(buffer, me)? {
            Some(got) => Ok(got),
            None => wait.begin(|wait| self.get_slow(buffer, wait)),
        }
    }

    /// The fast path of a get, if the lock is free; `None` if there is no message or the lock is not
    /// free.
    #[inline(always)]
    fn get_fast(&self, buffer: &mut [MaybeUninit<u8>], me: Owner) -> Result<Option<Got>> {
        let queue = self.at()?;
        queue.keep_distance_from_producers();
        let Some(head) = queue.messages().try_lock_head(me) else {
            return Ok(None);
        };
        match queue.ready() {
            Some(found) => queue.get_found(head, &found, buffer, me).map(Some),
            None => self.at()?.get_otherwise(head, buffer, me),
        }
    }

    /// The rest of [`get_raw`](Self::get_raw), for every case that the fast path does not handle.
    #[cold]
    fn get_slow(&self, buffer: &mut [MaybeUninit<u8>], wait: Wait<'_>) -> Result<Got> {
        let queue = self.at()?;
        let mut patience = Patience::new(&wait);
        let locks = LockWait::until(&mut patience);
        let me = Caller::new(self.segment.me()?, &locks);
        let got = queue.until_item(&mut patience, me, || queue.try_get(buffer, me));
        self.tell_empty(got)
    }
}

/// A get that timed out found the queue empty.
fn empty_in_time(status: Status) -> Status {
    match status {
        Status::E_TIMEOUT => Status::E_EMPTY,
        other => other,
    }
}

impl<'a> View<'a> {
    /// Repeat `attempt` until there is a message, the stream has ended, or the wait is over.
    #[inline]
    pub(super) fn until_item<T>(
        &self,
        patience: &mut Patience<'_>,
        me: Caller<'_>,
        mut attempt: impl FnMut() -> Result<Option<T>>,
    ) -> Result<T> {
        let mut attempt = || match attempt() {
            // The lock was not free in time. An empty queue is recognized without it.
            Err(Status::E_TIMEOUT) if !self.may_have_items() => Ok(None),
            other => other,
        };
        loop {
            // Read this before the attempt: once the stream has ended, no message can be put any
            // more.
            let has_ended = self.has_ended();
            if let Some(done) = attempt()? {
                return Ok(done);
            }
            if has_ended {
                // Reap the dead first: a message that a dead consumer had in flight comes back and
                // can still be got.
                self.segment.reap(me.owner)?;
                let last = attempt()?;
                if last.is_none() {
                    // The stream has ended, and no consumer will wait for messages any more: give
                    // memory back now.
                    self.shrink(me.owner)?;
                    self.tidy(me.owner)?;
                }
                return last.ok_or(Status::E_SHUTDOWN);
            }
            self.shrink(me.owner)?;
            if patience.is_try() {
                self.segment.look_around_soon();
                self.tidy(me.owner)?;
                self.segment.reap(me.owner)?;
                // If the last attempt went past reservations that were given up, the stream may
                // have ended.
                let otherwise = match self.has_ended() {
                    true => Status::E_SHUTDOWN,
                    false => Status::E_EMPTY,
                };
                return attempt()?.ok_or(otherwise);
            }
            let waited = self.wait_for_items(me.owner, patience);
            if let Err(status) = waited {
                self.tidy(me.owner)?;
                return match attempt()? {
                    Some(done) => Ok(done),
                    None => Err(empty_in_time(status)),
                };
            }
        }
    }

    fn try_get(&self, buffer: &mut [MaybeUninit<u8>], me: Caller<'_>) -> Result<Option<Got>> {
        self.segment.reap_now_and_then(me.owner)?;
        self.keep_distance_from_producers();
        let head = self.messages().lock_head(me)?;
        // A look of a call that waits teaches the calls that do not wait, too.
        match self.ready() {
            Some(found) => self.get_found(head, &found, buffer, me.owner).map(Some),
            None => self.get_otherwise(head, buffer, me.owner),
        }
    }

    /// Under the head lock, which this releases: get the first message in every case that is not
    /// the usual one.
    #[cold]
    #[inline(never)]
    fn get_otherwise(
        self,
        head: Held<'a>,
        buffer: &mut [MaybeUninit<u8>],
        me: Owner,
    ) -> Result<Option<Got>> {
        match self.messages().front()? {
            Some(found) => self.get_found(head, &found, buffer, me).map(Some),
            None => Ok(None),
        }
    }

    #[inline(always)]
    fn get_found(
        &self,
        head: Held<'a>,
        found: &Found<'a>,
        buffer: &mut [MaybeUninit<u8>],
        me: Owner,
    ) -> Result<Got> {
        let len = found.len as usize;
        if len > buffer.len() {
            return Ok(Got::TooSmall(len));
        }
        if self.body.is_joinable() || len > LARGE {
            self.get_outside(head, *found, len, buffer, me)?;
        } else {
            // The message is over when the cursor moves, which is after the copy. If the process is
            // killed before that, the message stays in the queue.
            found.payload.read(len, buffer)?;
            self.messages().consume(found)?;
            self.segment.count_got(&self.words.accounts, 1);
            head.release();
        }
        self.after_get(1);
        Ok(Got::Message(len))
    }

    /// Copy outside of the lock, so that other consumers go on meanwhile. The message comes back if
    /// this process dies: on a joinable queue until it is settled, else until it is copied.
    #[inline(never)]
    fn get_outside(
        self,
        head: Held<'a>,
        found: Found<'a>,
        len: usize,
        buffer: &mut [MaybeUninit<u8>],
        me: Owner,
    ) -> Result<()> {
        let chain = self.messages();
        if self.body.is_joinable() {
            self.note_got(&found, me);
            chain.claim(&found, State::Got, me);
            self.segment.count_got(&self.words.accounts, 1);
            drop(head);
            found.payload.read(len, buffer)?;
            return Ok(());
        }
        chain.claim(&found, State::Taken, me);
        self.segment.count_got(&self.words.accounts, 1);
        drop(head);
        found.payload.read(len, buffer)?;
        self.settle(found.position, Caller::new(me, &LockWait::brief()))
    }

    /// Under the head lock: the first message in the usual case, see `Chain::ready`. Learn from a
    /// look at the tail, if there is one.
    #[inline(always)]
    pub(super) fn ready(&self) -> Option<Found<'a>> {
        self.messages()
            .ready(|ahead, extent| self.saw_messages(ahead, extent))
    }
}
