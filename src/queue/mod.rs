//! The queue: messages between processes, none lost and none stuck when one of them is killed.
//!
//! ```text
//! put, reserve, get, take, tasks, dead, info     what users call
//! steady, lend                                   the same when all is simple
//! loans                                          how many of what they lend is not settled
//! room, waiting, pressure, distance              waiting for the other side, and pacing by it
//! recover                                        after a death
//! memory, trim                                   a full /dev/shm, and giving memory back
//! unlocked                                       beside a lock whose holder is stopped
//! chain: append, consume, behind                 a chain of rings and its two ends
//! side, ring, record, position, payload          what lies in shared memory
//! ```

mod append;
mod behind;
mod body;
mod chain;
mod consume;
mod dead;
mod distance;
mod get;
mod info;
mod lend;
mod loans;
mod memory;
mod options;
#[allow(unsafe_code)]
mod payload;
mod position;
mod pressure;
mod put;
mod record;
mod recover;
mod reserve;
mod ring;
mod room;
mod shutdown;
mod side;
mod steady;
mod take;
mod tasks;
mod trim;
mod unlocked;
mod waiting;
pub(crate) mod watch;

use std::sync::atomic::Ordering;
use std::sync::Arc;

pub use get::Got;
pub use info::QueueInfo;
pub use options::QueueOptions;
pub use reserve::Reservation;
pub use take::Loan;

pub(crate) use loans::Loans;

use body::{Body, Phase, RINGS_AT};
use chain::Chain;
use ring::{Rings, BASE, DEAD_RINGS, MESSAGE_RINGS, RINGS};
use waiting::Spins;

use crate::segment::{object_handle, Companion, Kind, ObjectType, Segment};
use crate::status::{Result, Status};
use crate::sync::lock_wait::Caller;
use crate::sync::owner::Owner;

/// A queue of messages, joinable or not, bounded by items and by bytes or not at all.
pub struct Queue {
    segment: Arc<Segment>,
    companion: Companion,
    spins: Spins,
    loans: Loans,
}

static TYPE: ObjectType = ObjectType {
    kind: Kind::Queue,
    body: size_of::<Body>(),
    extents: RINGS,
    extra: BASE,
    over_at: Some(Body::SHUT_DOWN_AT),
    recover,
};

fn recover(segment: &Segment, me: Caller<'_>, is_gone: &dyn Fn(Owner) -> bool) -> Result<()> {
    At::new(segment)?.recover(me, is_gone)
}

object_handle!(Queue, TYPE);

impl Queue {
    /// Where in it its loans are counted.
    pub(crate) const LOANS_AT: usize = std::mem::offset_of!(Queue, loans);

    /// Make a queue that is empty.
    ///
    /// # Errors
    /// `E_INVALID`, `E_EXISTS`, `E_MISMATCH` (also when the existing one's options differ),
    /// `E_PERMISSION`, `E_NO_MEMORY`.
    pub fn create(name: Option<&str>, options: &QueueOptions) -> Result<Queue> {
        options.check()?;
        let fill = |segment: &Segment| {
            let queue = At::new(segment)?;
            queue.body.fill(options);
            queue.messages().fill(BASE)?;
            queue.dead_letters().fill(0)
        };
        let check = |segment: &Segment| match At::new(segment)?.body.options().has_shape_of(options)
        {
            true => Ok(()),
            false => Err(Status::E_MISMATCH),
        };
        Queue::opened(Segment::create(
            &TYPE,
            name,
            &options.create,
            &fill,
            &check,
        )?)
    }

    fn opened(segment: Arc<Segment>) -> Result<Queue> {
        Ok(Queue {
            segment,
            companion: Companion::new(),
            spins: Spins::new(),
            loans: Loans::new(),
        })
    }

    /// What it was made with.
    ///
    /// # Errors
    /// None so far.
    pub fn options(&self) -> Result<QueueOptions> {
        Ok(self.at()?.body.options())
    }

    #[inline]
    fn at(&self) -> Result<At<'_>> {
        Ok(At {
            spins: &self.spins,
            loans: &self.loans,
            ..At::new(&self.segment)?
        })
    }
}

/// A queue's words in shared memory, as one call works on them.
#[derive(Clone, Copy)]
struct At<'a> {
    segment: &'a Segment,
    body: &'a Body,
    spins: &'a Spins,
    loans: &'a Loans,
}

impl<'a> At<'a> {
    /// For who neither waits nor borrows: what waits learn, and what is lent, is kept by a handle.
    #[inline]
    fn new(segment: &'a Segment) -> Result<At<'a>> {
        static SPINS: Spins = Spins::new();
        static LOANS: Loans = Loans::new();
        Ok(At {
            segment,
            body: segment.body()?,
            spins: &SPINS,
            loans: &LOANS,
        })
    }

    #[inline]
    fn messages(&self) -> Chain<'a> {
        self.chain(&self.body.messages, MESSAGE_RINGS)
    }

    fn dead_letters(&self) -> Chain<'a> {
        self.chain(&self.body.dead, DEAD_RINGS)
    }

    #[inline]
    fn chain(&self, words: &'a chain::ChainWords, range: std::ops::Range<usize>) -> Chain<'a> {
        Chain {
            segment: self.segment,
            words,
            states: &self.body.rings,
            rings: Rings::new(self.segment, RINGS_AT),
            range: (range.start, range.end),
        }
    }

    /// Whether no message can come any more, beside those that are there. May take a look more to say yes.
    fn has_ended(&self) -> bool {
        // In this order: when the queue is not open, no reservation is made any more; and those that the head has
        // gone past count as passed.
        self.body.phase() != Phase::Open && {
            let chain = self.messages();
            !chain.may_have_reservations_ahead()
                && chain.words.behind.passed.load(Ordering::Acquire) == 0
        }
    }
}
