//! Queues for the tasks of tokio, with the feature `tokio`.

use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;

use tokio::io::unix::AsyncFd;
use tokio::io::Interest;

use crate::queue::{OwnedMessage, Queue};
use crate::status::{Result, Status};
use crate::sys::descriptor::{duplicate, OwnedFd};

/// A queue whose gets and takes are awaited by tasks of tokio. Needs the feature `tokio`.
///
/// No thread waits for a task: the queue's descriptor, [`Queue::fd`], wakes it. A call that is
/// dropped before it ends has taken nothing from the queue.
///
/// ```
/// use polyproc::{AsyncQueue, Queue, QueueOptions};
/// use std::sync::Arc;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> polyproc::Result<()> {
/// let queue = Arc::new(Queue::create(None, &QueueOptions::default())?);
/// let messages = AsyncQueue::new(queue.clone())?;
/// let (got, put) = tokio::join!(messages.get(), async { queue.try_put(b"hello") });
/// put?;
/// assert_eq!(got?, b"hello");
/// # Ok(())
/// # }
/// ```
pub struct AsyncQueue {
    descriptor: AsyncFd<Descriptor>,
    queue: Arc<Queue>,
}

/// A copy of the queue's descriptor, so that it is open as long as tokio has it.
struct Descriptor(OwnedFd);

impl AsRawFd for Descriptor {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl AsyncQueue {
    /// Make a queue's messages available to the tasks of the current runtime, whose I/O must be
    /// enabled.
    ///
    /// # Errors
    /// Those of [`Queue::fd`].
    ///
    /// # Panics
    /// Outside of a runtime.
    pub fn new(queue: Arc<Queue>) -> Result<AsyncQueue> {
        let descriptor = Descriptor(duplicate(queue.fd()?)?);
        #[allow(
            deprecated,
            reason = "the function that replaces it is not in older tokios"
        )]
        let descriptor = AsyncFd::with_interest(descriptor, Interest::READABLE);
        Ok(AsyncQueue {
            descriptor: descriptor.map_err(status_of)?,
            queue,
        })
    }

    /// The queue, for every other call.
    pub fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    /// Get the first message, as [`Queue::get`].
    ///
    /// # Errors
    /// Those of [`Queue::try_get`], except `E_EMPTY`.
    pub async fn get(&self) -> Result<Vec<u8>> {
        self.ready(|queue| queue.try_get()).await
    }

    /// Take the first message without copying it, as [`Queue::take`].
    ///
    /// # Errors
    /// Those of [`Queue::try_take`], except `E_EMPTY`.
    pub async fn take(&self) -> Result<OwnedMessage> {
        self.ready(|queue| queue.try_take_owned()).await
    }

    async fn ready<M>(&self, attempt: impl Fn(&Arc<Queue>) -> Result<M>) -> Result<M> {
        loop {
            match attempt(&self.queue) {
                Err(Status::E_EMPTY) => {}
                result => return result,
            }
            let mut ready = self.descriptor.readable().await.map_err(status_of)?;
            match attempt(&self.queue) {
                // The attempt has made the descriptor unreadable. A message that has come since
                // then has made it readable again, and this does not undo it.
                Err(Status::E_EMPTY) => ready.clear_ready(),
                result => return result,
            }
        }
    }
}

fn status_of(error: std::io::Error) -> Status {
    Status::from_errno(error.raw_os_error().unwrap_or(0))
}
