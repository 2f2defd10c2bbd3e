//! Messages that were taken: guards over the loans of `take`.

use std::ops::Deref;
use std::sync::Arc;

use super::bytes::Lent;
use super::take::Loan;
use super::Queue;
use crate::status::Result;
use crate::sync::Wait;

macro_rules! message {
    ($(#[$doc:meta])* $name:ident $(<$life:lifetime>)?, $queue:ty) => {
        $(#[$doc])*
        #[must_use = "a message that is dropped is given back"]
        pub struct $name$(<$life>)? {
            queue: $queue,
            bytes: Lent,
            id: u64,
            deliveries: u32,
            ticket: u64,
            is_settled: bool,
        }

        impl$(<$life>)? $name$(<$life>)? {
            fn new(queue: $queue, loan: &Loan) -> Self {
                $name {
                    queue,
                    bytes: Lent::of_loan(loan),
                    id: loan.id,
                    deliveries: loan.deliveries,
                    ticket: loan.ticket,
                    is_settled: false,
                }
            }

            /// The message's id: the same at every delivery of this message, and greater for later
            /// messages.
            pub fn id(&self) -> u64 {
                self.id
            }

            /// How many times the message was delivered, this delivery included.
            pub fn deliveries(&self) -> u32 {
                self.deliveries
            }

            /// Settle the message: its memory is freed, and on a joinable queue its task is done.
            /// Does not block.
            ///
            /// # Errors
            /// `E_INVALID`, `E_NOT_OWNER`: the message does not belong to this process, as in a
            /// forked child. After an error the message is given back, if that is possible.
            pub fn done(mut self) -> Result<()> {
                let settled = self.queue.done_raw(self.ticket);
                self.is_settled = settled.is_ok();
                settled
            }

            /// Settle several messages, faster than one by one. Does not block.
            ///
            /// # Errors
            /// Those of [`done`](Self::done), for the first message that was not settled. This
            /// message and the later ones are given back, if that is possible.
            pub fn done_many(messages: impl IntoIterator<Item = Self>) -> Result<()> {
                let mut messages: Vec<Self> = messages.into_iter().collect();
                let mut rest = messages.as_mut_slice();
                while let Some(first) = rest.first() {
                    let queue: *const Queue = &*first.queue;
                    let of_it = |message: &&Self| std::ptr::eq(&*message.queue, queue);
                    let tickets = rest.iter().take_while(of_it).map(|message| message.ticket);
                    let (settled, refused) = first.queue.done_many_raw(tickets);
                    let (over, others) = rest.split_at_mut(settled);
                    over.iter_mut().for_each(|message| message.is_settled = true);
                    refused?;
                    rest = others;
                }
                Ok(())
            }

            /// Give the message back: it becomes first in line and is delivered once more. A drop
            /// does the same, but cannot report an error.
            ///
            /// # Errors
            /// Those of [`done`](Self::done). `E_TIMEOUT`: a process that is stopped within a call
            /// holds a lock; the message comes back when this process ends.
            pub fn give_back(mut self) -> Result<()> {
                self.is_settled = true;
                self.queue.give_back_raw(self.ticket)
            }
        }

        impl$(<$life>)? Deref for $name$(<$life>)? {
            type Target = [u8];

            #[inline]
            fn deref(&self) -> &[u8] {
                self.bytes.bytes()
            }
        }

        impl$(<$life>)? AsRef<[u8]> for $name$(<$life>)? {
            fn as_ref(&self) -> &[u8] {
                self
            }
        }

        impl$(<$life>)? std::fmt::Debug for $name$(<$life>)? {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("id", &self.id)
                    .field("deliveries", &self.deliveries)
                    .field("len", &self.len())
                    .finish()
            }
        }

        impl$(<$life>)? Drop for $name$(<$life>)? {
            fn drop(&mut self) {
                if !self.is_settled {
                    // After a failure the message comes back when this process ends.
                    let _ = self.queue.give_back_raw(self.ticket);
                }
            }
        }
    };
}

message! {
    /// A message that was taken from a queue: its bytes, in place in shared memory.
    ///
    /// It belongs to this process until [`done`](Self::done) settles it. **Dropped without that it
    /// is given back**, so that a panic or an early return loses nothing; and when this process
    /// dies, another one gets it.
    ///
    /// ```
    /// use polyproc::{Queue, QueueOptions};
    ///
    /// # fn main() -> polyproc::Result<()> {
    /// let queue = Queue::create(None, &QueueOptions { joinable: true, ..Default::default() })?;
    /// queue.put(b"work")?;
    /// drop(queue.take()?); // not done: delivered once more
    /// let message = queue.take()?;
    /// assert_eq!((&*message, message.deliveries()), (&b"work"[..], 2));
    /// message.done()?;
    /// queue.join()
    /// # }
    /// ```
    ///
    /// No process changes the bytes through this library. A hostile process that has the queue
    /// could change them: copy bytes that you first check and then use.
    Message<'a>, &'a Queue
}

message! {
    /// A [`Message`] that shares the ownership of its queue, so that it can go to another thread or
    /// into a task. Dropped without [`done`](Self::done) it is given back.
    OwnedMessage, Arc<Queue>
}

impl Queue {
    /// Take the first message without copying it, waiting while there is none.
    ///
    /// The message is given back when it is dropped without [`done`](Message::done), and when this
    /// process dies.
    ///
    /// # Errors
    /// Those of [`take_timeout`](Self::take_timeout).
    pub fn take(&self) -> Result<Message<'_>> {
        self.take_timeout(Wait::FOREVER)
    }

    /// Take the first message if there is one, as [`take`](Self::take).
    ///
    /// # Errors
    /// Those of [`take_timeout`](Self::take_timeout).
    pub fn try_take(&self) -> Result<Message<'_>> {
        self.take_timeout(Wait::TRY)
    }

    /// Take the first message, as [`take`](Self::take), waiting no longer than `wait`.
    ///
    /// # Errors
    /// `E_EMPTY`, `E_SHUTDOWN` (and no message is left), `E_CANCELED`, `E_INTERRUPTED`: no message
    /// was taken. `E_TIMEOUT`: no message was taken, and a process that is stopped within a call
    /// kept this one from seeing whether there is a message.
    pub fn take_timeout<'w>(&self, wait: impl Into<Wait<'w>>) -> Result<Message<'_>> {
        let loan = self.take_raw(wait.into())?;
        Ok(Message::new(self, &loan))
    }

    /// As [`take`](Self::take); the message keeps the queue open.
    ///
    /// # Errors
    /// Those of [`take_timeout`](Self::take_timeout).
    pub fn take_owned(self: &Arc<Self>) -> Result<OwnedMessage> {
        self.take_owned_timeout(Wait::FOREVER)
    }

    /// As [`try_take`](Self::try_take); the message keeps the queue open.
    ///
    /// # Errors
    /// Those of [`take_timeout`](Self::take_timeout).
    pub fn try_take_owned(self: &Arc<Self>) -> Result<OwnedMessage> {
        self.take_owned_timeout(Wait::TRY)
    }

    /// As [`take_timeout`](Self::take_timeout); the message keeps the queue open.
    ///
    /// # Errors
    /// Those of [`take_timeout`](Self::take_timeout).
    pub fn take_owned_timeout<'w>(
        self: &Arc<Self>,
        wait: impl Into<Wait<'w>>,
    ) -> Result<OwnedMessage> {
        let loan = self.take_raw(wait.into())?;
        Ok(OwnedMessage::new(Arc::clone(self), &loan))
    }

    /// Take up to `max` messages in their order, waiting for the first one only.
    ///
    /// # Errors
    /// Those of [`take_timeout`](Self::take_timeout), and `E_INVALID` if `max` is 0.
    pub fn take_many(&self, max: usize) -> Result<Vec<Message<'_>>> {
        self.take_many_timeout(max, Wait::FOREVER)
    }

    /// Take up to `max` messages, those that are there.
    ///
    /// # Errors
    /// Those of [`take_timeout`](Self::take_timeout), and `E_INVALID` if `max` is 0.
    pub fn try_take_many(&self, max: usize) -> Result<Vec<Message<'_>>> {
        self.take_many_timeout(max, Wait::TRY)
    }

    /// Take up to `max` messages, waiting for the first one no longer than `wait`.
    ///
    /// # Errors
    /// Those of [`take_timeout`](Self::take_timeout), and `E_INVALID` if `max` is 0.
    pub fn take_many_timeout<'w>(
        &self,
        max: usize,
        wait: impl Into<Wait<'w>>,
    ) -> Result<Vec<Message<'_>>> {
        self.take_each(max, wait.into(), |loan| Message::new(self, &loan))
    }

    /// As [`take_many_timeout`](Self::take_many_timeout); each message keeps the queue open.
    ///
    /// # Errors
    /// Those of [`take_timeout`](Self::take_timeout), and `E_INVALID` if `max` is 0.
    pub fn take_many_owned_timeout<'w>(
        self: &Arc<Self>,
        max: usize,
        wait: impl Into<Wait<'w>>,
    ) -> Result<Vec<OwnedMessage>> {
        let guard = |loan| OwnedMessage::new(Arc::clone(self), &loan);
        self.take_each(max, wait.into(), guard)
    }

    fn take_each<M>(
        &self,
        max: usize,
        wait: Wait<'_>,
        guard: impl Fn(Loan) -> M,
    ) -> Result<Vec<M>> {
        let mut messages = Vec::new();
        self.take_many_raw(max, &mut |_, loan| messages.push(guard(loan)), wait)?;
        Ok(messages)
    }

    /// Take the oldest dead letter: a message that was delivered
    /// [`max_deliveries`](crate::QueueOptions::max_deliveries) times. Does not wait for one.
    ///
    /// # Errors
    /// `E_EMPTY` if there is none. `E_TIMEOUT` if a process that is stopped within a call holds the
    /// lock.
    pub fn take_dead(&self) -> Result<Message<'_>> {
        let loan = self.take_dead_raw()?;
        Ok(Message::new(self, &loan))
    }

    /// As [`take_dead`](Self::take_dead); the message keeps the queue open.
    ///
    /// # Errors
    /// Those of [`take_dead`](Self::take_dead).
    pub fn take_dead_owned(self: &Arc<Self>) -> Result<OwnedMessage> {
        let loan = self.take_dead_raw()?;
        Ok(OwnedMessage::new(Arc::clone(self), &loan))
    }

    /// Iterate over the messages of the queue, waiting while there is none, until the queue is shut
    /// down and empty. An error other than that is the last item.
    ///
    /// ```
    /// use polyproc::{Queue, QueueOptions};
    ///
    /// # fn main() -> polyproc::Result<()> {
    /// let queue = Queue::create(None, &QueueOptions::default())?;
    /// queue.put_many(&["one", "two"])?;
    /// queue.shutdown(false)?;
    /// for message in &queue {
    ///     let message = message?;
    ///     println!("{}", String::from_utf8_lossy(&message));
    ///     message.done()?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn iter(&self) -> Messages<'_> {
        Messages { queue: Some(self) }
    }
}

impl<'a> IntoIterator for &'a Queue {
    type Item = Result<Message<'a>>;
    type IntoIter = Messages<'a>;

    fn into_iter(self) -> Messages<'a> {
        self.iter()
    }
}

/// The messages of a queue, of [`Queue::iter`].
#[derive(Debug)]
pub struct Messages<'a> {
    /// `None` after the end.
    queue: Option<&'a Queue>,
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>>;

    fn next(&mut self) -> Option<Result<Message<'a>>> {
        let taken = self.queue?.take();
        if taken.is_err() {
            self.queue = None;
        }
        match taken {
            Err(crate::status::Status::E_SHUTDOWN) => None,
            other => Some(other),
        }
    }
}

impl std::iter::FusedIterator for Messages<'_> {}
