//! What a queue is watched for: whether a get or a put would wait.

use std::sync::atomic::Ordering;

use super::body::Phase;
use super::info::Ahead;
use super::record::extent_of;
use super::{At, Queue};
use crate::segment::{Companion, Segment};
use crate::status::{Result, Status};
use crate::sync::wait::Wait;

/// A word to sleep on and the value that it had when its sleeper announced itself.
pub(crate) type Watched = (*const u32, u32);

impl Queue {
    pub(crate) fn segment(&self) -> &std::sync::Arc<Segment> {
        &self.segment
    }

    /// What the layer that waits keeps with this object.
    pub(crate) fn companion(&self) -> &Companion {
        &self.companion
    }

    /// A get that found nothing, for whoever keeps a descriptor of the queue.
    #[inline]
    pub(super) fn tell_empty<T>(&self, got: Result<T>) -> Result<T> {
        if matches!(got, Err(Status::E_EMPTY)) {
            self.companion.found_nothing();
        }
        got
    }
}

/// Whether a get would not wait: there is a message, or the stream has ended.
pub(crate) fn can_get(segment: &Segment) -> Result<bool> {
    let queue = At::new(segment)?;
    // Most of the time there is nothing, and that is seen without counting.
    if !queue.may_have_items() {
        return Ok(false);
    }
    // Before the look: when it is not open, no reservation is made any more.
    let is_open = queue.body.phase() == Phase::Open;
    let passed = &queue.messages().words.behind.passed;
    Ok(match queue.look_ahead(segment.me()?)? {
        Ahead::Message => true,
        Ahead::Writing => false,
        Ahead::Nothing => !is_open && passed.load(Ordering::Acquire) == 0,
    })
}

/// Announce a sleeper that a change of [`can_get`] wakes.
pub(crate) fn watch_get(segment: &Segment) -> Result<[Watched; 2]> {
    let queue = At::new(segment)?;
    Ok([
        queue.body.items.watchers.watch(),
        queue.body.drained.watchers.watch(),
    ])
}

/// Whether a put of one byte would not wait: there is room, or the queue is shut down.
pub(crate) fn can_put(segment: &Segment) -> Result<bool> {
    let queue = At::new(segment)?;
    if queue.body.phase() != Phase::Open {
        return Ok(true);
    }
    let me = segment.me()?;
    let chain = queue.messages();
    let _tail = chain.lock_tail(me, &Wait::FOREVER)?;
    queue.has_room(&chain, &chain.pen(), extent_of(1), me)
}

/// Announce a sleeper that room wakes.
pub(crate) fn watch_put(segment: &Segment) -> Result<Watched> {
    Ok(At::new(segment)?.body.space.watchers.watch())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::QueueOptions;

    /// A put woke one sleeper, and that could be one who only watched the queue: a consumer slept on beside
    /// a message until the end of its slice.
    #[test]
    fn a_watcher_does_not_take_a_consumers_wake_up_away() {
        let queue = Queue::create(None, &QueueOptions::default()).unwrap();
        watch_get(&queue.segment).unwrap();
        watch_put(&queue.segment).unwrap();
        let body = queue.at().unwrap().body;
        for condition in [&body.items, &body.space] {
            assert!(condition.watchers.has_sleepers());
            assert!(!condition.waiters.has_sleepers());
        }
    }
}
