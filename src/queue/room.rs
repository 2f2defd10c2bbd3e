//! Room for a record: what the limits allow, and how producers wait for room.

use std::sync::atomic::Ordering;

use super::chain::Chain;
use super::layout::body::Intake;
use super::layout::cursor::Pen;
use super::layout::record::{extent_of, State};
use super::view::View;
use crate::pace::pressure::Hurry;
use crate::pace::{COMFORTABLE, PART};
use crate::status::{Result, Status};
use crate::sync::lock_wait::Caller;
use crate::sync::wait::Patience;

/// The result of one attempt.
pub(super) enum Attempt<T> {
    Done(T),
    /// The limits do not allow it.
    Full,
    /// The limits allow it, but the ring is full and the attempt was not allowed to link another
    /// one.
    Cramped,
}

impl<T> Attempt<T> {
    /// The same outcome, with what `f` makes of the result.
    fn map<U>(self, f: impl FnOnce(T) -> U) -> Attempt<U> {
        match self {
            Attempt::Done(it) => Attempt::Done(f(it)),
            Attempt::Full => Attempt::Full,
            Attempt::Cramped => Attempt::Cramped,
        }
    }
}

/// Whether an attempt may link another ring when the ring in use is full.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Growth {
    /// It may not: active consumers make room sooner, and a small ring stays hot in the caches.
    Waits,
    Grows,
}

impl<'a> View<'a> {
    /// Repeat `attempt` until there is room, or the wait is over. `extent` is the approximate size
    /// of the record.
    pub(super) fn until_room<T>(
        &self,
        extent: u64,
        patience: &mut Patience<'_>,
        me: Caller<'_>,
        mut attempt: impl FnMut(Growth) -> Result<Attempt<T>>,
    ) -> Result<T> {
        let mut done = None;
        self.attempt_until_done(extent, patience, me, &mut |growth| {
            Ok(attempt(growth)?.map(|it| done = Some(it)))
        })?;
        done.ok_or(Status::E_INTERNAL)
    }

    /// As [`until_room`](Self::until_room), for an attempt that stores its own result. This
    /// function is not generic, so that its large body exists once.
    fn attempt_until_done(
        &self,
        extent: u64,
        patience: &mut Patience<'_>,
        me: Caller<'_>,
        attempt: &mut dyn FnMut(Growth) -> Result<Attempt<()>>,
    ) -> Result<()> {
        let hurry = match patience.is_try() {
            true => Hurry::Try,
            false => Hurry::Until(patience.deadline()),
        };
        let mut is_done = || {
            let attempted = self.attempt_or_grow(extent, hurry, me, attempt);
            Ok::<bool, Status>(matches!(attempted?, Attempt::Done(())))
        };
        while !is_done()? {
            if patience.is_try() {
                return Err(Status::E_FULL);
            }
            let waited = if self.room_now(extent) == 0 {
                // The limits have no room, so the wait looks at the limits only.
                let found = || self.room_now(extent);
                self.wait_for_space(found, self.comfortable(extent), patience)
            } else {
                // The limits have room, but no ring had. Look at the head and attempt once more, so
                // that no record is missed that was consumed in between.
                let seen = self.messages().consumed();
                if is_done()? {
                    return Ok(());
                }
                let has_changed = || self.messages().consumed() != seen;
                let found = || u64::from(has_changed() || self.body.phase() != Intake::Open);
                self.wait_for_space(found, 1, patience)
            };
            if let Err(status) = waited {
                return match (is_done(), status) {
                    (Ok(true), _) => Ok(()),
                    // The queue was full at the last attempt, and a look without a lock says that
                    // it still is.
                    (Err(Status::E_TIMEOUT), _) if self.room_now(extent) == 0 => {
                        Err(Status::E_FULL)
                    }
                    (Err(other), _) => Err(other),
                    (Ok(false), Status::E_TIMEOUT) => Err(Status::E_FULL),
                    (Ok(false), status) => Err(status),
                };
            }
        }
        Ok(())
    }

    /// Attempt once. If the ring is full, wait for active consumers and attempt again, and then
    /// attempt with permission to link another ring.
    fn attempt_or_grow(
        &self,
        extent: u64,
        hurry: Hurry,
        me: Caller<'_>,
        attempt: &mut dyn FnMut(Growth) -> Result<Attempt<()>>,
    ) -> Result<Attempt<()>> {
        let mut attempt = |growth| self.without_holding_up(me, || attempt(growth));
        let first = attempt(Growth::Waits)?;
        if !matches!(first, Attempt::Cramped) {
            return Ok(first);
        }
        let has_room = self.consumers_make_room(extent, hurry);
        if has_room && matches!(attempt(Growth::Waits)?, Attempt::Done(())) {
            return Ok(Attempt::Done(()));
        }
        attempt(Growth::Grows)
    }

    /// The number of records for which there must be room before the producer goes on. Each look at
    /// the consumers' progress takes cache lines away from them.
    fn comfortable(&self, extent: u64) -> u64 {
        (self.capacity(extent) / PART).clamp(1, COMFORTABLE)
    }

    /// The number of records of `extent` bytes for which the limits have room. `u64::MAX` if a
    /// closer look is needed, or if the queue is shut down.
    fn room_now(&self, extent: u64) -> u64 {
        let chain = self.messages();
        let has_voids = chain.words.behind.voids_ahead.load(Ordering::Acquire) != 0;
        if has_voids || self.body.phase() != Intake::Open {
            return u64::MAX;
        }
        // Load the head first. Consumers only make room, so the room that is found exists unless
        // other producers take it first.
        let consumed = chain.consumed();
        let totals = chain.words.tail.snapshot().totals;
        self.body
            .room(&totals, extent, consumed.count, consumed.bytes)
    }

    /// Report whether the limits allow one more record, by the tail's copy of the head's progress
    /// or else by the head itself.
    #[inline]
    pub(super) fn has_room(
        &self,
        chain: &Chain<'a>,
        pen: &Pen,
        extent: u64,
        me: Caller<'_>,
    ) -> Result<bool> {
        if !self.body.is_limited() {
            return Ok(true);
        }
        let totals = pen.totals;
        let allow = |count: u64, bytes: u64| self.body.allows(&totals, extent, count, bytes);
        let seen = &chain.words.tail.seen;
        if allow(
            seen.count.load(Ordering::Relaxed),
            seen.bytes.load(Ordering::Relaxed),
        ) {
            return Ok(true);
        }
        self.has_room_by_the_head(chain, allow, me)
    }

    #[cold]
    fn has_room_by_the_head(
        &self,
        chain: &Chain<'a>,
        allow: impl Fn(u64, u64) -> bool,
        me: Caller<'_>,
    ) -> Result<bool> {
        let seen = &chain.words.tail.seen;
        if chain.is_owed() {
            // The next holder of the head lock counts what is owed.
            drop(chain.lock_head_too(me)?);
        }
        let consumed = chain.consumed();
        seen.count.store(consumed.count, Ordering::Relaxed);
        seen.bytes.store(consumed.bytes, Ordering::Relaxed);
        if allow(consumed.count, consumed.bytes) {
            return Ok(true);
        }
        if chain.words.behind.voids_ahead.load(Ordering::Relaxed) == 0 {
            return Ok(false);
        }
        // Records that were given up count against the limits until a consumer goes past them:
        // leave them out.
        let (voids, void_bytes) = self.voids_ahead(chain, me)?;
        Ok(allow(
            consumed.count.saturating_add(voids),
            consumed.bytes.saturating_add(void_bytes),
        ))
    }

    /// Report whether the limits allow a put of one byte without a wait.
    pub(super) fn has_room_for_one(&self, me: Caller<'_>) -> Result<bool> {
        let chain = self.messages();
        self.without_holding_up(me, || {
            let _tail = chain.lock_tail(me)?;
            self.has_room(&chain, &chain.words.tail.pen(), extent_of(1), me)
        })
    }

    fn voids_ahead(&self, chain: &Chain<'a>, me: Caller<'_>) -> Result<(u64, u64)> {
        let _head = chain.lock_head_too(me)?;
        let (mut count, mut bytes) = (0, 0);
        chain.walk_ahead(|checked| {
            if checked.state == State::Void {
                count += 1;
                bytes += checked.extent;
            }
            false
        })?;
        Ok((count, bytes))
    }
}
