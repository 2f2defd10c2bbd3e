//! Getting messages: copied out.

use std::mem::MaybeUninit;

use super::chain::consumer::Found;
use super::chain::Held;
use super::layout::payload::LARGE;
use super::layout::record::State;
use super::view::View;
use super::Queue;
use crate::status::{Result, Status};
use crate::sync::lock_wait::{Caller, LockWait};
use crate::sync::wait::{Patience, Wait};

/// What a get found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Got {
    /// A message of this length, copied.
    Message(usize),
    /// The buffer is too small: the message stays first in line and needs this many bytes.
    TooSmall(usize),
}

impl Queue {
    /// Get the first message, waiting while there is none.
    ///
    /// On a joinable queue it stays unfinished until `task_done`.
    ///
    /// # Errors
    /// `E_EMPTY`, `E_SHUTDOWN` (and nothing is left), `E_CANCELED`, `E_CLOSED`, `E_INTERRUPTED`: nothing was got.
    /// `E_TIMEOUT`: nor could it be seen whether there is something, for a process that is stopped within a call.
    #[inline]
    pub fn get(&self, buffer: &mut [MaybeUninit<u8>], wait: Wait<'_>) -> Result<Got> {
        match self.get_now(buffer)? {
            Some(got) => Ok(got),
            None => self.get_waiting(buffer, wait),
        }
    }

    /// The rest of [`get`](Self::get), after [`get_now`](Self::get_now).
    pub(crate) fn get_waiting(
        &self,
        buffer: &mut [MaybeUninit<u8>],
        wait: Wait<'_>,
    ) -> Result<Got> {
        let queue = self.at()?;
        let mut patience = Patience::new(&wait);
        let locks = LockWait::until(&mut patience);
        let me = Caller::new(self.segment.me()?, &locks);
        let got = queue.until_item(&mut patience, me, || queue.try_get(buffer, me));
        self.tell_empty(got)
    }
}

/// A get whose time is over found the queue empty.
fn empty_in_time(status: Status) -> Status {
    match status {
        Status::E_TIMEOUT => Status::E_EMPTY,
        other => other,
    }
}

impl<'a> View<'a> {
    /// Attempt until there is a message, the stream has ended, or the wait is over.
    #[inline]
    pub(super) fn until_item<T>(
        &self,
        patience: &mut Patience<'_>,
        me: Caller<'_>,
        mut attempt: impl FnMut() -> Result<Option<T>>,
    ) -> Result<T> {
        let mut attempt = || match attempt() {
            // That there is nothing shows without the lock.
            Err(Status::E_TIMEOUT) if !self.may_have_items() => Ok(None),
            other => other,
        };
        loop {
            // Before the attempt: nothing can be put after this says that the stream has ended.
            let has_ended = self.has_ended();
            if let Some(done) = attempt()? {
                return Ok(done);
            }
            if has_ended {
                // What a dead consumer had in hand comes back, and is left to be got.
                self.segment.reap(me.owner)?;
                let last = attempt()?;
                if last.is_none() {
                    // Nobody comes to a lull any more.
                    self.shrink(me.owner)?;
                    self.tidy(me.owner)?;
                }
                return last.ok_or(Status::E_SHUTDOWN);
            }
            self.shrink(me.owner)?;
            if patience.is_try() {
                self.tidy(me.owner)?;
                self.segment.reap(me.owner)?;
                // The attempt may have gone past what was given up.
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
        if let Some(len) = self.get_now(buffer, me.owner) {
            return Ok(Some(Got::Message(len)));
        }
        let chain = self.messages();
        let head = chain.lock_head(me)?;
        let Some(found) = chain.front()? else {
            return Ok(None);
        };
        let len = found.len as usize;
        if len > buffer.len() {
            return Ok(Some(Got::TooSmall(len)));
        }
        if self.body.is_joinable() {
            self.note_got(&found, me.owner);
            chain.claim(&found, State::Got, me.owner);
            drop(head);
            found.payload.read(len, buffer)?;
        } else if len > LARGE {
            self.get_large(head, &found, len, buffer, me)?;
        } else {
            // Over as soon as the cursor moves, which is after the copy: killed before, it stays.
            found.payload.read(len, buffer)?;
            chain.consume(&found)?;
            drop(head);
        }
        self.after_get(1);
        Ok(Some(Got::Message(len)))
    }

    /// Copy outside the lock: others go on meanwhile, and the message returns if this process dies.
    fn get_large(
        &self,
        head: Held<'a>,
        found: &Found<'a>,
        len: usize,
        buffer: &mut [MaybeUninit<u8>],
        me: Caller<'_>,
    ) -> Result<()> {
        self.messages().claim(found, State::Taken, me.owner);
        drop(head);
        found.payload.read(len, buffer)?;
        self.settle(found.position, me)
    }
}
