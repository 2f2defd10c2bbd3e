//! Statistics of a queue. They are exact at the moment at which they are read.

use std::sync::atomic::Ordering;

use super::layout::body::Intake;
use super::layout::record::State;
use super::view::View;
use super::Queue;
use crate::status::Result;
use crate::sync::lock_wait::{Caller, LockWait};

/// The numbers of a queue at one moment.
#[derive(Clone, Copy, Default, Debug)]
#[non_exhaustive]
pub struct QueueInfo {
    /// Messages that wait, without those in flight.
    pub items: u64,
    /// Bytes of all messages that are not over, headers included.
    pub bytes: u64,
    /// Messages that a process has got or taken and not settled.
    pub in_flight: u64,
    /// Messages that wait or are in flight.
    pub unfinished: u64,
    /// Messages put since the queue was made.
    pub puts: u64,
    /// `puts` less the messages that wait: what was got, taken, or discarded by an immediate
    /// shutdown. It falls when a message comes back, and grows when that message is got again.
    pub gets: u64,
    /// How often a message came back, because its consumer died or returned it, to wait again.
    /// Counted when it comes back, not when it is delivered again.
    pub redelivered: u64,
    /// Messages discarded by an immediate shutdown, and puts whose process died within the call.
    pub discarded: u64,
    /// How many times dead participants were recovered.
    pub recoveries: u64,
    /// Dead letters that no process has taken yet.
    pub dead_letters: u64,
    /// Threads that sleep in the queue.
    pub waiting: u32,
    /// Processes that use the queue.
    pub participants: u32,
    /// Whether puts are refused.
    pub shutdown: bool,
    /// The queue's [identity](Queue::identity).
    pub identity: [u8; 16],
}

impl Queue {
    /// Number of messages that wait.
    ///
    /// # Errors
    /// `E_TIMEOUT` if a process that is stopped within a call holds a lock. `E_CORRUPT`.
    pub fn len(&self) -> Result<u64> {
        let me = self.segment.me()?;
        self.at().waiting(Caller::new(me, &LockWait::brief()))
    }

    /// Report whether a get would wait.
    ///
    /// # Errors
    /// `E_TIMEOUT` if a process that is stopped within a call holds a lock. `E_CORRUPT`.
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Report whether a put of one byte would wait.
    ///
    /// # Errors
    /// `E_TIMEOUT` if a process that is stopped within a call holds a lock. `E_CORRUPT`.
    pub fn is_full(&self) -> Result<bool> {
        let me = self.segment.me()?;
        let has_room = self
            .at()
            .has_room_for_one(Caller::new(me, &LockWait::brief()))?;
        Ok(!has_room)
    }

    /// Return all statistics.
    ///
    /// # Errors
    /// `E_TIMEOUT` if a process that is stopped within a call holds a lock. `E_CORRUPT`.
    pub fn info(&self) -> Result<QueueInfo> {
        let me = self.segment.me()?;
        self.segment.reap(me)?;
        let queue = self.at();
        let counters = &queue.body.counters;
        let (participants, waiting) = self.segment.population();
        let chain = queue.messages();
        let _both = chain.lock_both(Caller::new(me, &LockWait::brief()))?;
        let (items, writing) = queue.count_ahead()?;
        let behind = &chain.words.behind;
        let in_flight = behind.in_flight.load(Ordering::Relaxed);
        let passed = behind.passed.load(Ordering::Relaxed);
        let totals = chain.words.tail.cursor().totals;
        let given_up = behind.voided.load(Ordering::Relaxed);
        let puts = totals
            .count
            .saturating_sub(writing.saturating_add(passed))
            .saturating_sub(given_up);
        Ok(QueueInfo {
            items,
            bytes: totals.bytes.saturating_sub(chain.consumed().bytes),
            in_flight,
            unfinished: items.saturating_add(in_flight),
            puts,
            gets: puts.saturating_sub(items),
            redelivered: counters.redelivered.load(Ordering::Relaxed),
            discarded: counters
                .discarded
                .load(Ordering::Relaxed)
                .saturating_add(behind.abandoned.load(Ordering::Relaxed)),
            recoveries: self.segment.recoveries()?,
            dead_letters: queue.dead_letters().backlog(),
            waiting,
            participants,
            shutdown: queue.body.phase() != Intake::Open,
            identity: queue.body.identity(),
        })
    }
}

impl View<'_> {
    /// Number of messages that wait. Records are counted one by one only while there may be
    /// reservations, open or given up: such records lie among the messages and are no messages.
    pub(super) fn waiting(&self, me: Caller<'_>) -> Result<u64> {
        let chain = self.messages();
        if self.has_messages_only() {
            return Ok(chain.backlog());
        }
        let _head = chain.lock_head(me)?;
        Ok(self.count_ahead()?.0)
    }

    /// Report whether every record ahead of the cursor is a message, as far as this is known
    /// without a look at the records.
    fn has_messages_only(&self) -> bool {
        let chain = self.messages();
        chain.words.behind.voids_ahead.load(Ordering::Acquire) == 0
            && !chain.may_have_reservations_ahead()
    }

    /// Number of messages that wait, and number of records ahead of the cursor that are still being
    /// written. Under the head lock.
    fn count_ahead(&self) -> Result<(u64, u64)> {
        let chain = self.messages();
        let (mut items, mut writing, mut voids) = (0, 0, 0);
        if self.has_messages_only() {
            return Ok((chain.backlog(), 0));
        }
        let end = chain.words.tail.position().at();
        chain.walk_ahead(|checked| {
            match checked.state {
                State::Ready | State::Taken | State::Got => items += 1,
                State::Writing | State::Passed => writing += 1,
                State::Void => voids += 1,
                _ => {}
            }
            false
        })?;
        if voids == 0 {
            chain.words.behind.voids_ahead.store(0, Ordering::Release);
        }
        if writing == 0 {
            let settled = &chain.words.head.reservations;
            settled.store(end, Ordering::Release);
        }
        let available = chain.words.behind.available.load(Ordering::Relaxed);
        Ok((available.saturating_add(items), writing))
    }

    /// Report what lies ahead of the consumers.
    pub(super) fn look_ahead(&self, me: Caller<'_>) -> Result<Ahead> {
        let chain = self.messages();
        if self.has_messages_only() && chain.backlog() != 0 {
            return Ok(Ahead::Message);
        }
        let _head = chain.lock_head(me)?;
        self.first_ahead()
    }

    /// As [`look_ahead`](Self::look_ahead), under the head lock. The walk ends at the first
    /// message.
    fn first_ahead(&self) -> Result<Ahead> {
        let chain = self.messages();
        if chain.words.behind.available.load(Ordering::Relaxed) != 0 {
            return Ok(Ahead::Message);
        }
        let mut ahead = Ahead::Nothing;
        chain.walk_ahead(|checked| {
            match checked.state {
                State::Ready | State::Taken | State::Got => ahead = Ahead::Message,
                State::Writing | State::Passed => {
                    let owner = checked.word.owner();
                    if owner.is_some_and(|owner| !self.segment.is_gone_for_good(owner)) {
                        ahead = Ahead::Writing;
                    }
                }
                _ => {}
            }
            ahead == Ahead::Message
        })?;
        Ok(ahead)
    }

    /// Report whether a message waits or is in flight.
    pub(super) fn has_unfinished(&self, me: Caller<'_>) -> Result<bool> {
        let chain = self.messages();
        let in_flight = &chain.words.behind.in_flight;
        let is_waiting = self.has_messages_only() && chain.backlog() != 0;
        if is_waiting || (in_flight.load(Ordering::Acquire) != 0 && !chain.is_owed()) {
            return Ok(true);
        }
        // A message may have been on its way from in flight to waiting at that moment.
        let _head = chain.lock_head(me)?;
        let is_waiting = self.first_ahead()? == Ahead::Message;
        Ok(is_waiting || in_flight.load(Ordering::Relaxed) != 0)
    }
}

/// The result of a look for messages, ahead of the cursor and among the returned messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ahead {
    Message,
    /// No message, but a live process is writing one.
    Writing,
    Nothing,
}
