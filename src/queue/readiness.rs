//! Readiness of a queue: whether a get or a put would wait.

use std::sync::atomic::Ordering;

use super::info::Ahead;
use super::layout::body::Intake;
use super::view::View;
use super::Queue;
use crate::segment::{Readiness, Segment};
use crate::status::{Result, Status};
use crate::sync::lock_wait::{Caller, LockWait};
use crate::sync::look::Look;

/// A word to sleep on, and its value when the sleeper announced itself.
pub(crate) type WatchedWord = (*const u32, u32);

impl Queue {
    pub(crate) fn segment(&self) -> &std::sync::Arc<Segment> {
        self.segment.segment()
    }

    /// The state that the `wait` layer keeps with this object.
    pub(crate) fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    /// Note a get that found nothing, for a watcher that keeps a descriptor of the queue, and for
    /// the next get: the caller may wait elsewhere, for a descriptor or in steps, and for how long
    /// is not seen here.
    #[inline]
    pub(super) fn tell_empty<T>(&self, got: Result<T>) -> Result<T> {
        if got.is_err() {
            self.segment().look_around_soon();
        }
        if matches!(got, Err(Status::E_EMPTY)) {
            self.readiness.found_nothing();
        }
        got
    }
}

/// Report whether a get would return at once: there is a message, or the stream has ended.
/// `Doubtful` if the time for `locks` ends before this can be determined.
pub(crate) fn can_get(segment: &Segment, locks: &LockWait<'_>) -> Result<Look> {
    let queue = View::new(segment)?;
    // Usually the queue is empty, and this is seen without counting.
    if !queue.may_have_items() {
        return Ok(Look::Waits);
    }
    // Read the phase before the look: once the queue is not open, no reservation is made any more.
    let is_open = queue.body.phase() == Intake::Open;
    let passed = &queue.messages().words.behind.passed;
    let ahead = queue.look_ahead(Caller::new(segment.me()?, locks));
    seen(ahead.map(|ahead| match ahead {
        Ahead::Message => true,
        Ahead::Writing => false,
        Ahead::Nothing => !is_open && passed.load(Ordering::Acquire) == 0,
    }))
}

fn seen(is_ready: Result<bool>) -> Result<Look> {
    match is_ready {
        Ok(is_ready) => Ok(is_ready.into()),
        Err(Status::E_TIMEOUT) => Ok(Look::Doubtful),
        Err(status) => Err(status),
    }
}

/// Announce a sleeper that is woken when the result of [`can_get`] changes.
pub(crate) fn watch_get(segment: &Segment) -> Result<[WatchedWord; 2]> {
    let queue = View::new(segment)?;
    Ok([
        queue.body.items.watchers.watch(),
        queue.body.drained.watchers.watch(),
    ])
}

/// Report whether a put of one byte would return at once: there is room, or the queue is shut down.
/// `Doubtful` as in [`can_get`].
pub(crate) fn can_put(segment: &Segment, locks: &LockWait<'_>) -> Result<Look> {
    let queue = View::new(segment)?;
    if queue.body.phase() != Intake::Open {
        return Ok(Look::Ready);
    }
    seen(queue.has_room_for_one(Caller::new(segment.me()?, locks)))
}

/// Announce a sleeper that is woken when there is room.
pub(crate) fn watch_put(segment: &Segment) -> Result<WatchedWord> {
    Ok(View::new(segment)?.body.space.watchers.watch())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::QueueOptions;

    /// A put woke one sleeper. This could be a thread that only watched the queue; then a consumer
    /// slept on beside a message until the end of its slice.
    #[test]
    fn a_watcher_does_not_take_a_consumers_wake_up_away() {
        let queue = Queue::create(None, &QueueOptions::default()).unwrap();
        watch_get(&queue.segment).unwrap();
        watch_put(&queue.segment).unwrap();
        let body = queue.at().body;
        for condition in [&body.items, &body.space] {
            assert!(condition.watchers.has_sleepers());
            assert!(!condition.waiters.has_sleepers());
        }
    }
}
