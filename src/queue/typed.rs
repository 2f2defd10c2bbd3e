//! Queues of one type, with the feature `serde`.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::Serialize;

use super::{Message, Queue};
use crate::status::detail::because;
use crate::status::Result;
use crate::sync::Wait;

/// A queue of values of one type. Needs the feature `serde`.
///
/// A value travels as MessagePack, a struct as a map by the names of its fields. So programs in Go,
/// Node and Python that put and get values on the same queue understand it.
///
/// ```
/// use polyproc::{Queue, QueueOptions, TypedQueue};
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Job {
///     path: String,
///     width: u32,
/// }
///
/// # fn main() -> polyproc::Result<()> {
/// let jobs = TypedQueue::from(Queue::create(None, &QueueOptions::default())?);
/// jobs.put(&Job { path: "cat.png".into(), width: 300 })?;
///
/// let (job, message) = jobs.take()?;
/// assert_eq!((job.path.as_str(), job.width), ("cat.png", 300));
/// message.done()?;
/// # Ok(())
/// # }
/// ```
///
/// [`queue`](Self::queue) has the calls that do not depend on the type, such as
/// [`join`](Queue::join) and [`shutdown`](Queue::shutdown).
pub struct TypedQueue<T> {
    queue: Queue,
    // The queue stores no value, so it is `Send` and `Sync` whatever `T` is.
    values: PhantomData<fn(&T) -> T>,
}

impl<T> From<Queue> for TypedQueue<T> {
    fn from(queue: Queue) -> Self {
        TypedQueue {
            queue,
            values: PhantomData,
        }
    }
}

impl<T> TypedQueue<T> {
    /// The queue of the messages.
    pub fn queue(&self) -> &Queue {
        &self.queue
    }
}

impl<T: Serialize> TypedQueue<T> {
    /// Put a value, as [`Queue::put`].
    ///
    /// # Errors
    /// Those of [`put_timeout`](Self::put_timeout).
    pub fn put(&self, value: &T) -> Result<()> {
        self.put_timeout(value, Wait::FOREVER)
    }

    /// Put a value if there is room for it, as [`Queue::try_put`].
    ///
    /// # Errors
    /// Those of [`put_timeout`](Self::put_timeout).
    pub fn try_put(&self, value: &T) -> Result<()> {
        self.put_timeout(value, Wait::TRY)
    }

    /// Put a value, waiting no longer than `wait`.
    ///
    /// # Errors
    /// Those of [`Queue::put_timeout`], and `E_INVALID` if MessagePack has nothing for the value.
    pub fn put_timeout<'w>(&self, value: &T, wait: impl Into<Wait<'w>>) -> Result<()> {
        let bytes = rmp_serde::to_vec_named(value)
            .map_err(|error| because!(E_INVALID, "the value: {error}"))?;
        self.queue.put_timeout(&bytes, wait)
    }
}

impl<T: DeserializeOwned> TypedQueue<T> {
    /// Get a value and remove its message, as [`Queue::get`].
    ///
    /// # Errors
    /// Those of [`get_timeout`](Self::get_timeout).
    pub fn get(&self) -> Result<T> {
        self.get_timeout(Wait::FOREVER)
    }

    /// Get a value if there is one, as [`Queue::try_get`].
    ///
    /// # Errors
    /// Those of [`get_timeout`](Self::get_timeout).
    pub fn try_get(&self) -> Result<T> {
        self.get_timeout(Wait::TRY)
    }

    /// Get a value, waiting no longer than `wait`.
    ///
    /// # Errors
    /// Those of [`Queue::get_timeout`], and `E_MISMATCH`: the first message was no value of this
    /// type, and was removed. [`take_timeout`](Self::take_timeout) removes nothing then.
    pub fn get_timeout<'w>(&self, wait: impl Into<Wait<'w>>) -> Result<T> {
        decode(&self.queue.get_timeout(wait)?)
    }

    /// Take a value and its message, as [`Queue::take`].
    ///
    /// # Errors
    /// Those of [`take_timeout`](Self::take_timeout).
    pub fn take(&self) -> Result<(T, Message<'_>)> {
        self.take_timeout(Wait::FOREVER)
    }

    /// Take a value and its message if there is one, as [`Queue::try_take`].
    ///
    /// # Errors
    /// Those of [`take_timeout`](Self::take_timeout).
    pub fn try_take(&self) -> Result<(T, Message<'_>)> {
        self.take_timeout(Wait::TRY)
    }

    /// Take a value and its message, waiting no longer than `wait`.
    ///
    /// # Errors
    /// Those of [`Queue::take_timeout`], and `E_MISMATCH`: the first message is no value of this
    /// type, and was given back. [`max_deliveries`](crate::QueueOptions::max_deliveries) makes such
    /// a message a dead letter in the end.
    pub fn take_timeout<'w>(&self, wait: impl Into<Wait<'w>>) -> Result<(T, Message<'_>)> {
        let message = self.queue.take_timeout(wait)?;
        Ok((decode(&message)?, message))
    }
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    rmp_serde::from_slice(bytes).map_err(|error| {
        let name = std::any::type_name::<T>();
        because!(E_MISMATCH, "the message is no {name}: {error}")
    })
}
