//! The queue, as the bridges use it: the only file that knows how the library says what became of a
//! message.

use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;
use std::time::Duration;

use polyproc::{wait_any_timeout, Queue, Settled, Status, Wait, Waitable};
use tokio::io::unix::AsyncFd;
use tokio::io::Interest;
use tokio::task::JoinHandle;

use crate::failure::Failure;

/// How long one look for room lasts, so that no thread waits for ever when the bridge ends.
const LOOK_FOR_ROOM: Duration = Duration::from_millis(200);

/// The state of a message, for the server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fate {
    /// It waits, or a consumer has it.
    Open,
    Done,
    Dead,
    /// It was discarded by an immediate shutdown, or the queue has forgotten how it ended.
    Lost,
}

/// A queue into which a bridge puts messages.
pub struct Local {
    queue: Arc<Queue>,
    settlements: AsyncFd<Descriptor>,
    max_items: u64,
    max_deliveries: u32,
}

/// A descriptor of the queue, which is open as long as the queue.
struct Descriptor {
    descriptor: RawFd,
    _queue: Arc<Queue>,
}

impl AsRawFd for Descriptor {
    fn as_raw_fd(&self) -> RawFd {
        self.descriptor
    }
}

impl Local {
    pub fn new(queue: Queue) -> Result<Local, Failure> {
        let queue = Arc::new(queue);
        let options = queue.options()?;
        let descriptor = Descriptor {
            descriptor: queue.settled_fd()?,
            _queue: Arc::clone(&queue),
        };
        #[allow(
            deprecated,
            reason = "the function that replaces it is unsafe, and not in older tokios"
        )]
        let settlements = AsyncFd::with_interest(descriptor, Interest::READABLE)?;
        Ok(Local {
            queue,
            settlements,
            max_items: options.max_items,
            max_deliveries: options.max_deliveries,
        })
    }

    /// A watch for room in this queue.
    pub fn room_watch(&self) -> RoomWatch {
        RoomWatch {
            queue: Arc::clone(&self.queue),
            look: None,
        }
    }

    /// For how many messages there is room.
    pub fn room(&self) -> Result<usize, Failure> {
        if self.max_items == 0 {
            return Ok(usize::MAX);
        }
        match self.queue.len() {
            Ok(items) => Ok(self.max_items.saturating_sub(items) as usize),
            // A stopped process holds a lock: the put finds out.
            Err(Status::E_TIMEOUT) => Ok(1),
            Err(other) => Err(other.into()),
        }
    }

    /// Puts a message if there is room for it, and returns its id.
    pub fn try_put(&self, message: &[u8]) -> Result<u64, Status> {
        self.queue.put_id(message, Wait::TRY)
    }

    /// Becomes ready when messages were settled after the last [`settled`](Self::settled).
    pub async fn moved(&self) -> Result<(), Failure> {
        let mut ready = self.settlements.readable().await?;
        ready.clear_ready();
        Ok(())
    }

    /// How many messages were settled. `None`: a stopped process holds a lock.
    pub fn settled(&self) -> Result<Option<u64>, Failure> {
        match self.queue.settled_count() {
            Ok(count) => Ok(Some(count)),
            Err(Status::E_TIMEOUT) => Ok(None),
            Err(other) => Err(other.into()),
        }
    }

    /// Whether no message waits or is in flight.
    pub fn is_empty(&self) -> Result<bool, Failure> {
        match self.queue.info() {
            Ok(info) => Ok(info.unfinished == 0),
            Err(Status::E_TIMEOUT) => Ok(false),
            Err(other) => Err(other.into()),
        }
    }

    pub fn fate(&self, id: u64) -> Result<Fate, Failure> {
        match self.queue.settled(id) {
            Ok(Settled::Waiting | Settled::Leased) | Err(Status::E_TIMEOUT) => Ok(Fate::Open),
            Ok(Settled::Done) => Ok(Fate::Done),
            Ok(Settled::Dead) => Ok(Fate::Dead),
            Ok(Settled::Discarded | Settled::Unknown) => Ok(Fate::Lost),
            Err(other) => Err(other.into()),
        }
    }

    /// How often a message is delivered before it is a dead letter.
    pub fn max_deliveries(&self) -> u32 {
        self.max_deliveries
    }

    /// Removes dead letters that are in the stream of dead letters now.
    pub fn remove_dead(&self, mut is_there: impl FnMut(u64) -> bool) -> Result<(), Failure> {
        // The others go back at the end, or the next look would find them again.
        let mut others = Vec::new();
        for _ in 0..self.queue.info()?.dead_letters {
            match self.queue.take_dead() {
                Ok(letter) if is_there(letter.id()) => letter.done()?,
                Ok(letter) => others.push(letter),
                Err(Status::E_EMPTY | Status::E_TIMEOUT) => break,
                Err(other) => return Err(other.into()),
            }
        }
        Ok(())
    }
}

/// Waits for room in a queue.
pub struct RoomWatch {
    queue: Arc<Queue>,
    /// A thread that waits.
    look: Option<JoinHandle<()>>,
}

impl RoomWatch {
    /// Waits until there may be room.
    pub async fn has_room(&mut self) {
        let queue = &self.queue;
        let look = self.look.get_or_insert_with(|| {
            let queue = Arc::clone(queue);
            tokio::task::spawn_blocking(move || {
                // A failure shows at the next put.
                let _ = wait_any_timeout(&[Waitable::Put(&queue)], LOOK_FOR_ROOM);
            })
        });
        let _ = look.await;
        self.look = None;
    }
}

/// Before the id of each message of a queue, so that ids of different queues differ.
pub fn identity(queue: &Queue) -> Result<String, Failure> {
    let bytes = queue.identity()?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
