//! Putting a message and learning its id. A put that does not need the id is faster.

use super::layout::cursor::Position;
use super::layout::record::{extent_of, LARGE};
use super::put::fill;
use super::room::{Attempt, Growth};
use super::view::View;
use super::Queue;
use crate::status::Result;
use crate::sync::lock_wait::{Caller, LockWait};
use crate::sync::wait::{LazyWait, Patience, Wait};

impl Queue {
    /// Put a message, as [`put_timeout`](Self::put_timeout), and return its id: the id that its
    /// consumer sees, and that [`settled`](Self::settled) asks for.
    ///
    /// The message may be got, and even be settled, before this call returns.
    ///
    /// ```
    /// use polyproc::{Queue, QueueOptions, Settled, Wait};
    ///
    /// # fn main() -> polyproc::Result<()> {
    /// let queue = Queue::create(None, &QueueOptions::default())?;
    /// let id = queue.put_id(b"work", Wait::FOREVER)?;
    /// assert_eq!(queue.settled(id)?, Settled::Waiting);
    /// let message = queue.take()?;
    /// assert_eq!((message.id(), queue.settled(id)?), (id, Settled::Leased));
    /// message.done()?;
    /// assert_eq!(queue.settled(id)?, Settled::Done);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`put_timeout`](Self::put_timeout).
    pub fn put_id<'w>(&self, message: &[u8], wait: impl Into<Wait<'w>>) -> Result<u64> {
        self.put_id_raw(message, wait.into())
    }

    /// As [`put_id`](Self::put_id).
    ///
    /// # Errors
    /// Those of [`put_raw`](Self::put_raw).
    #[doc(hidden)]
    pub fn put_id_raw(&self, data: &[u8], wait: impl LazyWait) -> Result<u64> {
        wait.begin(|wait| self.put_at_some_position(data, wait))
            .map(Position::id)
    }

    fn put_at_some_position(&self, data: &[u8], wait: Wait<'_>) -> Result<Position> {
        let queue = self.at();
        let mut patience = Patience::new(&wait);
        let locks = LockWait::until(&mut patience);
        let me = Caller::new(self.segment.me()?, &locks);
        if data.len() > LARGE {
            return queue.put_large_at(data, &mut patience, me);
        }
        queue.check_length(data.len())?;
        let extent = extent_of(data.len() as u64);
        queue.keep_distance_from_consumers(extent);
        queue.until_room(extent, &mut patience, me, |growth| {
            queue.try_put_at(data, me, growth)
        })
    }
}

impl View<'_> {
    fn try_put_at(&self, data: &[u8], me: Caller<'_>, growth: Growth) -> Result<Attempt<Position>> {
        let chain = self.messages();
        let tail = chain.lock_tail(me)?;
        self.check_open()?;
        let mut pen = chain.words.tail.pen();
        let extent = extent_of(data.len() as u64);
        let room = match self.place(&chain, &mut pen, extent, me, growth)? {
            Attempt::Done(room) => room,
            Attempt::Full => return Ok(Attempt::Full),
            Attempt::Cramped => return Ok(Attempt::Cramped),
        };
        fill(&room, data, extent)?;
        chain.publish(&mut pen);
        self.segment.count_put(&self.words.accounts, 1);
        drop(tail);
        self.notify_items(1);
        Ok(Attempt::Done(room.position))
    }
}
