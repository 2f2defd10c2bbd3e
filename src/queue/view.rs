//! A view of a queue's shared words for the time of one call, and what a call does last: waking
//! those who wait.

use std::sync::atomic::Ordering;

use super::chain::Chain;
use super::layout::body::{Body, Intake, Words};
use super::loans::Loans;
use super::Queue;
use crate::pace::pacing::Pacing;
use crate::pace::switches::Switches;
use crate::segment::Segment;
use crate::status::Result;
use crate::sync::owner::Owner;

/// A view of a queue's shared words for the time of one call.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) segment: &'a Segment,
    pub(super) body: &'a Body,
    pub(super) words: &'a Words,
    pub(super) pacing: &'a Pacing,
    pub(super) loans: &'a Loans,
}

impl Queue {
    /// The view of a call through this handle.
    #[inline(always)]
    pub(super) fn at(&self) -> View<'_> {
        let words = self.segment.words();
        View {
            segment: &self.segment,
            body: &words.body,
            words,
            pacing: &self.pacing,
            loans: &self.loans,
        }
    }
}

/// The rare steps of the fast paths. A fast path has no view: a view that one of its calls passes
/// on would lie in memory, and each call would write it.
impl Queue {
    /// See [`View::keep_distance_from_producers`].
    #[inline(always)]
    pub(super) fn keep_distance_from_producers(&self) {
        if self.pacing.from_producers.is_on() {
            self.with_view(|view| view.keep_distance_from_producers());
        }
    }

    /// See [`View::keep_distance_from_consumers`].
    #[inline(always)]
    pub(super) fn keep_distance_from_consumers(&self, extent: u64) {
        if self.pacing.from_consumers.is_on() {
            self.with_view(move |view| view.keep_distance_from_consumers(extent));
        }
    }

    /// See [`View::after_commit`].
    #[inline(always)]
    pub(super) fn after_commit(&self, words: &Words) {
        if words.body.items.has_sleepers_after_rmw() {
            self.with_view(|view| view.after_commit());
        }
    }

    /// See [`View::saw_messages`].
    #[inline(always)]
    pub(super) fn saw_messages(&self, bytes: u64, extent: u64) {
        self.with_view(move |view| view.saw_messages(bytes, extent));
    }

    /// See [`View::after_get`].
    #[inline(always)]
    pub(super) fn after_get(&self, words: &Words, count: u32) {
        if words.body.has_sleepers_after_get() {
            self.with_view(move |view| view.after_get(count));
        }
    }

    /// See [`View::after_finish`]. If that fails, the message is settled all the same, and the next
    /// call that needs what is damaged reports it.
    #[inline(always)]
    pub(super) fn after_finish(&self, words: &Words, me: Owner) {
        if words.body.has_sleepers_after_finish() {
            self.with_view(move |view| _ = view.after_finish(me));
        }
    }

    #[cold]
    #[inline(never)]
    fn with_view(&self, then: impl FnOnce(View<'_>)) {
        then(self.at());
    }
}

impl<'a> View<'a> {
    /// A view for a caller that neither waits nor lends. A handle has its own pacing and its own
    /// loan counts; this view shares one set among all queues.
    #[inline]
    pub(super) fn new(segment: &'a Segment) -> Result<View<'a>> {
        static PACING: Pacing = Pacing::new(Switches::ALL_ON);
        static LOANS: Loans = Loans::new();
        let words: &Words = segment.body()?;
        Ok(View {
            segment,
            body: &words.body,
            words,
            pacing: &PACING,
            loans: &LOANS,
        })
    }

    #[inline]
    pub(super) fn messages(&self) -> Chain<'a> {
        Chain::of_messages(self.segment, self.words)
    }

    pub(super) fn dead_letters(&self) -> Chain<'a> {
        Chain::of_dead_letters(self.segment, self.words)
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

    /// Wake consumers for `count` new messages.
    #[inline]
    pub(super) fn notify_items(&self, count: u32) {
        self.body.items.notify(self.segment, count);
    }

    /// Wake producers for room for `count` messages.
    #[inline(always)]
    pub(super) fn notify_space(&self, count: u32) {
        if self.body.space.has_sleepers_after_rmw() {
            self.wake_producers(count);
        }
    }

    /// With a limit of items only, `count` producers are woken. With a limit of bytes all of them
    /// are woken, since they may wait for room of different sizes.
    #[cold]
    #[inline(never)]
    fn wake_producers(self, count: u32) {
        match self.body.max_bytes() {
            0 => self.body.space.notify(self.segment, count),
            _ => self.body.space.notify_all(self.segment),
        }
    }

    /// After `count` messages were taken out: wake producers that wait for room, and the threads
    /// that watch for the queue to run empty.
    #[inline]
    pub(super) fn after_get(&self, count: u32) {
        self.notify_space(count);
        if self.body.drained.watchers.has_sleepers_after_rmw() {
            self.tell_watchers();
        }
    }

    #[cold]
    #[inline(never)]
    fn tell_watchers(self) {
        // A get from a joinable queue settles nothing.
        if !self.body.is_joinable() {
            self.notify_settled();
        }
        if !self.messages().has_more() {
            self.body.drained.notify_all(self.segment);
        }
    }

    /// Wake the threads that watch for settled messages: see `settled::watch`.
    pub(super) fn notify_settled(&self) {
        self.body.idle.watchers.notify_all(self.segment);
    }
}
