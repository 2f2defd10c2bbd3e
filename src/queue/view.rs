//! A view of a queue's shared words for the time of one call.

use std::sync::atomic::Ordering;

use super::chain::Chain;
use super::layout::body::{Body, ChainWords, Intake, RINGS_AT};
use super::layout::ring::{Rings, DEAD_RINGS, MESSAGE_RINGS};
use super::loans::Loans;
use crate::pace::pacing::Pacing;
use crate::pace::switches::Switches;
use crate::segment::Segment;
use crate::status::Result;

/// A view of a queue's shared words for the time of one call.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) segment: &'a Segment,
    pub(super) body: &'a Body,
    pub(super) pacing: &'a Pacing,
    pub(super) loans: &'a Loans,
}

impl<'a> View<'a> {
    /// A view for a caller that neither waits nor lends. A handle has its own pacing and its own
    /// loan counts; this view shares one set among all queues.
    #[inline]
    pub(super) fn new(segment: &'a Segment) -> Result<View<'a>> {
        static PACING: Pacing = Pacing::new(Switches::ALL_ON);
        static LOANS: Loans = Loans::new();
        Ok(View {
            segment,
            body: segment.body()?,
            pacing: &PACING,
            loans: &LOANS,
        })
    }

    #[inline]
    pub(super) fn messages(&self) -> Chain<'a> {
        self.chain(&self.body.messages, MESSAGE_RINGS)
    }

    pub(super) fn dead_letters(&self) -> Chain<'a> {
        self.chain(&self.body.dead, DEAD_RINGS)
    }

    #[inline]
    fn chain(&self, words: &'a ChainWords, range: std::ops::Range<usize>) -> Chain<'a> {
        Chain {
            segment: self.segment,
            words,
            states: &self.body.rings,
            rings: Rings::new(self.segment, RINGS_AT),
            range: (range.start, range.end),
        }
    }

    /// Report whether no message can arrive any more, apart from those that are in the queue. After
    /// the end it may take one more look until this returns true.
    pub(super) fn has_ended(&self) -> bool {
        // Check in this order: once the queue is not open, no reservation is made any more, and the
        // reservations that the head has gone past are counted as passed.
        self.body.phase() != Intake::Open && {
            let chain = self.messages();
            !chain.may_have_reservations_ahead()
                && chain.words.behind.passed.load(Ordering::Acquire) == 0
        }
    }
}
