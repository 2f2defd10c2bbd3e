//! What there is to know of a queue. Exact when read.

use std::sync::atomic::Ordering;

use super::layout::body::Intake;
use super::layout::record::State;
use super::view::View;
use super::Queue;
use crate::status::Result;
use crate::sync::lock_wait::{Caller, LockWait};

/// The numbers of a queue at one moment.
#[derive(Clone, Copy, Default, Debug)]
pub struct QueueInfo {
    /// Messages that wait.
    pub items: u64,
    /// Bytes of messages that are not over, their headers included.
    pub bytes: u64,
    /// Messages that some process has got or taken and not settled.
    pub in_flight: u64,
    /// Messages that are waiting or in flight.
    pub unfinished: u64,
    /// Messages put since the queue was made.
    pub puts: u64,
    /// Messages got since then, those that came back left out.
    pub gets: u64,
    /// Messages that came back: returned, or their consumer died.
    pub redelivered: u64,
    /// Messages thrown away by an immediate shutdown, and puts whose process died inside.
    pub discarded: u64,
    /// How often the dead were recovered.
    pub recoveries: u64,
    /// Dead letters that nobody has taken yet.
    pub dead_letters: u64,
    /// Threads asleep in the queue.
    pub waiting: u32,
    /// Processes that use the queue.
    pub participants: u32,
    /// Whether puts are refused.
    pub shutdown: bool,
}

impl Queue {
    /// Messages that wait.
    ///
    /// # Errors
    /// `E_TIMEOUT`: a stopped process keeps others from looking. `E_CORRUPT`.
    pub fn len(&self) -> Result<u64> {
        let me = self.segment.me()?;
        self.at()?.waiting(Caller::new(me, &LockWait::brief()))
    }

    /// Whether a get would wait.
    ///
    /// # Errors
    /// `E_TIMEOUT`: a stopped process keeps others from looking. `E_CORRUPT`.
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Whether a put of one byte would wait.
    ///
    /// # Errors
    /// `E_TIMEOUT`: a stopped process keeps others from looking. `E_CORRUPT`.
    pub fn is_full(&self) -> Result<bool> {
        let me = self.segment.me()?;
        let has_room = self
            .at()?
            .has_room_for_one(Caller::new(me, &LockWait::brief()))?;
        Ok(!has_room)
    }

    /// All numbers.
    ///
    /// # Errors
    /// `E_TIMEOUT`: a stopped process keeps others from looking. `E_CORRUPT`.
    pub fn info(&self) -> Result<QueueInfo> {
        let me = self.segment.me()?;
        self.segment.reap(me)?;
        let queue = self.at()?;
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
        })
    }
}

impl View<'_> {
    /// Messages that wait. Reservations, and those given up, stand among them and are not messages:
    /// only while there are any are the records counted one by one.
    pub(super) fn waiting(&self, me: Caller<'_>) -> Result<u64> {
        let chain = self.messages();
        if self.has_messages_only() {
            return Ok(chain.backlog());
        }
        let _head = chain.lock_head(me)?;
        Ok(self.count_ahead()?.0)
    }

    /// Whether each record ahead of the cursor is a message, as far as that is known without looking at them.
    fn has_messages_only(&self) -> bool {
        let chain = self.messages();
        chain.words.behind.voids_ahead.load(Ordering::Acquire) == 0
            && !chain.may_have_reservations_ahead()
    }

    /// Messages that wait, and records ahead of the cursor that are still being written. Under the head lock.
    fn count_ahead(&self) -> Result<(u64, u64)> {
        let chain = self.messages();
        let (mut items, mut writing, mut voids) = (0, 0, 0);
        if self.has_messages_only() {
            return Ok((chain.backlog(), 0));
        }
        let end = chain.words.tail.position().at;
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

    /// What is ahead of the consumers.
    pub(super) fn look_ahead(&self, me: Caller<'_>) -> Result<Ahead> {
        let chain = self.messages();
        if self.has_messages_only() && chain.backlog() != 0 {
            return Ok(Ahead::Message);
        }
        let _head = chain.lock_head(me)?;
        self.first_ahead()
    }

    /// The same under the head lock. It looks no further than to the first message.
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

    /// Whether a message is waiting or in flight.
    pub(super) fn has_unfinished(&self, me: Caller<'_>) -> Result<bool> {
        let chain = self.messages();
        let in_flight = &chain.words.behind.in_flight;
        let is_waiting = self.has_messages_only() && chain.backlog() != 0;
        if is_waiting || (in_flight.load(Ordering::Acquire) != 0 && !chain.is_owed()) {
            return Ok(true);
        }
        // One may have been on its way from in flight to waiting just then.
        let _head = chain.lock_head(me)?;
        let is_waiting = self.first_ahead()? == Ahead::Message;
        Ok(is_waiting || in_flight.load(Ordering::Relaxed) != 0)
    }
}

/// What lies ahead of the consumers' cursor, or came back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ahead {
    Message,
    /// No message, but somebody is writing one.
    Writing,
    Nothing,
}
