//! The calls of others while one process is stopped: all at once, each in a thread and with a time
//! limit of its own.

use std::cell::Cell;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{mpsc, Arc};
use std::time::{Duration, Instant};

use polyproc::{Cancel, Status, Wait};

use crate::case::said;
use crate::page::delay_of_this_thread;

/// A call may return this much later than its own time: a step of an internal lock, and no more.
pub const GRACE: Duration = Duration::from_millis(50);
/// A call that does not block and takes longer was delayed by another process.
pub const HELD_UP: Duration = Duration::from_millis(5);
/// The timeout of a call that has one.
const SHORT: Duration = Duration::from_millis(20);
/// When the token of a call that has one fires.
const FIRED_AFTER: Duration = Duration::from_millis(10);
/// After this time a call is not awaited any more: the stopped process is killed, so that it
/// returns.
const PATIENCE: Duration = Duration::from_millis(500);

/// How long a call may wait by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Own {
    /// It does not block, or only tries.
    Nothing,
    Timeout,
    /// For ever, until a token fires.
    Token,
}

/// The result of a call, and how long it took if another process has measured that.
pub struct Answer {
    status: Result<(), Status>,
    took: Option<Duration>,
}

impl<T> From<Result<T, Status>> for Answer {
    fn from(answer: Result<T, Status>) -> Answer {
        Answer {
            status: answer.map(|_| ()),
            took: None,
        }
    }
}

impl From<Duration> for Answer {
    fn from(took: Duration) -> Answer {
        Answer {
            status: Ok(()),
            took: Some(took),
        }
    }
}

std::thread_local! {
    /// For a thread with several calls: the end of its last finished call, and the thread's delays
    /// until then.
    static LAST: Cell<Option<(Instant, Duration)>> = const { Cell::new(None) };
    /// The end of the first call, and the longest of the calls after it, without the last one.
    static FIRST: Cell<Option<(Instant, Duration)>> = const { Cell::new(None) };
    static LONGEST: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Marks the end of a call of a thread: each has its own time, and the later ones do not block.
pub fn next() {
    let now = (Instant::now(), delay_of_this_thread());
    match LAST.replace(Some(now)) {
        None => FIRST.set(Some(now)),
        Some(last) => LONGEST.set(LONGEST.get().max(between(last, now))),
    }
}

/// Returns the time between two moments without the waiting for a core.
fn between(begin: (Instant, Duration), end: (Instant, Duration)) -> Duration {
    let took = end.0.saturating_duration_since(begin.0);
    took.saturating_sub(end.1.saturating_sub(begin.1))
}

type Go<'a> = Arc<dyn Fn(Wait<'_>) -> Answer + Send + Sync + 'a>;

struct Call<'a> {
    name: &'static str,
    own: Own,
    allowed: &'static [Status],
    go: Go<'a>,
}

/// The calls of others.
#[derive(Default)]
pub struct Calls<'a>(Vec<Call<'a>>);

/// How one of them went.
pub struct Seen {
    pub name: &'static str,
    pub own: Own,
    /// Its time beyond its own limit and the waiting for a core.
    pub beyond: Duration,
    /// The broken promise, apart from a late return.
    pub wrong: Option<String>,
}

impl<'a> Calls<'a> {
    /// Adds a call that does not block; beside success it may return `allowed` and `E_TIMEOUT`.
    pub fn at_once<A: Into<Answer>>(
        &mut self,
        name: &'static str,
        allowed: &'static [Status],
        go: impl Fn() -> A + Send + Sync + 'a,
    ) {
        self.0.push(Call {
            name,
            own: Own::Nothing,
            allowed,
            go: Arc::new(move |_| go().into()),
        });
    }

    /// Adds a call that waits: tried, with a timeout, and until a token fires.
    pub fn waiting<A: Into<Answer>>(
        &mut self,
        name: &'static str,
        allowed: &'static [Status],
        go: impl Fn(Wait<'_>) -> A + Send + Sync + 'a,
    ) {
        let go: Go<'a> = Arc::new(move |wait| go(wait).into());
        for own in [Own::Nothing, Own::Timeout, Own::Token] {
            self.0.push(Call {
                name,
                own,
                allowed,
                go: go.clone(),
            });
        }
    }

    /// Makes all of them at once. Calls `rescue` if one does not return.
    pub fn run(&self, rescue: &dyn Fn()) -> Vec<Seen> {
        let (token, fired_ns) = (Cancel::new(), AtomicU64::new(u64::MAX));
        let (begin, (back, all_back)) = (Instant::now(), mpsc::channel());
        let mut seen = Vec::new();
        std::thread::scope(|scope| {
            for call in &self.0 {
                let (back, token, fired_ns) = (back.clone(), &token, &fired_ns);
                scope.spawn(move || {
                    let seen = call.run(token, &|| {
                        let fired = fired_ns.load(Ordering::SeqCst);
                        begin.checked_add(Duration::from_nanos(fired))
                    });
                    // The other end lives as long as this thread.
                    let _ = back.send(seen);
                });
            }
            for wait_until in [FIRED_AFTER, PATIENCE, Duration::MAX] {
                while seen.len() < self.0.len() {
                    let left = wait_until.saturating_sub(begin.elapsed());
                    match all_back.recv_timeout(left) {
                        Ok(one) => seen.push(one),
                        Err(_) => break,
                    }
                }
                if seen.len() == self.0.len() {
                    return;
                }
                match wait_until {
                    FIRED_AFTER => {
                        fired_ns.store(begin.elapsed().as_nanos() as u64, Ordering::SeqCst);
                        token.fire();
                    }
                    _ => rescue(),
                }
            }
        });
        seen
    }
}

impl Call<'_> {
    fn run(&self, token: &Cancel, fired: &dyn Fn() -> Option<Instant>) -> Seen {
        let wait = match self.own {
            Own::Nothing => Wait::TRY,
            Own::Timeout => Wait::from(SHORT),
            Own::Token => Wait::FOREVER.or_cancel(token),
        };
        let (delayed, begin) = (delay_of_this_thread(), Instant::now());
        let answer = catch_unwind(AssertUnwindSafe(|| (self.go)(wait)));
        next();
        let (end, delayed_then) = FIRST.get().expect("it has ended");
        let own_end = match self.own {
            Own::Nothing => begin,
            Own::Timeout => begin + SHORT,
            // A call that returned before that is not late.
            Own::Token => fired().unwrap_or(end).clamp(begin, end),
        };
        let mut beyond = between((own_end, delayed), (end, delayed_then)).max(LONGEST.get());
        let wrong = match answer {
            Ok(Answer { status, took }) => {
                beyond = took.unwrap_or(beyond);
                let refused = status.err().filter(|status| !self.allows(*status));
                refused.map(|status| format!("{status:?}"))
            }
            Err(panic) => Some(said(&*panic)),
        };
        Seen {
            name: self.name,
            own: self.own,
            beyond,
            wrong,
        }
    }

    fn allows(&self, status: Status) -> bool {
        status == Status::E_TIMEOUT
            || (status == Status::E_CANCELED && self.own == Own::Token)
            || self.allowed.contains(&status)
    }
}

impl std::fmt::Display for Seen {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let own = match self.own {
            Own::Nothing => "",
            Own::Timeout => " with a timeout",
            Own::Token => " with a token",
        };
        write!(to, "{}{own}", self.name)
    }
}
