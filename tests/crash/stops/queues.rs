//! All calls of a queue.

use std::mem::MaybeUninit;
use std::os::fd::RawFd;

use polyproc::{wait_any_timeout, Got, Loan, Queue, Reservation, Status, Wait, Waitable};

use super::calls::{next, Calls};
use super::others::{Others, Tally};
use super::tally::Unsettled;
use crate::operations::in_time;
use crate::operations::queues::LARGE;
use crate::page::until;

/// A message that was taken, and a reservation.
#[derive(Default)]
pub struct Holding {
    taken: Option<u64>,
    reserved: Option<Reservation>,
}

// SAFETY: a reservation's memory is written by one thread at a time.
unsafe impl Sync for Holding {}

const NO_ROOM: &[Status] = &[Status::E_FULL, Status::E_SHUTDOWN, Status::E_NO_MEMORY];
const NOTHING: &[Status] = &[Status::E_EMPTY, Status::E_SHUTDOWN];
const NOT_JOINABLE: &[Status] = &[Status::E_INVALID];

impl Others for Queue {
    type Holding = Holding;

    fn files(&self) -> Vec<RawFd> {
        vec![self.raw_fd()]
    }

    fn attach(&self) {
        self.len().unwrap();
    }

    fn hold(&self) -> Holding {
        // One more, so that as many are left as before.
        let _ = self.try_put(b"held");
        // The watcher watches it.
        let _ = self.fd();
        Holding {
            taken: self.take_raw(Wait::TRY).ok().map(|loan| loan.ticket),
            reserved: self.reserve_raw(8, Wait::TRY).ok(),
        }
    }

    fn harmless<'a>(&'a self, tally: &'a Tally, calls: &mut Calls<'a>) {
        calls.at_once("length", &[], || self.len());
        calls.at_once("is_full", &[], || self.is_full());
        calls.at_once("info", &[], || self.info());
        if self.options().unwrap().max_deliveries == 0 {
            calls.at_once("take and return", NOTHING, || {
                let loan = self.take_raw(Wait::TRY)?;
                next();
                let returned = self.give_back_raw(loan.ticket);
                tally.settled(returned, Unsettled::Return(loan.ticket))
            });
        }
    }

    fn catch_up(&self, tally: &Tally) {
        tally.settle(self);
    }

    fn all<'a>(&'a self, holding: Option<&'a Holding>, tally: &'a Tally, calls: &mut Calls<'a>) {
        self.look(calls);
        self.produce(tally, calls);
        self.consume(tally, calls);
        let Some(holding) = holding else { return };
        if let Some(ticket) = holding.taken {
            const SETTLED: &[Status] = &[Status::E_INVALID, Status::E_NOT_OWNER];
            calls.at_once("done of what was taken before", SETTLED, move || {
                self.done_raw(ticket)
            });
        }
        if holding.reserved.is_some() {
            const OVER: &[Status] = &[Status::E_SHUTDOWN];
            calls.at_once("commit of what was reserved before", OVER, move || {
                let reserved = holding.reserved.as_ref();
                commit(self, reserved.expect("reserved"))
            });
        }
    }

    fn last<'a>(&'a self, _: &'a Tally, calls: &mut Calls<'a>) {
        calls.at_once("shutdown", &[], || self.shutdown(false));
        calls.at_once("shutdown at once", &[], || self.shutdown(true));
    }

    fn settle(&self, holding: Option<Holding>, tally: &Tally, is_after_last: bool) {
        tally.settle(self);
        let holding = holding.unwrap_or_default();
        if let Some(reserved) = &holding.reserved {
            // A call that was refused during the stop has changed nothing.
            let _ = commit(self, reserved);
        }
        if let Some(ticket) = holding.taken {
            let _ = self.done_raw(ticket);
        }
        let before = self.info().unwrap();
        // Recovery that was left to others during the stop comes a moment later, not at the first
        // look.
        until("not all comes back", || {
            while let Ok(loan) = self.take_raw(Wait::TRY) {
                tally.over(bytes(&loan));
                self.done_raw(loan.ticket).unwrap();
            }
            self.info().unwrap().unfinished == 0
        });
        let info = self.info().unwrap();
        let left = (info.items, info.in_flight, info.bytes);
        assert_eq!(
            left,
            (0, 0, 0),
            "not all is free again: {before:?} {info:?}"
        );
        if !is_after_last && before.discarded == 0 && info.dead_letters == 0 {
            // The stopped process and the third one get three of them at most.
            tally.check(3);
        }
        if !info.shutdown {
            self.put_timeout(b"after", in_time()).unwrap();
            let loan = self.take_raw(Wait::TRY).unwrap();
            assert_eq!(bytes(&loan), b"after");
            self.done_raw(loan.ticket).unwrap();
        }
    }
}

fn bytes(loan: &Loan) -> Vec<u8> {
    // SAFETY: taken and not settled yet.
    unsafe { std::slice::from_raw_parts(loan.data, loan.len) }.to_vec()
}

fn commit(queue: &Queue, reserved: &Reservation) -> Result<(), Status> {
    // SAFETY: reserved for as many bytes, and not settled yet.
    unsafe { std::ptr::copy_nonoverlapping(b"reserved".as_ptr(), reserved.data, 8) };
    queue.commit_raw(reserved, 8)
}

/// Returns the message of a call with a wait: each call's differs.
fn message(what: &str, wait: Wait<'_>) -> Vec<u8> {
    // Each is made once of each kind.
    format!(
        "{what}, try: {}, {:?}",
        wait.is_try(),
        std::thread::current().id()
    )
    .into_bytes()
}

trait Parts {
    fn look<'a>(&'a self, calls: &mut Calls<'a>);
    fn produce<'a>(&'a self, tally: &'a Tally, calls: &mut Calls<'a>);
    fn consume<'a>(&'a self, tally: &'a Tally, calls: &mut Calls<'a>);
}

impl Parts for Queue {
    fn look<'a>(&'a self, calls: &mut Calls<'a>) {
        calls.at_once("length", &[], || self.len());
        calls.at_once("is_empty", &[], || self.is_empty());
        calls.at_once("is_full", &[], || self.is_full());
        calls.at_once("info", &[], || self.info());
        calls.at_once("descriptor", &[], || self.fd());
        calls.at_once("open and close", &[], || {
            Queue::from_fd(self.share_fd()?).map(drop)
        });
        calls.waiting("join", NOT_JOINABLE, |wait| self.join_timeout(wait));
        calls.waiting("wait_any, get", &[], |wait| {
            wait_any_timeout(&[Waitable::Get(self)], wait)
        });
        calls.waiting("wait_any, put", &[], |wait| {
            wait_any_timeout(&[Waitable::Put(self)], wait)
        });
    }

    fn produce<'a>(&'a self, tally: &'a Tally, calls: &mut Calls<'a>) {
        calls.waiting("put", NO_ROOM, move |wait| {
            let message = message("put", wait);
            let put = self.put_timeout(&message, wait);
            put.map(|()| tally.put(&message))
        });
        calls.at_once("put, large", NO_ROOM, move || {
            let message = vec![3; LARGE];
            let put = self.try_put(&message);
            put.map(|()| tally.put(&message))
        });
        calls.waiting("put_many", NO_ROOM, move |wait| {
            let messages = ["one", "two"].map(|which| message(which, wait));
            let put = self.put_many_raw(2, &|at| &messages[at], wait)?;
            messages[..put]
                .iter()
                .for_each(|message| tally.put(message));
            Ok::<(), Status>(())
        });
        calls.waiting("reserve and commit", NO_ROOM, move |wait| {
            let reserved = self.reserve_raw(8, wait)?;
            next();
            tally.settled(commit(self, &reserved), Unsettled::Commit(reserved))
        });
        calls.waiting("reserve and abort", NO_ROOM, move |wait| {
            let reserved = self.reserve_raw(8, wait)?;
            next();
            tally.settled(self.abort_raw(&reserved), Unsettled::Abort(reserved))
        });
    }

    fn consume<'a>(&'a self, tally: &'a Tally, calls: &mut Calls<'a>) {
        let is_joinable = self.options().unwrap().joinable;
        calls.waiting("get", NOTHING, move |wait| {
            let mut buffer = vec![MaybeUninit::<u8>::uninit(); 300_000];
            let Got::Message(len) = self.get_raw(&mut buffer, wait)? else {
                panic!("too small");
            };
            next();
            // SAFETY: a get writes the bytes that it reports.
            tally.over(unsafe { std::slice::from_raw_parts(buffer.as_ptr().cast(), len) }.to_vec());
            match is_joinable {
                true => tally.settled(self.task_done(), Unsettled::Task),
                false => Ok(()),
            }
        });
        calls.waiting("take and done", NOTHING, move |wait| {
            let loan = self.take_raw(wait)?;
            next();
            let done = Unsettled::Done(loan.ticket, bytes(&loan));
            tally.settled(self.done_raw(loan.ticket), done)
        });
        calls.waiting("take and return", NOTHING, move |wait| {
            let loan = self.take_raw(wait)?;
            next();
            let returned = self.give_back_raw(loan.ticket);
            tally.settled(returned, Unsettled::Return(loan.ticket))
        });
        calls.waiting("take_many and done", NOTHING, move |wait| {
            let mut taken = Vec::new();
            self.take_many_raw(
                2,
                &mut |_, loan| taken.push((loan.ticket, bytes(&loan))),
                wait,
            )?;
            next();
            let (settled, refused) = self.done_many_raw(taken.iter().map(|(ticket, _)| *ticket));
            for (at, (ticket, message)) in taken.into_iter().enumerate() {
                let answer = if at < settled { Ok(()) } else { refused };
                let _ = tally.settled(answer, Unsettled::Done(ticket, message));
            }
            refused
        });
        calls.at_once("take_dead and return", NOTHING, move || {
            let loan = self.take_dead_raw()?;
            next();
            let returned = self.give_back_raw(loan.ticket);
            tally.settled(returned, Unsettled::Return(loan.ticket))
        });
        // Beside consumers: the messages that they have to settle are not there for this one.
        if !is_joinable {
            calls.at_once("task_done", &[Status::E_INVALID], || self.task_done());
        }
    }
}
