//! One direction of a pipe: a stream of whole messages in a ring.
//!
//! A message is its length (8 bytes) and its bytes, up to the next multiple of 8. Positions count
//! bytes since the pipe was made. The stores of `tail` and `head` commit: if a sender is killed
//! before it stores `tail`, nothing was sent; if a receiver is killed before it stores `head`,
//! nothing was received, and the message stays for the next receiver.
//!
//! When a sender finds the ring empty and its position far into the ring, the next message goes to
//! the ring's beginning. So a pipe whose receiver keeps up uses the same little memory again and
//! again. The jump is one store too: for both sides, a position equal to `jump` *means* the next
//! multiple of the ring's size.

use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicU64, Ordering};

use super::body::{Body, LaneWords, RING};
use super::ends::End;
use super::ring::{Ring, STEP};
use crate::pace::PIPE_LOCK_NS;
use crate::segment::Segment;
use crate::status::{Result, Status};
use crate::sync::mutex::{Guard, RobustMutex};
use crate::sync::owner::Owner;
use crate::sync::wait::{Patience, Wait};

/// Bytes of the length in front of each message.
const HEADER: u64 = 8;
/// The longest message that fits into the ring.
pub(super) const LONGEST: usize = (RING - HEADER) as usize;

/// A lane as one process uses it.
#[derive(Clone, Copy)]
pub(super) struct Lane<'a> {
    pub(super) segment: &'a Segment,
    pub(super) words: &'a LaneWords,
    pub(super) ring: Ring<'a>,
}

/// A held lock of one side. Whether the last holder died does not matter: single stores commit what
/// the lock guards, so there is nothing to repair.
type Held<'a> = Guard<'a, &'a Segment>;

/// The first message of a lane.
pub(super) struct First {
    /// Position of the message's bytes.
    at: u64,
    pub(super) len: usize,
    /// Position of the next message.
    end: u64,
}

/// The bytes of the ring that a message occupies.
pub(super) fn extent_of(len: usize) -> u64 {
    (HEADER + len as u64).next_multiple_of(8)
}

impl<'a> Lane<'a> {
    /// The lane from which `end` receives.
    pub(super) fn to(segment: &'a Segment, end: End) -> Result<Lane<'a>> {
        let body: &Body = segment.body()?;
        let lane = end as usize;
        Ok(Lane {
            segment,
            words: body.lanes.get(lane).ok_or(Status::E_INTERNAL)?,
            ring: Ring { segment, lane },
        })
    }

    fn lock(
        &self,
        mutex: &'a RobustMutex,
        me: Owner,
        wait: &Wait<'_>,
        patience: &mut Patience<'_>,
    ) -> Result<Held<'a>> {
        if wait.is_shorter_than(PIPE_LOCK_NS) {
            let wait = wait.at_least(PIPE_LOCK_NS);
            mutex.hold(self.segment, me, &mut Patience::new(&wait))
        } else {
            mutex.hold(self.segment, me, patience)
        }
    }

    /// Take the senders' lock.
    pub(super) fn lock_sending(
        &self,
        me: Owner,
        wait: &Wait<'_>,
        patience: &mut Patience<'_>,
    ) -> Result<Held<'a>> {
        self.lock(&self.words.sender.mutex, me, wait, patience)
    }

    /// Take the receivers' lock.
    pub(super) fn lock_receiving(
        &self,
        me: Owner,
        wait: &Wait<'_>,
        patience: &mut Patience<'_>,
    ) -> Result<Held<'a>> {
        self.lock(&self.words.receiver.mutex, me, wait, patience)
    }

    fn tail(&self) -> u64 {
        // Acquire, pairs with the Release in `append`: all bytes before this position are complete.
        self.words.sender.tail.load(Ordering::Acquire)
    }

    fn head(&self) -> u64 {
        // Acquire, pairs with the Release in `take`: all bytes before this position were copied
        // out.
        self.words.receiver.head.load(Ordering::Acquire)
    }

    /// Whether there is no complete message in the ring; an offered message does not count.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.tail() == self.head()
    }

    /// Report whether `at` stands for a later position.
    #[inline]
    fn is_jump(&self, at: u64) -> bool {
        at == self.words.sender.jump.load(Ordering::Relaxed) && !at.is_multiple_of(RING)
    }

    /// The position that `at` stands for, after a jump.
    #[inline]
    fn landing(&self, at: u64) -> Result<u64> {
        if !self.is_jump(at) {
            return Ok(at);
        }
        at.checked_next_multiple_of(RING).ok_or(Status::E_CORRUPT)
    }

    /// Whether an extent fits now; also true if the words are corrupt, so that the caller finds the
    /// error.
    pub(super) fn has_room(&self, extent: u64) -> bool {
        self.room().map_or(true, |(_, free)| extent <= free)
    }

    /// Where the next message goes, and how much of the ring is free.
    #[inline]
    fn room(&self) -> Result<(u64, u64)> {
        let (tail, head) = (self.tail(), self.head());
        let start = self.landing(tail)?;
        let used = start.checked_sub(self.landing(head)?);
        let free = used.and_then(|used| RING.checked_sub(used));
        Ok((start, free.ok_or(Status::E_CORRUPT)?))
    }

    /// The fast path of [`append`](Self::append): the message has room, in memory that this process
    /// knows. Return whether the message was sent. If it was not, nothing was done.
    #[inline]
    pub(super) fn append_at_once(&self, data: &[u8]) -> bool {
        let tail = self.tail();
        let goes_back = tail % RING >= STEP && tail == self.head();
        let Ok((start, free)) = self.room() else {
            return false;
        };
        if goes_back || data.len() > LONGEST || extent_of(data.len()) > free {
            return false;
        }
        let extent = extent_of(data.len());
        let Some((len, bytes)) = self.ring.known(start, extent) else {
            return false;
        };
        len.store(data.len() as u64, Ordering::Relaxed);
        if bytes.write(data).is_err() {
            return false;
        }
        // If this sender is killed before this store, nothing was sent.
        self.words
            .sender
            .tail
            .store(start.wrapping_add(extent), Ordering::Release);
        true
    }

    /// The fast path of [`first`](Self::first) and [`take`](Self::take): the message lies in memory
    /// that this process knows, and `buffer` is large enough. Return its length. `None`: nothing
    /// was done.
    #[inline]
    pub(super) fn take_at_once(&self, buffer: &mut [MaybeUninit<u8>]) -> Option<usize> {
        let (tail, head) = (self.tail(), self.head());
        let there = tail.wrapping_sub(head);
        if self.is_jump(head) || there > RING {
            return None;
        }
        // At least a length, if there is a message at all.
        let (len, _) = self.ring.known(head, HEADER).filter(|_| there >= HEADER)?;
        let len = len.load(Ordering::Relaxed);
        if len > LONGEST as u64 || extent_of(len as usize) > there {
            return None;
        }
        let (len, extent) = (len as usize, extent_of(len as usize));
        let (_, bytes) = self.ring.known(head, extent)?;
        if bytes.read(len, buffer) != Ok(true) {
            return None;
        }
        // If this receiver is killed before this store, the message stays.
        self.words
            .receiver
            .head
            .store(head.wrapping_add(extent), Ordering::Release);
        Some(len)
    }

    /// Send a message if there is room for all of it. Returns whether there was. Under the senders'
    /// lock.
    pub(super) fn append(&self, data: &[u8]) -> Result<bool> {
        let sender = &self.words.sender;
        let tail = self.tail();
        if tail == self.head() && tail % RING >= STEP {
            // While the ring is empty no receiver follows the jump. If this sender is killed here,
            // the next sender stores the same jump.
            sender.jump.store(tail, Ordering::Relaxed);
        }
        let extent = extent_of(data.len());
        let (mut start, free) = self.room()?;
        if extent > free {
            return Ok(false);
        }
        if let Err(status) = self.ring.ensure(start, extent) {
            start = self.go_back(status, start, extent)?;
        }
        let end = start.checked_add(extent).ok_or(Status::E_CORRUPT)?;
        self.ring
            .number(start)?
            .store(data.len() as u64, Ordering::Relaxed);
        self.ring.write(start + HEADER, data)?;
        sender.tail.store(end, Ordering::Release);
        Ok(true)
    }

    /// The kernel refused memory at `start`: find another position for the message. An empty ring
    /// has as much room from its beginning, where memory is allocated already.
    #[cold]
    #[inline(never)]
    fn go_back(&self, status: Status, start: u64, extent: u64) -> Result<u64> {
        let tail = self.tail();
        if status != Status::E_NO_MEMORY || tail != self.head() || start.is_multiple_of(RING) {
            return Err(status);
        }
        self.words.sender.jump.store(tail, Ordering::Relaxed);
        let (start, _) = self.room()?;
        self.ring.ensure(start, extent)?;
        Ok(start)
    }

    /// The first message. Under the receivers' lock.
    pub(super) fn first(&self) -> Result<Option<First>> {
        let (tail, head) = (self.tail(), self.head());
        if tail == head {
            return Ok(None);
        }
        let start = self.landing(head)?;
        let there = tail.checked_sub(start).ok_or(Status::E_CORRUPT)?;
        let len = self.ring.number(start)?.load(Ordering::Relaxed);
        if len > LONGEST as u64 || there > RING || extent_of(len as usize) > there {
            return Err(Status::E_CORRUPT);
        }
        Ok(Some(First {
            at: start + HEADER,
            len: len as usize,
            end: start + extent_of(len as usize),
        }))
    }

    /// Receive the message; false when `buffer` is too small. Under the receivers' lock.
    pub(super) fn take(&self, first: &First, buffer: &mut [MaybeUninit<u8>]) -> Result<bool> {
        let Some(buffer) = buffer.get_mut(..first.len) else {
            return Ok(false);
        };
        self.ring.read(first.at, buffer)?;
        self.words.receiver.head.store(first.end, Ordering::Release);
        Ok(true)
    }

    /// Notify receivers of a message. All of them, since some may only poll.
    #[inline]
    pub(super) fn notify_items(&self) {
        self.words.items.count.notify_all(self.segment);
    }

    /// Notify senders that receivers have advanced.
    #[inline]
    pub(super) fn notify_space(&self) {
        self.words.space.count.notify_all(self.segment);
    }
}

/// Store with a full barrier behind it, for a notification that follows at once.
pub(super) fn publish(word: &AtomicU64, value: u64) {
    word.swap(value, Ordering::SeqCst);
}
