//! A queue as a process sees it that takes no part: copies of its words and of its records.
//!
//! The copies are made without a lock, while others put and get. Each copy of a side's cursor and
//! totals is consistent by itself, and the tail is copied after the head. What two copies say
//! together may be some messages apart on a busy queue. No number is believed: a place that cannot
//! be is `E_CORRUPT`, but only once a second look has found the same.

mod records;

use std::mem::offset_of;
use std::sync::atomic::{AtomicU64, Ordering};

use super::layout::body::{Body, ChainWords, Words};
use super::layout::cursor::{Cursor, Side};
use super::layout::ring::{self, DEAD_RINGS, MESSAGE_RINGS};
use super::QueueOptions;
use crate::segment::{CopiedAccounts, Snapshot};
use crate::status::detail::because;
use crate::status::Result;
use crate::sync::eventcount::WaitPoint;
use crate::sys::futex;

pub(crate) use super::layout::body::Intake;
pub(crate) use records::{Found, Walk};

/// How often a busy queue is looked at before what was found counts as damage.
const LOOKS: u32 = 50;
/// How long to wait between two looks.
const PAUSE_NS: u64 = 100_000;
/// How often a side is copied anew until its cursor and its totals belong together.
const COPIES: u32 = 16;

/// One of the two chains of a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Chain {
    Messages,
    DeadLetters,
}

impl Chain {
    fn words(self, body: &Body) -> &ChainWords {
        match self {
            Chain::Messages => &body.messages,
            Chain::DeadLetters => &body.dead,
        }
    }

    /// Offset of its words in `Body`.
    fn at(self) -> usize {
        match self {
            Chain::Messages => offset_of!(Body, messages),
            Chain::DeadLetters => offset_of!(Body, dead),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Chain::Messages => "messages",
            Chain::DeadLetters => "dead letters",
        }
    }

    fn has_ring(self, ring: usize) -> bool {
        match self {
            Chain::Messages => MESSAGE_RINGS.contains(&ring),
            Chain::DeadLetters => DEAD_RINGS.contains(&ring),
        }
    }
}

/// The two ends of a chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Ends {
    head: Cursor,
    tail: Cursor,
}

impl Ends {
    fn copy(segment: &Snapshot, chain: Chain) -> Result<Ends> {
        let head = copy_side(segment, chain.at() + offset_of!(ChainWords, head))?;
        let tail = copy_side(segment, chain.at() + offset_of!(ChainWords, tail))?;
        Ok(Ends { head, tail })
    }

    /// Number of records ahead of the consumers.
    fn ahead(&self) -> u64 {
        let (head, tail) = (self.head.totals.count, self.tail.totals.count);
        tail.saturating_sub(head)
    }
}

/// A cursor and its totals that belonged together, if the side has a moment of rest.
fn copy_side(segment: &Snapshot, at: usize) -> Result<Cursor> {
    let mut copies = COPIES;
    loop {
        copies -= 1;
        let side: Side = segment.part(at)?;
        let now: AtomicU64 = segment.part(at + offset_of!(Side, cursor))?;
        if copies == 0 || side.cursor.load(Ordering::Relaxed) == now.load(Ordering::Relaxed) {
            return Ok(side.cursor());
        }
    }
}

/// A copy of a queue's words.
pub(crate) struct QueueSnapshot<'a> {
    segment: &'a Snapshot,
    body: Body,
    messages: Ends,
    dead_letters: Ends,
}

/// The numbers of a queue at one moment.
pub(crate) struct Counts {
    pub(crate) items: u64,
    pub(crate) in_flight: u64,
    pub(crate) bytes: u64,
    pub(crate) puts: u64,
    pub(crate) gets: u64,
    pub(crate) redelivered: u64,
    pub(crate) discarded: u64,
    pub(crate) dead_letters: u64,
    pub(crate) intake: Intake,
}

/// For what threads may sleep in a queue.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Sleepers {
    pub(crate) for_items: bool,
    pub(crate) for_room: bool,
    pub(crate) in_join: bool,
}

/// What the participants of a queue have done.
pub(crate) fn accounts(segment: &Snapshot) -> Result<CopiedAccounts> {
    segment.accounts(Words::ACCOUNTS_AT)
}

impl<'a> QueueSnapshot<'a> {
    /// Copy the words of a queue.
    ///
    /// # Errors
    /// `E_CORRUPT`
    pub(crate) fn of(segment: &'a Snapshot) -> Result<QueueSnapshot<'a>> {
        let mut before = None;
        let mut looks = 0;
        loop {
            let queue = QueueSnapshot {
                segment,
                body: segment.first_words::<Words, Body>()?,
                messages: Ends::copy(segment, Chain::Messages)?,
                dead_letters: Ends::copy(segment, Chain::DeadLetters)?,
            };
            let Err(status) = queue.check() else {
                return Ok(queue);
            };
            let ends = Some((queue.messages, queue.dead_letters));
            looks += 1;
            // Nothing has moved between the two looks: no other process explains what was found.
            if looks == LOOKS || ends == before {
                return Err(status);
            }
            before = ends;
            futex::sleep(PAUSE_NS);
        }
    }

    fn check(&self) -> Result<()> {
        let shutdown = self.body.settings.shutdown.load(Ordering::Relaxed);
        if shutdown > Intake::Discarded as u32 {
            return Err(because!(E_CORRUPT, "its shutdown is {shutdown}"));
        }
        for chain in [Chain::Messages, Chain::DeadLetters] {
            let Ends { head, tail } = self.ends(chain);
            let name = chain.name();
            for (end, cursor) in [("head", head), ("tail", tail)] {
                let ring = cursor.position.ring();
                if !chain.has_ring(ring) {
                    return Err(because!(
                        E_CORRUPT,
                        "the {end} of its {name} is in ring {ring}"
                    ));
                }
            }
            if head.position.at() > tail.position.at() || head.totals.count > tail.totals.count {
                return Err(because!(
                    E_CORRUPT,
                    "the head of its {name} is after the tail"
                ));
            }
            // The head moves on while it is copied. It lies after what was free before its copy,
            // and at most a ring's size after what is free now.
            let ring = head.position.ring();
            let free_before = self.body.rings.get(ring).map(|state| &state.free);
            let free_before = free_before.map_or(0, |free| free.load(Ordering::Relaxed));
            let at = head.position.at();
            if at < free_before || at.saturating_sub(self.free(ring)?) > ring::size(ring) {
                return Err(because!(
                    E_CORRUPT,
                    "the head of its {name} is not in its ring"
                ));
            }
        }
        Ok(())
    }

    fn ends(&self, chain: Chain) -> Ends {
        match chain {
            Chain::Messages => self.messages,
            Chain::DeadLetters => self.dead_letters,
        }
    }

    /// The place behind the last message.
    pub(crate) fn tail(&self) -> u64 {
        self.messages.tail.position.at()
    }

    /// The place of the first message that was not delivered before, and how many records lie from
    /// there on.
    pub(crate) fn head(&self) -> (u64, u64) {
        (self.messages.head.position.at(), self.messages.ahead())
    }

    /// The options with which the queue was created.
    pub(crate) fn options(&self) -> QueueOptions {
        self.body.options()
    }

    /// The identity of the queue.
    pub(crate) fn identity(&self) -> [u8; 16] {
        self.body.identity()
    }

    /// The numbers of the queue. Reservations that are not committed yet count as items.
    pub(crate) fn counts(&self) -> Counts {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (behind, counters) = (&self.body.messages.behind, &self.body.counters);
        let items = self
            .messages
            .ahead()
            .saturating_add(load(&behind.available));
        let totals = self.messages.tail.totals;
        let consumed = self.messages.head.totals.bytes;
        let puts = totals
            .count
            .saturating_sub(load(&behind.voided))
            .saturating_sub(load(&behind.passed));
        let dead_letters = self.dead_letters.ahead();
        Counts {
            items,
            in_flight: load(&behind.in_flight),
            bytes: totals
                .bytes
                .saturating_sub(consumed)
                .saturating_add(load(&behind.bytes)),
            puts,
            gets: puts.saturating_sub(items),
            redelivered: load(&counters.redelivered),
            discarded: load(&counters.discarded).saturating_add(load(&behind.abandoned)),
            dead_letters: dead_letters.saturating_add(load(&self.body.dead.behind.available)),
            intake: self.body.phase(),
        }
    }

    /// For what threads may sleep. A bit stays until the next wake-up, also when its thread was
    /// killed.
    pub(crate) fn sleepers(&self) -> Sleepers {
        let has = |point: &WaitPoint| point.waiters.has_sleepers() || point.watchers.has_sleepers();
        Sleepers {
            for_items: has(&self.body.items),
            for_room: has(&self.body.space),
            in_join: has(&self.body.idle),
        }
    }
}
