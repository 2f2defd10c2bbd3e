//! All calls of locks, semaphores and events.

use std::os::fd::RawFd;
use std::sync::atomic::{AtomicU32, Ordering};

use polyproc::{wait_any_timeout, Acquired, Event, Lock, Rlock, Semaphore, Status, Wait, Waitable};

use super::calls::{next, Calls};
use super::others::{is_readable, Others, Tally};
use crate::operations::in_time;
use crate::page::page;

/// At most one of the threads that hold it is inside at a time.
fn alone(inside: &AtomicU32) {
    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "held twice");
    inside.fetch_sub(1, Ordering::SeqCst);
}

/// No third process may get it meanwhile and give it back.
fn nobody_waits() -> bool {
    page().third_waits.load(Ordering::SeqCst) == 0
}

impl Others for Lock {
    type Holding = ();

    fn files(&self) -> Vec<RawFd> {
        vec![self.raw_fd()]
    }

    fn attach(&self) {
        if self.try_acquire().is_ok() {
            self.release().unwrap();
        }
    }

    fn harmless<'a>(&'a self, _: &'a Tally, calls: &mut Calls<'a>) {
        calls.at_once("is_locked", &[], || self.is_locked());
        calls.at_once("acquire and release", &[], || {
            self.try_acquire()?;
            next();
            self.release()
        });
    }

    fn all<'a>(&'a self, _: Option<&'a ()>, _: &'a Tally, calls: &mut Calls<'a>) {
        // Held as long as the process is stopped: by it, or by its maker.
        let is_held = nobody_waits() && self.is_locked() == Ok(true);
        static INSIDE: AtomicU32 = AtomicU32::new(0);
        INSIDE.store(0, Ordering::SeqCst);
        calls.at_once("is_locked", &[], || self.is_locked());
        calls.at_once("open and close", &[], || {
            Lock::from_fd(self.share_fd()?).map(drop)
        });
        calls.waiting("acquire and release", &[], move |wait| {
            self.acquire_timeout(wait)?;
            next();
            assert!(!is_held, "stolen: somebody else holds it");
            alone(&INSIDE);
            self.release()
        });
    }

    fn settle(&self, _: Option<()>, _: &Tally, _: bool) {
        // If its maker holds it, its maker must release it.
        if self.try_acquire().is_err() {
            self.release().unwrap();
            self.acquire_timeout(in_time()).unwrap();
        }
        self.release().unwrap();
        assert_eq!(self.acquire_timeout(in_time()), Ok(Acquired::Clean));
        self.release().unwrap();
    }
}

impl Others for Rlock {
    type Holding = ();

    fn files(&self) -> Vec<RawFd> {
        vec![self.raw_fd()]
    }

    fn attach(&self) {
        assert_eq!(self.release(), Err(Status::E_NOT_OWNER));
    }

    fn harmless<'a>(&'a self, _: &'a Tally, calls: &mut Calls<'a>) {
        calls.at_once("depth", &[], || self.depth());
        calls.at_once("acquire and release", &[], || {
            self.try_acquire_as(77)?;
            next();
            self.release_as(77)
        });
    }

    fn all<'a>(&'a self, _: Option<&'a ()>, _: &'a Tally, calls: &mut Calls<'a>) {
        let is_held = nobody_waits() && self.depth() != Ok(0);
        static INSIDE: AtomicU32 = AtomicU32::new(0);
        static OWNER: AtomicU32 = AtomicU32::new(100);
        INSIDE.store(0, Ordering::SeqCst);
        calls.at_once("depth", &[], || self.depth());
        calls.at_once("open and close", &[], || {
            Rlock::from_fd(self.share_fd()?).map(drop)
        });
        calls.at_once("release by another", &[Status::E_NOT_OWNER], || {
            let refused = self.release_as(99);
            assert!(refused.is_err(), "stolen: it was not held");
            refused
        });
        calls.waiting("acquire twice and release", &[], move |wait| {
            let owner = u64::from(OWNER.fetch_add(1, Ordering::SeqCst));
            self.acquire_as_timeout(owner, wait)?;
            next();
            assert!(!is_held, "stolen: somebody else holds it");
            alone(&INSIDE);
            self.acquire_as_timeout(owner, wait)?;
            next();
            self.release_as(owner)?;
            self.release_as(owner)
        });
    }

    fn settle(&self, _: Option<()>, _: &Tally, _: bool) {
        if self.try_acquire().is_err() {
            // Its maker has it, twice.
            (0..2).for_each(|_| self.release_as(3).unwrap());
            self.acquire_timeout(in_time()).unwrap();
        }
        assert_eq!(self.depth(), Ok(1));
        self.release().unwrap();
        assert_eq!(self.acquire_timeout(in_time()), Ok(Acquired::Clean));
        self.release().unwrap();
    }
}

impl Others for Semaphore {
    type Holding = Option<()>;

    fn files(&self) -> Vec<RawFd> {
        vec![self.raw_fd()]
    }

    fn attach(&self) {
        if self.try_acquire().is_ok() {
            self.release(1).unwrap();
        }
    }

    fn hold(&self) -> Option<()> {
        self.try_acquire().ok()
    }

    fn harmless<'a>(&'a self, _: &'a Tally, calls: &mut Calls<'a>) {
        calls.at_once("value", &[], || self.value());
        calls.at_once("acquire and release", &[], || {
            self.try_acquire()?;
            next();
            self.release(1)
        });
    }

    fn all<'a>(&'a self, held: Option<&'a Option<()>>, _: &'a Tally, calls: &mut Calls<'a>) {
        calls.at_once("value", &[], || self.value());
        calls.at_once("open and close", &[], || {
            Semaphore::from_fd(self.share_fd()?).map(drop)
        });
        calls.waiting("acquire and release", &[], |wait| {
            self.acquire_timeout(wait)?;
            next();
            self.release(1)
        });
        if held == Some(&Some(())) {
            calls.at_once("release of what was held before", &[], || self.release(1));
        }
    }

    fn settle(&self, _: Option<Option<()>>, _: &Tally, _: bool) {
        let value = self.value().unwrap();
        assert!((0..=3).contains(&value), "{value} permits");
        let acquired = (0..value).map(|_| self.try_acquire());
        assert!(
            acquired.into_iter().all(|one| one.is_ok()),
            "lost: a permit"
        );
        assert_eq!(self.try_acquire(), Err(Status::E_TIMEOUT));
        if value > 0 {
            self.release(value).unwrap();
        }
    }
}

impl Others for Event {
    type Holding = ();

    fn files(&self) -> Vec<RawFd> {
        vec![self.raw_fd()]
    }

    fn attach(&self) {
        let _ = self.wait_timeout(Wait::for_ns(1000));
    }

    fn harmless<'a>(&'a self, _: &'a Tally, calls: &mut Calls<'a>) {
        calls.at_once("is_set", &[], || self.is_set());
        calls.at_once("sets", &[], || self.sets());
        calls.at_once("wait", &[], || self.wait_timeout(Wait::TRY));
    }

    fn all<'a>(&'a self, _: Option<&'a ()>, _: &'a Tally, calls: &mut Calls<'a>) {
        calls.at_once("is_set", &[], || self.is_set());
        calls.at_once("set", &[], || self.set());
        calls.at_once("clear", &[], || self.clear());
        calls.at_once("open and close", &[], || {
            Event::from_fd(self.share_fd()?).map(drop)
        });
        calls.at_once("descriptor", &[], || self.fd());
        calls.waiting("wait", &[], |wait| self.wait_timeout(wait));
        calls.waiting("wait_since", &[], |wait| {
            self.wait_since(self.sets()?, wait)
        });
        calls.waiting("wait_any", &[], |wait| {
            wait_any_timeout(&[Waitable::Event(self)], wait)
        });
    }

    fn settle(&self, _: Option<()>, _: &Tally, _: bool) {
        self.set().unwrap();
        assert_eq!(self.wait_timeout(in_time()), Ok(()));
        assert!(is_readable(self.fd().unwrap(), 2000));
        self.clear().unwrap();
        assert_eq!(self.is_set(), Ok(false));
    }
}
