//! Readiness of an end: whether a receive would not wait.

use std::sync::Arc;

use super::ends::{End, Ends, Standing};
use super::lane::Lane;
use super::Pipe;
use crate::segment::{Readiness, Segment};
use crate::status::{Result, Status};
use crate::sync::look::Look;

/// A word to sleep on and the value that it had when its sleeper announced itself.
type WatchedWord = (*const u32, u32);

/// The receiving side of an end. It is no holder of the end, so it may outlive the handle.
#[derive(Clone)]
pub(crate) struct Receiver {
    segment: Arc<Segment>,
    end: End,
}

impl Pipe {
    /// The receiving side of this end. From now on this process uses the end.
    pub(crate) fn receiver(&self) -> Result<Receiver> {
        self.enter(true)?;
        Ok(Receiver {
            segment: Arc::clone(&self.segment),
            end: self.end,
        })
    }

    /// State that the layer `wait` keeps with this object.
    pub(crate) fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    /// After a receive that found nothing: make the end's descriptor unreadable, if there is one.
    pub(super) fn tell_nothing<T>(&self, got: Result<T>) -> Result<T> {
        if matches!(got, Err(Status::E_TIMEOUT)) {
            self.readiness.found_nothing();
        }
        got
    }
}

impl Receiver {
    pub(crate) fn segment(&self) -> &Arc<Segment> {
        &self.segment
    }

    /// Whether a receive would not wait: there is a message, or the end of the stream.
    pub(crate) fn look(&self) -> Result<Look> {
        let lane = Lane::to(&self.segment, self.end)?;
        if !lane.is_empty() || lane.offer().is_some() {
            return Ok(Look::Ready);
        }
        Ok(match Ends::of(&self.segment)?.standing(self.end.other())? {
            Standing::Held => Look::Waits,
            Standing::Claimed => Look::Doubtful,
            Standing::Over => Look::Ready,
        })
    }

    /// Announce a sleeper, to be woken when [`look`](Self::look) may have become `Ready`.
    pub(crate) fn watch(&self) -> Result<WatchedWord> {
        let lane = Lane::to(&self.segment, self.end)?;
        Ok(lane.words.items.count.watch())
    }
}
