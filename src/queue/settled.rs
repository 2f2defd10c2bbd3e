//! How a message stands, by its id, and how often that has changed.
//!
//! Nothing is stored for this when a message is put, taken or done. A message that is not over has
//! its record. One that is over lies before its ring's `free` mark, or its record says so; then it
//! was done, unless the queue remembers another end (`layout/ends.rs`).
//!
//! The number of records that are over follows from the counts that the head lock guards. It grows
//! by every settled message, and so tells whether another look is worthwhile.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use super::chain::checked::Checked;
use super::chain::Chain;
use super::layout::cursor::Position;
use super::layout::ends::{Ending, Memory};
use super::layout::record::{State, ALIGN, HEADER};
use super::layout::ring;
use super::readiness::WatchedWord;
use super::view::View;
use super::Queue;
use crate::segment::{Readiness, Segment};
use crate::status::detail::because;
use crate::status::{Result, Status};
use crate::sync::lock_wait::{Caller, LockWait};
use crate::sync::look::Look;

/// How a message stands, see [`Queue::settled`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Settled {
    /// It waits for a consumer: it was not delivered yet, or it came back.
    Waiting = 1,
    /// A process has it and has not settled it.
    Leased = 2,
    /// It was settled, or got from a queue that is not joinable.
    Done = 3,
    /// It was delivered too often and became a dead letter, also if the dead letter was taken.
    Dead = 4,
    /// An immediate shutdown discarded it.
    Discarded = 5,
    /// It is over, and how it ended is forgotten: done, dead or discarded.
    Unknown = 6,
}

/// What a handle has seen of the settled messages, for its descriptor.
pub(super) struct SettledWatch {
    /// The count that this handle asked for last.
    seen: Arc<AtomicU64>,
    readiness: Readiness,
}

impl SettledWatch {
    pub(super) fn new() -> SettledWatch {
        SettledWatch {
            seen: Arc::default(),
            readiness: Readiness::new(),
        }
    }
}

impl Queue {
    /// Return how the message stands that has an id, of [`put_id`](Self::put_id) or of a delivery.
    ///
    /// The answer can be stale by the time the call returns. `Done`, `Dead` and `Discarded` never
    /// change any more.
    ///
    /// The queue remembers the last 1,024 messages that became dead letters or were discarded, the
    /// messages that an immediate shutdown discarded, and nothing of those that were done. When it
    /// forgets one of the 1,024, that message and every older one that is over become `Unknown`. A
    /// message that was not done is never `Done`. An id is valid for one creation of a queue, see
    /// [`identity`](Self::identity).
    ///
    /// # Errors
    /// `E_INVALID`: no message with that id was put. (The call does not recognise every number that
    /// is no id.) `E_TIMEOUT` if a process that is stopped within a call holds a lock. `E_CORRUPT`.
    pub fn settled(&self, id: u64) -> Result<Settled> {
        let me = self.segment.me()?;
        // So the messages of a dead consumer count as those that wait.
        self.segment.reap(me)?;
        let queue = self.at();
        queue.standing(id, Caller::new(me, &LockWait::brief()))
    }

    /// Return a number that grows with every message that is settled, and make the descriptor
    /// [`settled_fd`](Self::settled_fd) unreadable until it has grown again.
    ///
    /// Ask for this number first, and after that for each message: a message that is settled in
    /// between makes the descriptor readable again. Reservations that were given up are counted
    /// too.
    ///
    /// # Errors
    /// `E_TIMEOUT` if a process that is stopped within a call holds a lock. `E_CORRUPT`.
    pub fn settled_count(&self) -> Result<u64> {
        let me = self.segment.me()?;
        self.segment.reap(me)?;
        let queue = self.at();
        let count = queue.settled_so_far(Caller::new(me, &LockWait::brief()))?;
        self.settled.seen.store(count, Ordering::SeqCst);
        self.settled.readiness.found_nothing();
        Ok(count)
    }

    /// The count that this handle asked for last. It is shared with the descriptor.
    pub(crate) fn settled_seen(&self) -> &Arc<AtomicU64> {
        &self.settled.seen
    }

    /// The state that the `wait` layer keeps with this object, for settled messages.
    pub(crate) fn settled_readiness(&self) -> &Readiness {
        &self.settled.readiness
    }
}

/// Report whether messages were settled since the count was `seen`. `Doubtful` if the time for
/// `locks` ends before this can be determined.
pub(crate) fn has_grown(segment: &Segment, seen: &AtomicU64, locks: &LockWait<'_>) -> Result<Look> {
    let queue = View::new(segment)?;
    match queue.settled_so_far(Caller::new(segment.me()?, locks)) {
        Ok(count) => Ok((count != seen.load(Ordering::SeqCst)).into()),
        Err(Status::E_TIMEOUT) => Ok(Look::Doubtful),
        Err(status) => Err(status),
    }
}

/// Announce a sleeper that is woken when a message is settled.
///
/// A call that settles looks at one of the first two words anyway, as it does for those who wait
/// for the queue to run empty. If it finds a sleeper there, it also wakes the sleepers of the third
/// word. This sleeper sleeps on all of them: a call that clears one of the first two wakes it too.
pub(crate) fn watch(segment: &Segment) -> Result<[WatchedWord; 3]> {
    let body = View::new(segment)?.body;
    Ok([
        body.drained.watchers.watch(),
        body.idle.waiters.watch(),
        body.idle.watchers.watch(),
    ])
}

#[cold]
fn not_put(id: u64) -> Status {
    because!(E_INVALID, "no message of this queue has the id {id}")
}

impl<'a> View<'a> {
    fn standing(&self, id: u64, me: Caller<'_>) -> Result<Settled> {
        let chain = self.messages();
        let _head = chain.lock_head(me)?;
        let Some((checked, is_ahead)) = chain.record_of(id)? else {
            return Ok(self.remembered(id));
        };
        Ok(match checked.state {
            State::Ready if is_ahead => Settled::Waiting,
            // Ahead of the cursor this is the claim of a consumer that died before its commit.
            State::Taken | State::Got if is_ahead => Settled::Waiting,
            State::Returned => Settled::Waiting,
            State::Taken | State::Got => Settled::Leased,
            State::Ready | State::Done => self.remembered(id),
            State::Writing | State::Passed | State::Pad | State::Void => return Err(not_put(id)),
        })
    }

    fn remembered(&self, id: u64) -> Settled {
        match self.body.ends.of(id) {
            Memory::Done => Settled::Done,
            Memory::Ended(Ending::Dead) => Settled::Dead,
            Memory::Ended(Ending::Discarded) => Settled::Discarded,
            Memory::Forgotten => Settled::Unknown,
        }
    }

    fn settled_so_far(&self, me: Caller<'_>) -> Result<u64> {
        let chain = self.messages();
        let _head = chain.lock_head(me)?;
        Ok(chain.over())
    }
}

impl<'a> Chain<'a> {
    /// Under the head lock: the record that has an id, and whether it lies ahead of the cursor;
    /// `None` if its place is free, so that the record was over.
    fn record_of(&self, id: u64) -> Result<Option<(Checked<'a>, bool)>> {
        let at = id
            .checked_mul(ALIGN)
            .filter(|at| *at < self.words.tail.position().at())
            .ok_or_else(|| not_put(id))?;
        let mut found = None;
        let is_ahead = at >= self.words.head.position().at();
        if is_ahead {
            self.rings_ahead(|ring, from, limit| {
                found = (from..limit).contains(&at).then_some((ring, limit));
                Ok(found.is_some())
            })?;
            if found.is_none() {
                return Err(not_put(id));
            }
        } else {
            let rings = self.rings_behind()?;
            found = rings
                .map(|(ring, free, limit)| (ring, free..limit))
                .find(|(_, records)| records.contains(&at))
                .map(|(ring, records)| (ring, records.end));
        }
        let Some((ring, limit)) = found else {
            return Ok(None);
        };
        // A number that is no message's id may lie where the ring has no memory: in padding.
        let allocated = self.state(ring)?.allocated.load(Ordering::Relaxed);
        if (at & (ring::size(ring) - 1)) + HEADER > allocated {
            return Err(not_put(id));
        }
        let checked = self.checked(Position::new(ring, at), limit);
        let checked = checked.map_err(|_| not_put(id))?;
        Ok(Some((checked, is_ahead)))
    }

    /// Under the head lock: the number of records that are over since the chain was made.
    fn over(&self) -> u64 {
        let behind = &self.words.behind;
        let held = [&behind.available, &behind.passed, &behind.in_flight];
        let held = held.map(|count| count.load(Ordering::Relaxed));
        let past = self.words.head.cursor().totals.count;
        held.into_iter().fold(past, u64::wrapping_sub)
    }
}
