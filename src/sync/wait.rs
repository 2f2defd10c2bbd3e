//! How long a call waits, and what ends it early.

use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::OnceLock;
use std::time::Duration;

use super::cancel::Cancel;
use super::owner::Owner;
use super::stops::Stops;
use crate::pace::recheck::Recheck;
use crate::pace::{FIRST_SLICE_NS, LAST_SLICE_NS, SIGNALS_NS};
use crate::status::{Result, Status};
use crate::sys::procfs::Activity;
use crate::sys::{clock, poll};

/// How long a call waits, and what ends it early. A call named `…_timeout` takes a `Wait` or
/// anything that becomes one:
///
/// ```
/// use polyproc::{Cancel, Queue, QueueOptions, Status, Wait};
/// use std::time::Duration;
///
/// # fn main() -> polyproc::Result<()> {
/// let queue = Queue::create(None, &QueueOptions::default())?;
/// let timeout = Duration::from_millis(1);
/// assert_eq!(queue.get_timeout(timeout), Err(Status::E_EMPTY));
/// assert_eq!(queue.get_timeout(Some(timeout)), Err(Status::E_EMPTY)); // `None` waits for ever
///
/// let token = Cancel::new();
/// token.fire(); // in another thread, or in a signal handler
/// let wait = Wait::from(Duration::from_secs(10)).or_cancel(&token);
/// assert_eq!(queue.get_timeout(wait), Err(Status::E_CANCELED));
/// # Ok(())
/// # }
/// ```
///
/// A call that can complete at once does so, even with a timeout of 0 or a token that has fired.
/// Timeouts are measured by the monotonic clock, in nanoseconds; one of more than 292 years is cut
/// to that.
#[derive(Clone, Copy, Debug)]
pub struct Wait<'a> {
    timeout_ns: i64,
    cancel: Option<&'a Cancel>,
    closing: Option<&'a Cancel>,
    closings: &'a [&'a Cancel],
}

impl Wait<'static> {
    /// Try once.
    pub const TRY: Wait<'static> = Wait::for_ns(0);
    /// Wait for ever.
    pub const FOREVER: Wait<'static> = Wait::for_ns(-1);

    /// Wait `timeout_ns` nanoseconds of the monotonic clock; a negative number waits for ever, 0
    /// tries once.
    #[doc(hidden)]
    pub const fn for_ns(timeout_ns: i64) -> Wait<'static> {
        Wait {
            timeout_ns,
            cancel: None,
            closing: None,
            closings: &[],
        }
    }
}

impl<'a> Wait<'a> {
    /// End early with `E_CANCELED` when `token` fires.
    pub fn or_cancel<'b>(self, token: &'b Cancel) -> Wait<'b>
    where
        'a: 'b,
    {
        self.or_canceled_by(Some(token))
    }

    /// As [`or_cancel`](Self::or_cancel); `None` is no token.
    pub(crate) fn or_canceled_by<'b>(self, token: Option<&'b Cancel>) -> Wait<'b>
    where
        'a: 'b,
    {
        Wait {
            timeout_ns: self.timeout_ns,
            cancel: token,
            ..self
        }
    }

    /// End early with `E_CLOSED` when `closing` fires, which is the token of a handle.
    #[doc(hidden)]
    pub fn or_closed<'b>(self, closing: &'b Cancel) -> Wait<'b>
    where
        'a: 'b,
    {
        Wait {
            timeout_ns: self.timeout_ns,
            cancel: self.cancel,
            closing: Some(closing),
            ..self
        }
    }

    /// End early with `E_CLOSED` when one of `closings` fires: the tokens of several handles.
    pub(crate) fn or_any_closed<'b>(self, closings: &'b [&'b Cancel]) -> Wait<'b>
    where
        'a: 'b,
    {
        Wait { closings, ..self }
    }

    /// Report whether this wait only tries.
    pub fn is_try(&self) -> bool {
        self.timeout_ns == 0
    }

    /// Report whether this wait ends in less than `timeout_ns` nanoseconds.
    pub(crate) fn is_shorter_than(&self, timeout_ns: i64) -> bool {
        (0..timeout_ns).contains(&self.timeout_ns)
    }

    /// The same wait with a timeout of at least `timeout_ns`.
    pub(crate) fn at_least(&self, timeout_ns: i64) -> Wait<'a> {
        let longer = if self.timeout_ns < 0 {
            self.timeout_ns
        } else {
            self.timeout_ns.max(timeout_ns)
        };
        Wait {
            timeout_ns: longer,
            ..*self
        }
    }

    /// The same tokens with another timeout; `None` waits for ever.
    pub(crate) fn with_timeout(&self, timeout_ns: Option<i64>) -> Wait<'a> {
        Wait {
            timeout_ns: timeout_ns.unwrap_or(-1),
            ..*self
        }
    }

    /// Wait until `fd` is readable. An error or a hang-up of `fd` also counts as readable.
    ///
    /// # Errors
    /// `E_TIMEOUT`, `E_CANCELED`, `E_CLOSED`, `E_INTERRUPTED`.
    #[doc(hidden)]
    pub fn poll(&self, fd: RawFd) -> Result<()> {
        let mut patience = Patience::new(self);
        let deadline = patience.deadline();
        loop {
            let mut fds = vec![fd];
            for token in self.tokens() {
                fds.push(token.fd()?);
            }
            match poll::readable(&fds, deadline) {
                Ok(bits) if bits & 1 != 0 => return Ok(()),
                Ok(_) => patience.check()?,
                Err(Status::E_INTERRUPTED) => patience.interrupted()?,
                Err(other) => return Err(other),
            }
        }
    }

    fn tokens(&self) -> impl Iterator<Item = &'a Cancel> {
        let several = self.closings.iter().copied();
        self.cancel.into_iter().chain(self.closing).chain(several)
    }
}

/// The wait of a call that seldom has to wait. Its tokens are entered only when the call begins to
/// wait.
#[doc(hidden)]
pub trait LazyWait {
    /// Run `rest`, the part of the call that may wait.
    ///
    /// # Errors
    /// Those of `rest`; or the reason why the call cannot wait, such as a token that was closed
    /// meanwhile.
    fn begin<R>(self, rest: impl FnOnce(Wait<'_>) -> Result<R>) -> Result<R>;
}

impl LazyWait for Wait<'_> {
    #[inline]
    fn begin<R>(self, rest: impl FnOnce(Wait<'_>) -> Result<R>) -> Result<R> {
        rest(self)
    }
}

impl From<Duration> for Wait<'_> {
    fn from(timeout: Duration) -> Self {
        Wait::for_ns(i64::try_from(timeout.as_nanos()).unwrap_or(i64::MAX))
    }
}

/// `None` waits for ever.
impl From<Option<Duration>> for Wait<'_> {
    fn from(timeout: Option<Duration>) -> Self {
        timeout.map_or(Wait::FOREVER, Wait::from)
    }
}

/// Whether a wait returns `E_INTERRUPTED` after a signal handler ran, instead of continuing.
static INTERRUPTIBLE: AtomicBool = AtomicBool::new(false);

/// Let waits of this process return `E_INTERRUPTED` after a signal handler ran (a handler installed
/// without SA_RESTART), for a language runtime that must see the signal first. Off by default.
pub fn interruptible(on: bool) {
    INTERRUPTIBLE.store(on, Ordering::Relaxed);
}

/// What a language runtime answers when a wait asks about signals of the calling thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signals {
    /// The runtime does not look during this wait: [`interruptible`] decides what a signal does.
    Unseen,
    /// The handlers of the signals that came have run, and the wait goes on.
    Handled,
    /// The wait ends with `E_INTERRUPTED`.
    EndWait,
}

static SIGNALS: OnceLock<fn() -> Signals> = OnceLock::new();

/// Let waits of this process ask `look` about signals: before a thread sleeps, every 100 ms while
/// it sleeps, and after a signal handler ran. So a signal counts that arrived just before the
/// sleep, which ends no sleep. The thread holds no lock of the library at that time, and `look` may
/// call the library. Only the first call has an effect.
pub fn look_for_signals(look: fn() -> Signals) {
    let _ = SIGNALS.set(look);
}

/// The progress of one call's wait: its deadline, fixed when it is first needed, and its next
/// slice.
pub(crate) struct Patience<'a> {
    wait: Wait<'a>,
    deadline: Option<Option<u64>>,
    slice_ns: u64,
    /// Upper limit of all slices.
    longest_ns: u64,
    /// Upper limit of the next slice only.
    soon_ns: u64,
    /// Of a wait for a lock: whether its holder is stopped, see [`goes_on`](Self::goes_on).
    stops: Option<&'a Stops>,
    /// Until this time the wait may continue after its deadline.
    busy_end: u64,
    /// Whether the wait is so short that it ignores signals.
    is_brief: bool,
}

impl<'a> Patience<'a> {
    pub(crate) fn new(wait: &Wait<'a>) -> Patience<'a> {
        Patience {
            wait: *wait,
            deadline: None,
            slice_ns: FIRST_SLICE_NS,
            longest_ns: LAST_SLICE_NS,
            soon_ns: u64::MAX,
            stops: None,
            busy_end: 0,
            is_brief: false,
        }
    }

    /// A wait with the tokens of `wait` until `deadline`, `None` for ever.
    pub(super) fn until(wait: &Wait<'a>, deadline: Option<u64>, is_brief: bool) -> Patience<'a> {
        Patience {
            deadline: Some(deadline),
            is_brief,
            // Without a timeout, so that it is no try; `deadline` alone ends it.
            ..Patience::new(&wait.with_timeout(None))
        }
    }

    /// The same wait, which may continue until `busy_end` unless the holder of its lock is stopped.
    pub(super) fn unless_stopped(self, stops: &'a Stops, busy_end: u64) -> Patience<'a> {
        Patience {
            stops: Some(stops),
            busy_end,
            ..self
        }
    }

    /// The same wait, which ignores signals.
    pub(super) fn brief(self) -> Patience<'a> {
        Patience {
            is_brief: true,
            ..self
        }
    }

    /// The wait that this object performs.
    pub(super) fn wait(&self) -> Wait<'a> {
        self.wait
    }

    /// After the deadline of a wait for a lock: report whether to continue for a while, because no
    /// holder is found stopped. `look` looks at the process of the holder.
    pub(crate) fn goes_on(
        &mut self,
        holder: Option<Owner>,
        look: impl FnOnce(Owner) -> Activity,
    ) -> bool {
        let Some(stops) = self.stops else {
            return false;
        };
        let now = clock::now_ns();
        if stops.finds_one(now, holder, look) || now >= self.busy_end {
            return false;
        }
        self.deadline = Some(Some(stops.due().min(self.busy_end)));
        true
    }

    /// The deadline in nanoseconds of the monotonic clock; `None` for ever. The clock is read once,
    /// at the first call.
    pub(crate) fn deadline(&mut self) -> Option<u64> {
        let timeout = self.wait.timeout_ns;
        *self.deadline.get_or_insert_with(|| {
            let timeout = u64::try_from(timeout).ok()?;
            Some(clock::now_ns().saturating_add(timeout))
        })
    }

    /// The end of the next slice, starting now; never after the deadline.
    pub(crate) fn slice_end(&mut self) -> u64 {
        self.next_slice(clock::now_ns())
    }

    /// The end of the next slice, starting at `now`; never after the deadline.
    pub(crate) fn next_slice(&mut self, now: u64) -> u64 {
        let end = now.saturating_add(self.slice_ns.min(self.soon_ns));
        self.soon_ns = u64::MAX;
        self.slice_ns = (self.slice_ns * 2).min(self.longest_ns);
        self.deadline().map_or(end, |deadline| end.min(deadline))
    }

    /// Keep slices short, because a waker may be unable to reach this sleeper.
    pub(crate) fn stay_alert(&mut self) {
        self.slice_ns = FIRST_SLICE_NS;
    }

    /// Let slices grow up to `ns` from now on.
    pub(crate) fn limit_slices(&mut self, ns: u64) {
        self.longest_ns = ns;
        self.slice_ns = self.slice_ns.min(ns);
    }

    /// Make slices of `ns`, because others look meanwhile; the first one of `first_ns`, so that the
    /// looks of many sleepers that fell asleep at the same moment are spread over time.
    pub(crate) fn share_looks(&mut self, first_ns: u64, ns: u64) {
        if self.slice_ns == FIRST_SLICE_NS {
            self.look_again_within(first_ns);
        }
        self.longest_ns = ns;
        self.slice_ns = ns;
    }

    /// Limit the next slice to `ns`, because some change comes without a wake-up.
    pub(crate) fn look_again_within(&mut self, ns: u64) {
        self.soon_ns = self.soon_ns.min(ns);
    }

    /// Limit the next slice if the last look could not determine the state (`is_doubtful`), so that
    /// the next look comes soon.
    pub(crate) fn recheck(&mut self, recheck: &mut Recheck, is_doubtful: bool) {
        if let Some(ns) = recheck.limit(is_doubtful) {
            self.look_again_within(ns);
        }
    }

    /// Report whether the wait is over. Tokens are checked before the deadline.
    pub(crate) fn check(&mut self) -> Result<()> {
        let mut closings = self
            .wait
            .closing
            .into_iter()
            .chain(self.wait.closings.iter().copied());
        if closings.any(Cancel::is_fired) {
            return Err(Status::E_CLOSED);
        }
        if self.wait.cancel.is_some_and(Cancel::is_fired) {
            return Err(Status::E_CANCELED);
        }
        match self.deadline() {
            Some(deadline) if clock::now_ns() >= deadline => Err(Status::E_TIMEOUT),
            _ => Ok(()),
        }
    }

    /// The effect of a signal on this wait.
    pub(crate) fn interrupted(&self) -> Result<()> {
        if self.is_brief {
            return Ok(());
        }
        match SIGNALS.get().map(|look| look()) {
            Some(Signals::Handled) => Ok(()),
            Some(Signals::EndWait) => Err(Status::E_INTERRUPTED),
            Some(Signals::Unseen) | None if INTERRUPTIBLE.load(Ordering::Relaxed) => {
                Err(Status::E_INTERRUPTED)
            }
            Some(Signals::Unseen) | None => Ok(()),
        }
    }

    /// Before a sleep: look for signals that came before, and sleep no longer than until the next
    /// look.
    pub(crate) fn look_for_signals(&mut self) -> Result<()> {
        match SIGNALS.get() {
            None => return Ok(()),
            Some(_) if self.is_brief => return Ok(()),
            Some(look) => match look() {
                Signals::Unseen => {}
                Signals::Handled => self.look_again_within(SIGNALS_NS),
                Signals::EndWait => return Err(Status::E_INTERRUPTED),
            },
        }
        Ok(())
    }

    /// The tokens that end the wait early.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = &'a Cancel> {
        self.wait.tokens()
    }

    /// Report whether this wait only tries.
    pub(crate) fn is_try(&self) -> bool {
        self.wait.is_try()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_fixed_once_and_never_overflows() {
        let wait = Wait::for_ns(i64::MAX);
        let mut patience = Patience::new(&wait);
        let first = patience.deadline();
        assert!(first.is_some());
        assert_eq!(patience.deadline(), first);
        assert_eq!(patience.check(), Ok(()));
        assert_eq!(Patience::new(&Wait::TRY).check(), Err(Status::E_TIMEOUT));
        assert_eq!(Patience::new(&Wait::FOREVER).deadline(), None);
    }

    #[test]
    fn every_duration_becomes_a_wait() {
        let ns = |wait: Wait<'_>| wait.timeout_ns;
        assert_eq!(ns(Duration::ZERO.into()), 0);
        assert_eq!(ns(Duration::new(1, 1).into()), 1_000_000_001);
        assert_eq!(ns(Duration::MAX.into()), i64::MAX);
        assert_eq!(ns(Some(Duration::from_nanos(7)).into()), 7);
        assert_eq!(ns(None.into()), -1);
    }

    #[test]
    fn one_short_slice_leaves_the_others_as_they_are() {
        let mut patience = Patience::new(&Wait::FOREVER);
        assert_eq!(patience.next_slice(0), FIRST_SLICE_NS);
        patience.look_again_within(7);
        assert_eq!(patience.next_slice(0), 7);
        assert_eq!(patience.next_slice(0), 4 * FIRST_SLICE_NS);
        patience.stay_alert();
        assert_eq!(patience.next_slice(0), FIRST_SLICE_NS);
    }

    #[test]
    fn tokens_come_before_the_timeout() {
        let cancel = Cancel::new();
        let closing = Cancel::new();
        cancel.fire();
        let wait = Wait::TRY.or_cancel(&cancel);
        assert_eq!(Patience::new(&wait).check(), Err(Status::E_CANCELED));
        closing.fire();
        let wait = wait.or_closed(&closing);
        assert_eq!(Patience::new(&wait).check(), Err(Status::E_CLOSED));
    }
}
