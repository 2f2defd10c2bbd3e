//! Slots: guards over reservations, to write messages in place.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::bytes::Lent;
use super::reserve::Reservation;
use super::Queue;
use crate::status::Result;
use crate::sync::Wait;

macro_rules! slot {
    ($(#[$doc:meta])* $name:ident $(<$life:lifetime>)?, $queue:ty) => {
        $(#[$doc])*
        #[must_use = "a slot that is dropped is given up"]
        pub struct $name$(<$life>)? {
            queue: $queue,
            bytes: Lent,
            ticket: u64,
            is_settled: bool,
        }

        impl$(<$life>)? $name$(<$life>)? {
            fn new(queue: $queue, room: &Reservation) -> Self {
                $name {
                    queue,
                    bytes: Lent::of_reservation(room),
                    ticket: room.ticket,
                    is_settled: false,
                }
            }

            /// Put the first `len` bytes as a message. Every process can get it when the call
            /// returns. Does not block.
            ///
            /// A slot reserved before a shutdown is still delivered, unless the shutdown was
            /// immediate.
            ///
            /// # Errors
            /// `E_SHUTDOWN`: the queue was shut down immediately. `E_TOO_LARGE`: `len` is over the
            /// slot's length. `E_TIMEOUT`: a process that is stopped within a call holds a lock.
            /// After an error the slot is given up, and no message was put.
            pub fn commit(mut self, len: usize) -> Result<()> {
                let committed = self.queue.commit_raw(&self.bytes.reservation(self.ticket), len);
                self.is_settled = committed.is_ok();
                committed
            }

            /// Give the slot up, as a drop does, which cannot report an error.
            ///
            /// # Errors
            /// `E_NOT_OWNER` in a forked child.
            pub fn abort(mut self) -> Result<()> {
                self.is_settled = true;
                self.queue.abort_raw(&self.bytes.reservation(self.ticket))
            }
        }

        impl$(<$life>)? Deref for $name$(<$life>)? {
            type Target = [u8];

            #[inline]
            fn deref(&self) -> &[u8] {
                self.bytes.bytes()
            }
        }

        impl$(<$life>)? DerefMut for $name$(<$life>)? {
            #[inline]
            fn deref_mut(&mut self) -> &mut [u8] {
                self.bytes.bytes_mut()
            }
        }

        impl$(<$life>)? std::fmt::Debug for $name$(<$life>)? {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).field("len", &self.len()).finish()
            }
        }

        impl$(<$life>)? Drop for $name$(<$life>)? {
            fn drop(&mut self) {
                if !self.is_settled {
                    // After a failure the room is given up when this process ends.
                    let _ = self.queue.abort_raw(&self.bytes.reservation(self.ticket));
                }
            }
        }
    };
}

slot! {
    /// Room for a message in a queue, in place in shared memory: write into it, then
    /// [`commit`](Self::commit). **Dropped without that it is given up**, and no message is put.
    ///
    /// ```
    /// use polyproc::{Queue, QueueOptions};
    ///
    /// # fn main() -> polyproc::Result<()> {
    /// let queue = Queue::create(None, &QueueOptions::default())?;
    /// let mut slot = queue.reserve(1000)?;
    /// slot[..5].copy_from_slice(b"hello");
    /// slot.commit(5)?;
    /// assert_eq!(queue.get()?, b"hello");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// The room is a plain `&mut [u8]`: every byte of shared memory is initialised, by the kernel
    /// with 0 or by an earlier message, whose bytes may still stand there. Consumers do not see the
    /// room before the commit; those who wait behind it go on with later messages.
    Slot<'a>, &'a Queue
}

slot! {
    /// A [`Slot`] that shares the ownership of its queue, so that it can go to another thread or
    /// into a task. Dropped without [`commit`](Self::commit) it is given up.
    OwnedSlot, Arc<Queue>
}

impl Queue {
    /// Reserve room for a message of up to `len` bytes, to write it in place, waiting while the
    /// queue is full.
    ///
    /// # Errors
    /// Those of [`put_timeout`](Self::put_timeout).
    pub fn reserve(&self, len: usize) -> Result<Slot<'_>> {
        self.reserve_timeout(len, Wait::FOREVER)
    }

    /// Reserve room if there is some, as [`reserve`](Self::reserve).
    ///
    /// # Errors
    /// Those of [`put_timeout`](Self::put_timeout).
    pub fn try_reserve(&self, len: usize) -> Result<Slot<'_>> {
        self.reserve_timeout(len, Wait::TRY)
    }

    /// Reserve room, as [`reserve`](Self::reserve), waiting no longer than `wait`.
    ///
    /// # Errors
    /// Those of [`put_timeout`](Self::put_timeout).
    pub fn reserve_timeout<'w>(&self, len: usize, wait: impl Into<Wait<'w>>) -> Result<Slot<'_>> {
        let room = self.reserve_raw(len, wait.into())?;
        Ok(Slot::new(self, &room))
    }

    /// As [`reserve`](Self::reserve); the slot keeps the queue open.
    ///
    /// # Errors
    /// Those of [`put_timeout`](Self::put_timeout).
    pub fn reserve_owned(self: &Arc<Self>, len: usize) -> Result<OwnedSlot> {
        self.reserve_owned_timeout(len, Wait::FOREVER)
    }

    /// As [`try_reserve`](Self::try_reserve); the slot keeps the queue open.
    ///
    /// # Errors
    /// Those of [`put_timeout`](Self::put_timeout).
    pub fn try_reserve_owned(self: &Arc<Self>, len: usize) -> Result<OwnedSlot> {
        self.reserve_owned_timeout(len, Wait::TRY)
    }

    /// As [`reserve_timeout`](Self::reserve_timeout); the slot keeps the queue open.
    ///
    /// # Errors
    /// Those of [`put_timeout`](Self::put_timeout).
    pub fn reserve_owned_timeout<'w>(
        self: &Arc<Self>,
        len: usize,
        wait: impl Into<Wait<'w>>,
    ) -> Result<OwnedSlot> {
        let room = self.reserve_raw(len, wait.into())?;
        Ok(OwnedSlot::new(Arc::clone(self), &room))
    }
}
