//! What others can call on an object, whose operation is stopped somewhere in its middle.

use std::os::fd::RawFd;
use std::sync::OnceLock;
use std::time::Duration;

use polyproc::{wait_any, Queue, QueueOptions, Wait, Waitable};

use super::calls::{next, Calls};
pub use super::tally::Tally;

/// An object of the cases.
pub trait Others: Sized {
    /// What somebody can hold of it beside the one who is stopped.
    type Holding: Default + Sync;

    /// The files in which it lies.
    fn files(&self) -> Vec<RawFd>;
    /// Become a participant.
    fn attach(&self);
    /// Hold something of it, as far as there is anything to be had.
    fn hold(&self) -> Self::Holding {
        Self::Holding::default()
    }
    /// Calls after which everything is as it was before.
    fn harmless<'a>(&'a self, tally: &'a Tally, calls: &mut Calls<'a>);
    /// When the stopped one has gone on: what was refused meanwhile.
    fn catch_up(&self, _: &Tally) {}
    /// All calls but the last ones.
    fn all<'a>(
        &'a self,
        holding: Option<&'a Self::Holding>,
        tally: &'a Tally,
        calls: &mut Calls<'a>,
    );
    /// Calls after which the object is another than before.
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

/// A queue of this process that nobody is stopped in, and its descriptor.
fn elsewhere() -> &'static [Queue; 2] {
    static ELSEWHERE: OnceLock<[Queue; 2]> = OnceLock::new();
    ELSEWHERE.get_or_init(|| {
        [(); 2].map(|()| {
            let queue = Queue::create(None, &QueueOptions::default()).unwrap();
            // From now on the watcher has it on its rounds.
            queue.fd().unwrap();
            queue
        })
    })
}

/// What has nothing to do with the stopped one's object: it is served meanwhile.
pub fn served_meanwhile(calls: &mut Calls<'_>) {
    let [polled, waited] = elsewhere();
    calls.at_once("descriptor of another object", &[], move || {
        let fd = polled.fd()?;
        polled.put(b"elsewhere", Wait::TRY)?;
        next();
        assert!(is_readable(fd, 2000), "not raised");
        next();
        let loan = polled.take(Wait::TRY)?;
        polled.done(loan.ticket)
    });
    calls.waiting("wait_any of another object", &[], move |wait| {
        let mut ready = [false];
        wait_any(&[Waitable::Get(waited)], &mut ready, wait)
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

/// How long a wait is that only has to be longer than nothing.
pub const BRIEF: Duration = Duration::from_micros(100);
