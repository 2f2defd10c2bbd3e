//! All calls of conditions and barriers, and of the names of objects.

use std::os::fd::RawFd;

use polyproc::{Barrier, Condition, Lock, Queue, Status, Wait};

use super::calls::{next, Calls};
use super::others::{Others, Tally, BRIEF};
use crate::operations::in_time;
use crate::operations::lifecycles::Name;
use crate::operations::meetings::Meeting;
use crate::operations::recoveries::Notified;

/// A condition and the lock that belongs to it.
fn harmless_of<'a>(
    condition: &'a Condition,
    lock: &'a Lock,
    tally: &'a Tally,
    calls: &mut Calls<'a>,
) {
    calls.at_once("notify nobody", &[], || condition.notify(0));
    lock.harmless(tally, calls);
}

fn all_of<'a>(condition: &'a Condition, lock: &'a Lock, tally: &'a Tally, calls: &mut Calls<'a>) {
    lock.all(None, tally, calls);
    calls.at_once("notify", &[], || condition.notify(1));
    calls.at_once("notify_all", &[], || condition.notify_all());
    calls.at_once("open and close", &[], || {
        Condition::from_fd(condition.share_fd()?).map(drop)
    });
    calls.waiting("wait at the condition", &[], |wait| {
        // A lock of its own, because others may hold that of the meeting for any time.
        let own = Lock::create(None, Default::default())?;
        own.try_acquire()?;
        let waited = condition.wait_on(&own, wait);
        own.release()?;
        waited
    });
}

fn settle_of(condition: &Condition, lock: &Lock, tally: &Tally) {
    lock.settle(None, tally, false);
    lock.acquire_timeout(in_time()).unwrap();
    condition.notify_all().unwrap();
    let waited = condition.wait_on(lock, Wait::from(BRIEF));
    // A notification of a process that is gone is passed on.
    assert!(matches!(waited, Ok(_) | Err(Status::E_TIMEOUT)));
    lock.release().unwrap();
}

impl Others for Meeting<Condition> {
    type Holding = ();

    fn files(&self) -> Vec<RawFd> {
        vec![self.place.raw_fd(), self.lock.raw_fd()]
    }

    fn attach(&self) {
        self.place.notify(0).unwrap();
        self.lock.attach();
    }

    fn harmless<'a>(&'a self, tally: &'a Tally, calls: &mut Calls<'a>) {
        harmless_of(&self.place, &self.lock, tally, calls);
    }

    fn all<'a>(&'a self, _: Option<&'a ()>, tally: &'a Tally, calls: &mut Calls<'a>) {
        all_of(&self.place, &self.lock, tally, calls);
    }

    fn settle(&self, _: Option<()>, tally: &Tally, _: bool) {
        settle_of(&self.place, &self.lock, tally);
    }
}

impl Others for Notified {
    type Holding = ();

    fn files(&self) -> Vec<RawFd> {
        vec![self.condition.raw_fd(), self.lock.raw_fd()]
    }

    fn attach(&self) {}

    fn harmless<'a>(&'a self, tally: &'a Tally, calls: &mut Calls<'a>) {
        harmless_of(&self.condition, &self.lock, tally, calls);
    }

    fn all<'a>(&'a self, _: Option<&'a ()>, tally: &'a Tally, calls: &mut Calls<'a>) {
        all_of(&self.condition, &self.lock, tally, calls);
    }

    fn close(&self) {
        // The rest is its maker's. SAFETY: the child that calls this ends without using it again.
        drop(unsafe { std::ptr::read(&self.condition) });
    }

    fn settle(&self, _: Option<()>, _: &Tally, _: bool) {
        // The other waiter is stopped, and was notified.
        self.condition.notify_all().unwrap();
    }
}

impl Others for Barrier {
    type Holding = ();

    fn files(&self) -> Vec<RawFd> {
        vec![self.raw_fd()]
    }

    fn attach(&self) {
        self.waiting().unwrap();
    }

    fn harmless<'a>(&'a self, _: &'a Tally, calls: &mut Calls<'a>) {
        calls.at_once("parties", &[], || self.parties());
        calls.at_once("waiting", &[], || self.waiting());
        calls.at_once("is_broken", &[], || self.is_broken());
    }

    fn all<'a>(&'a self, _: Option<&'a ()>, tally: &'a Tally, calls: &mut Calls<'a>) {
        const BROKEN: &[Status] = &[Status::E_BROKEN_BARRIER];
        self.harmless(tally, calls);
        calls.at_once("open and close", &[], || {
            Barrier::from_fd(self.share_fd()?).map(drop)
        });
        calls.waiting("wait", BROKEN, |wait| self.wait_timeout(wait));
        calls.waiting("arrive and complete", BROKEN, |wait| {
            match self.arrive_timeout(wait)?.leader {
                true => self.complete(true),
                false => Ok(()),
            }
        });
    }

    fn last<'a>(&'a self, _: &'a Tally, calls: &mut Calls<'a>) {
        calls.at_once("reset", &[], || self.reset());
        calls.at_once("abort", &[], || self.abort());
    }

    fn settle(&self, _: Option<()>, _: &Tally, _: bool) {
        self.reset().unwrap();
        assert_eq!(self.is_broken(), Ok(false));
        assert_eq!(self.waiting(), Ok(0));
    }
}

impl Others for Meeting<Barrier> {
    type Holding = ();

    fn files(&self) -> Vec<RawFd> {
        self.place.files()
    }

    fn attach(&self) {
        self.place.attach();
    }

    fn harmless<'a>(&'a self, tally: &'a Tally, calls: &mut Calls<'a>) {
        self.place.harmless(tally, calls);
    }

    fn all<'a>(&'a self, _: Option<&'a ()>, tally: &'a Tally, calls: &mut Calls<'a>) {
        self.place.all(None, tally, calls);
    }

    fn last<'a>(&'a self, tally: &'a Tally, calls: &mut Calls<'a>) {
        self.place.last(tally, calls);
    }

    fn settle(&self, _: Option<()>, tally: &Tally, is_after_last: bool) {
        self.place.settle(None, tally, is_after_last);
    }
}

/// Meanwhile others create, open, close and unlink it, and take what there is.
const GONE: &[Status] = &[
    Status::E_NOT_FOUND,
    Status::E_SHUTDOWN,
    Status::E_EMPTY,
    Status::E_FULL,
];

impl Others for Name {
    type Holding = ();

    fn files(&self) -> Vec<RawFd> {
        let queue = self.queue.borrow();
        queue.iter().map(Queue::raw_fd).collect()
    }

    fn attach(&self) {}

    fn harmless<'a>(&'a self, _: &'a Tally, calls: &mut Calls<'a>) {
        let name = &self.name;
        calls.at_once(
            "open, length and close",
            &[Status::E_NOT_FOUND],
            move || {
                let queue = Queue::open(name)?;
                next();
                let length = queue.len();
                next();
                drop(queue);
                length
            },
        );
        calls.at_once("list", &[], polyproc::list);
    }

    fn all<'a>(&'a self, _: Option<&'a ()>, tally: &'a Tally, calls: &mut Calls<'a>) {
        self.harmless(tally, calls);
        let name = &self.name;
        calls.at_once("open, put, take and close", GONE, move || {
            let queue = Queue::open(name)?;
            next();
            tally.put(b"put here");
            queue.try_put(b"put here")?;
            next();
            let loan = queue.take_raw(Wait::TRY)?;
            next();
            let done = queue.done_raw(loan.ticket);
            next();
            drop(queue);
            done
        });
    }

    fn last<'a>(&'a self, _: &'a Tally, calls: &mut Calls<'a>) {
        let name = &self.name;
        calls.at_once("unlink", &[Status::E_NOT_FOUND], move || {
            polyproc::unlink(name)
        });
    }

    fn close(&self) {
        drop(self.queue.take());
    }

    fn settle(&self, _: Option<()>, _: &Tally, _: bool) {
        let Ok(queue) = Queue::open(&self.name) else {
            return;
        };
        queue.put_timeout(b"after", in_time()).unwrap();
        let loan = queue.take_raw(Wait::TRY).unwrap();
        queue.done_raw(loan.ticket).unwrap();
        queue.info().unwrap();
    }
}
