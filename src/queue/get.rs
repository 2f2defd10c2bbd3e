//! Getting messages: the payload is copied out.

use std::mem::MaybeUninit;

use super::chain::consumer::Found;
use super::chain::{Chain, Held};
use super::layout::body::Words;
use super::layout::record::{State, LARGE};
use super::view::View;
use super::Queue;
use crate::segment::Segment;
use crate::status::{Result, Status};
use crate::sync::lock_wait::{Caller, LockWait};
use crate::sync::owner::Owner;
use crate::sync::wait::{LazyWait, Patience, Wait};

/// The lines of a message are taken over if the message has at least so many bytes. Of a shorter
/// message only the first line is taken over, by the store to the record's word: the next records
/// are written while the message is read, partly in the same lines.
const TAKEN_OVER_FROM: usize = 2048;
/// The lines of a message of more bytes than this are not taken over: they leave this core's cache
/// before they are written.
const TAKEN_OVER_UP_TO: usize = 512 * 1024;
/// Of a message that is copied outside of the lock, this many bytes are read and then taken over at
/// a time, while their lines are in the nearest cache. A shorter message is taken over as a whole:
/// between far cores it would take a tenth more time in steps.
const STEP: usize = 512;

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
        match self.get_fast(buffer) {
            Some(len) => Ok(Got::Message(len)),
            None => wait.begin(|wait| self.get_slow(buffer, wait)),
        }
    }

    /// The fast path of a get: the queue is not joinable, the lock is free, and the next message is
    /// small, fits and is ready in the usual place. Return its length; if `None`, nothing was done.
    #[inline(always)]
    fn get_fast(&self, buffer: &mut [MaybeUninit<u8>]) -> Option<usize> {
        let segment: &Segment = &self.segment;
        let words = self.segment.words();
        let me = segment.me_if_attached()?;
        if words.body.is_joinable() || !segment.may_go_on(me) {
            return None;
        }
        self.keep_distance_from_producers();
        let chain = Chain::of_messages(segment, words);
        let head = chain.try_lock_head(me)?;
        let found = chain.ready(|ahead, extent| self.saw_messages(ahead, extent))?;
        if found.len > buffer.len() as u64 {
            return None;
        }
        get_small(segment, words, &chain, &found, buffer).ok()?;
        head.release();
        self.after_get(words, 1);
        Some(found.len as usize)
    }

    /// The rest of [`get_raw`](Self::get_raw), for every case that the fast path does not handle.
    #[cold]
    fn get_slow(&self, buffer: &mut [MaybeUninit<u8>], wait: Wait<'_>) -> Result<Got> {
        let queue = self.at();
        let me = self.segment.me()?;
        if queue.body.is_joinable() {
            if let Some(got) = queue.get_at_once(buffer, me)? {
                return Ok(got);
            }
        }
        let mut patience = Patience::new(&wait);
        let locks = LockWait::until(&mut patience);
        let me = Caller::new(me, &locks);
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
                self.saw_no_message();
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

    /// Get the first message, if the lock is free. A consumer that always finds a message looks for
    /// dead consumers here.
    fn get_at_once(&self, buffer: &mut [MaybeUninit<u8>], me: Owner) -> Result<Option<Got>> {
        self.segment.reap_now_and_then(me)?;
        self.keep_distance_from_producers();
        match self.messages().try_lock_head(me) {
            Some(head) => self.get_first(head, buffer, me),
            None => Ok(None),
        }
    }

    fn try_get(&self, buffer: &mut [MaybeUninit<u8>], me: Caller<'_>) -> Result<Option<Got>> {
        self.segment.reap_now_and_then(me.owner)?;
        self.keep_distance_from_producers();
        let head = self.messages().lock_head(me)?;
        self.get_first(head, buffer, me.owner)
    }

    /// Under the head lock, which this releases: get the first message.
    #[inline(always)]
    fn get_first(
        &self,
        head: Held<'a>,
        buffer: &mut [MaybeUninit<u8>],
        me: Owner,
    ) -> Result<Option<Got>> {
        let chain = self.messages();
        // A look of a call that waits teaches the calls that do not wait, too.
        let found = match chain.ready(|ahead, extent| self.saw_messages(ahead, extent)) {
            Some(found) => Some(found),
            None => chain.front()?,
        };
        match found {
            Some(found) => self.get_found(head, found, buffer, me).map(Some),
            None => Ok(None),
        }
    }

    /// Under the head lock, which this releases: get a message that was found.
    #[inline(always)]
    fn get_found(
        self,
        head: Held<'a>,
        found: Found<'a>,
        buffer: &mut [MaybeUninit<u8>],
        me: Owner,
    ) -> Result<Got> {
        let len = found.len as usize;
        if len > buffer.len() {
            return Ok(Got::TooSmall(len));
        }
        match (len > LARGE, self.body.is_joinable()) {
            (true, _) => self.get_outside(head, found, len, buffer, me)?,
            (false, true) => {
                // If the process is killed before the claim, the message stays in the queue.
                let chain = self.messages();
                found.payload.read(len, buffer)?;
                self.note_got(&found, me);
                chain.claim(&found, State::Got, me);
                self.segment.count_got(&self.words.accounts, 1);
                drop(head);
            }
            (false, false) => {
                get_small(self.segment, self.words, &self.messages(), &found, buffer)?;
                drop(head);
            }
        }
        self.after_get(1);
        Ok(Got::Message(len))
    }

    /// Copy outside of the lock, so that other consumers go on meanwhile. The message comes back if
    /// this process dies: on a joinable queue until it is settled, else until it is copied.
    ///
    /// It counts as got after the copy only: until then no `task_done` of another thread settles
    /// it.
    fn get_outside(
        self,
        head: Held<'a>,
        found: Found<'a>,
        len: usize,
        buffer: &mut [MaybeUninit<u8>],
        me: Owner,
    ) -> Result<()> {
        self.messages().claim(&found, State::Taken, me);
        self.segment.count_got(&self.words.accounts, 1);
        drop(head);
        match len <= TAKEN_OVER_UP_TO && !found.word.leaves_lines() {
            true => found.payload.take_over(len, buffer, STEP)?,
            false => found.payload.read(len, buffer)?,
        };
        let locks = LockWait::brief();
        let me = Caller::new(me, &locks);
        match self.body.is_joinable() {
            true => self.make_got(&found, me),
            false => self.settle(found.position, me),
        }
    }

    /// Let `task_done` find a message that this process has claimed.
    ///
    /// If the process is killed before the record is GOT, the record is TAKEN by a dead owner, and
    /// the message comes back as if it were GOT. The place that is noted is then nobody's.
    fn make_got(&self, found: &Found<'a>, me: Caller<'_>) -> Result<()> {
        let (taken, got) = [State::Taken, State::Got]
            .map(|state| found.word.with(state, Some(me.owner)))
            .into();
        match self.messages().lock_head(me) {
            Ok(_head) => {
                self.note_got(found, me.owner);
                found.record.set(got);
            }
            // The holder of the lock is stopped. A `task_done` that holds it may forget the place
            // that is noted here; one that finds no message looks for it from the beginning.
            Err(status) if status.ends_a_wait() => {
                self.note_got(found, me.owner);
                if !found.record.change(taken, got) {
                    return Err(Status::E_CORRUPT);
                }
            }
            Err(status) => return Err(status),
        }
        Ok(())
    }
}

/// Copy a small message, which fits, under the head lock. The message is over when the cursor
/// moves, which is after the copy. If the process is killed before that, the message stays in the
/// queue.
///
/// # Errors
/// `E_TOO_LARGE`: it is not small, and nothing was done.
#[inline(always)]
fn get_small<'a>(
    segment: &Segment,
    words: &Words,
    chain: &Chain<'a>,
    found: &Found<'a>,
    buffer: &mut [MaybeUninit<u8>],
) -> Result<()> {
    let len = found.len as usize;
    match len {
        ..TAKEN_OVER_FROM => found.payload.read(len, buffer)?,
        TAKEN_OVER_FROM..=LARGE => found.payload.take_over(len, buffer, LARGE)?,
        _ => return Err(Status::E_TOO_LARGE),
    };
    chain.consume(found)?;
    segment.count_got(&words.accounts, 1);
    Ok(())
}
