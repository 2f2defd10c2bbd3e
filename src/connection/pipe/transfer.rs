//! Transfer of a message longer than the ring: it goes from the sender's memory to the receiver's,
//! through the empty ring, while both are in their calls.
//!
//! The sender *offers* the message when all earlier messages were received, and waits. A receiver
//! *asks* for the message from its first byte on: it writes the number of its attempt and how many
//! bytes it has. The sender *gives* as much as fits into the ring: it writes that number and how
//! many bytes it has given. When the receiver has all bytes, it turns the offer into *taken* by one
//! compare-and-swap; at that instruction the message is sent and received:
//!
//! - A receiver that gives up, or is killed, leaves the offer unchanged: the next receiver asks
//!   with a new attempt number, and the sender starts over. No byte of the message is lost.
//! - A sender that gives up *withdraws* the offer by the same word: a receiver in the middle of it
//!   notices, and the message was never sent. Recovery withdraws the offer of a sender that was
//!   killed.

use std::mem::MaybeUninit;
use std::sync::atomic::Ordering;

use super::body::RING;
use super::ends::Standing;
use super::lane::{publish, Lane};
use super::waiting::At;
use crate::pace::PIPE_STEP_NS;
use crate::status::{Result, Status};
use crate::sync::owner::{Owner, OWNER_BITS, OWNER_MASK};
use crate::sync::wait::{Patience, Wait};

/// Bytes given at a time, so that both sides copy at the same time.
const PIECE: u64 = RING / 8;

/// States of an offer, above the owner in its word; a serial number fills the upper half.
const WITHDRAWN: u64 = 0;
const OFFERED: u64 = 1;
const TAKEN: u64 = 2;
const STATE: u64 = 3;

fn offer_word(serial: u64, state: u64, owner: Owner) -> u64 {
    serial << 32 | state << OWNER_BITS | u64::from(owner.bits())
}

fn serial_of(word: u64) -> u64 {
    word >> 32
}

fn state_of(word: u64) -> u64 {
    word >> OWNER_BITS & STATE
}

/// The same offer in another state.
fn turned(word: u64, state: u64) -> u64 {
    word & !(STATE << OWNER_BITS) | state << OWNER_BITS
}

/// The number of an attempt and its bytes so far, for `asked` and `given`.
fn progress(attempt: u32, bytes: u64) -> u64 {
    u64::from(attempt) << 32 | bytes
}

fn attempt_of(word: u64) -> u32 {
    (word >> 32) as u32
}

fn bytes_of(word: u64) -> u64 {
    word & u64::from(u32::MAX)
}

/// A message that waits in its sender's memory.
#[derive(Clone, Copy)]
pub(super) struct Offer {
    word: u64,
    pub(super) len: usize,
}

impl Lane<'_> {
    /// The offer of a living sender.
    pub(super) fn offer(&self) -> Option<Offer> {
        let sender = &self.words.sender;
        // Acquire, pairs with `send_long`: the length belongs to the offer.
        let word = sender.offer.load(Ordering::Acquire);
        if state_of(word) != OFFERED {
            return None;
        }
        let owner = Owner::from_bits(word as u32 & OWNER_MASK)?;
        let len = sender.offered.load(Ordering::Acquire);
        // If the offer has changed by now, its sender wakes every receiver that slept because of
        // this answer.
        if self.segment.is_gone(owner) || sender.offer.load(Ordering::Relaxed) != word {
            return None;
        }
        let len = u32::try_from(len).ok()? as usize;
        Some(Offer { word, len })
    }

    /// Recovery: withdraw the offer of a dead sender. Exactly one recoverer succeeds.
    pub(super) fn withdraw_of(&self, is_gone: &dyn Fn(Owner) -> bool) {
        let offer = &self.words.sender.offer;
        let word = offer.load(Ordering::Acquire);
        let owner = Owner::from_bits(word as u32 & OWNER_MASK);
        if state_of(word) == OFFERED && owner.is_some_and(is_gone) {
            let withdrawn = turned(word, WITHDRAWN);
            let _ = offer.compare_exchange(word, withdrawn, Ordering::SeqCst, Ordering::Relaxed);
        }
    }
}

impl At<'_> {
    /// Send a message that is longer than the ring. Under the senders' lock.
    pub(super) fn send_long(
        &self,
        lane: &Lane<'_>,
        data: &[u8],
        wait: &Wait<'_>,
        patience: &mut Patience<'_>,
    ) -> Result<()> {
        loop {
            if self.peer()? == Standing::Over {
                return Err(Status::E_BROKEN_PIPE);
            }
            if lane.is_empty() {
                break;
            }
            self.wait_for(lane, &lane.words.space, &|| lane.is_empty(), patience)?;
        }
        if wait.is_try() {
            return Err(Status::E_TIMEOUT);
        }
        lane.ring.ensure(0, RING)?;
        let sender = &lane.words.sender;
        // `asked` still holds the attempt number of an earlier offer.
        let before = attempt_of(lane.words.receiver.asked.load(Ordering::Acquire));
        let serial = serial_of(sender.offer.load(Ordering::Relaxed)) + 1;
        let word = offer_word(serial, OFFERED, self.me);
        sender.offered.store(data.len() as u64, Ordering::Release);
        publish(&sender.offer, word);
        lane.notify_items();
        let given = self.give(lane, word, data, before, wait, patience);
        let Err(status) = given else {
            return Ok(());
        };
        let withdrawn = turned(word, WITHDRAWN);
        let undone =
            sender
                .offer
                .compare_exchange(word, withdrawn, Ordering::SeqCst, Ordering::Acquire);
        lane.notify_items();
        match undone {
            // A receiver took the message at the last moment.
            Err(now) if now == turned(word, TAKEN) => Ok(()),
            _ => Err(status),
        }
    }

    /// Give receivers the bytes that they ask for, until one has all of them.
    fn give(
        &self,
        lane: &Lane<'_>,
        word: u64,
        data: &[u8],
        before: u32,
        wait: &Wait<'_>,
        patience: &mut Patience<'_>,
    ) -> Result<()> {
        let (sender, receiver) = (&lane.words.sender, &lane.words.receiver);
        let (mut attempt, mut given) = (before, 0u64);
        // The time of the receiver's next step runs from its last one on.
        let step = wait.at_least(PIPE_STEP_NS);
        let (mut until_step, mut last) = (Patience::new(&step), progress(before, 0));
        loop {
            let now = sender.offer.load(Ordering::Acquire);
            if now != word {
                return if now == turned(word, TAKEN) {
                    Ok(())
                } else {
                    Err(Status::E_CORRUPT)
                };
            }
            // Acquire, pairs with `ask`: the bytes counted there were copied out.
            let asked = receiver.asked.load(Ordering::Acquire);
            if attempt_of(asked) != attempt {
                (attempt, given) = (attempt_of(asked), 0);
            }
            if asked != last {
                (until_step, last) = (Patience::new(&step), asked);
            }
            let ahead = match attempt == before {
                // No receiver has asked yet.
                true => RING,
                false => given
                    .checked_sub(bytes_of(asked))
                    .filter(|ahead| *ahead <= RING)
                    .ok_or(Status::E_CORRUPT)?,
            };
            let piece = PIECE.min(RING - ahead);
            let rest = data.get(given as usize..).unwrap_or_default();
            if piece > 0 && !rest.is_empty() {
                let piece = rest.get(..piece as usize).unwrap_or(rest);
                lane.ring.write(given, piece)?;
                given += piece.len() as u64;
                publish(&sender.given, progress(attempt, given));
                lane.notify_items();
                continue;
            }
            if self.peer()? == Standing::Over {
                return Err(Status::E_BROKEN_PIPE);
            }
            let moved = || {
                receiver.asked.load(Ordering::Acquire) != asked
                    || sender.offer.load(Ordering::Acquire) != word
            };
            match attempt == before {
                true => self.wait_for(lane, &lane.words.space, &moved, patience)?,
                false => self.wait_for(lane, &lane.words.space, &moved, &mut until_step)?,
            }
        }
    }

    /// Receive an offered message, `None` when it was withdrawn. `buffer` has the message's length.
    /// Under the receivers' lock.
    pub(super) fn take_offer(
        &self,
        lane: &Lane<'_>,
        offer: Offer,
        buffer: &mut [MaybeUninit<u8>],
        wait: &Wait<'_>,
    ) -> Result<Option<usize>> {
        let (sender, receiver) = (&lane.words.sender, &lane.words.receiver);
        let attempt = attempt_of(receiver.asked.load(Ordering::Relaxed)).wrapping_add(1);
        // The time of the sender's next step runs from its last one on.
        let step = wait.at_least(PIPE_STEP_NS);
        let mut until_step = Patience::new(&step);
        let mut got = 0;
        publish(&receiver.asked, progress(attempt, 0));
        lane.notify_space();
        while got < offer.len {
            // Acquire, pairs with `publish` in `give`: the bytes counted there are in the ring.
            let given = sender.given.load(Ordering::Acquire);
            let there = if attempt_of(given) == attempt {
                bytes_of(given) as usize
            } else {
                0
            };
            let piece = there.checked_sub(got).ok_or(Status::E_CORRUPT)?;
            if piece > 0 {
                if piece as u64 > RING || there > offer.len {
                    return Err(Status::E_CORRUPT);
                }
                let place = buffer.get_mut(got..there).ok_or(Status::E_INTERNAL)?;
                lane.ring.read(got as u64, place)?;
                got = there;
                publish(&receiver.asked, progress(attempt, got as u64));
                lane.notify_space();
                until_step = Patience::new(&step);
                continue;
            }
            let withdrawn = || sender.offer.load(Ordering::Acquire) != offer.word;
            if withdrawn() || self.peer()? == Standing::Over {
                return Ok(None);
            }
            let moved = || withdrawn() || sender.given.load(Ordering::Acquire) != given;
            self.wait_for(lane, &lane.words.items, &moved, &mut until_step)?;
        }
        let taken = turned(offer.word, TAKEN);
        let turned =
            sender
                .offer
                .compare_exchange(offer.word, taken, Ordering::SeqCst, Ordering::Relaxed);
        lane.notify_space();
        Ok(turned.ok().map(|_| offer.len))
    }
}
