//! Putting, getting and joining as users of Rust call them. `message` and `slot` have the calls
//! that work in place.

use super::bytes::{receive, receive_into};
use super::get::Got;
use super::Queue;
use crate::status::Result;
use crate::sync::Wait;

impl Queue {
    /// Put a message, waiting while the queue is full. The message is visible to all processes when
    /// the call returns.
    ///
    /// # Errors
    /// Those of [`put_timeout`](Self::put_timeout).
    #[inline]
    pub fn put(&self, message: &[u8]) -> Result<()> {
        self.put_timeout(message, Wait::FOREVER)
    }

    /// Put a message if there is room for it, as [`put`](Self::put).
    ///
    /// # Errors
    /// `E_FULL`; the rest as for [`put_timeout`](Self::put_timeout).
    #[inline]
    pub fn try_put(&self, message: &[u8]) -> Result<()> {
        self.put_timeout(message, Wait::TRY)
    }

    /// Put a message, as [`put`](Self::put), waiting no longer than `wait`.
    ///
    /// # Errors
    /// `E_FULL`, `E_SHUTDOWN`, `E_TOO_LARGE` (it can never fit), `E_NO_MEMORY`, `E_CANCELED`,
    /// `E_INTERRUPTED`: no message was put. `E_TIMEOUT`: no message was put, and a process that is
    /// stopped within a call kept this one from seeing whether there is room.
    #[inline]
    pub fn put_timeout<'w>(&self, message: &[u8], wait: impl Into<Wait<'w>>) -> Result<()> {
        self.put_raw(message, wait.into())
    }

    /// Put several messages in their order, waiting while the queue is full. Returns how many were
    /// put: all of them, unless the queue was shut down meanwhile.
    ///
    /// # Errors
    /// Those of [`put_timeout`](Self::put_timeout), if no message was put.
    pub fn put_many<T: AsRef<[u8]>>(&self, messages: &[T]) -> Result<usize> {
        self.put_many_timeout(messages, Wait::FOREVER)
    }

    /// Put several messages, as many as there is room for. Returns how many were put.
    ///
    /// # Errors
    /// Those of [`put_timeout`](Self::put_timeout), if no message was put.
    pub fn try_put_many<T: AsRef<[u8]>>(&self, messages: &[T]) -> Result<usize> {
        self.put_many_timeout(messages, Wait::TRY)
    }

    /// Put several messages, waiting while the queue is full, no longer than `wait` altogether.
    /// Returns how many were put: fewer than all only if the wait ended, or the queue was shut
    /// down, after some had been put.
    ///
    /// # Errors
    /// Those of [`put_timeout`](Self::put_timeout), if no message was put.
    pub fn put_many_timeout<'w, T: AsRef<[u8]>>(
        &self,
        messages: &[T],
        wait: impl Into<Wait<'w>>,
    ) -> Result<usize> {
        let item = |at: usize| messages.get(at).map(T::as_ref).unwrap_or_default();
        self.put_many_raw(messages.len(), &item, wait.into())
    }

    /// Get a copy of the first message, waiting while there is none, and remove it from the queue:
    /// if this process dies afterwards, the message is lost. With [`take`](Self::take) it is not.
    ///
    /// On a joinable queue the message stays unfinished until [`task_done`](Self::task_done), and
    /// comes back if this process dies before that.
    ///
    /// # Errors
    /// Those of [`get_timeout`](Self::get_timeout).
    #[inline]
    pub fn get(&self) -> Result<Vec<u8>> {
        self.get_timeout(Wait::FOREVER)
    }

    /// Get the first message if there is one, as [`get`](Self::get).
    ///
    /// # Errors
    /// Those of [`get_timeout`](Self::get_timeout).
    #[inline]
    pub fn try_get(&self) -> Result<Vec<u8>> {
        self.get_timeout(Wait::TRY)
    }

    /// Get the first message, as [`get`](Self::get), waiting no longer than `wait`.
    ///
    /// # Errors
    /// `E_EMPTY`, `E_SHUTDOWN` (and no message is left), `E_CANCELED`, `E_INTERRUPTED`,
    /// `E_NO_MEMORY`: no message was got. `E_TIMEOUT`: no message was got, and a process that is
    /// stopped within a call kept this one from seeing whether there is a message.
    #[inline]
    pub fn get_timeout<'w>(&self, wait: impl Into<Wait<'w>>) -> Result<Vec<u8>> {
        receive(wait.into(), |room, wait| self.get_raw(room, wait))
    }

    /// Get the first message, as [`get`](Self::get), into `buffer`. A message that is longer stays
    /// first in line, and the answer says how long it is.
    ///
    /// # Errors
    /// Those of [`get_timeout`](Self::get_timeout).
    #[inline]
    pub fn get_into(&self, buffer: &mut [u8]) -> Result<Got> {
        self.get_into_timeout(buffer, Wait::FOREVER)
    }

    /// Get the first message if there is one, as [`get_into`](Self::get_into).
    ///
    /// # Errors
    /// Those of [`get_timeout`](Self::get_timeout).
    #[inline]
    pub fn try_get_into(&self, buffer: &mut [u8]) -> Result<Got> {
        self.get_into_timeout(buffer, Wait::TRY)
    }

    /// Get the first message, as [`get_into`](Self::get_into), waiting no longer than `wait`.
    ///
    /// # Errors
    /// Those of [`get_timeout`](Self::get_timeout).
    #[inline]
    pub fn get_into_timeout<'w>(
        &self,
        buffer: &mut [u8],
        wait: impl Into<Wait<'w>>,
    ) -> Result<Got> {
        let wait = wait.into();
        receive_into(buffer, |room| self.get_raw(room, wait))
    }

    /// Wait until no message is unfinished: every message was got or taken, and settled.
    ///
    /// # Errors
    /// Those of [`join_timeout`](Self::join_timeout).
    pub fn join(&self) -> Result<()> {
        self.join_timeout(Wait::FOREVER)
    }

    /// `Ok` if no message is unfinished, otherwise `E_TIMEOUT`.
    ///
    /// # Errors
    /// Those of [`join_timeout`](Self::join_timeout).
    pub fn try_join(&self) -> Result<()> {
        self.join_timeout(Wait::TRY)
    }
}
