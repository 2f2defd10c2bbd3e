//! All calls of the two ends of a pipe.

use std::mem::MaybeUninit;
use std::os::fd::RawFd;

use polyproc::{wait_any_timeout, Connection, Got, Status, Wait, Waitable};

use super::calls::Calls;
use super::others::{Others, Tally};
use crate::operations::in_time;
use crate::operations::pipes::{Pipe, LONG};

/// The process that leaves may close the other end meanwhile.
const GONE: &[Status] = &[Status::E_EOF, Status::E_BROKEN_PIPE];

fn receive(end: &Connection, wait: Wait<'_>) -> Result<Got, Status> {
    let mut buffer = [MaybeUninit::<u8>::uninit(); 2000];
    end.recv_raw(&mut buffer, wait)
}

fn harmless<'a>(a: &'a Connection, b: &'a Connection, calls: &mut Calls<'a>) {
    calls.at_once("poll", &[], || a.try_poll());
    calls.at_once("poll of the other end", &[], || b.try_poll());
}

fn all<'a>(a: &'a Connection, b: &'a Connection, calls: &mut Calls<'a>) {
    for (name, end) in [("send", a), ("send back", b)] {
        calls.waiting(name, GONE, move |wait| {
            end.send_timeout(b"from another", wait)
        });
    }
    for (name, end) in [("recv", a), ("recv at the other end", b)] {
        calls.waiting(name, GONE, move |wait| receive(end, wait));
    }
    for (name, end) in [("poll", a), ("poll of the other end", b)] {
        calls.waiting(name, GONE, move |wait| end.poll_timeout(wait));
    }
    calls.waiting("wait_any", GONE, |wait| {
        wait_any_timeout(&[Waitable::Receive(b)], wait)
    });
    calls.at_once("descriptor", &[], || b.fd());
    calls.at_once("open and close", &[], || {
        Connection::from_fd(a.share_fd()?).map(drop)
    });
}

/// A message that is handed over, if another process receives it.
fn long<'a>(a: &'a Connection, calls: &mut Calls<'a>) {
    calls.waiting("send, handed over", GONE, |wait| {
        a.send_timeout(&vec![5; LONG], wait)
    });
}

fn settle(a: &Connection, b: &Connection) {
    let mut buffer = vec![MaybeUninit::<u8>::uninit(); 2 << 20];
    for (from, to) in [(a, b), (b, a)] {
        while to.recv_raw(&mut buffer, Wait::TRY).is_ok() {}
        from.send_timeout(b"after", in_time()).unwrap();
        let got = to.recv_raw(&mut buffer, in_time());
        assert!(matches!(got, Ok(Got::Message(5))));
    }
}

impl Others for Pipe {
    type Holding = ();

    fn files(&self) -> Vec<RawFd> {
        vec![self.a.raw_fd()]
    }

    fn attach(&self) {
        let _ = self.a.try_poll();
        let _ = self.b.try_poll();
    }

    fn harmless<'a>(&'a self, _: &'a Tally, calls: &mut Calls<'a>) {
        harmless(&self.a, &self.b, calls);
    }

    fn all<'a>(&'a self, _: Option<&'a ()>, _: &'a Tally, calls: &mut Calls<'a>) {
        all(&self.a, &self.b, calls);
    }

    fn last<'a>(&'a self, _: &'a Tally, calls: &mut Calls<'a>) {
        long(&self.a, calls);
    }

    fn settle(&self, _: Option<()>, _: &Tally, _: bool) {
        settle(&self.a, &self.b);
    }
}

impl Others for (Connection, Connection) {
    type Holding = ();

    fn files(&self) -> Vec<RawFd> {
        vec![self.0.raw_fd()]
    }

    fn attach(&self) {}

    fn harmless<'a>(&'a self, _: &'a Tally, calls: &mut Calls<'a>) {
        harmless(&self.0, &self.1, calls);
    }

    fn all<'a>(&'a self, _: Option<&'a ()>, _: &'a Tally, calls: &mut Calls<'a>) {
        all(&self.0, &self.1, calls);
    }

    fn last<'a>(&'a self, _: &'a Tally, calls: &mut Calls<'a>) {
        long(&self.0, calls);
    }

    fn settle(&self, _: Option<()>, _: &Tally, _: bool) {
        settle(&self.0, &self.1);
    }
}
