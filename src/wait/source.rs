//! Sources of readiness in shared memory.

use std::sync::atomic::AtomicU64;
use std::sync::Arc;

use crate::connection::Receiver;
use crate::object::event;
use crate::queue::{readiness, settled};
use crate::segment::Segment;
use crate::status::Result;
use crate::sync::lock_wait::LockWait;
use crate::sync::look::Look;

/// A word to sleep on, and its value.
pub(super) type WatchedWord = (*const u32, u32);

/// One operation on an object in shared memory that a wait can be for.
#[derive(Clone)]
pub(crate) enum Source {
    /// A get from a queue.
    Get(Arc<Segment>),
    /// A put into a queue.
    Put(Arc<Segment>),
    /// Messages of a queue that were settled since the count had this value.
    Settled(Arc<Segment>, Arc<AtomicU64>),
    /// An event that is set.
    Event(Arc<Segment>),
    /// An event that is set, or was set since its count of sets had this value.
    EventSince(Arc<Segment>, u32),
    /// A receive from an end of a pipe.
    Receive(Receiver),
}

impl Source {
    pub(super) fn segment(&self) -> &Arc<Segment> {
        match self {
            Source::Get(segment)
            | Source::Put(segment)
            | Source::Settled(segment, _)
            | Source::Event(segment)
            | Source::EventSince(segment, _) => segment,
            Source::Receive(receiver) => receiver.segment(),
        }
    }

    /// Whether the operation would not wait. `Doubtful` when this could not be determined within
    /// the time that `locks` allows.
    pub(super) fn look(&self, locks: &LockWait<'_>) -> Result<Look> {
        let is_ready = match self {
            Source::Get(segment) => return readiness::can_get(segment, locks),
            Source::Put(segment) => return readiness::can_put(segment, locks),
            Source::Settled(segment, seen) => return settled::has_grown(segment, seen, locks),
            Source::Event(segment) => event::is_set(segment)?,
            Source::EventSince(segment, sets) => event::was_set_since(segment, *sets)?,
            Source::Receive(receiver) => return receiver.look(),
        };
        Ok(is_ready.into())
    }

    /// A wait for this has just ended: the next get looks around, as after a sleep of its own.
    pub(super) fn tell_waited(&self) {
        if let Source::Get(segment) = self {
            segment.look_around_soon();
        }
    }

    /// Announce a sleeper, so that a change of readiness wakes it. The caller looks again after
    /// this, then sleeps.
    pub(super) fn watch(&self, words: &mut Vec<WatchedWord>) -> Result<()> {
        match self {
            Source::Get(segment) => words.extend(readiness::watch_get(segment)?),
            Source::Put(segment) => words.push(readiness::watch_put(segment)?),
            Source::Settled(segment, _) => words.extend(settled::watch(segment)?),
            Source::Event(segment) | Source::EventSince(segment, _) => {
                words.push(event::watch(segment)?);
            }
            Source::Receive(receiver) => words.push(receiver.watch()?),
        }
        Ok(())
    }
}
