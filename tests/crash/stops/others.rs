//! The calls of others on an object whose operation is stopped.

use std::os::fd::RawFd;
use std::sync::OnceLock;
use std::time::Duration;

use polyproc::{wait_any_timeout, Queue, QueueOptions, Wait, Waitable};

use super::calls::{next, Calls};
pub use super::tally::Tally;

/// An object of the cases.
pub trait Others: Sized {
    /// The locks or loans of the object that another process can hold beside the stopped one.
    type Holding: Default + Sync;

    /// The files of the object.
    fn files(&self) -> Vec<RawFd>;
    /// Become a participant.
    fn attach(&self);
    /// Acquires what can be held, as far as possible.
    fn hold(&self) -> Self::Holding {
        Self::Holding::default()
    }
    /// Calls that leave everything as it was.
    fn harmless<'a>(&'a self, tally: &'a Tally, calls: &mut Calls<'a>);
    /// Repeats the calls that were refused, once the stopped process has gone on.
    fn catch_up(&self, _: &Tally) {}
    /// All calls but the last ones.
    fn all<'a>(
        &'a self,
        holding: Option<&'a Self::Holding>,
        tally: &'a Tally,
        calls: &mut Calls<'a>,
    );
    /// Calls that change the object for good.
    fn last<'a>(&'a self, tally: &'a Tally, calls: &mut Calls<'a>) {
        self.harmless(tally, calls);
    }
    /// Close it, in a child.
    fn close(&self) {
        // SAFETY: the child that calls this ends without another look at it.
        drop(unsafe { std::ptr::read(self) });
    }
    /// When all others are gone: the object is whole, and works.
    fn settle(&self, holding: Option<Self::Holding>, tally: &Tally, is_after_last: bool);
}

/// Returns a queue of this process in which no process is stopped, and its descriptor.
fn elsewhere() -> &'static [Queue; 2] {
    static ELSEWHERE: OnceLock<[Queue; 2]> = OnceLock::new();
    ELSEWHERE.get_or_init(|| {
        [(); 2].map(|()| {
            let queue = Queue::create(None, &QueueOptions::default()).unwrap();
            // From now on the watcher watches it.
            queue.fd().unwrap();
            queue
        })
    })
}

/// Objects that have nothing to do with the stopped process's object: they are served meanwhile.
pub fn served_meanwhile(calls: &mut Calls<'_>) {
    let [polled, waited] = elsewhere();
    calls.at_once("descriptor of another object", &[], move || {
        let fd = polled.fd()?;
        polled.try_put(b"elsewhere")?;
        next();
        assert!(is_readable(fd, 2000), "not raised");
        next();
        let loan = polled.take_raw(Wait::TRY)?;
        polled.done_raw(loan.ticket)
    });
    calls.waiting("wait_any of another object", &[], move |wait| {
        wait_any_timeout(&[Waitable::Get(waited)], wait)
    });
}

pub fn is_readable(fd: RawFd, timeout_ms: i32) -> bool {
    let mut poll = libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one entry that lives as long as the call.
    unsafe { libc::poll(&mut poll, 1, timeout_ms) == 1 }
}

/// A wait that only has to be longer than nothing.
pub const BRIEF: Duration = Duration::from_micros(100);
