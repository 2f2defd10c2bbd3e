//! A flag between processes that wakes all its waiters.

use std::sync::Arc;

use crate::segment::{
    common_methods, CreateOptions, Kind, ObjectType, Opened, Readiness, Segment, Snapshot,
};
use crate::status::{Result, Status};
use crate::sync::event::EventWord;
use crate::sync::lock_wait::Caller;
use crate::sync::owner::Owner;
use crate::sync::shared::shared;
use crate::sync::wait::Patience;
use crate::sync::{LazyWait, Wait};

/// A flag that any process can set, clear and wait for.
///
/// ```
/// use polyproc::{CreateOptions, Event, Status};
/// use std::time::Duration;
///
/// # fn main() -> polyproc::Result<()> {
/// let event = Event::create(None, CreateOptions::default())?;
/// assert_eq!(event.wait_timeout(Duration::from_millis(1)), Err(Status::E_TIMEOUT));
/// event.set()?;
/// event.wait()
/// # }
/// ```
pub struct Event {
    segment: Opened<Body>,
    readiness: Readiness,
}

shared! {
    #[repr(align(128))]
    struct Body {
        event: EventWord,
    }
}

static TYPE: ObjectType = ObjectType {
    kind: Kind::Event,
    body: size_of::<Body>(),
    extra: 0,
    over_at: None,
    accounts: None,
    recover,
    wake,
};

/// No owner holds anything here.
fn recover(_: &Segment, _: Caller<'_>, _: &dyn Fn(Owner) -> bool) -> Result<()> {
    Ok(())
}

fn wake(segment: &Segment) -> Result<()> {
    segment.body::<Body>()?.event.wake_all(segment);
    Ok(())
}

/// Whether the event of a segment is set.
pub(crate) fn is_set(segment: &Segment) -> Result<bool> {
    Ok(segment.body::<Body>()?.event.is_set())
}

/// The number of times the event was set; compare it with [`was_set_since`].
pub(crate) fn sets(segment: &Segment) -> Result<u32> {
    Ok(segment.body::<Body>()?.event.sets())
}

/// Whether the event is set, or has been set since `sets` was read.
pub(crate) fn was_set_since(segment: &Segment, sets: u32) -> Result<bool> {
    Ok(segment.body::<Body>()?.event.was_set_since(sets))
}

/// Announce a sleeper that any change of the flag wakes.
pub(crate) fn watch(segment: &Segment) -> Result<(*const u32, u32)> {
    Ok(segment.body::<Body>()?.event.watch())
}

/// Whether the event is set, for a process that takes no part.
pub(crate) fn is_set_in(snapshot: &Snapshot) -> Result<bool> {
    Ok(snapshot.words::<Body>()?.event.is_set())
}

common_methods!(Event, TYPE);

impl Event {
    pub(crate) fn segment(&self) -> &Arc<Segment> {
        self.segment.segment()
    }

    /// State that the layer `wait` keeps with this object.
    pub(crate) fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    /// The process is a participant from the start: `set` may run in a signal handler, where it
    /// could not attach.
    fn opened(segment: Arc<Segment>) -> Result<Event> {
        segment.me()?;
        Ok(Event {
            segment: Opened::new(segment)?,
            readiness: Readiness::new(),
        })
    }

    /// Make an event that is not set; anonymous if `name` is `None`.
    ///
    /// # Errors
    /// `E_INVALID`, `E_EXISTS`, `E_MISMATCH`, `E_PERMISSION`, `E_NO_MEMORY`.
    pub fn create(name: Option<&str>, options: CreateOptions) -> Result<Event> {
        // Become a participant before the event gets its name, so that a failure leaves nothing
        // behind.
        let attach = |segment: &Segment| segment.me().map(drop);
        Event::opened(Segment::create(
            &TYPE,
            name,
            &options,
            &attach,
            &|_| Ok(()),
        )?)
    }

    /// Set the flag. All current waiters return, even if a clear follows at once.
    /// Async-signal-safe.
    ///
    /// # Errors
    /// None so far.
    pub fn set(&self) -> Result<()> {
        self.segment.words().event.set(&*self.segment);
        Ok(())
    }

    /// Clear the flag.
    ///
    /// # Errors
    /// None so far.
    pub fn clear(&self) -> Result<()> {
        self.segment.words().event.clear(&*self.segment);
        Ok(())
    }

    /// Whether the flag is set. This is the try of [`wait`](Self::wait).
    ///
    /// # Errors
    /// None so far.
    pub fn is_set(&self) -> Result<bool> {
        Ok(self.segment.words().event.is_set())
    }

    /// Wait until the flag is set, or has been set since the call began.
    ///
    /// # Errors
    /// Those of [`wait_timeout`](Self::wait_timeout).
    pub fn wait(&self) -> Result<()> {
        self.wait_timeout(Wait::FOREVER)
    }

    /// As [`wait`](Self::wait), no longer than `wait`.
    ///
    /// # Errors
    /// `E_TIMEOUT`, `E_CANCELED`, `E_INTERRUPTED`: the flag is not set.
    #[inline]
    pub fn wait_timeout<'w>(&self, wait: impl Into<Wait<'w>>) -> Result<()> {
        self.wait_raw(wait.into())
    }

    /// As [`wait_timeout`](Self::wait_timeout), for `ffi`.
    #[inline]
    pub(crate) fn wait_raw(&self, wait: impl LazyWait) -> Result<()> {
        match self.segment.words().event.sets_while_clear() {
            None => Ok(()),
            Some(sets) => self.wait_since_raw(sets, wait),
        }
    }

    /// A mark of this moment, for [`wait_since`](Self::wait_since); it changes with every set.
    ///
    /// # Errors
    /// None so far.
    pub fn sets(&self) -> Result<u32> {
        sets(&self.segment)
    }

    /// Wait until the flag is set, or has been set since [`sets`](Self::sets) returned the mark. So
    /// a caller counts as a waiter from the moment of the mark, even if its thread begins to wait
    /// later.
    ///
    /// # Errors
    /// Those of [`wait_timeout`](Self::wait_timeout).
    pub fn wait_since<'w>(&self, sets: u32, wait: impl Into<Wait<'w>>) -> Result<()> {
        self.wait_since_raw(sets, wait.into())
    }

    /// As [`wait_since`](Self::wait_since), for `ffi`.
    pub(crate) fn wait_since_raw(&self, sets: u32, wait: impl LazyWait) -> Result<()> {
        wait.begin(|wait| {
            let event = &self.segment.words().event;
            let waited = event.wait_since(&*self.segment, sets, &mut Patience::new(&wait));
            if matches!(waited, Err(Status::E_TIMEOUT)) {
                self.readiness.found_nothing();
            }
            waited
        })
    }
}
