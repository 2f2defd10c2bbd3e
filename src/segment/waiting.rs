//! Sleeping in a segment: on a word, beside the life of everybody who uses it.
//!
//! The rule is one for all: who sleeps here also sleeps on the life word of each other participant.
//! So whoever dies wakes somebody who looks after what it held and after the wake-up that it did not
//! send. The kernel wakes one sleeper of a life word; that one recovers, and recovery wakes the rest.

use std::sync::atomic::{AtomicU32, Ordering};

use super::Segment;
use crate::status::Result;
use crate::sync::owner::Owner;
use crate::sync::wait::Patience;
use crate::sync::world::World;
use crate::sys::clock;
use crate::sys::futex::{self, WaitWord, Wakeup, MAX_WORDS};

impl World for Segment {
    fn sleep(&self, word: &AtomicU32, value: u32, patience: &mut Patience<'_>) -> Result<()> {
        let me = self.me()?;
        self.reap(me)?;
        patience.check()?;
        let own = self.participant(me.slot());
        if let Some(own) = own {
            own.sleepers.fetch_add(1, Ordering::Relaxed);
        }
        let wakeup = self.sleep_once(word, value, me, true, patience);
        if let Some(own) = own {
            own.sleepers.fetch_sub(1, Ordering::Relaxed);
        }
        self.reap(me)?;
        match wakeup {
            Wakeup::Interrupted => patience.interrupted(),
            _ => Ok(()),
        }
    }

    fn wake(&self, word: &AtomicU32, count: u32) -> usize {
        futex::wake(word, count)
    }

    fn is_dead(&self, owner: Owner) -> bool {
        self.is_gone_for_good(owner)
    }
}

/// A segment whose sleepers leave the dead to others: for the locks that recovery itself takes.
///
/// A dead holder of the lock is the lock's own matter.
pub(crate) struct Quiet<'a>(pub(crate) &'a Segment);

impl World for Quiet<'_> {
    fn sleep(&self, word: &AtomicU32, value: u32, patience: &mut Patience<'_>) -> Result<()> {
        patience.check()?;
        let me = self.0.me()?;
        match self.0.sleep_once(word, value, me, false, patience) {
            Wakeup::Interrupted => patience.interrupted(),
            _ => Ok(()),
        }
    }

    fn wake(&self, word: &AtomicU32, count: u32) -> usize {
        futex::wake(word, count)
    }

    fn is_dead(&self, owner: Owner) -> bool {
        self.0.is_gone_for_good(owner)
    }
}

impl Segment {
    /// Sleep once; at once back when somebody is dead already and `reaps` says that it matters.
    fn sleep_once(
        &self,
        word: &AtomicU32,
        value: u32,
        me: Owner,
        reaps: bool,
        patience: &mut Patience<'_>,
    ) -> Wakeup {
        let has_tokens = patience.tokens().next().is_some();
        if !futex::has_wait_any() {
            if has_tokens {
                // A token that fires cannot reach a sleep on another word.
                patience.stay_alert();
            }
            let end = patience.next_slice(clock::now_ns());
            return futex::wait(word, value, Some(end));
        }
        let mut words = [WaitWord::EMPTY; MAX_WORDS];
        let mut count = 0;
        let mut add = |entry: WaitWord| match words.get_mut(count) {
            Some(place) => {
                *place = entry;
                count += 1;
                true
            }
            None => false,
        };
        add(WaitWord::new(word.as_ptr(), value));
        for token in patience.tokens() {
            add(WaitWord::new(token.word().as_ptr(), 0));
        }
        for (slot, participant) in self.participants() {
            let life = participant.life();
            if slot as usize == me.slot() || life.is_free() {
                continue;
            }
            if life.is_dead() {
                if reaps {
                    return Wakeup::Woken;
                }
                continue;
            }
            if !add(WaitWord::new(participant.futex_address(), life.futex())) {
                // More of them than one call takes: the slices watch the rest.
                patience.stay_alert();
                break;
            }
        }
        let end = patience.next_slice(clock::now_ns());
        futex::wait_any(words.get(..count).unwrap_or(&words), Some(end))
    }
}
