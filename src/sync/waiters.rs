//! The threads that wait at a condition or a barrier. Each has a place of its own in shared memory.
//!
//! The word of a place holds the waiting participant and the state of its wait.
//!
//! ```text
//! 30..32   0 claimed: not waiting yet   1 waits   2 let go   3 refused
//! 0..30    the participant whose thread waits; 0: the place is free
//! ```
//!
//! One compare-and-swap of its word answers a waiter. So the waiter gets its answer however late it
//! looks, and nobody waits for it to look. It frees its place itself; recovery frees the places of
//! the dead.

use super::atomic::{AtomicU32, Ordering};
use super::owner::{Owner, OWNER_BITS};
use super::shared::shared;
use super::world::World;
use crate::status::detail::because;
use crate::status::Result;

/// Maximum number of threads that wait at one object at the same time.
pub(crate) const PLACES: usize = if cfg!(loom) { 3 } else { 1024 };

/// The state of a wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    Claimed,
    Waits,
    LetGo,
    Refused,
}

/// The value of a taken place as it was read once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Seen {
    pub(crate) owner: Owner,
    pub(crate) answer: Answer,
}

impl Seen {
    fn of(word: u32) -> Option<Seen> {
        let answer = match word >> OWNER_BITS {
            0 => Answer::Claimed,
            1 => Answer::Waits,
            2 => Answer::LetGo,
            _ => Answer::Refused,
        };
        Owner::from_bits(word).map(|owner| Seen { owner, answer })
    }

    fn bits(self) -> u32 {
        self.owner.bits() | (self.answer as u32) << OWNER_BITS
    }
}

shared! {
    /// The place of one waiter.
    pub(crate) struct Waiter {
        word: AtomicU32,
        /// The number that the object gives it: the order of its arrival, or the index of the
        /// party.
        number: AtomicU32,
    }
}

impl Waiter {
    pub(crate) fn seen(&self) -> Option<Seen> {
        // Acquire, pairs with the Release of `wait_as`: the number has been stored.
        Seen::of(self.word.load(Ordering::Acquire))
    }

    /// The word to sleep on, and its value while a thread of this participant waits.
    pub(crate) fn word(&self, me: Owner) -> (&AtomicU32, u32) {
        let waits = Seen {
            owner: me,
            answer: Answer::Waits,
        };
        (&self.word, waits.bits())
    }

    pub(crate) fn number(&self) -> u32 {
        self.number.load(Ordering::Relaxed)
    }

    /// Begin to wait in a place that this thread has claimed.
    pub(crate) fn wait_as(&self, me: Owner, number: u32) {
        self.number.store(number, Ordering::Relaxed);
        self.word.store(self.word(me).1, Ordering::Release);
    }

    /// Change the place from `seen`. Return false if it has changed meanwhile.
    pub(crate) fn change(&self, seen: Seen, owner: Owner, answer: Answer) -> bool {
        let next = Seen { owner, answer }.bits();
        self.word
            .compare_exchange(seen.bits(), next, Ordering::SeqCst, Ordering::Relaxed)
            .is_ok()
    }

    /// Wake the thread that sleeps on the word of the place.
    pub(crate) fn wake(&self, world: &impl World) {
        world.wake(&self.word, 1);
    }

    /// Free the place if it is still as in `seen`.
    pub(crate) fn free(&self, seen: Seen) -> bool {
        self.word
            .compare_exchange(seen.bits(), 0, Ordering::SeqCst, Ordering::Relaxed)
            .is_ok()
    }
}

shared! {
    /// The places of one object.
    pub(crate) struct Waiters {
        /// One more than the highest place that was ever taken.
        used: AtomicU32,
        _pad: AtomicU32,
        places: [Waiter; PLACES],
    }
}

impl Waiters {
    /// Claim a place for a thread of this participant; `E_LIMIT` if all are taken.
    pub(crate) fn claim(&self, me: Owner) -> Result<&Waiter> {
        for (at, place) in self.places.iter().enumerate() {
            if place.word.load(Ordering::Relaxed) != 0 {
                continue;
            }
            // Raise `used` before the place is taken, so that no scan misses the place.
            self.used.fetch_max(at as u32 + 1, Ordering::SeqCst);
            let taken =
                place
                    .word
                    .compare_exchange(0, me.bits(), Ordering::SeqCst, Ordering::Relaxed);
            if taken.is_ok() {
                return Ok(place);
            }
        }
        Err(because!(E_LIMIT, "as many threads wait there as can"))
    }

    /// The places that are taken.
    pub(crate) fn taken(&self) -> impl Iterator<Item = (&Waiter, Seen)> {
        let used = self.used.load(Ordering::SeqCst) as usize;
        let places = self.places.iter().take(used);
        places.filter_map(|place| Some((place, place.seen()?)))
    }

    /// The places whose threads wait.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = (&Waiter, Seen)> {
        self.taken()
            .filter(|(_, seen)| seen.answer == Answer::Waits)
    }
}
