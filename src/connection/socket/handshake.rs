//! The handshake between two sides with a key: the listener challenges and the connector answers,
//! then the roles swap. A state machine that never waits, so that one thread can serve many.

use std::os::fd::RawFd;
use std::sync::Arc;

use super::auth::{self, Key, FAILURE, WELCOME};
use super::frame::Head;
use crate::status::{Result, Status};
use crate::sys::socket::{self, Step};

/// The next message that this side expects.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    /// The answer to this side's challenge.
    Answer,
    /// The peer's challenge.
    Challenge,
    /// The peer's verdict on this side's answer.
    Verdict,
    /// None: this side has refused the peer, and only sends its refusal.
    Nothing,
}

/// The readiness that a handshake waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Need {
    ToRead,
    ToWrite,
}

/// One side of a handshake.
pub(crate) struct Handshake {
    key: Arc<Key>,
    is_listener: bool,
    expect: Expect,
    /// Both sides have proved that they have the key; some output may still have to be sent.
    is_settled: bool,
    /// This side's own challenge.
    challenge: Vec<u8>,
    outgoing: Vec<u8>,
    head: Head,
    incoming: Vec<u8>,
}

impl Handshake {
    fn new(key: &Arc<Key>, is_listener: bool, expect: Expect) -> Result<Handshake> {
        Ok(Handshake {
            key: Arc::clone(key),
            is_listener,
            expect,
            is_settled: false,
            challenge: key.challenge()?,
            outgoing: Vec::new(),
            head: Head::default(),
            incoming: Vec::new(),
        })
    }

    /// The accepting side, which challenges first.
    pub(crate) fn of_listener(key: &Arc<Key>) -> Result<Handshake> {
        let mut handshake = Handshake::new(key, true, Expect::Answer)?;
        handshake.say_challenge();
        Ok(handshake)
    }

    /// The connecting side.
    pub(crate) fn of_connector(key: &Arc<Key>) -> Result<Handshake> {
        Handshake::new(key, false, Expect::Challenge)
    }

    /// Advance as far as possible without waiting. `Done(())`: both sides have the key.
    ///
    /// # Errors
    /// `E_AUTH`: one of the two lacks the key. `E_EOF`: the peer has closed the connection.
    /// `E_CORRUPT`, `E_TOO_LARGE`: the peer speaks another protocol.
    pub(crate) fn step(&mut self, fd: RawFd) -> Result<std::result::Result<(), Need>> {
        loop {
            if !self.flush(fd)? {
                return Ok(Err(Need::ToWrite));
            }
            if self.is_settled {
                return Ok(Ok(()));
            }
            if self.expect == Expect::Nothing {
                return Err(Status::E_AUTH);
            }
            match self.receive(fd)? {
                Step::Done(message) => self.hear(&message)?,
                Step::Later => return Ok(Err(Need::ToRead)),
            }
        }
    }

    fn say(&mut self, message: &[u8]) {
        self.outgoing.extend(Head::of(message.len()).bytes());
        self.outgoing.extend(message);
    }

    fn say_challenge(&mut self) {
        let challenge = std::mem::take(&mut self.challenge);
        self.say(&challenge);
        self.challenge = challenge;
    }

    fn hear(&mut self, message: &[u8]) -> Result<()> {
        match self.expect {
            Expect::Answer => match self.key.judge(&self.challenge, message) {
                Ok(()) => {
                    self.say(WELCOME);
                    self.is_settled = !self.is_listener;
                    self.expect = Expect::Challenge;
                }
                Err(_) => {
                    self.say(FAILURE);
                    self.expect = Expect::Nothing;
                }
            },
            Expect::Challenge => {
                let answer = self.key.answer(message)?;
                self.say(&answer);
                self.expect = Expect::Verdict;
            }
            Expect::Verdict if message != WELCOME => return Err(Status::E_AUTH),
            Expect::Verdict if self.is_listener => self.is_settled = true,
            Expect::Verdict => {
                self.say_challenge();
                self.expect = Expect::Answer;
            }
            Expect::Nothing => return Err(Status::E_INTERNAL),
        }
        Ok(())
    }

    /// Send the pending output. Returns whether all of it was sent.
    fn flush(&mut self, fd: RawFd) -> Result<bool> {
        while !self.outgoing.is_empty() {
            match socket::send(fd, &self.outgoing, &[]).map_err(or_gone)? {
                Step::Done(count) => drop(self.outgoing.drain(..count)),
                Step::Later => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Receive the next message, and no byte beyond it.
    fn receive(&mut self, fd: RawFd) -> Result<Step<Vec<u8>>> {
        loop {
            let len = self.head.length(auth::LONGEST)?;
            let missing = match len {
                Some(len) if self.incoming.len() == len => {
                    self.head = Head::default();
                    return Ok(Step::Done(std::mem::take(&mut self.incoming)));
                }
                Some(len) => len - self.incoming.len(),
                None => self.head.missing(),
            };
            match socket::receive_onto(fd, &mut self.incoming, missing).map_err(or_gone)? {
                Step::Done(0) => return Err(Status::E_EOF),
                Step::Done(_) if len.is_none() => {
                    self.head.push(&std::mem::take(&mut self.incoming))
                }
                Step::Done(_) => {}
                Step::Later => return Ok(Step::Later),
            }
        }
    }
}

/// A peer that closes in the middle of a handshake gives `E_EOF`, even if it left bytes unread.
fn or_gone(status: Status) -> Status {
    match status {
        Status::E_BROKEN_PIPE => Status::E_EOF,
        other => other,
    }
}
