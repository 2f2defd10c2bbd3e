//! A listener's thread: it takes connections in and serves their handshakes concurrently.
//!
//! No handshake waits for another: the thread sleeps in one poll(2) for all of them. There are at
//! most `backlog` handshakes at a time. When one more connection arrives, the oldest handshake is
//! ended. So a thousand silent clients delay nobody, and cost at most `backlog` sockets.

use std::collections::VecDeque;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::Arc;

use super::auth::Key;
use super::handshake::{Handshake, Need};
use super::pending::Guest;
use crate::status::{Result, Status};
use crate::sync::local_lock::LocalLock;
use crate::sys::descriptor::OwnedFd;
use crate::sys::eventfd;
use crate::sys::poll::{self, Interest};
use crate::sys::socket::{self, Step};
use crate::sys::{clock, futex, thread};

/// Connections taken in at a time, before the thread serves the handshakes that have begun.
const AT_A_TIME: usize = 32;
/// How long to leave the kernel's queue alone when there is no descriptor or memory for one more.
const PAUSE_NS: u64 = 20_000_000;

/// The settings of a reception.
pub(crate) struct Terms {
    pub(crate) key: Arc<Key>,
    pub(crate) backlog: usize,
    pub(crate) handshake_ns: u64,
}

/// State shared by the thread and the accepting calls.
pub(crate) struct Reception {
    terms: Terms,
    /// Connections that have proved the key and wait to be accepted.
    ready: LocalLock<VecDeque<Result<Guest>>>,
    /// Readable while `ready` is not empty.
    has_ready: OwnedFd,
    /// Wakes the thread.
    bell: OwnedFd,
    is_closed: AtomicBool,
    /// 1 once the thread uses nothing here any more. A futex.
    is_gone: AtomicU32,
}

impl Reception {
    /// Start a reception for `listening`, which stays open until [`close`](Self::close).
    pub(crate) fn open(terms: Terms, listening: RawFd) -> Result<Arc<Reception>> {
        let reception = Arc::new(Reception {
            terms,
            ready: LocalLock::new(VecDeque::new()),
            has_ready: eventfd::event()?,
            bell: eventfd::event()?,
            is_closed: AtomicBool::new(false),
            is_gone: AtomicU32::new(0),
        });
        let shared = Arc::clone(&reception);
        thread::start_once(Box::new(move || {
            thread::set_name(c"polyproc-listen");
            shared.serve(listening);
            shared.is_gone.store(1, Ordering::Release);
            futex::wake(&shared.is_gone, 1);
        }))?;
        Ok(reception)
    }

    /// Close all pending connections, and wait until the thread has ended; the thread never waits
    /// for a peer.
    pub(crate) fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        eventfd::raise(self.bell.as_raw_fd());
        while self.is_gone.load(Ordering::Acquire) == 0 {
            futex::wait(&self.is_gone, 0, None);
        }
        self.ready.lock().clear();
    }

    /// A descriptor that is readable while a connection can be accepted.
    pub(crate) fn fd(&self) -> RawFd {
        self.has_ready.as_raw_fd()
    }

    /// The next connection that has proved the key.
    pub(crate) fn take(&self) -> Result<Option<OwnedFd>> {
        let next = {
            let mut ready = self.ready.lock();
            let next = ready.pop_front();
            if ready.is_empty() {
                eventfd::lower(self.has_ready.as_raw_fd());
            }
            if ready.len() + 1 == self.terms.backlog {
                // The queue was full, so the thread may have stopped taking connections in.
                eventfd::raise(self.bell.as_raw_fd());
            }
            next
        };
        match next {
            Some(guest) => Ok(guest?.welcome()),
            None => Ok(None),
        }
    }

    fn add(&self, guest: Result<Guest>) {
        let mut ready = self.ready.lock();
        // At most one error waits to be reported by an accept.
        if guest.is_err() && ready.iter().any(|other| other.is_err()) {
            return;
        }
        ready.push_back(guest);
        eventfd::raise(self.has_ready.as_raw_fd());
    }

    fn is_full(&self) -> bool {
        self.ready.lock().len() >= self.terms.backlog
    }

    fn serve(&self, listening: RawFd) {
        let mut visitors: VecDeque<Visitor> = VecDeque::new();
        let mut pause_end: Option<u64> = None;
        while !self.is_closed.load(Ordering::Acquire) {
            let now = clock::now_ns();
            pause_end = pause_end.filter(|end| *end > now);
            let takes_in = pause_end.is_none() && !self.is_full();
            let mut items = vec![poll::to_read(self.bell.as_raw_fd())];
            // poll(2) ignores a negative descriptor.
            items.push(poll::to_read(if takes_in { listening } else { -1 }));
            items.extend(visitors.iter().map(Visitor::interest));
            let patience_end = visitors.front().map(|visitor| visitor.deadline);
            let deadline = patience_end.into_iter().chain(pause_end).min();
            // After any error of poll, look again.
            let _ = poll::any_ready(&mut items, deadline);
            eventfd::lower(self.bell.as_raw_fd());
            self.attend(&mut visitors, items.get(2..).unwrap_or_default());
            if items.get(1).is_some_and(|item| item.revents != 0) {
                if let Err(status) = self.take_in(listening, &mut visitors) {
                    self.add(Err(status));
                    pause_end = Some(clock::now_ns() + PAUSE_NS);
                }
            }
        }
    }

    /// Advance every handshake that can advance, and end those that have taken too long.
    fn attend(&self, visitors: &mut VecDeque<Visitor>, items: &[Interest]) {
        let now = clock::now_ns();
        let was_moved = items.iter().map(|item| item.revents != 0);
        let moved_and_not = was_moved.chain(std::iter::repeat(false));
        for (mut visitor, was_moved) in std::mem::take(visitors).into_iter().zip(moved_and_not) {
            if was_moved && !visitor.go_on() {
                self.see_off(visitor);
            } else if visitor.deadline > now {
                visitors.push_back(visitor);
            } else {
                visitor.send_away();
            }
        }
    }

    /// Take in connections from the kernel's queue.
    fn take_in(&self, listening: RawFd, visitors: &mut VecDeque<Visitor>) -> Result<()> {
        for _ in 0..AT_A_TIME {
            let guest = match Guest::take_in(listening) {
                Ok(Step::Done(guest)) => guest,
                Ok(Step::Later) => return Ok(()),
                // No descriptor is left: end the oldest handshake to free one.
                Err(Status::E_LIMIT) if !visitors.is_empty() => {
                    self.make_room(visitors);
                    continue;
                }
                Err(status) => return Err(status),
            };
            if visitors.len() >= self.terms.backlog {
                self.make_room(visitors);
            }
            let mut visitor = Visitor {
                guest,
                handshake: Handshake::of_listener(&self.terms.key)?,
                state: HandshakeState::Needs(Need::ToRead),
                deadline: clock::now_ns().saturating_add(self.terms.handshake_ns),
            };
            match visitor.go_on() {
                true => visitors.push_back(visitor),
                false => self.see_off(visitor),
            }
        }
        Ok(())
    }

    /// End the oldest handshake, unless input that has just arrived completes it.
    fn make_room(&self, visitors: &mut VecDeque<Visitor>) {
        if let Some(mut oldest) = visitors.pop_front() {
            oldest.go_on();
            self.see_off(oldest);
        }
    }

    /// Remove a visitor whose handshake is over.
    fn see_off(&self, visitor: Visitor) {
        match visitor.state {
            HandshakeState::Welcome => self.add(Ok(visitor.guest)),
            _ => visitor.send_away(),
        }
    }
}

enum HandshakeState {
    Needs(Need),
    Welcome,
    Refused,
}

/// A connection whose handshake is in progress.
struct Visitor {
    guest: Guest,
    handshake: Handshake,
    state: HandshakeState,
    /// All visitors get the same time, so the first in the queue is the first to time out.
    deadline: u64,
}

impl Visitor {
    fn interest(&self) -> Interest {
        match self.state {
            HandshakeState::Needs(Need::ToWrite) => poll::to_write(self.guest.raw_fd()),
            _ => poll::to_read(self.guest.raw_fd()),
        }
    }

    /// Advance the handshake. Returns whether it is still in progress.
    fn go_on(&mut self) -> bool {
        self.state = match self.handshake.step(self.guest.raw_fd()) {
            Ok(Ok(())) => HandshakeState::Welcome,
            Ok(Err(need)) => HandshakeState::Needs(need),
            Err(_) => HandshakeState::Refused,
        };
        matches!(self.state, HandshakeState::Needs(_))
    }

    /// End the connection, also for every process that has a copy of the socket.
    fn send_away(self) {
        socket::end(self.guest.raw_fd());
    }
}
